#!/bin/sh
# Greets as often as the input asks for.
set -eu

input=$(actor get-input | tr '\n' ' ')

# field NAME prints a text or a number of the input, which is one flat object.
# (Where jq is installed: actor get-input | jq -r .NAME)
field() {
    printf '%s' "$input" | sed -n -e "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p" -e "s/.*\"$1\" *: *\\([0-9][0-9]*\\).*/\\1/p"
}

greeting=$(field greeting)
count=$(field count)

n=1
while [ "$n" -le "$count" ]; do
    actor set-status-message "Greeting $n of $count"
    actor push-data n="$n" text="$greeting, world"
    echo "said $greeting"
    n=$((n + 1))
done

actor set-value OUTPUT "{\"greetings\": $count}"
printf 'Said %s %s times.\n' "$greeting" "$count" | actor set-value REPORT --content-type text/plain

exec actor exit --message "Said $greeting $count times"
