#!/bin/sh
# Connects a program to its run: the input goes in as JSON, and each line that
# comes out is an item of the dataset. A failing program fails the run.
set -eu

items=$(mktemp)
trap 'rm -f "$items"' EXIT

# The program, in any language: put yours here.
program() {
    awk -f primes.awk
}

actor set-status-message "Working"
actor get-input | program >"$items"

if [ -s "$items" ]; then
    actor push-data <"$items"
fi
found=$(wc -l <"$items" | tr -d ' ')
rm -f "$items"
exec actor exit --message "Found $found items"
