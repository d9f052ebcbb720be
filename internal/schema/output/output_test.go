package output

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func parse(t *testing.T, text string) *Schema {
	t.Helper()
	s, err := Parse([]byte(text), "output_schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// of makes a schema from pairs of a name and a template.
func of(t *testing.T, pairs ...string) *Schema {
	t.Helper()
	properties := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		properties[pairs[i]] = map[string]string{"type": "string", "template": pairs[i+1]}
	}
	text, err := json.Marshal(map[string]any{"actorOutputSchemaVersion": 1, "properties": properties})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

func variables() Variables {
	return Variables{
		Origin: "http://127.0.0.1:8000",
		Input:  json.RawMessage(`{"datasetId":"abc","deep":{"n":5},"none":null}`),
		Run: api.Run{
			ID: "run1", ActorID: "actor1", DefaultDatasetID: "d1", DefaultKeyValueStoreID: "k1", DefaultRequestQueueID: "q1",
			ContainerURL: "http://127.0.0.1:4321", Options: api.RunOptions{MemoryMbytes: 512},
			StorageIDs: api.StorageIDs{
				Datasets: map[string]string{"default": "d1", "products": "d2"}, KeyValueStores: map[string]string{"default": "k1"},
			},
		},
	}
}

func TestGenerate(t *testing.T) {
	for template, want := range map[string]string{
		"{{links.publicRunUrl}}":                                  "http://127.0.0.1:8000/view/runs/run1",
		"{{links.consoleRunUrl}}":                                 "http://127.0.0.1:8000/actors/runs/run1",
		"{{links.apiRunUrl}}":                                     "http://127.0.0.1:8000/v2/actor-runs/run1",
		"{{links.apiDefaultDatasetUrl}}/items?a=1&b=<2>":          "http://127.0.0.1:8000/v2/datasets/d1/items?a=1&b=<2>",
		"{{links.apiDefaultKeyValueStoreUrl}}/keys":               "http://127.0.0.1:8000/v2/key-value-stores/k1/keys",
		"{{run.containerUrl}}/x":                                  "http://127.0.0.1:4321/x",
		"{{ run.defaultDatasetId }}-{{run.options.memoryMbytes}}": "d1-512",
		"{{run.storageIds.datasets.products}}":                    "d2",
		"{{run.gitBranchName}}":                                   "",
		"{{run.buildNumber}}":                                     "",
		"{{storages.datasets.products.apiUrl}}/items":             "http://127.0.0.1:8000/v2/datasets/d2/items",
		"{{storages.keyValueStores.default.apiUrl}}":              "http://127.0.0.1:8000/v2/key-value-stores/k1",
		"{{actorRun.defaultDatasetUrl}}?view=x":                   "http://127.0.0.1:8000/v2/datasets/d1/items?view=x",
		"{{actorRun.defaultKeyValueStoreUrl}}?prefix=x":           "http://127.0.0.1:8000/v2/key-value-stores/k1/keys?prefix=x",
		"{{actorRun.defaultKeyValueStoreUrl}}/a.png":              "http://127.0.0.1:8000/v2/key-value-stores/k1/records/a.png",
		"{{actorRun.webServerUrl}}":                               "http://127.0.0.1:4321",
		"{{actorInput.datasetId}}{{actorRun.input.deep.n}}":       "abc5",
		"{{actorInput.none}}{{actorInput.nothing.at.all}}":        "",
		"plain {text} }}":                                         "plain {text} }}",
		"":                                                        "",
	} {
		got, err := of(t, "x", template).Generate(variables())
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		var object map[string]string
		if err := json.Unmarshal(got, &object); err != nil {
			t.Fatalf("%s: %v in %s", template, err, got)
		}
		if object["x"] != want {
			t.Errorf("%s\n got %q\nwant %q", template, object["x"], want)
		}
	}
}

// The object has the properties in the order written, and URLs as they are.
func TestGenerateOrder(t *testing.T) {
	s := parse(t, `{"actorOutputSchemaVersion": 1, "properties": {
		"z": {"type": "string", "template": "a&b"}, "a\"b": {"type": "string", "template": "2"}, "0": {"type": "string", "template": "3"}}}`)
	got, err := s.Generate(variables())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"z":"a&b","a\"b":"2","0":"3"}`; string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if none, err := parse(t, `{"actorOutputSchemaVersion": 1, "properties": {}}`).Generate(variables()); err != nil || string(none) != "{}" {
		t.Errorf("no properties: %s, %v", none, err)
	}
}

func TestGenerateUnknownStorage(t *testing.T) {
	s := of(t, "x", "{{storages.datasets.other.apiUrl}}")
	if _, err := s.Generate(variables()); !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "datasets.other") {
		t.Errorf("got %v", err)
	}
	list := s.CheckStorages([]string{"otter", "default"})
	if len(list) != 1 || !strings.Contains(list[0].Message, `its datasets are default, otter; did you mean "otter"?`) || list[0].Path != "/properties/x/template" {
		t.Errorf("got %v", list)
	}
	if list := s.CheckStorages([]string{"other"}); len(list) != 0 {
		t.Errorf("got %v", list)
	}
	if list := of(t, "x", "{{run.storageIds.keyValueStores.files}}{{run.id}}").CheckStorages(nil); len(list) != 1 {
		t.Errorf("got %v", list)
	}
}

func TestCompatible(t *testing.T) {
	dataset := "{{links.apiDefaultDatasetUrl}}/items"
	for name, c := range map[string]struct {
		have, want *Schema
		wrong      string
	}{
		"nothing promised":      {nil, nil, ""},
		"nothing promised, all": {nil, of(t, "a", dataset), ""},
		"no output promised":    {of(t), nil, ""},
		"the same":              {of(t, "a", dataset), of(t, "a", dataset), ""},
		"more":                  {of(t, "a", dataset), of(t, "a", dataset, "b", "x"), ""},
		"another view":          {of(t, "a", dataset), of(t, "a", dataset+"?view=x"), ""},
		"another spelling":      {of(t, "a", dataset), of(t, "a", "{{storages.datasets.default.apiUrl}}"), ""},
		"an older spelling":     {of(t, "a", dataset), of(t, "a", "{{actorRun.defaultDatasetUrl}}"), ""},
		"none at all":           {of(t, "a", dataset), nil, `it has no "a"`},
		"less":                  {of(t, "a", dataset, "b", "x"), of(t, "b", "x"), `it has no "a"`},
		"another storage":       {of(t, "a", dataset), of(t, "a", "{{links.apiDefaultKeyValueStoreUrl}}"), `its "a" leads to the key-value store "default", not to the dataset "default"`},
		"another alias":         {of(t, "a", dataset), of(t, "a", "{{storages.datasets.b.apiUrl}}"), `its "a" leads to the dataset "b", not to the dataset "default"`},
		"no web server":         {of(t, "a", "{{run.containerUrl}}"), of(t, "a", "https://example.com"), `its "a" leads to a fixed address, not to the web server`},
		"several":               {of(t, "a", dataset, "b", "{{links.apiRunUrl}}"), of(t, "b", "x"), `it has no "a"; its "b" leads to a fixed address, not to the run`},
	} {
		t.Run(name, func(t *testing.T) {
			err := Compatible(c.have, c.want)
			switch {
			case c.wrong == "" && err != nil:
				t.Errorf("got %v", err)
			case c.wrong != "" && (!fault.Is(err, fault.InvalidRequest) || !strings.HasSuffix(err.Error(), ": "+c.wrong)):
				t.Errorf("got %v\nwant …: %s", err, c.wrong)
			}
		})
	}
}

func TestOlderDefaultTypes(t *testing.T) {
	s := parse(t, `{"actorOutputSchemaVersion": 1, "title": "T", "properties": {
		"a": {"type": "$defaultDataset", "views": ["one two", "x"]}, "b": {"type": "$defaultKeyValueStore", "keys": ["a.png"]},
		"c": {"type": "$defaultKeyValueStore", "keys": ["a", "b"]}, "d": {"type": "$defaultWebServer"}}}`)
	got, err := s.Generate(variables())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":"http://127.0.0.1:8000/v2/datasets/d1/items?view=one+two","b":"http://127.0.0.1:8000/v2/key-value-stores/k1/records/a.png",` +
		`"c":"http://127.0.0.1:8000/v2/key-value-stores/k1/keys","d":"http://127.0.0.1:4321"}`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if s.Title() != "T" || len(s.Properties()) != 4 || s.Properties()[3].Template != "{{run.containerUrl}}" {
		t.Errorf("got %q %v", s.Title(), s.Properties())
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`{"actorOutputSchemaVersion": 1, "properties": {"a": {"type": "string", "template": "{{run.id}}/{{actorRun.x}}{{"}}}`)
	f.Add(`{"actorOutputSchemaVersion": 1, "properties": {"a": {"type": "$defaultKeyValueStore", "keys": ["a", 1]}}}`)
	f.Add(`{"actorOutputSchemaVersion": 1, "properties": {"a": {"type": "string", "template": "` + strings.Repeat("{{", 1000) + `"}}}`)
	f.Add(strings.Repeat("[", 2000))
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := jsonc.Parse("fuzz.json", []byte(text))
		if err != nil {
			return
		}
		s, list := Check(doc, doc.Root)
		if (s == nil) != (len(list.Errors()) > 0) {
			t.Fatalf("schema %v with %v", s, list)
		}
		if s == nil {
			return
		}
		s.CheckStorages([]string{"a"})
		if Compatible(s, s) != nil {
			t.Error("not compatible with itself")
		}
		out, err := s.Generate(variables())
		if err == nil && !json.Valid(out) {
			t.Errorf("not JSON: %s", out)
		}
	})
}
