# Code that does what its version's variables say, and notes what it does where
# the test reads it: in a file, or, from within a container, by asking the test.
# Notes of a life: start LIFE PID KIND, line LIFE N, end LIFE N.
note() {
	if [ -n "$NOTES" ]; then
		echo "$*" >>"$NOTES/$ACTOR_RUN_ID"
	else
		wget -q -O /dev/null "http://$(ip route | awk '/^default/ { print $3 }'):$NOTES_PORT/$ACTOR_RUN_ID?$(echo "$*" | tr ' ' +)"
	fi
}

life=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
[ -z "$DEAF" ] || trap '' TERM
[ -z "$POLITE" ] || trap 'echo "asked $life"; exit 3' TERM
note start "$life" $$ "$KIND"
n=0
while [ "$n" -lt "$LINES_TO_WRITE" ]; do
	n=$((n + 1))
	echo "line $life $n"
	if [ -n "$PAUSE" ]; then
		[ -z "$NOTES" ] || note line "$life" "$n"
		sleep "$PAUSE"
	fi
done
note end "$life" "$n"
exit "$CODE"
