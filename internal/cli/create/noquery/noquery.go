// Package noquery keeps the packages behind the prompts from asking the terminal
// for its colours whenever the program starts.
//
// They do so while they are initialised, for every command, be it one that
// prompts or not: two escape sequences to standard output, and up to five
// seconds of waiting for a terminal that does not answer. They do not when CI is
// set. This package imports nothing but os, so that it is initialised before
// them: packages are initialised by import path as soon as their imports are,
// and theirs include os/signal, which comes after this one.
package noquery

import "os"

const variable = "CI"

var set bool

func init() {
	if os.Getenv(variable) == "" {
		set = os.Setenv(variable, "true") == nil
	}
}

// Restore gives the environment back as it was. It is called by the
// initialisation of what imports the prompts, which comes after theirs.
func Restore() {
	if set {
		_ = os.Unsetenv(variable)
		set = false
	}
}
