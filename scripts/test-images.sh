#!/bin/sh
# Makes the base images that sample Actors and tests build on, out of what this
# machine has installed, so that neither needs a registry:
#
#   busybox:latest             a shell and the usual tools
#   apify/actor-node:20        node, npm, CA certificates, user myuser
#   apify/actor-python:3.11    python, pip, CA certificates, user myuser
#   golang:1.26-alpine         the go command and compiler, CA certificates
#
# They have the names, users, directories and start commands of the images that
# Actors name in FROM, not their contents. Images that are up to date are left
# alone. Needs root, curl, and an engine that serves the Docker API on a socket
# (DOCKER_HOST=unix:///…, else /var/run/docker.sock).
set -eu

case "${DOCKER_HOST:-}" in
"") socket=/var/run/docker.sock ;;
unix://*) socket=${DOCKER_HOST#unix://} ;;
*) echo "test-images: DOCKER_HOST must be a unix:// address here" >&2; exit 1 ;;
esac

stage=
trap '[ -z "$stage" ] || rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM

say() { echo "test-images: $*" >&2; }
die() { say "$*"; exit 1; }

# engine METHOD PATH [CURL-ARGUMENT…] calls the container engine's API.
engine() {
    method=$1 path=$2
    shift 2
    curl -sS --unix-socket "$socket" -X "$method" "$@" "http://engine/v1.41$path"
}

# up_to_date NAME FINGERPRINT tells whether the image was made from the same things.
up_to_date() {
    engine GET "/images/$1/json" | grep -q "\"dev.greenroom.test-image\":\"$2\""
}

# import NAME TAG FINGERPRINT CHANGE… makes an image of the files in $stage.
import() {
    name=$1 tag=$2 fingerprint=$3
    shift 3
    query="fromSrc=-&repo=$name&tag=$tag&changes=$(escape "LABEL dev.greenroom.test-image=$fingerprint")"
    for change; do
        query="$query&changes=$(escape "$change")"
    done
    old=$(engine GET "/images/$name:$tag/json" | sed -n 's/^{"Id":"\([^"]*\)".*/\1/p')
    answer=$(tar -C "$stage" --numeric-owner -cf - . |
        engine POST "/images/create?$query" -H 'Content-Type: application/x-tar' -T -)
    case "$answer" in
    *sha256:*) say "made $name:$tag" ;;
    *) die "the engine did not import $name:$tag: $answer" ;;
    esac
    # The engine keeps the image of that name when something still uses it.
    [ -z "$old" ] || engine DELETE "/images/$old" >/dev/null
    rm -rf "$stage"
    stage=
}

# escape prints its argument percent-encoded, as far as the changes below need.
escape() {
    printf %s "$1" | sed -e 's/%/%25/g' -e 's/ /%20/g' -e 's/"/%22/g' -e 's/=/%3D/g' \
        -e 's/\[/%5B/g' -e 's/\]/%5D/g' -e 's/,/%2C/g' -e 's/:/%3A/g' -e 's/+/%2B/g' -e 's/&/%26/g'
}

# base_files fills $stage with a shell, users and what name lookups and TLS need.
base_files() {
    stage=$(mktemp -d)
    chmod 755 "$stage"
    mkdir -p "$stage/bin" "$stage/etc/ssl/certs" "$stage/usr/bin" "$stage/usr/local/bin" \
        "$stage/root" "$stage/home/myuser" "$stage/tmp" "$stage/var"
    chmod 1777 "$stage/tmp"
    chmod 700 "$stage/root"
    chown 1000:1000 "$stage/home/myuser"
    ln -s ../tmp "$stage/var/tmp"
    cp -L "$busybox" "$stage/bin/busybox"
    for applet in $("$busybox" --list); do
        [ "$applet" = busybox ] || ln -s /bin/busybox "$stage/bin/$applet"
    done
    ln -s /bin/busybox "$stage/usr/bin/env"
    cat >"$stage/etc/passwd" <<'PASSWD'
root:x:0:0:root:/root:/bin/sh
myuser:x:1000:1000::/home/myuser:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
PASSWD
    cat >"$stage/etc/group" <<'GROUP'
root:x:0:
myuser:x:1000:
nogroup:x:65534:
GROUP
    echo 'hosts: files dns' >"$stage/etc/nsswitch.conf"
    if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
        cp -L /etc/ssl/certs/ca-certificates.crt "$stage/etc/ssl/certs/"
    fi
}

# libraries FILE… copies the shared libraries that the files need, and the
# loader, to where the loader looks without being told.
libraries() {
    for file; do
        ldd "$file" 2>/dev/null || true
    done | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | sort -u |
        while read -r library; do
            case "$library" in
            /lib64/* | /lib/ld-*) target=$library ;;
            *) target=/lib/$(basename "$library") ;;
            esac
            mkdir -p "$stage$(dirname "$target")"
            [ -e "$stage$target" ] || cp -L "$library" "$stage$target"
        done
}

# shared NAME… copies shared libraries, by name, for code that the image gets
# later: real base images have them all.
shared() {
    for name; do
        file=$(/sbin/ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }')
        if [ -n "$file" ] && [ ! -e "$stage/lib/$name" ]; then
            mkdir -p "$stage/lib"
            cp -L "$file" "$stage/lib/$name"
        fi
    done
}

[ -S "$socket" ] || die "no container engine at $socket; start one with: dockerd &"
engine GET /_ping >/dev/null || die "the engine at $socket does not answer"

busybox=/bin/busybox
if ! [ -x $busybox ] || ldd $busybox >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || die "install busybox-static, or run this as root"
    say "installing busybox-static"
    apt-get install -y -qq busybox-static >/dev/null
fi
self=$(cksum <"$0" | cut -d' ' -f1)

# --- busybox:latest ---------------------------------------------------------
fingerprint="$self-$(cksum <$busybox | cut -d' ' -f1)"
if ! up_to_date busybox:latest "$fingerprint"; then
    base_files
    import busybox latest "$fingerprint" \
        'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'CMD ["sh"]'
fi

# --- apify/actor-node:20 ----------------------------------------------------
node=$(command -v node) || die "no node on this machine; install Node.js 20 or later"
node=$(readlink -f "$node")
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
fingerprint="$self-$("$node" --version)-$("$node" -p 'require(process.argv[1]).version' "$npm/package.json")"
if ! up_to_date apify/actor-node:20 "$fingerprint"; then
    base_files
    mkdir -p "$stage/usr/local/lib/node_modules"
    cp -L "$node" "$stage/usr/local/bin/node"
    libraries "$node"
    cp -R "$npm" "$stage/usr/local/lib/node_modules/npm"
    rm -rf "$stage/usr/local/lib/node_modules/npm/docs" "$stage/usr/local/lib/node_modules/npm/man"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$stage/usr/local/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$stage/usr/local/bin/npx"
    import apify/actor-node 20 "$fingerprint" \
        'ENV PATH=/usr/local/bin:/usr/bin:/bin' 'ENV NODE_ENV=production' \
        'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
        'ENV NPM_CONFIG_UPDATE_NOTIFIER=false' \
        'USER myuser' 'WORKDIR /home/myuser' 'CMD ["npm","start","--silent"]'
fi

# --- apify/actor-python:3.11 ------------------------------------------------
python=$(command -v python3) || die "no python3 on this machine; install Python 3.11 or later"
# A shim or a virtual environment is not the installation itself.
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
stdlib=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
fingerprint="$self-$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')"
if ! up_to_date apify/actor-python:3.11 "$fingerprint"; then
    base_files
    site=$stage/usr/local/lib/python$version/site-packages
    mkdir -p "$stage/usr/local/lib/python$version" "$stage/usr/src/app"
    chown 1000:1000 "$stage/usr/src/app"
    cp -L "$(readlink -f "$prefix/bin/python$version")" "$stage/usr/local/bin/python$version"
    ln -s "python$version" "$stage/usr/local/bin/python3"
    ln -s "python$version" "$stage/usr/local/bin/python"
    tar -C "$stdlib" -cf - --exclude=__pycache__ --exclude=./site-packages --exclude=./dist-packages \
        --exclude=./EXTERNALLY-MANAGED --exclude=./test --exclude=./idlelib --exclude=./turtledemo --exclude=./tkinter --exclude='./config-*' . |
        tar -C "$stage/usr/local/lib/python$version" -xf -
    # pip comes from the wheel that Python itself carries, not from what is
    # installed here: the image has nothing but the standard library and pip.
    # Debian keeps the wheel elsewhere and looks for modules in dist-packages.
    mkdir -p "$site"
    ln -s site-packages "$(dirname "$site")/dist-packages"
    wheel=$(ls "$stdlib"/ensurepip/_bundled/pip-*.whl /usr/share/python-wheels/pip-*.whl 2>/dev/null | head -n 1)
    [ -n "$wheel" ] || die "this Python carries no pip; install python3-venv"
    "$python" -m zipfile -e "$wheel" "$site"
    wheel=$(ls "$stdlib"/ensurepip/_bundled/setuptools-*.whl /usr/share/python-wheels/setuptools-*.whl 2>/dev/null | head -n 1)
    [ -z "$wheel" ] || "$python" -m zipfile -e "$wheel" "$site"
    rm -rf "$stage/usr/local/lib/python$version/ensurepip/_bundled"
    cat >"$stage/usr/local/bin/pip" <<'PIP'
#!/usr/local/bin/python3
import sys
from pip._internal.cli.main import main
sys.exit(main())
PIP
    chmod 755 "$stage/usr/local/bin/pip"
    ln -s pip "$stage/usr/local/bin/pip3"
    libraries "$prefix/bin/python$version" "$stdlib"/lib-dynload/*.so
    # What the native code of wheels is linked with.
    shared libgcc_s.so.1 libstdc++.so.6 libpthread.so.0 librt.so.1 libdl.so.2 libm.so.6
    import apify/actor-python 3.11 "$fingerprint" \
        'ENV PATH=/usr/local/bin:/usr/bin:/bin' 'ENV PYTHONUNBUFFERED=1' 'ENV LANG=C.UTF-8' \
        'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' 'ENV PIP_NO_CACHE_DIR=1' \
        'ENV PIP_DISABLE_PIP_VERSION_CHECK=1' 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' \
        'USER myuser' 'WORKDIR /usr/src/app' 'CMD ["python3","main.py"]'
fi

# --- golang:1.26-alpine -----------------------------------------------------
go=$(command -v go) || die "no go on this machine; install Go 1.26 or later"
goroot=$("$go" env GOROOT)
fingerprint="$self-$("$go" env GOVERSION)"
if ! up_to_date golang:1.26-alpine "$fingerprint"; then
    base_files
    mkdir -p "$stage/usr/local/go" "$stage/go" "$stage/src"
    tools=pkg/tool/$("$go" env GOHOSTOS)_$("$go" env GOHOSTARCH)
    tar -C "$goroot" -cf - --exclude='*_test.go' --exclude=testdata --exclude=src/cmd \
        VERSION go.env bin/go pkg/include "$tools/asm" "$tools/compile" "$tools/link" src |
        tar -C "$stage/usr/local/go" -xf -
    libraries "$goroot/bin/go" "$goroot/$tools/compile"
    import golang 1.26-alpine "$fingerprint" \
        'ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin' 'ENV GOPATH=/go' \
        'ENV GOTOOLCHAIN=local' 'WORKDIR /go' 'CMD ["sh"]'
fi
