package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// patience bounds one measured command.
const patience = 10 * time.Minute

// samples are measurements of one thing: durations in seconds, or rates.
type samples []float64

func (s samples) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// unit says how samples are printed.
type unit func(float64) string

func duration(seconds float64) string {
	switch {
	case seconds < 0.1:
		return fmt.Sprintf("%.2f ms", seconds*1e3)
	case seconds < 10:
		return fmt.Sprintf("%.0f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

func rate(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) }

// show prints one line of measurements.
func (s samples) show(name string, u unit) {
	fmt.Printf("  %-46s %11s  (min %s, max %s, %d times)\n", name, u(s.median()), u(slices.Min(s)), u(slices.Max(s)), len(s))
}

// verdict prints a comparison and its goal beside it.
func verdict(what, goal string, met bool) {
	result := "met"
	if !met {
		result = "MISSED"
	}
	fmt.Printf("  %-46s goal %s: %s\n", what, goal, result)
}

// pairs measures all of the functions once a round, each round starting with
// the next one, after a round that does not count.
func pairs(rounds int, measured ...func() (float64, error)) ([]samples, error) {
	results := make([]samples, len(measured))
	for round := range rounds + 1 {
		for i := range measured {
			i = (i + round) % len(measured)
			value, err := measured[i]()
			if err != nil {
				return nil, err
			}
			if round > 0 {
				results[i] = append(results[i], value)
			}
		}
	}
	return results, nil
}

// command is something to start.
type command struct {
	dir   string
	env   []string // added to this process's
	stdin string   // a file; "" for nothing
	args  []string
}

// run runs the command and gives its standard output and how it ended. A status
// other than 0 is an error with the end of its standard error.
func (c command) run() ([]byte, *os.ProcessState, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(cleanEnv(), c.env...)
	if c.stdin != "" {
		file, err := os.Open(c.stdin)
		if err != nil {
			return nil, nil, err
		}
		defer file.Close()
		cmd.Stdin = file
	}
	var out, diagnostics bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diagnostics
	err := cmd.Run()
	if err != nil {
		text := strings.TrimSpace(diagnostics.String())
		err = fmt.Errorf("%s: %w: %s", strings.Join(c.args, " "), err, text[max(0, len(text)-600):])
	}
	return out.Bytes(), cmd.ProcessState, err
}

// seconds measures the command from start to exit.
func (c command) seconds() (float64, error) {
	start := time.Now()
	_, _, err := c.run()
	return time.Since(start).Seconds(), err
}

// cleanEnv is this process's environment without what would tell the commands
// that they are in somebody else's run.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasPrefix(name, "ACTOR_") || strings.HasPrefix(name, "APIFY_") || strings.HasPrefix(name, "CRAWLEE_")
	})
}
