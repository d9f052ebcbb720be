// Package source reads in a program's source text how it takes its arguments:
// what its argparse, click, typer, commander, yargs, flag or cobra calls define.
// It reads and never runs: only literals have a value.
package source

import "github.com/greenroom-dev/greenroom/internal/commandline"

// Found is what the source of a program says of its command line.
type Found struct {
	// Parser is what reads the arguments: argparse, commander, flag, sys.argv; ""
	// when nothing does.
	Parser string
	// Program is the command line, nil when the source does not show it.
	Program *commandline.Program
	// File is where it was found.
	File string
	// JSON says that the source deals with JSON.
	JSON bool
	// Missing are things that could not be read, for people.
	Missing []string
}

// Reader gives the text of a file of the project by its slash path, or "".
type Reader func(name string) string

// rest is the argument of a program of which no more is known than that it has
// some.
func rest(name string) commandline.Option {
	return commandline.Option{Name: name, Repeated: true, Description: "the program's arguments, in their order"}
}
