package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/greenroom-dev/greenroom/scripts/bench/meter"
)

// history lists and gets runs of a server that has had many.
func (b *bench) history() (err error) {
	const dir = "server-history"
	filling, err := b.serve(dir, false, "--executor", "process")
	if err != nil {
		return err
	}
	var user struct{ Data struct{ ID string } }
	err = filling.Decode("GET", "/v2/users/me", nil, &user)
	args := []string{b.seed, filepath.Join(b.work, dir), user.Data.ID, strconv.Itoa(b.ended)}
	for n := range 10 {
		if err == nil {
			var actor string
			actor, err = deploy(filling, fmt.Sprintf("bench-history-%d", n), "exit 0")
			args = append(args, actor)
		}
	}
	if err = errors.Join(err, filling.Stop()); err != nil {
		return err
	}
	if _, _, err := (meter.Command{Args: args}).Run(); err != nil {
		return err
	}
	start := time.Now()
	ours, err := b.serve(dir, false, "--executor", "process")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Stop()) }()
	ready := time.Since(start).Seconds()
	meter.Verdict(fmt.Sprintf("%d runs; ready after %s", b.ended, meter.Duration(ready)), "under 100 ms", ready < 0.1)
	floor, err := b.floorServer()
	if err != nil {
		return err
	}
	defer floor.Stop()
	var page struct {
		Data struct {
			Total int
			Items []struct{ ID string }
		}
	}
	if err := ours.Decode("GET", fmt.Sprintf("/v2/actor-runs?limit=1&offset=%d", b.ended/2), nil, &page); err != nil {
		return err
	}
	if page.Data.Total != b.ended || len(page.Data.Items) != 1 {
		return fmt.Errorf("the server lists %d runs, not %d", page.Data.Total, b.ended)
	}
	asked := []struct{ name, path string }{
		{"100 runs, the first page", "/v2/actor-runs?limit=100"},
		{"100 runs, the last page", fmt.Sprintf("/v2/actor-runs?limit=100&offset=%d", max(b.ended-100, 0))},
		{"100 runs, the newest first", "/v2/actor-runs?limit=100&desc=1"},
		{"100 runs of one Actor of ten, the newest first", "/v2/actors/" + args[len(args)-1] + "/runs?limit=100&desc=1"},
		{"100 failed runs (one of ten), the newest first", "/v2/actor-runs?limit=100&desc=1&status=FAILED"},
		{"one run", "/v2/actor-runs/" + page.Data.Items[0].ID},
	}
	measured := make([]func() (float64, error), 0, len(asked)+1)
	for _, a := range asked {
		measured = append(measured, meter.Timed(func(int) error { _, err := ours.Ask("GET", a.path, nil); return err }))
	}
	size, err := ours.Ask("GET", asked[0].path, nil)
	if err != nil {
		return err
	}
	least := meter.Timed(func(int) error { _, err := floor.Ask("GET", fmt.Sprintf("/?bytes=%d", size), nil); return err })
	result, err := meter.Pairs(5*b.rounds, append(measured, least)...)
	if err != nil {
		return err
	}
	for i, a := range asked {
		result[i].Show(a.name, meter.Duration)
	}
	result[len(asked)].Show("a page's bytes of a bare server", meter.Duration)
	ratio := result[1].Median() / result[0].Median()
	meter.Verdict(fmt.Sprintf("the last page takes %.2f× the first", ratio), "at most 2×", ratio <= 2)
	return nil
}

// logs has each of many runs followed by a reader of its own. The floor is the
// same code with its output read from a pipe.
func (b *bench) logs() (err error) {
	if runtime.GOOS == "windows" {
		return skip("the script needs a Unix shell")
	}
	const perSecond = 1000
	lines := perSecond * b.logSeconds / b.loggers
	args := func(begin string) []string {
		return []string{b.worker, "-until", begin, "-lines", strconv.Itoa(lines), "-rate", fmt.Sprint(float64(perSecond) / float64(b.loggers))}
	}
	ours, err := b.serve("server-logs", false, "--executor", "process", "--total-memory", fmt.Sprint(128*(b.loggers+8)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Stop()) }()
	begin := filepath.Join(b.work, "logs-begin")
	code := "exec"
	for _, a := range args(begin) {
		code += " '" + a + "'"
	}
	actor, err := deploy(ours, "bench-logs", code)
	if err != nil {
		return err
	}
	ids := make([]string, b.loggers)
	err = meter.InParallel(b.loggers, func(i int) (err error) { ids[i], _, err = startRun(ours, actor, 0); return err })
	if err = errors.Join(err, waitUntil(ours, "RUNNING", b.loggers)); err != nil {
		return err
	}
	lost, late, err := b.follow("followed through the API", begin, lines, func(i int, f *meter.Follower) error {
		_, _, err := ours.Answer("GET", "/v2/logs/"+ids[i]+"?stream=1", nil, f)
		return err
	})
	if err != nil {
		return err
	}
	_, _, err = b.follow("read from pipes", begin, lines, func(_ int, f *meter.Follower) error {
		cmd := exec.Command(b.worker, args(begin)[1:]...)
		cmd.Stdout = f
		return cmd.Run()
	})
	if err != nil {
		return err
	}
	meter.Verdict(fmt.Sprintf("%d lines lost or out of place, %d later than 1 s", lost, late), "none", lost+late == 0)
	return nil
}

// follow has the workers begin once all of them are read, and prints when their
// lines come.
func (b *bench) follow(name, begin string, lines int, read func(i int, f *meter.Follower) error) (lost, late int, err error) {
	followers, done := make([]meter.Follower, b.loggers), make(chan error, b.loggers)
	for i := range followers {
		go func() { done <- read(i, &followers[i]) }()
	}
	time.Sleep(500 * time.Millisecond)
	start := time.Now()
	if err := os.WriteFile(begin, nil, 0o644); err != nil {
		return 0, 0, err
	}
	for range followers {
		err = errors.Join(err, <-done)
	}
	if err = errors.Join(err, os.Remove(begin)); err != nil {
		return 0, 0, err
	}
	var ages meter.Samples
	end := start
	for _, f := range followers {
		next := 0
		for _, n := range f.Numbers {
			if n == next {
				next++
			} else {
				lost++
			}
		}
		lost += lines - next
		ages = append(ages, f.Ages...)
		if f.Last.After(end) {
			end = f.Last
		}
	}
	if len(ages) == 0 {
		return 0, 0, errors.New("no line came")
	}
	for _, age := range ages {
		if age > 1 {
			late++
		}
	}
	fmt.Printf("  %-46s %11s  (%d lines from %d, at %s; 99 %% within %s, all within %s)\n", name, meter.Duration(ages.Median()), len(ages), b.loggers,
		meter.Rate(float64(len(ages))/end.Sub(start).Seconds()), meter.Duration(ages.Percentile(99)), meter.Duration(ages.Percentile(100)))
	return lost, late, nil
}
