#!/bin/sh
# Runs a sample Actor with bin/apify and shows what it leaves: in a container
# when an engine can, else as a process of this machine. Everything happens in a
# copy in bin/demo, which git ignores and the next call replaces.
set -eu
cd "$(dirname "$0")/.."
apify=$PWD/bin/apify
[ -x "$apify" ] || apify=$apify.exe

work=$PWD/bin/demo
rm -rf "$work"
mkdir -p "$work"
cp -R testdata/actors/hello-shell "$work/hello-shell"

# can_build tells whether the sample's image can be made, and makes it: then the
# runs below start at once.
can_build() {
    "$apify" run "$work/hello-shell" --executor docker --silent >"$work/log" 2>&1
}

executor=docker
if ! can_build; then
    # An engine without a registry in reach lacks the image to build on.
    if grep -qi busybox "$work/log" && scripts/test-images.sh >>"$work/log" 2>&1 && can_build; then
        :
    else
        executor=process
        echo "demo: no container here, because:" >&2
        grep error "$work/log" | head -n 1 >&2
    fi
fi

# show prints a command as a person would type it, then runs it.
show() {
    printf '\n$ %s\n' "$1"
    (cd "$work" && eval "$1")
}
PATH=$(dirname "$apify"):$PATH
export PATH

show "cat hello-shell/main.sh"
show "apify run hello-shell --executor $executor"
show "apify run hello-shell --executor $executor --input '{\"greeting\": \"Ahoy\", \"count\": 2}' -o -s"
show "apify run hello-shell --executor $executor greeting=Hi count=1 -o -s"
show "ls hello-shell/storage/*/default"
show "cat hello-shell/storage/key_value_stores/default/REPORT.txt"
