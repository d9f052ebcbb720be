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
        said=$(mktemp)
        if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$package" </dev/null >"$said" 2>&1; then
            # Go reports an input that was still running when the time was over
            # as a failure; a real one leaves the input that made it fail.
            if ! grep -q 'context deadline exceeded' "$said" || grep -q 'Failing input' "$said"; then
                cat "$said"
                rm -f "$said"
                exit 1
            fi
        fi
        tail -n 2 "$said"
        rm -f "$said"
    done
done
