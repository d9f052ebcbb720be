#!/bin/sh
# topwords [-n COUNT] [-i] prints the most frequent words of its standard input.
set -eu
count=3
fold=cat
while getopts n:i option; do
    case $option in
    n) count=$OPTARG ;;
    i) fold='tr A-Z a-z' ;;
    *) exit 2 ;;
    esac
done
cat | $fold | tr -cs 'A-Za-z' '\n' | grep . | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2 | head -n "$count" | awk '{ print $2 }'
