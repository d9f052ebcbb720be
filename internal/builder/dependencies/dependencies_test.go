//go:build unix

package dependencies_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/builder/dependencies"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// tools puts programs on the PATH, alone, that print what they are started with
// and the variables that matter. The one that makes virtual environments makes a
// pip that does the same.
func tools(t *testing.T, names ...string) {
	t.Helper()
	const report = "#!/bin/sh\necho \"ran ${0##*/} $* [$NODE_ENV$PIP_TARGET] [$COLOR]\"\n"
	dir := t.TempDir()
	for _, name := range names {
		script := report
		if name == "python3" {
			script += "[ -e .venv ] || { /bin/mkdir -p .venv/bin; /bin/cp \"$0\" .venv/bin/pip; }\n"
		}
		if name == "yarn" {
			script += "echo no such package >&2\nexit 3\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("NODE_ENV", "production")
	t.Setenv("PIP_TARGET", "/elsewhere")
}

func TestWhatIsInstalledWithWhat(t *testing.T) {
	const needs = `{"dependencies":{"a":"1"}}`
	for name, test := range map[string]struct {
		files map[string]string
		want  []string // what was started, in its order
	}{
		"nothing":                 {nil, nil},
		"no dependencies":         {map[string]string{"package.json": `{}`}, nil},
		"dependencies":            {map[string]string{"package.json": needs}, []string{"npm install --omit=dev --no-audit --no-fund --no-progress"}},
		"only a lock":             {map[string]string{"package.json": `{}`, "package-lock.json": `{}`}, []string{"npm install --omit=dev --no-audit --no-fund --no-progress"}},
		"what must be built":      {map[string]string{"package.json": `{"scripts":{"build":"tsc"}}`}, []string{"npm install --include=dev --no-audit --no-fund --no-progress", "npm run build"}},
		"lock of pnpm":            {map[string]string{"package.json": needs, "pnpm-lock.yaml": ""}, []string{"pnpm install"}},
		"pnpm that builds":        {map[string]string{"package.json": `{"scripts":{"build":"tsc"}}`, "pnpm-lock.yaml": ""}, []string{"pnpm install", "pnpm run build"}},
		"requirements":            {map[string]string{"requirements.txt": "a"}, []string{"python3 -m venv .venv", "pip install --disable-pip-version-check --no-input -r requirements.txt"}},
		"an environment is there": {map[string]string{"requirements.txt": "a", ".venv/bin/pip": "#!/bin/sh\necho ran pip again [] [yes]\n"}, []string{"pip again"}},
		"both languages":          {map[string]string{"package.json": needs, "pnpm-lock.yaml": "", "requirements.txt": "a"}, []string{"pnpm install", "python3 -m venv .venv", "pip install --disable-pip-version-check --no-input -r requirements.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			tools(t, "npm", "pnpm", "python3")
			var log strings.Builder
			if err := dependencies.Install(t.Context(), actor(t, test.files), map[string]string{"COLOR": "yes"}, &log); err != nil {
				t.Fatal(err)
			}
			var ran []string
			for line := range strings.Lines(log.String()) {
				if what, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "ran "); ok {
					what, ok = strings.CutSuffix(what, " [] [yes]") // neither NODE_ENV nor PIP_TARGET
					if !ok {
						t.Errorf("its environment is wrong: %s", what)
					}
					ran = append(ran, what)
				}
			}
			if strings.Join(ran, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("ran %q, want %q", ran, test.want)
			}
		})
	}
}

func TestToolsThatFail(t *testing.T) {
	tools(t, "yarn")
	for lock, want := range map[string]struct {
		code fault.Code
		text string
	}{
		"bun.lock":  {fault.Unavailable, "bun is needed"},
		"yarn.lock": {fault.RunFailed, "no such package"},
	} {
		dir := actor(t, map[string]string{"package.json": `{"dependencies":{"a":"1"}}`, lock: ""})
		err := dependencies.Install(t.Context(), dir, nil, io.Discard)
		if !fault.Is(err, want.code) || !strings.Contains(err.Error(), want.text) || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v, want %s", lock, err, want.text)
		}
	}
}

func actor(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
