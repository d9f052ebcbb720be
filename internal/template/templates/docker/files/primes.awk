# Reads {"limit": N} and writes a line {"prime": P, "gap": G} for each prime
# number up to N: a program that knows nothing of Actors.
{ input = input $0 }

END {
    # One number is easily found; take a JSON library for more than that.
    if (!match(input, /"limit"[ \t]*:[ \t]*[0-9]+/)) {
        print "the input has no limit" >"/dev/stderr"
        exit 1
    }
    limit = substr(input, RSTART, RLENGTH)
    sub(/.*[^0-9]/, "", limit)
    limit += 0

    last = 2
    for (n = 2; n <= limit; n++) {
        if (n in composite) {
            delete composite[n]
            continue
        }
        printf "{\"prime\": %d, \"gap\": %d}\n", n, n - last
        last = n
        for (m = n * n; m <= limit; m += n) {
            composite[m] = 1
        }
    }
}
