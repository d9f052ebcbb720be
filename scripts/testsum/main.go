// Command testsum reads what go test -json writes and prints what go test would
// without -json, then how many tests passed, failed and were skipped. Output of
// tests that passed is left out, as go test does.
//
//	go test -json ./... | go run ./scripts/testsum
//
// Its own exit status is 1 when a test or a package failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of go test -json; see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

func main() {
	ok, err := sum(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

func sum(in io.Reader, out io.Writer) (ok bool, err error) {
	count := map[string]int{}
	output, failing := map[[2]string]*strings.Builder{}, map[string]bool{}
	ok = true
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text()) // what the compiler says
			continue
		}
		key := [2]string{e.Package, e.Test}
		switch e.Action {
		case "output", "build-output":
			if e.Test == "" {
				// Package lines: ok, FAIL, no test files, and what broke the build.
				if text := e.Output; text != "PASS\n" {
					fmt.Fprint(out, text)
				}
				continue
			}
			if output[key] == nil {
				output[key] = &strings.Builder{}
			}
			output[key].WriteString(e.Output)
		case "fail":
			ok = false
			if e.Test != "" {
				count["failed"]++
				failing[e.Package] = true
				if output[key] != nil {
					fmt.Fprint(out, output[key])
				}
				delete(output, key)
				continue
			}
			// A package without a failed test has panicked or run out of time:
			// what its unfinished tests said tells why.
			if !failing[e.Package] {
				count["failed"]++
				for k, text := range output {
					if k[0] == e.Package {
						fmt.Fprint(out, text)
					}
				}
			}
		case "pass", "skip":
			if e.Test != "" {
				count[map[string]string{"pass": "passed", "skip": "skipped"}[e.Action]]++
			}
			if e.Action == "skip" && output[key] != nil {
				fmt.Fprint(out, output[key]) // why it was skipped
			}
			delete(output, key)
		case "build-fail":
			ok = false
		}
	}
	if err := lines.Err(); err != nil {
		return false, err
	}
	_, err = fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", count["passed"], count["failed"], count["skipped"])
	return ok, err
}
