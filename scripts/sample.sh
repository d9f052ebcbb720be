#!/usr/bin/env bash
# sample.sh NAME DIR copies the sample Actor testdata/actors/NAME to the new
# directory DIR and makes the copy ready to run without a network, under both
# executors:
#
#   node-cheerio   gets node_modules from $GREENROOM_TEST_NODE_MODULES
#   python-sdk     gets .venv (for processes) and vendor (for the image) from
#                  the virtual environment of $GREENROOM_TEST_PYTHON
#   go-sdk         gets its binary, and a go.mod that finds this repository
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
die() { echo "sample: $*" >&2; exit 1; }
[ $# = 2 ] || die "usage: sample.sh NAME DIR"
name=$1 dir=$2
[ -d "$here/testdata/actors/$name/.actor" ] || die "there is no sample Actor $name"
[ ! -e "$dir" ] || die "$dir exists"

mkdir -p "$(dirname "$dir")"
cp -R "$here/testdata/actors/$name" "$dir"
rm -rf "$dir/storage"

case $name in
node-cheerio)
    modules=${GREENROOM_TEST_NODE_MODULES:?is not set; see scripts/test-sdks.sh}
    rm -rf "$dir/node_modules"
    cp -R "$modules" "$dir/node_modules"
    ;;
python-sdk)
    python=${GREENROOM_TEST_PYTHON:?is not set; see scripts/test-sdks.sh}
    rm -rf "$dir/.venv" "$dir/vendor"
    ln -s "$("$python" -c 'import sys; print(sys.prefix)')" "$dir/.venv"
    cp -R "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" "$dir/vendor"
    rm -rf "$dir"/vendor/pip "$dir"/vendor/pip-* "$dir"/vendor/setuptools "$dir"/vendor/setuptools-*
    ;;
go-sdk)
    (cd "$dir" && go mod edit -replace "github.com/greenroom-dev/greenroom=$here" &&
        CGO_ENABLED=0 GOOS=linux go build -trimpath -o go-sdk .)
    ;;
esac
