package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// initialised is a repository of testdata/projects, what makes it ready to run,
// and what must come of it once it is an Actor.
type initialised struct {
	project string
	needs   string   // a program
	args    []string // of apify init
	prepare func(t *testing.T, dir string)
	input   func(site string) string
	items   []any
	records map[string]string
	status  int
	// anyOrder lets the items come as they like.
	anyOrder bool
	without  string // an executor that it cannot be tried with
}

var initialisedProjects = map[string]initialised{
	"argparse": {
		project: "python-argparse", needs: "python3",
		input: fixed(`{"texts": ["a b A", "-- b b"], "word": ["a", "b"], "atLeast": 2, "stopWords": "x\ny", "verbose": true}`),
		items: []any{
			item("text", 1.0, "word", "a", "count", 2.0, "score", 1.0), item("text", 2.0, "word", "b", "count", 2.0, "score", 1.0),
		},
	},
	"argparse, from its help": {
		project: "python-argparse", needs: "python3", args: []string{"--from-help", "python3 pagecount.py --help"},
		input: fixed(`{"texts": ["a b A"], "word": ["a"], "case": "keep"}`),
		items: []any{item("text", 1.0, "word", "a", "count", 1.0, "score", 0.5)},
	},
	"argparse, a wrong choice": {
		project: "python-argparse", needs: "python3", status: 2, args: []string{"--force"}, prepare: anyCase,
		input: fixed(`{"texts": ["a"], "word": ["a"], "case": "sideways"}`),
	},
	"commander": {
		project: "node-commander", prepare: vendorCommander,
		input: fixed(`{"titles": ["Hello, World", "--numbered"], "prefix": ["a"], "separator": "_", "numbered": true}`),
		items: []any{item("title", "Hello, World", "slug", "1_a_hello_world"), item("title", "--numbered", "slug", "2_a_numbered")},
	},
	"go flag": {
		project: "go-flag", input: fixed(`{"limit": 3, "label": "a, b", "steps": true}`),
		items: []any{
			item("number", "1", "label", "a, b", "steps", "0"), item("number", "2", "label", "a, b", "steps", "1"),
			item("number", "3", "label", "a, b", "steps", "7"),
		},
	},
	"go flag, with its own exit code": {project: "go-flag", input: fixed(`{"limit": 0}`), status: 3},
	"unix filter": {
		project: "unix-filter", input: fixed(`{"text": "To be or not to be,\nto go", "n": "2", "i": true}`),
		items: []any{item("line", "to"), item("line", "be")},
	},
	"a tool of the system": {
		project: "", args: []string{"sorter", "--from-help", "sort.txt"},
		prepare: func(t *testing.T, dir string) {
			// The help of a tool that is not in the repository.
			putText(t, filepath.Join(dir, "sort.txt"), "Usage: sort [OPTION]... [FILE]...\nSorts lines. With no FILE, read standard input.\n\n"+
				"  -r           begin with the last\n  -k KEY       sort by KEY\n")
			put(t, filepath.Join(dir, "run.sh"), "exec sort \"$@\"\n")
		},
		input: fixed(`{"text": "b 1\na 2\n", "k": "2", "r": true}`),
		items: []any{item("line", "a 2"), item("line", "b 1")},
	},
	"Dockerfile": {
		project: "dockerfile-only", input: fixed(`{"arguments": ["one", "-n", "a b"]}`),
		items: []any{item("word", "one", "reversed", "eno"), item("word", "-n", "reversed", "n-"), item("word", "a b", "reversed", "b a")},
	},
	"a program that prints text": {
		project: "", prepare: func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "hello.sh"), "#!/bin/sh\necho \"Hello, $1\"\necho noise >&2\n")
		},
		input: fixed(`{"argument1": "world"}`), records: map[string]string{"OUTPUT.txt": "Hello, world\n"},
	},
	"Scrapy": {
		project: "scrapy", prepare: installScrapy, anyOrder: true, without: "docker", // the image would need PyPI
		input: func(site string) string {
			return fmt.Sprintf(`{"spider": "titles", "startUrl": "%s/", "depth": "1", "settings": ["CONCURRENT_REQUESTS=1"]}`, site)
		},
		items: []any{
			item("url", "SITE/", "title", "Home"), item("url", "SITE/a", "title", "Page a"), item("url", "SITE/b", "title", "Page b"),
		},
	},
}

// TestInitialisedProjectsRun makes Actors of repositories and runs them.
func TestInitialisedProjectsRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the projects are for a POSIX shell")
	}
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range initialisedProjects {
		t.Run(name, func(t *testing.T) {
			if p.needs != "" {
				needProgram(t, p.needs)
			}
			dir := filepath.Join(t.TempDir(), "repository [1]")
			if p.project != "" {
				copyProject(t, p.project, dir)
			} else if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if p.prepare != nil {
				p.prepare(t, dir)
			}
			before := tree(t, dir)
			r := initialise(t, built.apify, dir, p.args...)
			if !r.Complete {
				t.Errorf("it was not found what starts it: %q", r.Missing)
			}
			for file, content := range before {
				if after := read(t, filepath.Join(dir, file)); after != content {
					t.Errorf("%s was changed to:\n%s", file, after)
				}
			}
			if out, err := command(built.apify, "validate", dir).CombinedOutput(); err != nil {
				t.Fatalf("the definition is not valid: %v\n%s", err, out)
			}
			d, err := definition.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { removeImages(t, image.Tag(d)) })
			for _, executor := range []string{"process", "docker"} {
				if executor == p.without {
					continue
				}
				t.Run(executor, func(t *testing.T) {
					if executor == "docker" && testing.Short() {
						t.Skip("not in a short test")
					}
					ip := "127.0.0.1"
					if executor == "docker" {
						ip = gateway(t)
					}
					site := serveSite(t, ip)
					run := command(built.apify, "run", dir, "--executor", executor, "--json", "--input", p.input(site))
					run.Env = append(run.Env, "GREENROOM_ACTOR="+built.actor)
					var stderr strings.Builder
					run.Stderr = &stderr
					stdout, _ := run.Output()
					var got api.Run
					if err := json.Unmarshal(stdout, &got); err != nil {
						t.Fatalf("no run: %v\n%s%s", err, stdout, stderr.String())
					}
					if got.ExitCode == nil || *got.ExitCode != p.status || run.ProcessState.ExitCode() != p.status {
						t.Fatalf("the run ended %s with %v, want exit code %d\n%s", got.Status, got.ExitCode, p.status, stderr.String())
					}
					var items []any
					for _, file := range glob(t, filepath.Join(escaped(dir), "storage", "datasets", "default", "0*.json")) {
						var v any
						if err := json.Unmarshal([]byte(strings.ReplaceAll(read(t, file), site, "SITE")), &v); err != nil {
							t.Error(err)
						}
						items = append(items, v)
					}
					if p.anyOrder {
						slices.SortFunc(items, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
					}
					if diff := cmp.Diff(p.items, items); diff != "" {
						t.Errorf("items (-want +got):\n%s%s", diff, stderr.String())
					}
					for name, want := range p.records {
						if got := read(t, filepath.Join(dir, "storage", "key_value_stores", "default", name)); got != want {
							t.Errorf("%s is %q, want %q", name, got, want)
						}
					}
				})
			}
		})
	}
}

// initReport is what init --json prints.
type initReport struct {
	Name     string
	Complete bool
	Start    []string
	Detected []struct{ Name, Value, Evidence string }
	Missing  []string
	Files    []struct{ Path, Action, Content string }
}

func initialise(t *testing.T, apify, dir string, args ...string) initReport {
	t.Helper()
	cmd := command(apify, append([]string{"init", "--json"}, args...)...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("init: %v\n%s%s", err, out, stderr.String())
	}
	var r initReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if stderr.Len() > 0 {
		t.Errorf("--json says something beside its JSON: %s", stderr.String())
	}
	return r
}

// command runs without the virtual environment that the tests may run in.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "VIRTUAL_ENV=")
	return cmd
}

func copyProject(t *testing.T, name, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(module, "testdata", "projects", name))); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// putText is put for a file that cannot be run.
func putText(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// escaped is a path that a pattern can stand behind.
func escaped(path string) string {
	return strings.NewReplacer("[", `\[`, "*", `\*`, "?", `\?`).Replace(path)
}

// tree gives the files of a repository, but for what packages bring.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".venv") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			files[rel] = read(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// anyCase lets the input have a case that the program does not know: the schema
// does not tell.
func anyCase(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, ".actor"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, ".actor", "INPUT_SCHEMA.json"), `{"title": "Any", "type": "object", "schemaVersion": 1, "properties": {}}`)
}

// vendorCommander gives the project the commander package as a folder of its
// own, so that neither executor needs a registry afterwards.
func vendorCommander(t *testing.T, dir string) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		missing(t, "there is no npm")
	}
	work := t.TempDir()
	cmd := exec.Command("npm", "install", "--prefix", work, "--no-audit", "--no-fund", "--prefer-offline", "commander@14.0.0")
	if out, err := cmd.CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("npm cannot fetch commander: %v\n%s", err, out))
	}
	if err := os.CopyFS(filepath.Join(dir, "vendor", "commander"), os.DirFS(filepath.Join(work, "node_modules", "commander"))); err != nil {
		t.Fatal(err)
	}
	// What only commander's developers need is not to be fetched.
	own := filepath.Join(dir, "vendor", "commander", "package.json")
	var fields map[string]any
	if err := json.Unmarshal([]byte(read(t, own)), &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "devDependencies")
	without, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	put(t, own, string(without))
	manifest := filepath.Join(dir, "package.json")
	put(t, manifest, strings.Replace(read(t, manifest), `"^14.0.0"`, `"file:vendor/commander"`, 1))
	cmd = exec.Command("npm", "install", "--offline", "--omit=dev", "--no-audit", "--no-fund", "--no-package-lock")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, out)
	}
}

// installScrapy gives the project a virtual environment with Scrapy, which is
// kept between tests.
func installScrapy(t *testing.T, dir string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		missing(t, err.Error())
	}
	venv := filepath.Join(cache, "greenroom-test", "scrapy-2.13")
	if _, err := os.Stat(filepath.Join(venv, "complete")); err != nil {
		_ = os.RemoveAll(venv)
		python := "python3"
		for _, args := range [][]string{
			{python, "-m", "venv", venv},
			{filepath.Join(venv, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "scrapy==2.13.*"},
		} {
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				_ = os.RemoveAll(venv)
				missing(t, fmt.Sprintf("Scrapy cannot be installed: %v\n%s", err, out))
			}
		}
		put(t, filepath.Join(venv, "complete"), "")
	}
	if err := os.Symlink(venv, filepath.Join(dir, ".venv")); err != nil {
		t.Fatal(err)
	}
}
