package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/greenroom-dev/greenroom/scripts/bench/meter"
)

const input = `{"greeting": "Hello", "count": 3, "startUrls": [{"url": "https://example.com"}]}` + "\n"

// getInput compares actor get-input outside a run with a program that prints
// the same file, and with the official client where there is one.
func (b *bench) getInput() error {
	dir, err := b.dir("input")
	if err != nil {
		return err
	}
	store := filepath.Join(dir, "storage", "key_value_stores", "default")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return err
	}
	file := filepath.Join(store, "INPUT.json")
	if err := os.WriteFile(file, []byte(input), 0o644); err != nil {
		return err
	}
	ours := meter.Command{Dir: dir, Args: []string{b.actor, "get-input"}}
	both := meter.Command{Dir: dir, Args: []string{b.apify, "actor", "get-input"}}
	floor := meter.Command{Dir: dir, Args: []string{b.floor, file}}
	result, err := meter.Pairs(5*b.rounds, ours.Seconds, both.Seconds, floor.Seconds)
	if err != nil {
		return err
	}
	result[0].Show("bin/actor get-input", meter.Duration)
	result[1].Show("bin/apify actor get-input", meter.Duration)
	result[2].Show("a bare Go program", meter.Duration)
	ratio := result[0].Median() / result[2].Median()
	meter.Verdict(fmt.Sprintf("%.2f× the bare program", ratio), "at most 2×", ratio <= 2)

	official := os.Getenv("GREENROOM_BENCH_OFFICIAL_CLI")
	if official == "" {
		fmt.Println("  the official client: skipped: GREENROOM_BENCH_OFFICIAL_CLI names none")
		return nil
	}
	theirs := meter.Command{Dir: dir, Args: []string{official, "actor", "get-input"}}
	if filepath.Base(official) == "actor" {
		theirs.Args = []string{official, "get-input"}
	}
	result, err = meter.Pairs(5, ours.Seconds, theirs.Seconds)
	if err != nil {
		return err
	}
	result[1].Show("the official client", meter.Duration)
	fmt.Printf("  %.0f× as fast as the official client\n", result[1].Median()/result[0].Median())
	return nil
}

// pushLoop compares a shell loop of actor push-data with one that starts the
// bare program as often.
func (b *bench) pushLoop() error {
	shell, err := exec.LookPath("sh")
	if err != nil {
		return skip("there is no sh")
	}
	dir, err := b.dir("loop")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "item.json"), []byte(`{"n":1,"text":"Hello"}`), 0o644); err != nil {
		return err
	}
	loop := func(body string, args ...string) meter.Command {
		script := fmt.Sprintf(`i=0; while [ $i -lt %d ]; do %s; i=$((i+1)); done`, b.pushes, body)
		return meter.Command{Dir: dir, Args: append([]string{shell, "-ec", script, "sh"}, args...)}
	}
	ours := loop(`"$1" push-data n=$i text=Hello`, b.actor)
	floor := loop(`"$1" item.json`, b.floor)
	result, err := meter.Pairs(3, ours.Seconds, floor.Seconds)
	if err != nil {
		return err
	}
	result[0].Show(fmt.Sprintf("%d × actor push-data", b.pushes), meter.Duration)
	result[1].Show(fmt.Sprintf("%d × a bare Go program", b.pushes), meter.Duration)
	fmt.Printf("  %s a call, %.2f× the bare program\n", meter.Duration(result[0].Median()/float64(b.pushes)), result[0].Median()/result[1].Median())
	return nil
}

// pushLines compares one push-data of many lines with a program that writes the
// lines to as many files, which is the layout that the SDKs share.
func (b *bench) pushLines() error {
	dir, err := b.dir("lines")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	stdin := filepath.Join(dir, "items.jsonl")
	if err := writeLines(stdin, b.lines); err != nil {
		return err
	}
	peak := int64(0)
	ours := func() (float64, error) {
		at := filepath.Join(dir, "ours")
		if err := errors.Join(os.RemoveAll(at), os.MkdirAll(at, 0o755)); err != nil {
			return 0, err
		}
		start := time.Now()
		_, state, err := meter.Command{Dir: at, Stdin: stdin, Args: []string{b.actor, "push-data"}}.Run()
		elapsed := time.Since(start)
		if err == nil {
			peak = max(peak, meter.PeakMemory(state))
		}
		return float64(b.lines) / elapsed.Seconds(), errors.Join(err, os.RemoveAll(at))
	}
	floor := func() (float64, error) {
		at := filepath.Join(dir, "floor")
		if err := errors.Join(os.RemoveAll(at), os.MkdirAll(at, 0o755)); err != nil {
			return 0, err
		}
		start := time.Now()
		_, _, err := meter.Command{Dir: at, Stdin: stdin, Args: []string{b.floor, "-split", at}}.Run()
		elapsed := time.Since(start)
		return float64(b.lines) / elapsed.Seconds(), errors.Join(err, os.RemoveAll(at))
	}
	// One round: a million files take their time, and again to remove.
	mine, err := ours()
	if err != nil {
		return err
	}
	least, err := floor()
	if err != nil {
		return err
	}
	meter.Samples{mine}.Show(fmt.Sprintf("%d lines, actor push-data", b.lines), meter.Rate)
	meter.Samples{least}.Show("a file a line, bare Go program", meter.Rate)
	fmt.Printf("  %.0f %% of the bare program's rate", 100*mine/least)
	if peak > 0 {
		fmt.Printf("; peak memory %.1f MB", float64(peak)/1e6)
	}
	fmt.Println()
	return nil
}

func writeLines(path string, n int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	for i := range n {
		fmt.Fprintf(out, `{"n":%d,"url":"https://example.com/page/%d","title":"Page number %d","ok":true}`+"\n", i, i, i)
	}
	return errors.Join(out.Flush(), file.Close())
}

// noop makes an Actor that does nothing in a new directory of that name.
func (b *bench) noop(name string) (string, error) {
	dir, err := b.dir(name)
	if err != nil {
		return "", err
	}
	for file, text := range map[string]string{
		".actor/actor.json": `{"actorSpecification": 1, "name": "bench-noop", "version": "0.1", "scripts": {"run": "./main.sh"}}`,
		"Dockerfile":        "FROM busybox\nWORKDIR /actor\nCOPY main.sh ./\nCMD [\"./main.sh\"]\n",
		"main.sh":           "#!/bin/sh\nexit 0\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// runProcess compares apify run without containers with the script itself.
func (b *bench) runProcess() error {
	if runtime.GOOS == "windows" {
		return skip("the script needs a Unix shell")
	}
	dir, err := b.noop("process")
	if err != nil {
		return err
	}
	ours := meter.Command{Dir: dir, Args: []string{b.apify, "run", "--executor", "process"}}
	floor := meter.Command{Dir: dir, Args: []string{filepath.Join(dir, "main.sh")}}
	result, err := meter.Pairs(b.rounds, ours.Seconds, floor.Seconds)
	if err != nil {
		return err
	}
	more(result, "apify run", "the script", 0.060)
	return nil
}

// runDocker compares apify run with the Docker client's run of the same image.
func (b *bench) runDocker() error {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return skip("there is no docker command to compare with")
	}
	dir, err := b.noop("docker")
	if err != nil {
		return err
	}
	if _, _, err := (meter.Command{Args: []string{docker, "version"}}).Run(); err != nil {
		return skip("no container engine answers")
	}
	const image = "greenroom-bench-noop"
	if _, _, err := (meter.Command{Dir: dir, Args: []string{docker, "build", "-q", "-t", image, "."}}).Run(); err != nil {
		return skip("the image cannot be built: " + err.Error())
	}
	defer meter.Command{Args: []string{docker, "image", "rm", image}}.Run()
	ours := meter.Command{Dir: dir, Args: []string{b.apify, "run", "--executor", "docker"}}
	floor := meter.Command{Dir: dir, Args: []string{docker, "run", "--rm", image}}
	result, err := meter.Pairs(max(b.rounds/4, 3), ours.Seconds, floor.Seconds)
	if err != nil {
		return err
	}
	more(result, "apify run", "docker run --rm", 0.150)
	return nil
}

// more prints ours and the floor and how many seconds the one costs more.
func more(result []meter.Samples, ours, floor string, goal float64) {
	result[0].Show(ours, meter.Duration)
	result[1].Show(floor, meter.Duration)
	extra := result[0].Median() - result[1].Median()
	meter.Verdict(meter.Duration(extra)+" more", "at most "+meter.Duration(goal)+" more", extra <= goal)
}
