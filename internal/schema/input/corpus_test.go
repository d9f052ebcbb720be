package input

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

var update = flag.Bool("update", false, "write the golden files of the corpus anew")

// The corpus has a schema for each rule, with what is said of it beside it. What
// the official library says of each is part of TestOracleSchemas.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 80 {
		t.Errorf("the corpus has %d schemas", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := jsonc.Parse(name+".json", data)
			if err != nil {
				t.Fatal(err)
			}
			in, list := Check(doc, doc.Root)
			if (in == nil) != (len(list.Errors()) > 0) {
				t.Errorf("a schema: %t, with %d errors", in != nil, len(list.Errors()))
			}
			// The name says what to expect, so that -update cannot hide a change.
			verdict := "valid"
			if len(list.Errors()) > 0 {
				verdict = "invalid"
			} else if len(list) > 0 {
				verdict = "advice"
			}
			if want, _, _ := strings.Cut(name, "-"); want != verdict {
				t.Errorf("the schema is %s", verdict)
			}
			got := golden(list)
			beside := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(beside, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(beside)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
				t.Errorf("the diagnostics differ (-want +got):\n%s", diff)
			}
		})
	}
}

// golden writes diagnostics with all that they tell.
func golden(list diagnostic.List) string {
	var out strings.Builder
	for _, d := range list {
		out.WriteString(d.String() + "\n  at " + d.Path + ", rule " + d.Rule + "\n")
		if d.Hint != "" {
			out.WriteString("  hint: " + d.Hint + "\n")
		}
	}
	return out.String()
}
