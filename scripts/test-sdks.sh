#!/usr/bin/env bash
# Installs the official SDKs that tests and samples run against, and prints the
# variables that tell the tests where they are:
#
#   GREENROOM_TEST_NODE_MODULES   node_modules with apify, @crawlee/cheerio and
#                                 apify-client, at the versions of the lock file
#                                 in testdata/sdk/node
#   GREENROOM_TEST_JUDGES         node_modules with the official libraries that
#                                 tests compare verdicts and words with, at the
#                                 versions of the lock file in testdata/sdk/judges
#   GREENROOM_TEST_APIFY_CLI      the official apify command, at the version of the
#                                 lock file in testdata/sdk/cli
#   GREENROOM_TEST_PYTHON         the python of a virtual environment with the
#                                 newest apify of PyPI, and crawlee with Beautiful
#                                 Soup
#
#   eval "$(scripts/test-sdks.sh)"
#
# What is there already is left alone. A runtime that this machine lacks is left
# out, or is a failure when CI is "true". GREENROOM_TEST_CACHE names the folder
# (default: greenroom-test in the user's cache directory); GREENROOM_TEST_UPDATE=1
# looks for a newer Python SDK.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${GREENROOM_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/greenroom-test}

say() { echo "test-sdks: $*" >&2; }

# without says which runtime is missing; a CI machine must have it.
without() {
    if [ "${CI:-}" = true ]; then
        say "$* (and CI=true: nothing may be left out)"
        exit 1
    fi
    say "$*: its tests will be skipped"
}

# node_modules NAME VARIABLE [FILE] installs what the lock file in testdata/sdk/NAME
# says, unless that is what was installed. The variable names node_modules, or the
# file in it.
node_modules() {
    local dir=$cache/$1 from=$here/testdata/sdk/$1
    if ! cmp -s "$from/package-lock.json" "$dir/installed-lock.json"; then
        say "installing npm packages in $dir"
        mkdir -p "$dir"
        rm -f "$dir/installed-lock.json"
        cp "$from/package.json" "$from/package-lock.json" "$dir/"
        (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error >&2) || return 1
        cp "$from/package-lock.json" "$dir/installed-lock.json"
    fi
    echo "export $2='$dir/node_modules${3:-}'"
}

# python_sdk installs the newest apify beside a python of its own. The folder is
# named after that python, so that another one does not get its libraries.
python_sdk() {
    local version dir packages='apify crawlee[beautifulsoup]'
    version=$(python3 -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
    dir=$cache/python-$version
    if [ "$(sed -n 2p "$dir/installed" 2>/dev/null)" != "$packages" ] || [ "${GREENROOM_TEST_UPDATE:-}" = 1 ]; then
        say "installing the Python SDK in $dir"
        rm -f "$dir/installed"
        python3 -m venv "$dir" >&2 || return 1
        # shellcheck disable=SC2086 # one word a package
        "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade $packages >&2 || return 1
        {
            "$dir/bin/python" -c 'from importlib.metadata import version; print(version("apify"))'
            echo "$packages"
        } >"$dir/installed.new"
        mv "$dir/installed.new" "$dir/installed"
        say "apify $(head -n 1 "$dir/installed") for Python $version"
    fi
    echo "export GREENROOM_TEST_PYTHON='$dir/bin/python'"
}

if command -v node >/dev/null && command -v npm >/dev/null; then
    node_modules node GREENROOM_TEST_NODE_MODULES || without "the Node.js SDK cannot be installed"
    node_modules cli GREENROOM_TEST_APIFY_CLI /.bin/apify || without "the official CLI cannot be installed"
    node_modules judges GREENROOM_TEST_JUDGES || without "the libraries to compare with cannot be installed"
else
    without "there is no Node.js"
fi
if command -v python3 >/dev/null; then
    python_sdk || without "the Python SDK cannot be installed"
else
    without "there is no python3"
fi
