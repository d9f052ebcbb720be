package openapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/oracletest"
	"github.com/greenroom-dev/greenroom/internal/schema/webserver"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// load writes the files of an Actor into a directory and loads it.
func load(t *testing.T, files map[string][]byte) *definition.Actor {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	a, err := definition.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// actors gives every Actor that there is something to describe of: the sample
// Actors, the Actors in testdata, and those that types are generated for.
func actors(t *testing.T) map[string]*definition.Actor {
	t.Helper()
	out := map[string]*definition.Actor{}
	samples, err := filepath.Glob("../../testdata/actors/*/.actor")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no sample Actors: %v", err)
	}
	for _, sample := range samples {
		dir := filepath.Dir(sample)
		a, err := definition.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(dir)] = a
	}
	for _, pattern := range []string{"testdata/*.txtar", "../typegen/testdata/typescript/*.txtar"} {
		archives, err := filepath.Glob(pattern)
		if err != nil || len(archives) == 0 {
			t.Fatalf("no Actors at %s: %v", pattern, err)
		}
		for _, path := range archives {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string][]byte{}
			for _, f := range archive.Files {
				if strings.HasPrefix(f.Name, ".actor/") {
					files[f.Name] = f.Data
				}
			}
			out[strings.TrimSuffix(filepath.Base(path), ".txtar")] = load(t, files)
		}
	}
	return out
}

// TestValid hands every document to our own judge, and all of them to the
// official schemas.
func TestValid(t *testing.T) {
	var documents []json.RawMessage
	var names []string
	all := actors(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, opts := range []Options{{}, {BaseURL: "http://localhost:8010/", Actor: "jane/my-actor", BuildID: "b1", BuildNumber: "0.1.7", StandbyURL: "http://localhost:1"}} {
			document, err := Generate(all[name], opts)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if _, err := webserver.Parse(document, name); err != nil {
				t.Errorf("%v\n%s", err, document)
			}
			documents = append(documents, document)
			names = append(names, name)
		}
	}
	answers := oracletest.Ask[string](t, documents, "../schema/webserver/testdata/judge.mjs", oracletest.Modules(t))
	for i, answer := range answers {
		if answer != "" {
			t.Errorf("%s: %s", names[i], answer)
		}
	}
}

// TestGolden shows a whole document.
func TestGolden(t *testing.T) {
	a := actors(t)["complete"]
	document, err := Generate(a, Options{Actor: "jane~shop-scraper", BuildID: "x7", BuildNumber: "1.2.3", StandbyURL: "https://jane--shop-scraper.example"})
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, document, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile("testdata/complete.json", got.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/complete.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got:\n%s", &got)
	}
}

// at reads a place of a document.
func at(t *testing.T, document json.RawMessage, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func TestKeywords(t *testing.T) {
	document, err := Generate(actors(t)["complete"], Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ field, keyword, want string }{
		{"apiKey", "format", `"password"`},
		{"apiKey", "writeOnly", `true`},
		{"apiKey", "isSecret", `null`},
		{"apiKey", "editor", `null`},
		{"limit", "type", `["integer","null"]`},
		{"limit", "x-unit", `"products"`},
		{"limit", "default", `100`},
		{"sort", "enum", `["price","name",null]`},
		{"sort", "x-enum-descriptions", `{"name":"By name","price":"By price"}`},
		{"startUrls", "examples", `[[{"url":"https://shop.example"}]]`},
		{"startUrls", "prefill", `null`},
		{"startUrls", "sectionCaption", `null`},
	} {
		got, err := json.Marshal(at(t, document, "components", "schemas", "inputSchema", "properties", test.field, test.keyword))
		if err != nil || string(got) != test.want {
			t.Errorf("%s.%s is %s, want %s (%v)", test.field, test.keyword, got, test.want, err)
		}
	}
	// References inside of a schema follow it to its place.
	if got := at(t, document, "components", "schemas", "datasetItem", "properties", "price", "$ref"); got != "#/components/schemas/datasetItem/definitions/money" {
		t.Errorf("the reference is %v", got)
	}
}

func TestNames(t *testing.T) {
	a := load(t, map[string][]byte{".actor/actor.json": []byte(`{"actorSpecification": 1, "name": "my-actor", "version": "0.1"}`)})
	for _, test := range []struct{ actor, path, id string }{
		{"", "/acts/~my-actor/runs", "runs-sync-my-actor"},
		{"jane/my-actor", "/acts/jane~my-actor/runs", "runs-sync-jane-my-actor"},
		{"Abc123", "/acts/Abc123/runs", "runs-sync-Abc123"},
	} {
		document, err := Generate(a, Options{Actor: test.actor})
		if err != nil {
			t.Fatal(err)
		}
		if got := at(t, document, "paths", test.path, "post", "operationId"); got != test.id {
			t.Errorf("%q: operationId of %s is %v, want %s", test.actor, test.path, got, test.id)
		}
	}
	a.Name = ""
	if _, err := Generate(a, Options{}); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("no name: got %v", err)
	}
}

// FuzzConvert checks that whatever a schema holds comes out as JSON.
func FuzzConvert(f *testing.F) {
	f.Add([]byte(`{"type":"object","nullable":true,"properties":{"a":{"type":"array","items":[{"$ref":"#"}],"additionalItems":false,"enum":[1,null],"enumTitles":["x","y"]}}}`))
	f.Add([]byte(`{"type":["string"],"editor":"stringList","isSecret":true,"prefill":1,"example":1,"enumSuggestedValues":[2],"unit":"s"}`))
	f.Add([]byte(`[true, {"not": false}]`))
	f.Fuzz(func(t *testing.T, schema []byte) {
		converted, err := convert("schema", "#/x", schema)
		if err != nil {
			return
		}
		text, err := marshal(converted)
		if err != nil || !json.Valid(text) {
			t.Fatalf("%v: %s", err, text)
		}
	})
}
