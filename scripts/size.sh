#!/bin/sh
# size.sh FILE BYTES fails when the file is larger than that.
set -eu
size=$(wc -c <"$1" | tr -d ' ')
if [ "$size" -gt "$2" ]; then
    echo "size: $1 has $size bytes, more than the $2 it may have" >&2
    echo "size: 'go tool nm -size -sort size' on an unstripped build shows what grew" >&2
    exit 1
fi
echo "size: $1 has $size of at most $2 bytes"
