#!/usr/bin/env bash
# Runs every test on a machine that has Go, and prepares what else the machine
# can offer: base images when a container engine answers, the official SDKs when
# Node.js and Python are installed. Tests of what is missing skip and say so;
# with CI=true a missing part is a failure.
#
# Extra arguments go to go test, packages included: scripts/test.sh ./pkg/...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "test: $*" >&2; }

if [ "${GREENROOM_TEST_NODE_MODULES:-}${GREENROOM_TEST_PYTHON:-}" = "" ]; then
    variables=$(scripts/test-sdks.sh)
    eval "$variables"
fi

socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
socket=${socket#unix://}
if [ -S "$socket" ]; then
    if ! scripts/test-images.sh; then
        [ "${CI:-}" != true ] || exit 1
        say "the base images could not be made: tests that build on them will fail or pull them"
    fi
elif [ "${CI:-}" = true ]; then
    say "no container engine at $socket (and CI=true: nothing may be left out)"
    exit 1
else
    say "no container engine at $socket: tests that need one will be skipped"
fi

# The race detector needs a C compiler, which a fresh machine may lack.
race=-race
compiler=$(go env CC)
if ! command -v "${compiler%% *}" >/dev/null; then
    if [ "${CI:-}" = true ]; then
        say "there is no C compiler for go test -race"
        exit 1
    fi
    say "there is no C compiler ($compiler): testing without the race detector"
    race=
fi

[ -z "$race" ] || export CGO_ENABLED=1
[ $# -gt 0 ] || set -- ./...
# An empty $race must vanish, so it is not quoted below.
CGO_ENABLED=0 go build -o bin/testsum ./scripts/testsum
# testsum's status says whether all passed; so does go test's.
# shellcheck disable=SC2086
go test -json $race -timeout 60m "$@" | bin/testsum
