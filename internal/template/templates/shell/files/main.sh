#!/bin/sh
# Computes the checksum of each text in the input. The actor command is all that
# connects a script to its run: "actor --help" lists what it can do.
set -eu

# The texts, one on a line: the strings after the name of the only field. The
# input schema keeps out what this cannot read. With jq, which reads everything:
# actor get-input | jq -r '.texts[]'
texts=$(actor get-input | tr -d '\n' | sed 's/.*"texts" *: *\[//' | grep -o '"[^"]*"' | tr -d '"')

# sha256 reads a text and prints its checksum. macOS has another command for it.
sha256() {
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

total=0
while IFS= read -r text; do
    total=$((total + 1))
    actor set-status-message "Reading text $total"
    sum=$(printf '%s' "$text" | sha256)
    # Items of the dataset are the results: a table that everybody can download.
    # NAME=VALUE would be a number where it looks like one; NAME:=JSON is exact.
    actor push-data text:="\"$text\"" sha256:="\"$sum\""
    echo "$text: $sum"
done <<END
$texts
END

# The key-value store keeps anything else, under names of your choice.
actor set-value OUTPUT "{\"texts\": $total}"

exec actor exit --message "Computed $total checksums"
