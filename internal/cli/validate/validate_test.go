package validate

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/diagnostic"
)

// result is what a command has left behind.
type result struct {
	stdout, stderr string
	err            error
}

// run runs a command in a directory that holds the files.
func run(t testing.TB, files map[string]string, env map[string]string, tty bool, make func(*cmdkit.Factory) *cobra.Command, args ...string) result {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	t.Setenv("USERPROFILE", dir)
	var stdout, stderr bytes.Buffer
	cmd := make(&cmdkit.Factory{
		IO:     &cmdkit.IO{In: strings.NewReader(""), Out: &stdout, Err: &stderr, ErrTTY: tty},
		Getenv: func(name string) string { return env[name] },
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return result{stdout.String(), stderr.String(), err}
}

var good = map[string]string{
	".actor/actor.json": `{"actorSpecification": 1, "name": "good", "version": "0.1"}`,
	"Dockerfile":        "FROM scratch",
}

func status(err error) int {
	return cmdkit.Report(&cmdkit.IO{Err: &bytes.Buffer{}}, "apify", err)
}

func TestExitStatus(t *testing.T) {
	odd := map[string]string{".actor/actor.json": `{"actorSpecification": 1, "name": "odd", "version": "0.1", "x": 1}`, "Dockerfile": ""}
	for name, test := range map[string]struct {
		files map[string]string
		make  func(*cmdkit.Factory) *cobra.Command
		args  []string
		want  int
	}{
		"valid":                {good, New, nil, 0},
		"invalid":              {nil, New, nil, 5},
		"warning":              {odd, New, nil, 0},
		"warning, strict":      {odd, New, []string{"--strict"}, 5},
		"no path":              {good, New, []string{"none"}, 250},
		"no schemas":           {good, NewSchema, nil, 5},
		"no schema":            {good, NewSchema, []string{"none.json"}, 250},
		"surplus":              {good, New, []string{".", "."}, 1},
		"two schemas at once":  {good, NewSchema, []string{"a", "b"}, 1},
		"a file as its schema": {good, NewSchema, []string{"Dockerfile"}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			if got := run(t, test.files, nil, false, test.make, test.args...); status(got.err) != test.want {
				t.Errorf("status %d, want %d: %v\n%s", status(got.err), test.want, got.err, got.stderr)
			}
		})
	}
	if cmd := NewSchema(&cmdkit.Factory{}); !cmp.Equal(cmd.Aliases, []string{"vis"}) {
		t.Errorf("aliases %v", cmd.Aliases)
	}
}

func TestJSON(t *testing.T) {
	got := run(t, good, nil, true, New, "--json")
	want := map[string]any{
		"valid": true, "errors": 0.0, "warnings": 0.0, "diagnostics": []any{},
		"files": []any{map[string]any{"kind": "actor", "file": filepath.Join(".actor", "actor.json"), "path": ""}},
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &object); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, object); diff != "" || got.stderr != "" {
		t.Errorf("-want +got:\n%s%s", diff, got.stderr)
	}
}

func TestSchemas(t *testing.T) {
	const output = `"output": {"actorOutputSchemaVersion": 1, "properties": {"a": {"type": "string", "template": "{{links.nosuch}}"}}}`
	const input = `"input": {"title": "t", "type": "object", "schemaVersion": 1, "properties": {}}`
	got := run(t, map[string]string{".actor/actor.json": "{" + input + ",\n" + output + "}"}, nil, false, NewSchema)
	name := filepath.Join(".actor", "actor.json")
	for _, want := range []string{
		"Input schema is valid (" + name + "#/input)\n",
		"Output schema is not valid (" + name + "#/output)\n",
		"\n1 error\n",
	} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("%s\nlacks %q", got.stderr, want)
		}
	}
	// A schema is one to the other command, too.
	if got := run(t, map[string]string{"in.json": "{" + strings.TrimPrefix(input, `"input": {`)}, nil, false, New, "in.json"); got.err != nil || got.stderr != "Input schema is valid (in.json)\n" {
		t.Errorf("%v\n%s", got.err, got.stderr)
	}
}

func TestColour(t *testing.T) {
	bad := map[string]string{".actor/actor.json": `{"actorSpecification": 1, "name": 5, "version": "0.1"}`, "Dockerfile": ""}
	if got := run(t, bad, nil, true, New); !strings.Contains(got.stderr, "\x1b[31;1merror:\x1b[") {
		t.Errorf("no colour on a terminal: %q", got.stderr)
	}
	for _, plain := range []result{run(t, bad, nil, false, New), run(t, bad, map[string]string{"NO_COLOR": "1"}, true, New)} {
		if strings.Contains(plain.stderr, "\x1b") || !strings.Contains(plain.stderr, "error:") {
			t.Errorf("got %q", plain.stderr)
		}
	}
}

// What stands in a file must not command the terminal of whoever checks it.
func TestEscapes(t *testing.T) {
	got := run(t, map[string]string{".actor/actor.json": "{\"\\u001b[2J\": 1, \"x\u202e\": 2, /* \x1b]0;x\x07 */ \"name\": 5}", "Dockerfile": ""}, nil, false, New)
	if strings.ContainsAny(got.stderr, "\x1b\x07\u202e") {
		t.Errorf("got %q", got.stderr)
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", 300) + "X" + strings.Repeat("b", 300)
	s := &source{lines: []string{"\t\"a\":\t5,\r", "žluťoučký kůň", long, "", "X" + long}}
	for _, test := range []struct {
		line, column int
		text, marker string
		ok           bool
	}{
		{1, 7, "\t\"a\":\t5,", "\t    \t^", true},
		{2, 11, "žluťoučký kůň", "          ^", true},
		{3, 301, "…" + strings.Repeat("a", 60) + "X" + strings.Repeat("b", 39) + "…", strings.Repeat(" ", 61) + "^", true},
		{4, 1, "", "^", true},
		{4, 99, "", "^", true},
		{5, 1, "X" + strings.Repeat("a", 99) + "…", "^", true},
		{0, 0, "", "", false},
		{6, 1, "", "", false},
	} {
		text, marker, ok := s.excerpt(test.line, test.column)
		if text != test.text || marker != test.marker || ok != test.ok {
			t.Errorf("%d:%d gives\n%q\n%q %v", test.line, test.column, text, marker, ok)
		}
	}
}

func TestAnnotations(t *testing.T) {
	base := t.TempDir()
	t.Chdir(base)
	o := &options{factory: &cmdkit.Factory{IO: &cmdkit.IO{}}}
	r := newReport(o, &definition.Reading{Diagnostics: diagnostic.List{
		{Severity: diagnostic.Error, File: filepath.Join(base, "a,b:c%", "x.json"), Line: 3, Column: 4, Rule: "r", Message: "100% wrong:\r\nall, of it"},
		{Severity: diagnostic.Warning, File: filepath.Join(base, "y.json"), Rule: "r", Message: "odd", Hint: "even it out"},
	}})
	var out bytes.Buffer
	r.annotate(&out, "")
	r.annotate(&out, filepath.Dir(base))
	r.annotate(&out, filepath.Join(base, "elsewhere"))
	name := filepath.Base(base) + "/"
	want := strings.Join([]string{
		"::error file=a%2Cb%3Ac%25/x.json,line=3,col=4,title=r::100%25 wrong:%0D%0Aall, of it",
		"::warning file=y.json,title=r::odd%0Aeven it out",
		"::error file=" + name + "a%2Cb%3Ac%25/x.json,line=3,col=4,title=r::100%25 wrong:%0D%0Aall, of it",
		"::warning file=" + name + "y.json,title=r::odd%0Aeven it out",
		"::error file=a%2Cb%3Ac%25/x.json,line=3,col=4,title=r::100%25 wrong:%0D%0Aall, of it",
		"::warning file=y.json,title=r::odd%0Aeven it out",
	}, "\n") + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestErrorsReachTheUserOnce(t *testing.T) {
	got := run(t, map[string]string{".actor/actor.json": `{"name": 5`}, nil, false, New)
	var exit *cmdkit.ExitError
	if !errors.As(got.err, &exit) || strings.Count(got.stderr, "unexpected end of file") != 1 {
		t.Errorf("%v\n%s", got.err, got.stderr)
	}
}

// BenchmarkValidate checks a definition of ordinary size, with an input schema
// of 30 fields and the schemas of a dataset, a store, the output and a server.
func BenchmarkValidate(b *testing.B) {
	var fields []string
	for i := range 30 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		fields = append(fields, `"`+name+`": {"title": "`+name+`", "type": "string", "description": "A field", "editor": "textfield", "pattern": "^[a-z]+$", "default": "abc"}`)
	}
	dir := b.TempDir()
	for name, content := range map[string]string{
		"actor.json": `{"actorSpecification": 1, "name": "bench", "version": "0.1", "input": "./input.json", "output": "./output.json",
			"storages": {"dataset": "./dataset.json", "keyValueStore": "./store.json"}, "webServerSchema": "./web.json", "usesStandbyMode": true,
			"defaultMemoryMbytes": "get(input, 'aa.length', 1) * 128"}`,
		"input.json":   `{"title": "t", "type": "object", "schemaVersion": 1, "properties": {` + strings.Join(fields, ",\n") + `}}`,
		"output.json":  `{"actorOutputSchemaVersion": 1, "properties": {"a": {"type": "string", "title": "A", "template": "{{links.apiDefaultDatasetUrl}}"}}}`,
		"dataset.json": `{"actorSpecification": 1, "fields": {"type": "object", "properties": {"a": {"type": "string"}}}, "views": {"all": {"title": "All", "transformation": {"fields": ["a"]}, "display": {"component": "table"}}}}`,
		"store.json":   `{"actorKeyValueStoreSchemaVersion": 1, "title": "t", "collections": {"all": {"title": "All", "keyPrefix": "a"}}}`,
		"web.json":     `{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/": {"get": {"responses": {"200": {"description": "OK"}}}}}}`,
		"Dockerfile":   "FROM scratch",
	} {
		path := filepath.Join(dir, ".actor", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	f := &cmdkit.Factory{IO: &cmdkit.IO{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, Getenv: func(string) string { return "" }}
	for b.Loop() {
		cmd := New(f)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs([]string{dir})
		if err := cmd.ExecuteContext(b.Context()); err != nil {
			b.Fatalf("%v\n%s", err, f.IO.Err)
		}
	}
}
