package helptext

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/commandline"
	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is what a text comes to, for people to read.
func golden(p *commandline.Program) string {
	var out strings.Builder
	fmt.Fprintf(&out, "program: %s\n", p.Name)
	b := p.Bind()
	for _, w := range b.Words {
		fmt.Fprintf(&out, "word: %s\n", w)
	}
	if b.Stdin != "" {
		fmt.Fprintf(&out, "stdin: %s\n", b.Stdin)
	}
	if p.Subcommands {
		fmt.Fprintln(&out, "subcommands")
	}
	for _, s := range p.Skipped {
		fmt.Fprintf(&out, "skipped: %s: %s\n", s.Name, s.Reason)
	}
	out.Write(p.InputSchema("Golden"))
	return out.String()
}

func TestTexts(t *testing.T) {
	files, err := filepath.Glob("testdata/texts/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 25 {
		t.Fatalf("only %d texts", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := Parse(string(text))
			got := golden(p)
			name := strings.TrimSuffix(file, ".txt") + ".golden"
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", name, diff)
			}
			valid(t, p)
		})
	}
}

// valid checks that a schema is one for the platform, and that a command line
// has a placeholder for each of its fields and no other.
func valid(t *testing.T, p *commandline.Program) {
	t.Helper()
	text := p.InputSchema("Golden")
	doc, err := jsonc.Parse("schema.json", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if _, problems := inputschema.Check(doc, doc.Root); len(problems) > 0 {
		t.Errorf("the schema is not valid: %v\n%s", problems, text)
	}
	var schema struct{ Properties map[string]json.RawMessage }
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	b := p.Bind()
	fields := map[string]bool{}
	for _, w := range b.Words {
		inside, ok := strings.CutSuffix(w, "}}")
		if !ok {
			continue
		}
		name := inside[strings.LastIndexAny(inside, " {@")+1:]
		if fields[name] {
			t.Errorf("two placeholders for %s", name)
		}
		fields[name] = true
	}
	if b.Stdin != "" {
		fields[b.Stdin] = true
	}
	for name := range schema.Properties {
		if !fields[name] {
			t.Errorf("nothing takes the field %s", name)
		}
		delete(fields, name)
	}
	for name := range fields {
		t.Errorf("there is no field %s", name)
	}
}

func TestHostileTexts(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": "Usage: x " + strings.Repeat("[", 200_000),
		"options":  strings.Repeat("  --a=[b|c|d]  x (default: (((((\n", 50_000),
		"one line": "  --x " + strings.Repeat("a,-b ", 300_000),
		"usage":    "Usage: x " + strings.Repeat("[FILE]... -x ", 100_000),
		"choices":  "  --x {" + strings.Repeat("a,", 400_000) + "}",
		"spaces":   "  --x" + strings.Repeat(" ", 900_000) + "y",
	} {
		start := time.Now()
		p := Parse(text)
		if size := len(p.InputSchema("x")); size > 1<<20 {
			t.Errorf("%s: %d bytes of schema", name, size)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s took %s", name, took)
		}
		valid(t, p)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/texts/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := Parse(text)
		if !bytes.Equal(p.InputSchema("x"), Parse(text).InputSchema("x")) {
			t.Error("the same text gives different schemas")
		}
		valid(t, p)
	})
}
