package openapi

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// run executes the command and gives what it printed.
func run(t *testing.T, env map[string]string, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	f := &cmdkit.Factory{IO: &cmdkit.IO{In: strings.NewReader(""), Out: &out, Err: &out}, Getenv: func(name string) string { return env[name] }}
	cmd := New(f, nil)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// actor writes an Actor with that definition and gives its directory.
func actor(t *testing.T, definition string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".actor"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".actor", "actor.json"), []byte(definition), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// document is the part of an OpenAPI document that options decide.
type document struct {
	OpenAPI string
	Servers []struct{ URL string }
	Paths   map[string]any
}

func parse(t *testing.T, text string) (d document) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

func TestPrint(t *testing.T) {
	dir := actor(t, `{"actorSpecification": 1, "name": "my-actor", "version": "0.1"}`)
	for _, test := range []struct {
		env    map[string]string
		args   []string
		server string
		path   string
	}{
		{nil, nil, "https://api.apify.com/v2", "/acts/~my-actor/runs"},
		{map[string]string{"APIFY_CLIENT_BASE_URL": "http://localhost:1"}, nil, "http://localhost:1/v2", "/acts/~my-actor/runs"},
		{map[string]string{"APIFY_CLIENT_BASE_URL": "http://localhost:1"}, []string{"--api-url", "http://localhost:2/", "--actor", "jane/x"}, "http://localhost:2/v2", "/acts/jane~x/runs"},
	} {
		stdout, err := run(t, test.env, append(test.args, dir)...)
		if err != nil {
			t.Fatal(err)
		}
		d := parse(t, stdout)
		if d.OpenAPI != "3.1.0" || len(d.Servers) != 1 || d.Servers[0].URL != test.server || d.Paths[test.path] == nil {
			t.Errorf("%v: got %+v", test.args, d)
		}
	}
}

func TestOutput(t *testing.T) {
	dir := actor(t, `{"actorSpecification": 1, "name": "my-actor", "version": "0.1"}`)
	path := filepath.Join(dir, "openapi.json")
	stdout, err := run(t, nil, dir, "--output", path)
	if err != nil || stdout != "" {
		t.Fatalf("%v, printed %q", err, stdout)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parse(t, string(data))
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("files are left over: %v %v", entries, err)
	}
	if _, err := run(t, nil, dir, "--output", filepath.Join(dir, "none", "openapi.json")); fault.CodeOf(err).ExitStatus() != 1 {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		exit int
	}{
		"no such path": {[]string{filepath.Join(t.TempDir(), "none")}, 250},
		"no Actor":     {[]string{t.TempDir()}, 5},
		"invalid":      {[]string{actor(t, `{"actorSpecification": 1, "name": "x", "version": 7}`)}, 5},
		"no name":      {[]string{actor(t, `{"actorSpecification": 1, "version": "0.1"}`)}, 5},
		"two paths":    {[]string{"a", "b"}, 1},
	} {
		stdout, err := run(t, nil, test.args...)
		if err == nil || fault.CodeOf(err).ExitStatus() != test.exit {
			t.Errorf("%s: got %v, want exit %d", name, err, test.exit)
		}
		if stdout != "" {
			t.Errorf("%s: printed %q", name, stdout)
		}
	}
}
