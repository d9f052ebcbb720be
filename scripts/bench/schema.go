package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// validate measures apify validate on an Actor of ordinary size, from start to
// exit, beside a program that does nothing but read its definition.
func (b *bench) validate() error {
	dir, err := b.dir("validate")
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "actors", "node-cheerio"))); err != nil {
		return err
	}
	ours := command{dir: dir, args: []string{b.apify, "validate"}}
	floor := command{dir: dir, args: []string{b.floor, filepath.Join(dir, ".actor", "actor.json")}}
	result, err := pairs(b.rounds, ours.seconds, floor.seconds)
	if err != nil {
		return err
	}
	result[0].show("bin/apify validate", duration)
	result[1].show("a bare Go program", duration)
	verdict("from start to exit", "at most 30 ms", result[0].median() <= 0.030)
	return nil
}

var perOperation = regexp.MustCompile(`(?m)^BenchmarkValidate30Fields\S*\s+\d+\s+([\d.]+) ns/op`)

// inputs measures how many inputs a second one core judges by a schema of 30
// fields: the benchmark of the package that does it.
func (b *bench) inputs() error {
	judge := command{dir: ".", args: []string{
		"go", "test", "-run", "^$", "-bench", "^BenchmarkValidate30Fields$", "-cpu", "1", "./internal/schema/input",
	}}
	out, _, err := judge.run()
	if err != nil {
		return err
	}
	found := perOperation.FindSubmatch(out)
	if found == nil {
		return fmt.Errorf("the benchmark did not run:\n%s", out)
	}
	nanoseconds, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		return err
	}
	perSecond := 1e9 / nanoseconds
	verdict(rate(perSecond)+" inputs of 30 fields", "at least 10000/s", perSecond >= 10_000)
	return nil
}
