// Command collatz prints how numbers come down to one, as a table.
package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	limit := flag.Int("limit", 3, "largest `number` to look at")
	steps := flag.Bool("steps", true, "count the steps")
	label := flag.String("label", "run", "what to write beside each number")
	wait := flag.Duration("wait", 0, "wait this long before the first")
	flag.Parse()
	if *limit < 1 {
		fmt.Fprintln(os.Stderr, "collatz: the limit must be at least 1")
		os.Exit(3)
	}
	time.Sleep(*wait)
	table := csv.NewWriter(os.Stdout)
	defer table.Flush()
	header := []string{"number", "label"}
	if *steps {
		header = append(header, "steps")
	}
	_ = table.Write(header)
	for n := 1; n <= *limit; n++ {
		row := []string{strconv.Itoa(n), *label}
		if *steps {
			count := 0
			for m := n; m != 1; count++ {
				if m%2 == 0 {
					m /= 2
				} else {
					m = 3*m + 1
				}
			}
			row = append(row, strconv.Itoa(count))
		}
		_ = table.Write(row)
	}
}
