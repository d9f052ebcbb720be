#!/bin/sh
# Runs each fuzz target of the module for FUZZTIME (default 10s), one after the
# other, and stops at the first failure.
set -eu
cd "$(dirname "$0")/.."
go list -f '{{range .TestGoFiles}}{{$.ImportPath}} {{$.Dir}}/{{.}}
{{end}}{{range .XTestGoFiles}}{{$.ImportPath}} {{$.Dir}}/{{.}}
{{end}}' ./... | while read -r package file; do
    [ -n "$package" ] || continue
    sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
        echo "fuzz: $package $target"
        go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$package" </dev/null
    done
done
