// Package storytest runs acceptance stories: testscript files that use the
// commands as a person would and look at what they see.
//
// Besides testscript's own commands a story has
//
//	exits N command…     the command must end with exactly status N
//	waitfile FILE…       wait until the files are there
//	actors NAME DIR      copy the sample Actor testdata/actors/NAME to DIR
//	eventually command…  repeat the command until it succeeds, for ten seconds
//
// and the conditions [docker], [node], [python] and [official], which hold when an
// engine answers, when the SDKs that the tests need are installed, and when
// $OFFICIAL is the official command-line client. With CI=true a missing one is a
// failure, not a skip.
package storytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait of a story.
const patience = 10 * time.Second

// Options describe where stories run.
type Options struct {
	// Module is the path of the module's root.
	Module string
	// Conditions adds to the conditions of stories; each is asked once.
	Conditions map[string]func() (ok bool, why string)
	// Env is added to the environment of every story, as NAME=value.
	Env []string
}

// AboutActor tells whether a story is about the actor program alone. All others
// are about apify.
func AboutActor(name string) bool { return strings.HasPrefix(name, "actor_") }

// NoNap is the value of GORACE that keeps the race detector from sleeping a
// second at the end of each of the many processes that stories start.
const NoNap = "atexit_sleep_ms=0"

// Run runs the stories in testdata/script whose names are about the program. None
// at all is a failure.
func Run(t *testing.T, o Options, about func(name string) bool) {
	t.Helper()
	module, err := filepath.Abs(o.Module)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(module, "testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return !about(filepath.Base(file)) })
	if len(files) == 0 {
		t.Fatal("there are no stories about the program")
	}
	conditions := map[string]func() (bool, string){}
	for name, ask := range o.Conditions {
		conditions[name] = sync.OnceValues(ask)
	}
	testscript.Run(t, testscript.Params{
		Files:              files,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, ".home")
			for _, entry := range append([]string{
				"HOME=" + home, "USERPROFILE=" + home, "XDG_CACHE_HOME=" + filepath.Join(home, ".cache"),
				"LocalAppData=" + filepath.Join(home, ".cache"), "NO_COLOR=1", "GORACE=" + NoNap,
			}, o.Env...) {
				name, value, _ := strings.Cut(entry, "=")
				env.Setenv(name, value)
			}
			return os.MkdirAll(home, 0o755)
		},
		Condition: func(name string) (bool, error) {
			ask, known := conditions[name]
			if !known {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			ok, why := ask()
			if !ok && os.Getenv("CI") == "true" {
				return false, fmt.Errorf("[%s] must hold in CI: %s", name, why)
			}
			return ok, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":      exits,
			"waitfile":   waitfile,
			"eventually": eventually,
			"actors": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 2 {
					ts.Fatalf("usage: actors NAME DIR")
				}
				from := filepath.Join(module, "testdata", "actors", args[0])
				ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(from)))
			},
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N command…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func waitfile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: waitfile FILE…")
	}
	for _, name := range args {
		until(ts, "there is no "+name, func() bool {
			_, err := os.Stat(ts.MkAbs(name))
			return err == nil
		})
	}
}

func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually command…")
	}
	until(ts, strings.Join(args, " ")+" did not succeed", func() bool { return ts.Exec(args[0], args[1:]...) == nil })
}

func until(ts *testscript.TestScript, complaint string, holds func() bool) {
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("%s after %s", complaint, patience)
		}
	}
}

// Command reports whether a command is installed and works: it must succeed
// when called with args.
func Command(name string, args ...string) func() (bool, string) {
	return func() (bool, string) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
			return false, fmt.Sprintf("%s: %v: %s", name, err, out)
		}
		return true, ""
	}
}

// BuildActor builds the actor command statically, as containers need it, and
// gives its path below dir.
func BuildActor(module, dir string) (string, error) {
	path := filepath.Join(dir, "actor")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/actor")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building actor: %w\n%s", err, out)
	}
	return path, nil
}
