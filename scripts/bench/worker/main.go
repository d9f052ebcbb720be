// Command worker is the code of Actors that are measured: with -until it waits
// for a file to be there; then it writes so many -lines, each with its number
// and the time in nanoseconds since 1970, -rate of them a second.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	lines := flag.Int("lines", 0, "lines to write")
	rate := flag.Float64("rate", 20, "lines a second")
	until := flag.String("until", "", "`file` to wait for")
	flag.Parse()
	for *until != "" {
		if _, err := os.Stat(*until); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	start := time.Now()
	for n := range *lines {
		time.Sleep(time.Until(start.Add(time.Duration(float64(n) / *rate * float64(time.Second)))))
		fmt.Printf("line %d %d\n", n, time.Now().UnixNano())
	}
}
