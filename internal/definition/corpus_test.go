package definition

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var update = flag.Bool("update", false, "write the golden parts of testdata/corpus anew")

// The corpus is a folder of whole definitions. Each case is one archive: a
// comment that says what it is about, the Actor's files, and what must come of
// them, in the golden file "want". Lines of the comment that begin with
//
//	dir DIR          say which directory is the Actor's (else the archive's root)
//	symlink A -> B   make a link
//	secrets A B…     say which secrets there are (else they are not looked at)
//	cases            say that the case needs a file system that tells a from A
//
// "want" holds every diagnostic, whether the definition is valid, what Load says,
// and, where it loads, everything that was read.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 60 {
		t.Errorf("the corpus has %d cases", len(files))
	}
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := newCase(t, archive)
			got := c.outcome(seen)
			if *update {
				archive.Files = append(c.inputs, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	// Every rule of this package must be in the corpus.
	for rule := range rulesInSource(t) {
		if !seen[rule] {
			t.Errorf("no case is about the rule %s", rule)
		}
	}
}

// corpusCase is one archive of the corpus, its files written to a directory.
type corpusCase struct {
	base, dir string
	secrets   map[string]string
	inputs    []txtar.File
	want      string
}

func newCase(t *testing.T, archive *txtar.Archive) *corpusCase {
	t.Helper()
	files := map[string]string{}
	c := &corpusCase{}
	for _, f := range archive.Files {
		if f.Name == "want" {
			c.want = string(f.Data)
			continue
		}
		c.inputs = append(c.inputs, f)
		content := strings.TrimSuffix(string(f.Data), "\n")
		if strings.HasSuffix(f.Name, "/") {
			content = ""
		}
		// What text files cannot hold is written as Go writes it.
		if quoted, ok := strings.CutPrefix(content, "quoted:"); ok {
			if _, err := fmt.Sscanf(quoted, "%q", &content); err != nil {
				t.Fatal(err)
			}
		}
		files[f.Name] = content
	}
	c.base = project(t, files)
	c.dir = c.base
	for line := range strings.Lines(string(archive.Comment)) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch {
		case words[0] == "dir" && len(words) == 2:
			c.dir = filepath.Join(c.base, filepath.FromSlash(words[1]))
		case words[0] == "symlink" && len(words) == 4:
			if err := os.Symlink(filepath.FromSlash(words[3]), filepath.Join(c.base, filepath.FromSlash(words[1]))); err != nil {
				t.Skip("no symbolic links here: ", err)
			}
		case words[0] == "secrets":
			c.secrets = map[string]string{}
			for _, name := range words[1:] {
				c.secrets[name] = "its value"
			}
		case words[0] == "cases" && len(words) == 1:
			if err := os.WriteFile(filepath.Join(c.base, "case-probe"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
			if isFile(filepath.Join(c.base, "CASE-PROBE")) {
				t.Skip("names that differ in case only are one file here")
			}
		}
	}
	return c
}

// outcome says what comes of reading the case, and adds to the rules that were
// seen. What the packages of the schemas say is left to them, but for the place.
func (c *corpusCase) outcome(seen map[string]bool) string {
	var out strings.Builder
	reading := Read(c.dir)
	if c.secrets != nil {
		reading.CheckSecrets(c.secrets)
	}
	for _, d := range reading.Diagnostics {
		place := d.Path
		if place != "" {
			place = " " + place
		}
		if inSchema(reading.Parts, d) {
			fmt.Fprintf(&out, "%s: %s of the schema%s\n", d.Position(), d.Severity, place)
			continue
		}
		seen[d.Rule] = true
		fmt.Fprintf(&out, "%s: %s [%s]%s: %s\n", d.Position(), d.Severity, d.Rule, place, d.Message)
		if d.Hint != "" {
			fmt.Fprintf(&out, "\thint: %s\n", strings.ReplaceAll(d.Hint, "\n", "\n\t"))
		}
	}
	fmt.Fprintf(&out, "valid: %v\n", reading.Actor != nil)
	a, err := Load(c.dir)
	if err != nil {
		fmt.Fprintf(&out, "runs: no (%s)\n", fault.CodeOf(err))
		return c.portable(out.String())
	}
	fmt.Fprintf(&out, "runs: with %d warnings\n", len(a.Warnings))
	c.fields(&out, a)
	return c.portable(out.String())
}

// inSchema tells whether something is said about what stands in a schema.
func inSchema(parts []Part, d diagnostic.Diagnostic) bool {
	return d.Line > 0 && d.Rule != "syntax" && slices.ContainsFunc(parts, func(p Part) bool {
		return p.Kind != KindActor && p.File == d.File && (p.Path == "" || d.Path == p.Path || strings.HasPrefix(d.Path, p.Path+"/"))
	})
}

// fields prints everything of an Actor that is not empty.
func (c *corpusCase) fields(out *strings.Builder, a *Actor) {
	for field, value := range reflect.ValueOf(*a).Fields() {
		if value.IsZero() || slices.Contains([]string{"Root", "Warnings", "Document"}, field.Name) {
			continue
		}
		text := ""
		switch v := value.Interface().(type) {
		case map[string]string:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				text += fmt.Sprintf(" %s=%q", name, v[name])
			}
			if text == "" {
				continue
			}
		case json.RawMessage:
			text = " " + string(v)
		case fmt.Stringer:
			text = fmt.Sprintf(" %q", v.String())
		default:
			switch value.Kind() {
			case reflect.Pointer:
				text = " (read)"
			case reflect.Map:
				for _, key := range value.MapKeys() {
					text += " " + key.String()
				}
				text = " " + strings.Join(slices.Sorted(strings.FieldsSeq(text)), " ")
			default:
				text = fmt.Sprintf(" %v", v)
			}
		}
		fmt.Fprintf(out, "%s:%s\n", field.Name, text)
	}
	var document bytes.Buffer
	if err := json.Indent(&document, a.Document, "", "  "); err != nil {
		fmt.Fprintf(out, "Document is no JSON: %v: %s\n", err, a.Document)
		return
	}
	fmt.Fprintf(out, "Document: %s\n", document.String())
}

// portable makes the same of a text on every system and in every directory.
func (c *corpusCase) portable(text string) string {
	text = strings.ReplaceAll(text, c.base+string(filepath.Separator), "")
	text = strings.ReplaceAll(text, c.base, ".")
	for parent := filepath.Dir(c.base); parent != filepath.Dir(parent); parent = filepath.Dir(parent) {
		text = strings.ReplaceAll(text, parent+string(filepath.Separator), "…/")
	}
	return strings.ReplaceAll(text, `\`, "/")
}

// rulesInSource gives the names of rules in this package's code.
func rulesInSource(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{"syntax": true, "definition": true}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(code)) {
			for _, call := range []string{"r.tell(", "r.tellMember(", "r.tellFile(", "r.diagnostic("} {
				_, rest, ok := strings.Cut(line, call)
				if !ok {
					continue
				}
				// The first string of the call is the rule.
				if _, rest, ok = strings.Cut(rest, `"`); ok {
					rule, _, _ := strings.Cut(rest, `"`)
					if rule = strings.TrimSpace(rule); rule != "" {
						rules[rule] = true
					}
				}
			}
		}
	}
	return rules
}

func TestSize(t *testing.T) {
	huge := strings.Repeat(" ", maxFileSize)
	for name, files := range map[string]map[string]string{
		"definition": {".actor/actor.json": example + huge},
		"schema":     {".actor/actor.json": example, "Dockerfile": "", "INPUT_SCHEMA.json": someSchema + huge},
	} {
		if _, list := Check(project(t, files)); len(list) != 1 || !strings.Contains(list[0].Message, "more than the") {
			t.Errorf("a huge %s gives %v", name, list)
		}
	}
}

func TestReadFile(t *testing.T) {
	dir := project(t, map[string]string{
		".actor/actor.json": example, ".actor/x.json": someSchema, "elsewhere/actor.json": `{"actorSpecification":1,"name":"abc","version":"0.1","input":"./in.json"}`,
		"elsewhere/in.json": someSchema, "old/apify.json": `{"name":"abc"}`, "broken_input.json": "{",
	})
	for file, want := range map[string]Kind{
		".actor/actor.json": KindActor, ".actor/x.json": KindInput, "elsewhere/actor.json": KindActor, "old/apify.json": KindActor, "broken_input.json": KindInput,
	} {
		path := filepath.Join(dir, filepath.FromSlash(file))
		r := ReadSchema(path)
		if len(r.Parts) == 0 || r.Parts[0] != (Part{Kind: want, File: path}) {
			t.Errorf("%s has the parts %v", file, r.Parts)
		}
		if broken := strings.HasPrefix(file, "broken"); (len(r.Diagnostics.Errors()) > 0) != broken {
			t.Errorf("%s: %v", file, r.Diagnostics)
		}
		if want == KindActor && r.Actor == nil {
			t.Errorf("%s gives no Actor: %v", file, r.Diagnostics)
		}
	}
	if r := Read(filepath.Join(dir, "elsewhere", "actor.json")); r.Actor == nil || r.Actor.Input == nil || r.Actor.Root != filepath.Join(dir, "elsewhere") {
		t.Errorf("a definition outside of .actor: %+v", r)
	}
	if r := ReadSchema(filepath.Join(dir, "none.json")); len(r.Diagnostics.Errors()) != 1 {
		t.Errorf("no file gives %v", r.Diagnostics)
	}
}

func TestKinds(t *testing.T) {
	for content, want := range map[string]Kind{
		someSchema:                            KindInput,
		someDataset:                           KindDataset,
		someStore:                             KindKeyValueStore,
		someServer:                            KindWebServer,
		example:                               KindActor,
		`{"swagger":"2.0"}`:                   KindWebServer,
		`{"actorOutputSchemaVersion":1}`:      KindOutput,
		`{"actorInputSchemaVersion":1}`:       KindInput,
		`{"actorDatasetSchemaVersion":1}`:     KindDataset,
		`{"views":{}}`:                        KindDataset,
		`{"collections":{}}`:                  KindKeyValueStore,
		`{"actorSpecification":1,"fields":1}`: KindDataset,
		`{}`:                                  KindInput,
		`[]`:                                  KindInput,
	} {
		doc, err := jsonc.Parse("x", []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		if got := kindOf("schema.json", doc.Root); got != want {
			t.Errorf("%s is taken for the %s", content, got.Title())
		}
	}
	for name, want := range map[string]Kind{
		"actor.json": KindActor, "apify.json": KindActor, "output_schema.json": KindOutput, "Dataset.json": KindDataset,
		"key_value_store_schema.json": KindKeyValueStore, "openapi.json": KindWebServer, "INPUT_SCHEMA.json": KindInput, "x.json": KindInput,
	} {
		doc, err := jsonc.Parse("x", []byte(`{"actorSpecification":1}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := kindOf(name, doc.Root); got != want && want != KindInput {
			t.Errorf("%s that only has a version is taken for the %s", name, got.Title())
		}
		if got := kindOf(filepath.Join("output", name), nil); got != want {
			t.Errorf("%s is taken for the %s", name, got.Title())
		}
	}
}
