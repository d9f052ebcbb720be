#!/bin/sh
# Looks whether web pages answer. The actor command is all that connects a script
# to its run: "actor --help" lists what it can do.
set -euf

# reachable URL succeeds when the page answers. Small images have wget, others curl.
reachable() {
    if command -v curl >/dev/null; then
        curl -fsSL --max-time 30 -o /dev/null "$1"
    else
        wget -q -T 30 -O /dev/null "$1"
    fi
}

# The addresses in the input: its only texts that begin with http. Where jq is
# installed, this is: actor get-input | jq -r '.urls[]'
urls=$(actor get-input | sed 's#\\/#/#g' | grep -o '"https\{0,1\}://[^"]*"' | tr -d '"')

total=0
answering=0
for url in $urls; do
    total=$((total + 1))
    actor set-status-message "Looking at page $total"
    if reachable "$url"; then
        answers=true
        answering=$((answering + 1))
    else
        answers=false
    fi
    echo "$url answers: $answers"
    # Items of the dataset are the results: a table that everybody can download.
    actor push-data url="$url" answers="$answers"
done

# The key-value store keeps anything else, under names of your choice.
actor set-value OUTPUT "{\"pages\": $total, \"answering\": $answering}"

exec actor exit --message "$answering of $total pages answer"
