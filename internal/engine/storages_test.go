package engine_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/engine/onedir"
	"github.com/greenroom-dev/greenroom/internal/schema/dataset"
	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
	"github.com/greenroom-dev/greenroom/internal/schema/keyvalue"
	"github.com/greenroom-dev/greenroom/internal/schema/output"
	"github.com/greenroom-dev/greenroom/internal/store"
)

func parsed[S any](t *testing.T, parse func([]byte, string) (*S, error), text string) *S {
	t.Helper()
	s, err := parse([]byte(text), "schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// titled is a dataset schema that is known by its title.
func titled(t *testing.T, title string) *dataset.Schema {
	t.Helper()
	return parsed(t, dataset.Parse, `{"actorSpecification": 1, "views": {}, "title": "`+title+`"}`)
}

// defined changes an Actor's definition.
func defined(change func(*definition.Actor)) func(*engine.Config, *onedir.Source) {
	return func(_ *engine.Config, p *onedir.Source) { change(p.Definition) }
}

// title reads the title of a storage's schema, "" when it has none.
func title(t *testing.T, s store.Storage, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Schema()) == 0 {
		return ""
	}
	var schema struct{ Title string }
	if err := json.Unmarshal(s.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Title
}

func (b *bench) datasetTitle(t *testing.T, id string) string {
	t.Helper()
	s, err := b.root.Datasets().Open(t.Context(), id)
	return title(t, s, err)
}

func TestStoragesHaveTheSchemasOfTheDefinition(t *testing.T) {
	b := start(t, "exit 0", defined(func(d *definition.Actor) {
		d.Datasets = map[string]*dataset.Schema{"default": titled(t, "main"), "errors": titled(t, "other")}
		d.KeyValueStore = parsed(t, keyvalue.Parse, `{"actorKeyValueStoreSchemaVersion": 1, "title": "files", "collections": {}}`)
	}))
	// The folders may hold what an earlier definition has left there.
	for _, name := range []string{"default", "errors"} {
		d, _, err := b.root.Datasets().Create(t.Context(), store.CreateOptions{ID: name, Schema: json.RawMessage(`{"title":"before"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.SetSchema(t.Context(), json.RawMessage(`{"title":"before"}`)); err != nil {
			t.Fatal(err)
		}
	}
	first := b.begin(t, engine.StartRequest{})
	b.end(t, first.ID)
	second := b.begin(t, engine.StartRequest{})
	b.end(t, second.ID)
	for i, ids := range []map[string]string{first.StorageIDs.Datasets, second.StorageIDs.Datasets} {
		if got := slices.Sorted(maps.Keys(ids)); !slices.Equal(got, []string{"default", "errors"}) {
			t.Fatalf("run %d has the datasets %v", i, got)
		}
		if got := b.datasetTitle(t, ids["default"]); got != "main" {
			t.Errorf("run %d: the default dataset has the schema %q", i, got)
		}
		if got := b.datasetTitle(t, ids["errors"]); got != "other" {
			t.Errorf("run %d: the dataset errors has the schema %q", i, got)
		}
	}
	kvs, err := b.root.KeyValueStores().Open(t.Context(), first.DefaultKeyValueStoreID)
	if got := title(t, kvs, err); got != "files" {
		t.Errorf("the key-value store has the schema %q", got)
	}
	// The project's first run has the folders that people look into; others
	// have datasets of their own.
	if _, err := os.Stat(filepath.Join(b.storage, "datasets", "errors")); err != nil {
		t.Error(err)
	}
	for alias, id := range first.StorageIDs.Datasets {
		if second.StorageIDs.Datasets[alias] == id {
			t.Errorf("both runs have the same dataset %s", alias)
		}
	}
}

func TestStoragesLoseTheSchemaThatTheDefinitionHasNot(t *testing.T) {
	b := start(t, "exit 0")
	d, err := b.root.Datasets().Open(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetSchema(t.Context(), json.RawMessage(`{"title":"before"}`)); err != nil {
		t.Fatal(err)
	}
	r := b.begin(t, engine.StartRequest{})
	b.end(t, r.ID)
	if got := b.datasetTitle(t, r.DefaultDatasetID); got != "" {
		t.Errorf("the dataset has the schema %q", got)
	}
}

// A dataset that somebody has called like an alias is not the run's, and two
// aliases never share one.
func TestAliasesDoNotTakeOtherDatasets(t *testing.T) {
	b := start(t, "exit 0", defined(func(d *definition.Actor) {
		d.Datasets = map[string]*dataset.Schema{"default": titled(t, "d"), "mine": titled(t, "m"), "Errors": titled(t, "a"), "errors": titled(t, "b")}
	}))
	mine, _, err := b.root.Datasets().Create(t.Context(), store.CreateOptions{Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	r := b.begin(t, engine.StartRequest{})
	b.end(t, r.ID)
	seen := map[string]string{mine.ID(): "the named one"}
	for alias, want := range map[string]string{"mine": "m", "Errors": "a", "errors": "b"} {
		id := r.StorageIDs.Datasets[alias]
		if other := seen[id]; other != "" {
			t.Errorf("%s is the dataset of %s", alias, other)
		}
		seen[id] = alias
		if got := b.datasetTitle(t, id); got != want {
			t.Errorf("%s has the schema %q, want %q", alias, got, want)
		}
	}
	if got := title(t, mine, nil); got != "" {
		t.Errorf("the named dataset has got the schema %q", got)
	}
}

func TestOutputIsKnownAtTheStartAndHoldsNoSecret(t *testing.T) {
	b := start(t, "exit 0", func(c *engine.Config, p *onedir.Source) {
		c.PublicURL = func() string { return "http://api.example" }
		p.Definition.Input = parsed(t, inputschema.Parse, `{"title": "T", "type": "object", "schemaVersion": 1, "properties": {
			"word": {"title": "W", "type": "string", "description": "d", "editor": "textfield"},
			"key": {"title": "K", "type": "string", "description": "d", "editor": "textfield", "isSecret": true}}}`)
		p.Definition.Output = parsed(t, output.Parse, `{"actorOutputSchemaVersion": 1, "properties": {
			"items": {"type": "string", "template": "{{links.apiDefaultDatasetUrl}}/items"},
			"site": {"type": "string", "template": "{{run.containerUrl}}"},
			"word": {"type": "string", "template": "{{actorInput.word}}"},
			"key": {"type": "string", "template": "{{actorInput.key}}"}}}`)
	})
	r := b.begin(t, engine.StartRequest{Input: &engine.Input{ContentType: "application/json", Body: []byte(`{"word": "w", "key": "hush"}`)}})
	var got map[string]string
	if err := json.Unmarshal(r.Output, &got); err != nil {
		t.Fatalf("%v in %s", err, r.Output)
	}
	want := map[string]string{
		"items": "http://api.example/v2/datasets/" + r.DefaultDatasetID + "/items", "site": r.ContainerURL, "word": "w", "key": "",
	}
	if !maps.Equal(got, want) || r.ContainerURL == "" {
		t.Errorf("got %v\nwant %v", got, want)
	}
	after := b.end(t, r.ID)
	got = nil
	if err := json.Unmarshal(after.Output, &got); err != nil || !maps.Equal(got, want) || after.ContainerURL != r.ContainerURL {
		t.Errorf("after the run it is %s at %s", after.Output, after.ContainerURL)
	}
}
