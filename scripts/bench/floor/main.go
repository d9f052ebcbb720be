// Command floor is the least a Go program can do of what is measured: it prints
// a file, or with -split writes each line of its input to a file of its own.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 && args[0] == "-split" {
		return split(args[1])
	}
	if len(args) != 1 {
		return fmt.Errorf("usage: floor FILE | floor -split DIR")
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(os.Stdout, file)
	return err
}

func split(dir string) error {
	in := bufio.NewScanner(os.Stdin)
	for n := 1; in.Scan(); n++ {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%09d.json", n)), in.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return in.Err()
}
