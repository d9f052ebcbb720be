// Package meter measures things in pairs, which take turns so that a busy machine
// slows both, and prints what came out with the goal beside it.
package meter

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

// Samples are measurements of one thing: durations in seconds, or rates.
type Samples []float64

// Median is the middle one, or the mean of the middle two.
func (s Samples) Median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Unit says how samples are printed.
type Unit func(float64) string

// Duration prints seconds.
func Duration(seconds float64) string {
	switch {
	case seconds < 0.1:
		return fmt.Sprintf("%.2f ms", seconds*1e3)
	case seconds < 10:
		return fmt.Sprintf("%.0f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// Rate prints how often something happens a second.
func Rate(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) }

// Show prints one line of measurements.
func (s Samples) Show(name string, u Unit) {
	fmt.Printf("  %-46s %11s  (min %s, max %s, %d times)\n", name, u(s.Median()), u(slices.Min(s)), u(slices.Max(s)), len(s))
}

// Verdict prints a comparison and its goal beside it.
func Verdict(what, goal string, met bool) {
	result := "met"
	if !met {
		result = "MISSED"
	}
	fmt.Printf("  %-46s goal %s: %s\n", what, goal, result)
}

// Pairs measures all of the functions once a round, each round starting with
// the next one, after a round that does not count.
func Pairs(rounds int, measured ...func() (float64, error)) ([]Samples, error) {
	results := make([]Samples, len(measured))
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

// Command is something to start.
type Command struct {
	Dir   string
	Env   []string // added to this process's
	Stdin string   // a file; "" for nothing
	Args  []string
}

// Run runs the command and gives its standard output and how it ended. A status
// other than 0 is an error with the end of its standard error.
func (c Command) Run() ([]byte, *os.ProcessState, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir = c.Dir
	cmd.Env = append(CleanEnv(), c.Env...)
	if c.Stdin != "" {
		file, err := os.Open(c.Stdin)
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
		err = fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, text[max(0, len(text)-600):])
	}
	return out.Bytes(), cmd.ProcessState, err
}

// Seconds measures the command from start to exit.
func (c Command) Seconds() (float64, error) {
	start := time.Now()
	_, _, err := c.Run()
	return time.Since(start).Seconds(), err
}

// CleanEnv is this process's environment without what would tell the commands
// that they are in somebody else's run.
func CleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasPrefix(name, "ACTOR_") || strings.HasPrefix(name, "APIFY_") || strings.HasPrefix(name, "CRAWLEE_")
	})
}

// Percentile is the value that p of a hundred are not above.
func (s Samples) Percentile(p float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(float64(len(sorted))*p/100), len(sorted)-1)]
}
