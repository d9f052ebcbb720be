package definition

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadSchemas(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		kinds []Kind
		rules []string // of the diagnostics
	}{
		"all": {map[string]string{
			".actor/actor.json": `{"name": 5, "input": "./in.json", "output": ` + someOutput + `, "storages": {"dataset": "./d.json", "keyValueStore": ` + someStore + `}, "webServerSchema": ` + someServer + `}`,
			".actor/in.json":    someSchema, ".actor/d.json": someDataset,
		}, []Kind{KindInput, KindOutput, KindDataset, KindKeyValueStore, KindWebServer}, nil},
		"links and types": {map[string]string{
			".actor/actor.json": `{"name": 5, "input": "./none.json", "output": 7, "storages": {"dataset": "../../x.json"}, "dockerfile": "none"}`,
		}, nil, []string{"link", "type", "link"}},
		"broken definition":      {map[string]string{".actor/actor.json": `{`}, nil, []string{"syntax"}},
		"by convention":          {map[string]string{".actor/actor.json": `{}`, "INPUT_SCHEMA.json": someSchema}, []Kind{KindInput}, nil},
		"without a definition":   {map[string]string{".actor/input_schema.json": someSchema}, []Kind{KindInput}, nil},
		"legacy":                 {map[string]string{"apify.json": `{"name": 5}`, "INPUT_SCHEMA.json": someSchema}, []Kind{KindInput}, nil},
		"none":                   {map[string]string{".actor/actor.json": `{"name": 5}`}, nil, []string{"no-schemas"}},
		"nothing":                {map[string]string{"x": ""}, nil, []string{"no-schemas"}},
		"actor.json is a folder": {map[string]string{".actor/actor.json/": "", "INPUT_SCHEMA.json": someSchema}, []Kind{KindInput}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := ReadSchemas(project(t, test.files))
			var kinds []Kind
			for _, p := range r.Parts {
				kinds = append(kinds, p.Kind)
			}
			var rules []string
			for _, d := range r.Diagnostics {
				rules = append(rules, d.Rule)
			}
			if !slices.Equal(kinds, test.kinds) || !slices.Equal(rules, test.rules) {
				t.Errorf("read %v, want %v; said %v, want %v", kinds, test.kinds, r.Diagnostics, test.rules)
			}
		})
	}
	if r := ReadSchemas(filepath.Join(t.TempDir(), "none")); len(r.Diagnostics.Errors()) != 1 || !strings.Contains(r.Diagnostics[0].Message, "no directory") {
		t.Errorf("no directory gives %v", r.Diagnostics)
	}
}

// The official command has these words, which scripts look for.
func TestTitles(t *testing.T) {
	for kind, want := range map[Kind]string{
		KindActor: "Actor definition", KindInput: "Input schema", KindOutput: "Output schema", KindDataset: "Dataset schema",
		KindKeyValueStore: "Key-Value Store schema", KindWebServer: "Web server schema",
	} {
		if got := kind.Title(); got != want {
			t.Errorf("%s is called %q", kind, got)
		}
	}
}

// A file that is linked twice is read once: what changes in between is not seen.
func TestLinkedTwice(t *testing.T) {
	dir := project(t, map[string]string{
		".actor/actor.json": `{"actorSpecification": 1, "name": "abc", "version": "0.1", "storages": {"datasets": {"default": "./d.json", "other": "./d.json"}}}`,
		".actor/d.json":     someDataset, "Dockerfile": "",
	})
	r := Read(dir)
	if r.Actor == nil || r.Actor.Datasets["default"] == nil || r.Actor.Datasets["default"] != r.Actor.Datasets["other"] {
		t.Errorf("two readings: %v", r.Diagnostics)
	}
	if len(r.Parts) != 2 {
		t.Errorf("parts %v", r.Parts)
	}
}
