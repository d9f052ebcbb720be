package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/greenroom-dev/greenroom/scripts/bench/meter"
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
	ours := meter.Command{Dir: dir, Args: []string{b.apify, "validate"}}
	floor := meter.Command{Dir: dir, Args: []string{b.floor, filepath.Join(dir, ".actor", "actor.json")}}
	result, err := meter.Pairs(b.rounds, ours.Seconds, floor.Seconds)
	if err != nil {
		return err
	}
	result[0].Show("bin/apify validate", meter.Duration)
	result[1].Show("a bare Go program", meter.Duration)
	meter.Verdict("from start to exit", "at most 30 ms", result[0].Median() <= 0.030)
	return nil
}

var perOperation = regexp.MustCompile(`(?m)^BenchmarkValidate30Fields\S*\s+\d+\s+([\d.]+) ns/op`)

// inputs measures how many inputs a second one core judges by a schema of 30
// fields: the benchmark of the package that does it.
func (b *bench) inputs() error {
	judge := meter.Command{Dir: ".", Args: []string{
		"go", "test", "-run", "^$", "-bench", "^BenchmarkValidate30Fields$", "-cpu", "1", "./internal/schema/input",
	}}
	out, _, err := judge.Run()
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
	meter.Verdict(meter.Rate(perSecond)+" inputs of 30 fields", "at least 10000/s", perSecond >= 10_000)
	return nil
}
