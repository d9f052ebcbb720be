// Package shapetest tests readers of schema files: on a corpus of files with what
// is to be said about each, and against the platform's own judge of such files.
package shapetest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Check is the reader under test: what it says about a schema.
type Check func(doc *jsonc.Document, root *jsonc.Value) diagnostic.List

// Corpus checks every testdata/corpus/*.json and compares what is said with the
// .golden file beside it.
func Corpus(t *testing.T, check Check) {
	t.Helper()
	files := corpus(t)
	if len(files) < 40 {
		t.Fatalf("the corpus has %d files only", len(files))
	}
	valid := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			doc := read(t, file)
			list := check(doc, doc.Root)
			list.Sort()
			if len(list.Errors()) == 0 {
				valid++
			}
			got := render(list)
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
				t.Errorf("said about %s:\n%s\nwant:\n%s", file, got, want)
			}
		})
	}
	if !*update && (valid == 0 || valid == len(files)) {
		t.Errorf("%d of %d files are valid: the corpus must have both sorts", valid, len(files))
	}
}

func corpus(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) *jsonc.Document {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Git may have changed the line ends, which would move nothing but bytes.
	doc, err := jsonc.Parse(filepath.Base(file), []byte(strings.ReplaceAll(string(data), "\r\n", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// render writes diagnostics one by one: severity, place, path, rule and text.
func render(list diagnostic.List) string {
	if len(list) == 0 {
		return "nothing\n"
	}
	var out strings.Builder
	for _, d := range list {
		fmt.Fprintf(&out, "%s %d:%d %q %s\n  %s\n", d.Severity, d.Line, d.Column, d.Path, d.Rule, strings.ReplaceAll(d.Message, "\n", "\n  "))
		if d.Hint != "" {
			fmt.Fprintf(&out, "  hint: %s\n", d.Hint)
		}
	}
	return out.String()
}
