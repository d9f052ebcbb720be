// Command bench measures what the project promises about speed. Everything is
// measured in pairs within one call: ours and the floor that it is compared
// with take turns, so that a busy machine slows both.
//
//	make bench
//	go run ./scripts/bench -run 'input|docker' -rounds 50
//
// It needs bin/apify and bin/actor (make build). A section whose floor this
// machine lacks is skipped and says why. GREENROOM_BENCH_OFFICIAL_CLI names the
// official command-line client to compare with; GREENROOM_TEST_NODE_MODULES the
// installed JavaScript SDK.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
)

// bench is what the sections share.
type bench struct {
	apify, actor string // the commands under test
	floor        string // a bare Go program: see floor/main.go
	floorserver  string // a bare Go server: see floorserver/main.go
	worker       string // code of Actors: see worker/main.go
	seed         string // writes runs that have ended: see seed/main.go
	work         string // a directory of its own, removed at the end

	rounds  int // pairs of quick commands
	pushes  int // calls of actor push-data in a loop
	lines   int // lines of JSON through one push-data
	calls   int // one-by-one calls of the SDK
	items   int // items pushed at once
	adds    int // requests added at once
	fetches int // requests fetched and handled

	requests int // in the long queue of a server
	stored   int // items of the long dataset of a server
	exported int // items of the dataset that a server exports
	storages int // that a server lists

	many       int // runs that go on at once
	ended      int // runs that a server has had
	loggers    int // runs whose logs are followed
	logSeconds int // that these write
}

// skip is the error of a section that cannot run here.
type skip string

func (s skip) Error() string { return string(s) }

var sections = []struct {
	name, about string
	run         func(*bench) error
}{
	{"input", "actor get-input, start to exit", (*bench).getInput},
	{"loop", "actor push-data, in a shell loop", (*bench).pushLoop},
	{"lines", "lines of JSON through one actor push-data", (*bench).pushLines},
	{"validate", "apify validate, an Actor of ordinary size", (*bench).validate},
	{"inputs", "inputs judged by their schema", (*bench).inputs},
	{"process", "apify run --executor process, an Actor that does nothing", (*bench).runProcess},
	{"docker", "apify run --executor docker, an unchanged image", (*bench).runDocker},
	{"sdk", "the JavaScript SDK, one call at a time, under apify run", (*bench).sdkCalls},
	{"writes", "apify serve, pushes and records that are on the disk when they are answered", (*bench).writes},
	{"queues", "apify serve, a short queue and a long one", (*bench).queues},
	{"reads", "apify serve, pages of a long dataset and listings", (*bench).reads},
	{"exports", "apify serve, a whole dataset in each format", (*bench).exports},
	{"runs", "apify serve, an Actor that does nothing, started through the API", (*bench).platformRuns},
	{"many", "apify serve, many runs at once", (*bench).manyRuns},
	{"history", "apify serve, lists and gets of many runs that have ended", (*bench).history},
	{"idle", "apify serve, a start on an empty directory", (*bench).idle},
	{"logs", "apify serve, 1,000 lines of logs a second, followed", (*bench).logs},
	{"batch", "the JavaScript SDK, many at once, under apify run", (*bench).sdkBatches},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	b := &bench{}
	pattern := flag.String("run", ".", "run the sections whose names match this regular `expression`")
	bin := flag.String("bin", "bin", "`directory` of the apify and actor commands")
	flag.IntVar(&b.rounds, "rounds", 40, "pairs of quick commands")
	flag.IntVar(&b.pushes, "pushes", 1000, "calls of actor push-data in the loop")
	flag.IntVar(&b.lines, "lines", 1_000_000, "lines of JSON through one push-data")
	flag.IntVar(&b.calls, "calls", 1000, "one-by-one calls of the SDK, of each kind")
	flag.IntVar(&b.items, "items", 20_000, "items that the SDK pushes at once")
	flag.IntVar(&b.adds, "adds", 5000, "requests that the SDK adds at once")
	flag.IntVar(&b.fetches, "fetches", 1000, "requests that the SDK fetches and handles")
	flag.IntVar(&b.requests, "requests", 1_000_000, "requests in the long queue of a server")
	flag.IntVar(&b.stored, "stored", 10_000_000, "items of the long dataset of a server")
	flag.IntVar(&b.exported, "exported", 1_000_000, "items of the dataset that a server exports")
	flag.IntVar(&b.storages, "storages", 10_000, "storages that a server lists")
	flag.IntVar(&b.many, "many", 200, "runs that go on at once")
	flag.IntVar(&b.ended, "history", 100_000, "runs that a server has had")
	flag.IntVar(&b.loggers, "loggers", 50, "runs whose logs are followed")
	flag.IntVar(&b.logSeconds, "log-seconds", 10, "seconds that these runs write")
	list := flag.Bool("list", false, "list the sections and exit")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	if *list {
		for _, s := range sections {
			fmt.Printf("%-8s %s\n", s.name, s.about)
		}
		return nil
	}
	if err := b.prepare(*bin); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	fmt.Printf("%s/%s, %d processors, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	failed := false
	for _, s := range sections {
		if !wanted.MatchString(s.name) {
			continue
		}
		fmt.Printf("\n%s: %s\n", s.name, s.about)
		err := s.run(b)
		if reason := skip(""); errors.As(err, &reason) {
			fmt.Printf("  skipped: %s\n", reason)
		} else if err != nil {
			failed = true
			fmt.Printf("  failed: %v\n", err)
		}
	}
	if failed {
		return errors.New("not everything could be measured")
	}
	return nil
}

// prepare finds the commands, builds the floor and makes the work directory.
func (b *bench) prepare(bin string) error {
	exe := ""
	if runtime.GOOS == "windows" {
		exe = ".exe"
	}
	for name, path := range map[string]*string{"apify": &b.apify, "actor": &b.actor} {
		found, err := filepath.Abs(filepath.Join(bin, name+exe))
		if err != nil {
			return err
		}
		if _, err := os.Stat(found); err != nil {
			return fmt.Errorf("%w: build it with make build", err)
		}
		*path = found
	}
	work, err := os.MkdirTemp("", "greenroom-bench-")
	if err != nil {
		return err
	}
	b.work, b.floor, b.floorserver = work, filepath.Join(work, "floor"+exe), filepath.Join(work, "floorserver"+exe)
	b.worker, b.seed = filepath.Join(work, "worker"+exe), filepath.Join(work, "seed"+exe)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", work,
		"./scripts/bench/floor", "./scripts/bench/floorserver", "./scripts/bench/worker", "./scripts/bench/seed")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the floor: %w\n%s", err, out)
	}
	return nil
}

// dir makes a directory below the work directory.
func (b *bench) dir(name string) (string, error) {
	path := filepath.Join(b.work, name)
	return path, os.MkdirAll(path, 0o755)
}
