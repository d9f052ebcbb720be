package initialize

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// repository writes files into a directory called "tool".
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "tool")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// run runs init with arguments and gives its report.
func run(t *testing.T, dir string, scrapy bool, args ...string) (report, error) {
	t.Helper()
	var out, stderr bytes.Buffer
	f := &cmdkit.Factory{IO: &cmdkit.IO{In: strings.NewReader(""), Out: &out, Err: &stderr}, Getenv: func(string) string { return "" }}
	cmd := New(f, nil)
	if scrapy {
		cmd = NewWrapScrapy(f, nil)
	}
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append(args, "--json", "--dir", dir))
	err := cmd.ExecuteContext(t.Context())
	var r report
	if err == nil {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
	}
	return r, err
}

// TestDockerfiles looks at what is written for projects that the tests cannot
// build: their last line, some of the others, and that each can be read.
func TestDockerfiles(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		start string   // what the image starts
		lines []string // that the Dockerfile must have
	}{
		"node SDK": {
			map[string]string{"package.json": `{"dependencies":{"apify":"1"},"scripts":{"start":"node src/main.js"}}`, "src/main.js": "0", "package-lock.json": "{}"},
			"node src/main.js", []string{"FROM apify/actor-node:20", "RUN npm ci --omit=dev --no-audit --no-fund"},
		},
		"pnpm": {
			map[string]string{"package.json": `{"bin":"x.js","dependencies":{"a":"1"}}`, "x.js": "process.argv[2]", "pnpm-lock.yaml": ""},
			"actor exec -- node x.js {{argument1}}", []string{"COPY --chown=myuser package*.json pnpm-lock.yaml ./", "RUN npx --yes pnpm install --frozen-lockfile"},
		},
		"typescript": {
			map[string]string{"package.json": `{"bin":"dist/x.js","scripts":{"build":"tsc"}}`, "tsconfig.json": "{}", "src/x.ts": "process.stdin"},
			"actor exec --stdin text --output lines -- node dist/x.js", []string{"RUN npm install --include=dev --no-audit --no-fund", "RUN npm run build"},
		},
		"python SDK": {
			map[string]string{"requirements.txt": "apify\n", "src/__init__.py": "", "src/__main__.py": "", ".python-version": "3.13"},
			"python3 -m src", []string{"FROM apify/actor-python:3.13", "RUN pip install --no-cache-dir -r requirements.txt"},
		},
		"python package": {
			map[string]string{"pyproject.toml": "[build-system]\nrequires = []\n[project]\nname = \"a-b\"\ndependencies = [\"x\"]\n", "p/__init__.py": "", "p/__main__.py": "print(1)"},
			"actor exec -- python3 -m p", []string{"RUN pip install --no-cache-dir ."},
		},
		"go with packages": {
			map[string]string{"go.mod": "module example.com/x/tool\ngo 1.25\nrequire a.b/c v1.0.0\n", "main.go": "package main"},
			"actor exec -- /usr/local/bin/tool", []string{"FROM golang:1.25-alpine AS build", "RUN go mod download", "RUN CGO_ENABLED=0 go build -trimpath -o /out/tool ."},
		},
		"rust": {
			map[string]string{"Cargo.toml": "[package]\nname = \"crab\"\n", "src/main.rs": ""},
			"actor exec -- /usr/local/bin/crab {{arguments}}", []string{"FROM rust:1 AS build", "COPY --from=build /src/target/release/crab /usr/local/bin/crab"},
		},
		"ruby":  {map[string]string{"x.rb": "puts ARGV"}, "actor exec -- ruby x.rb {{arguments}}", []string{"FROM ruby:3-slim"}},
		"shell": {map[string]string{"x.sh": "#!/bin/bash\necho '{}'\nread a"}, "actor exec --stdin text --output lines -- bash x.sh", []string{"FROM debian:stable-slim"}},
		"scrapy": {
			map[string]string{"scrapy.cfg": "[settings]\ndefault = p.settings\n", "p/spiders/a.py": "class A(Spider):\n    name = 'a'\n    def __init__(self, page_url=None, settings=1): pass\n"},
			"actor exec --output json -- python3 -m scrapy crawl {{spider}} -o -:jsonlines -apage_url={{pageUrl}} {{-a arguments}} {{-s settings}} --loglevel={{loglevel}}",
			[]string{"RUN pip install --no-cache-dir scrapy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repository(t, test.files)
			r, err := run(t, dir, false)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
			if err != nil {
				t.Fatal(err)
			}
			start, err := dockerfile.Parse(text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if got := strings.Join(start.Argv, " "); got != test.start || strings.Join(r.Start, " ") != got {
				t.Errorf("it starts %s (reported %q), want %s", got, r.Start, test.start)
			}
			for _, line := range test.lines {
				if !strings.Contains("\n"+string(text), "\n"+line+"\n") {
					t.Errorf("there is no line %s in\n%s", line, text)
				}
			}
			if _, found := definition.Check(dir); len(found.Errors()) > 0 {
				t.Error(found.Errors())
			}
		})
	}
}

func TestWrapScrapy(t *testing.T) {
	if _, err := run(t, repository(t, map[string]string{"main.py": ""}), true); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a project without Scrapy gives %v", err)
	}
	r, err := run(t, repository(t, map[string]string{"scrapy.cfg": ""}), true)
	if err != nil || !r.Adapted || len(r.Missing) == 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

// contents gives every file and folder below dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := "(folder)"
		if !d.IsDir() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(content)
		}
		all[path] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A file that cannot be written leaves everything as it was.
func TestAllOrNothing(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"a folder in the place of a file": {"main.sh": "echo", ".dockerignore/x": "", ".gitignore": "a\n", "apify.json": `{"name":"old"}`, "Dockerfile/x": ""},
		"a file in the place of a folder": {"main.sh": "echo", "storage": "", "apify.json": `{"name":"old"}`},
	} {
		dir := repository(t, files)
		before := contents(t, dir)
		_, err := run(t, dir, false, "--force")
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
			t.Errorf("%s: something was left (-before +after):\n%s", name, diff)
		}
	}
	dir := repository(t, map[string]string{"main.sh": "echo $1"})
	before := contents(t, dir)
	if r, err := run(t, dir, false, "--dry-run"); err != nil || !r.DryRun || len(r.Files) == 0 || r.Files[0].Content == "" {
		t.Errorf("the dry run gives %+v, %v", r, err)
	}
	if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
		t.Errorf("a dry run writes:\n%s", diff)
	}
}

func TestReplaceKeepsWhatAFileIs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such permissions, and links need rights")
	}
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o640), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	if err := replace(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(file)
	text, _ := os.ReadFile(file)
	if err != nil || info.Mode() != 0o640 || string(text) != "new" {
		t.Errorf("the file is %v, %q, %v", info.Mode(), text, err)
	}
	if target, err := os.Readlink(link); err != nil || target != file {
		t.Errorf("the link leads to %q, %v", target, err)
	}
}

// A command that never ends, or whose children never do, does not hold init up.
func TestHelpThatNeverEnds(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("takes as long as init waits")
	}
	defer func(d time.Duration) { helpTime = d }(helpTime)
	helpTime = 300 * time.Millisecond
	dir := repository(t, nil)
	start := time.Now()
	_, err := run(t, dir, false, "--from-help", "sleep 60 & sleep 60")
	if !fault.Is(err, fault.Unavailable) || time.Since(start) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
	if found := contents(t, dir); len(found) != 1 {
		t.Errorf("something was written: %v", found)
	}
}
