package schematypes

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// run executes the command and gives what it printed.
func run(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	f := &cmdkit.Factory{IO: &cmdkit.IO{In: strings.NewReader(""), Out: &out, Err: &errs}, Getenv: func(string) string { return "" }}
	cmd := New(f, nil)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

// actor writes the files of an Actor and gives its directory.
func actor(t *testing.T, files map[string]string) string {
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
	return dir
}

// complete is an Actor that has every schema.
var complete = map[string]string{
	".actor/actor.json": `{
		"actorSpecification": 1, "name": "types", "version": "0.1", "input": "./input_schema.json",
		"output": {"actorOutputSchemaVersion": 1, "title": "O", "properties": {"items": {"type": "string", "title": "I", "template": "{{links.apiDefaultDatasetUrl}}/items"}}},
		"storages": {
			"dataset": {"actorSpecification": 1, "fields": {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}, "views": {}},
			"keyValueStore": {"actorKeyValueStoreSchemaVersion": 1, "title": "K", "collections": {"report": {"title": "R", "key": "REPORT", "contentTypes": ["application/json"], "jsonSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}}}
		}
	}`,
	".actor/input_schema.json": `{"title": "I", "type": "object", "schemaVersion": 1, "properties": {"max": {"title": "M", "type": "integer", "description": "How many", "default": 3}}}`,
}

func TestDirectory(t *testing.T) {
	dir := actor(t, complete)
	stdout, stderr, err := run(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if stdout != "" || strings.Count(stderr, "wrote ") != 4 {
		t.Errorf("printed %q and %q", stdout, stderr)
	}
	for name, want := range map[string]string{
		"input.ts": "  max: number;\n", "dataset.ts": "  url: string;\n", "output.ts": "  items?: string;\n", "key-value-store.ts": "export interface Report {\n  n?: number;\n",
	} {
		data, err := os.ReadFile(filepath.Join(dir, "src", "__generated__", "actor", name))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "src", "__generated__", "actor"))
	if err != nil || len(entries) != 4 {
		t.Errorf("%d files, want 4: %v %v", len(entries), entries, err)
	}
}

func TestFile(t *testing.T) {
	dir := actor(t, complete)
	t.Chdir(dir)
	stdout, _, err := run(t, ".actor/input_schema.json", "-o", "types", "--json", "--all-optional")
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Files []string }
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Files) != 1 || filepath.Base(got.Files[0]) != "input.ts" || filepath.Base(filepath.Dir(got.Files[0])) != "types" {
		t.Errorf("got %s", stdout)
	}
	if data, err := os.ReadFile(filepath.Join("types", "input.ts")); err != nil || !strings.Contains(string(data), "max?: number;") {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestLanguages(t *testing.T) {
	for _, test := range []struct {
		args []string
		file string
		want string
	}{
		{[]string{"--language", "python"}, "src/schema_types/key_value_store.py", "class Report(TypedDict):"},
		{[]string{"-l", "go"}, "internal/schema/input.go", "package schema\n"},
		{[]string{"-l", "go", "-o", "my-types"}, "my-types/input.go", "package mytypes\n"},
		{[]string{"-l", "go", "-o", "x", "--package", "y"}, "x/input.go", "package y\n"},
		{[]string{"--no-strict"}, "src/__generated__/actor/input.ts", "[k: string]: unknown;"},
		{[]string{"--strict=false"}, "src/__generated__/actor/input.ts", "[k: string]: unknown;"},
	} {
		dir := actor(t, complete)
		if _, _, err := run(t, append(test.args, dir)...); err != nil {
			t.Errorf("%v: %v", test.args, err)
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(test.file)))
		if err != nil || !strings.Contains(string(data), test.want) {
			t.Errorf("%v: %v\n%s", test.args, err, data)
		}
	}
}

func TestFailures(t *testing.T) {
	broken := map[string]string{".actor/actor.json": complete[".actor/actor.json"], ".actor/input_schema.json": `{"type": "array"}`}
	for name, test := range map[string]struct {
		args []string
		code fault.Code
	}{
		"no such path":        {[]string{filepath.Join(t.TempDir(), "none")}, fault.NotFound},
		"no Actor":            {[]string{t.TempDir()}, fault.InvalidInput},
		"invalid schema":      {[]string{actor(t, broken)}, fault.InvalidInput},
		"invalid schema file": {[]string{filepath.Join(actor(t, broken), ".actor", "input_schema.json")}, fault.InvalidInput},
		"no schemas":          {[]string{actor(t, map[string]string{".actor/actor.json": `{"actorSpecification": 1, "name": "types", "version": "0.1"}`})}, fault.NothingToDo},
		"language":            {[]string{"--language", "rust"}, fault.Usage},
		"package":             {[]string{"--package", "x"}, fault.Usage},
		"package name":        {[]string{"--language", "go", "--package", "my-package"}, fault.Usage},
		"keyword as package":  {[]string{"--language", "go", "--package", "func"}, fault.Usage},
		"two paths":           {[]string{"a", "b"}, fault.Usage},
	} {
		if _, _, err := run(t, test.args...); !fault.Is(err, test.code) {
			t.Errorf("%s: got %v (%s), want %s", name, err, fault.CodeOf(err), test.code)
		}
	}
	// Nothing is written when one of several schemas is invalid.
	dir := actor(t, broken)
	if _, _, err := run(t, dir); err == nil {
		t.Fatal("no error")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "src" }) {
		t.Errorf("something was written: %v %v", entries, err)
	}
}
