package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/scripts/bench/meter"
)

//go:embed js
var scripts embed.FS

// script makes a directory with one of the scripts in it as an Actor, with the
// SDK beside it, and gives the directory and the node command.
func (b *bench) script(name string) (dir, node string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", skip("there is no node")
	}
	modules := os.Getenv("GREENROOM_TEST_NODE_MODULES")
	if modules == "" {
		return "", "", skip("GREENROOM_TEST_NODE_MODULES is not set: eval \"$(scripts/test-sdks.sh)\" sets it")
	}
	if dir, err = b.dir(name); err != nil {
		return "", "", err
	}
	text, err := scripts.ReadFile("js/" + name + ".mjs")
	if err != nil {
		return "", "", err
	}
	definition := `{"actorSpecification": 1, "name": "bench-` + name + `", "version": "0.1", "scripts": {"run": "node main.mjs"}}`
	return dir, node, errors.Join(
		os.MkdirAll(filepath.Join(dir, ".actor"), 0o755),
		os.WriteFile(filepath.Join(dir, ".actor", "actor.json"), []byte(definition), 0o644),
		os.WriteFile(filepath.Join(dir, "main.mjs"), text, 0o644),
		os.Symlink(modules, filepath.Join(dir, "node_modules")))
}

// timings gives a function that runs a script's command and gives what the
// script measured.
func timings(c meter.Command) func() (map[string]float64, error) {
	return func() (map[string]float64, error) {
		out, _, err := c.Run()
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(out) {
			if text, ok := bytes.CutPrefix(line, []byte("BENCH ")); ok {
				var result map[string]float64
				return result, json.Unmarshal(text, &result)
			}
		}
		return nil, fmt.Errorf("the script printed no result: %.300s", out)
	}
}

// alternate runs ours and the floor in turns and collects what each measured.
func alternate(rounds int, ours, floor func() (map[string]float64, error)) (mine, least map[string]meter.Samples, err error) {
	mine, least = map[string]meter.Samples{}, map[string]meter.Samples{}
	for range rounds {
		for _, side := range []struct {
			run  func() (map[string]float64, error)
			into map[string]meter.Samples
		}{{ours, mine}, {floor, least}} {
			result, err := side.run()
			if err != nil {
				return nil, nil, err
			}
			for name, value := range result {
				side.into[name] = append(side.into[name], value)
			}
		}
	}
	return mine, least, nil
}

// sdkCalls compares the SDK under apify run with the same SDK calling a server
// that answers at once and stores nothing.
func (b *bench) sdkCalls() error {
	dir, node, err := b.script("calls")
	if err != nil {
		return err
	}
	stub, err := startStub()
	if err != nil {
		return err
	}
	defer stub.Close()
	env := []string{fmt.Sprintf("BENCH_CALLS=%d", b.calls)}
	ours := meter.Command{Dir: dir, Env: env, Args: []string{b.apify, "run", "--executor", "process"}}
	floor := meter.Command{Dir: dir, Env: append(stub.environment(), env...), Args: []string{node, "main.mjs"}}
	mine, least, err := alternate(5, timings(ours), timings(floor))
	if err != nil {
		return err
	}
	for _, name := range []string{"pushData", "setValue", "addRequest"} {
		mine[name].Show(name+", apify run", meter.Rate)
		least[name].Show(name+", a server that stores nothing", meter.Rate)
		share := mine[name].Median() / least[name].Median()
		meter.Verdict(fmt.Sprintf("%.0f %% of that rate", 100*share), "at least 85 %", share >= 0.85)
	}
	return nil
}

// sdkBatches compares the SDK under apify run with the same script run by node
// alone, where the SDK keeps its storages in files itself.
func (b *bench) sdkBatches() error {
	dir, node, err := b.script("batches")
	if err != nil {
		return err
	}
	b.fetches = min(b.fetches, b.adds)
	env := []string{
		fmt.Sprintf("BENCH_ITEMS=%d", b.items), fmt.Sprintf("BENCH_ADDS=%d", b.adds), fmt.Sprintf("BENCH_FETCHES=%d", b.fetches),
	}
	files := filepath.Join(dir, "files")
	ours := meter.Command{Dir: dir, Env: env, Args: []string{b.apify, "run", "--executor", "process"}}
	floor := meter.Command{Dir: dir, Env: append([]string{"CRAWLEE_STORAGE_DIR=" + files}, env...), Args: []string{node, "main.mjs"}}
	mine, least, err := alternate(3, timings(ours), func() (map[string]float64, error) {
		if err := os.RemoveAll(files); err != nil {
			return nil, err
		}
		return timings(floor)()
	})
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name, about, goal string
		times             float64
	}{
		{"pushData", fmt.Sprintf("%d items", b.items), "20× or better", 20},
		{"addRequests", fmt.Sprintf("%d requests", b.adds), "20× or better", 20},
		{"fetchAndHandle", fmt.Sprintf("%d requests", b.fetches), "faster", 1},
	} {
		mine[part.name].Show(part.name+" of "+part.about+", apify run", meter.Duration)
		least[part.name].Show("the same, node with files", meter.Duration)
		times := least[part.name].Median() / mine[part.name].Median()
		meter.Verdict(fmt.Sprintf("%.1f× as fast", times), part.goal, times >= part.times)
	}
	return nil
}
