package typegen

import (
	"bytes"
	"encoding/json"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files of Python and Go")

// example is an Actor of testdata/typescript: its schemas, the flags the
// official tool (1.10.0) got, and what it made of them, without the comment at
// the top.
type example struct {
	sources []Source
	opts    Options
	want    map[string]string
}

func examples(tb testing.TB) map[string]example {
	tb.Helper()
	files, err := filepath.Glob("testdata/typescript/*.txtar")
	if err != nil || len(files) < 30 {
		tb.Fatalf("%d files: %v", len(files), err)
	}
	out := map[string]example{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		e := example{want: map[string]string{}, opts: Options{Language: TypeScript}}
		comment := string(archive.Comment)
		e.opts.Open = strings.Contains(comment, "--no-strict")
		e.opts.AllOptional = strings.Contains(comment, "--all-optional")
		content := map[string]json.RawMessage{}
		for _, f := range archive.Files {
			if name, ok := strings.CutPrefix(f.Name, "want/"); ok {
				e.want[name] = string(f.Data)
				continue
			}
			content[f.Name] = f.Data
		}
		var actor struct {
			Output   json.RawMessage
			Storages struct{ KeyValueStore json.RawMessage }
		}
		if err := json.Unmarshal(content[".actor/actor.json"], &actor); err != nil {
			tb.Fatal(err)
		}
		if input := content[".actor/input_schema.json"]; input != nil {
			e.sources = append(e.sources, Input(input)...)
		}
		if data := content[".actor/dataset.json"]; data != nil {
			var dataset struct{ Fields json.RawMessage }
			if err := json.Unmarshal(data, &dataset); err != nil {
				tb.Fatal(err)
			}
			e.sources = append(e.sources, Dataset("default", dataset.Fields)...)
		}
		if actor.Output != nil {
			e.sources = append(e.sources, Output(actor.Output)...)
		}
		if actor.Storages.KeyValueStore != nil {
			e.sources = append(e.sources, KeyValueStore(actor.Storages.KeyValueStore)...)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".txtar")] = e
	}
	return out
}

// TestTypeScript compares with what the official tool writes.
func TestTypeScript(t *testing.T) {
	for name, e := range examples(t) {
		t.Run(name, func(t *testing.T) {
			files, err := Generate(e.sources, e.opts)
			if err != nil {
				t.Fatal(err)
			}
			if len(files) != len(e.want) {
				t.Errorf("%d files, want %d", len(files), len(e.want))
			}
			for _, f := range files {
				got, ok := bytes.CutPrefix(f.Data, []byte(typescriptBanner))
				if !ok {
					t.Errorf("%s has no banner", f.Name)
				}
				if want := e.want[f.Name]; string(got) != want {
					t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, want)
				}
			}
		})
	}
}
