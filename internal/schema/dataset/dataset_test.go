package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func parse(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Parse([]byte(text), "dataset_schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// products is a schema as Actors have it.
const products = `{
	"actorSpecification": 1,
	"title": "Products",
	"fields": {
		"type": "object",
		"properties": {
			"name": {"type": "string", "minLength": 1},
			"price": {"type": "number", "minimum": 0},
			"url": {"type": "string", "format": "uri"},
			"note": {"type": "string", "nullable": true},
			"sizes": {"type": "array", "items": {"type": "integer"}}
		},
		"required": ["name"]
	},
	"views": {
		"overview": {
			"title": "Overview", "description": "The most important fields",
			"transformation": {"fields": ["name", "price"], "omit": ["url"], "unwind": ["sizes"], "flatten": ["note"], "limit": 5,
				"desc": true, "clean": true, "skipHidden": true, "skipEmpty": true},
			"display": {"component": "table", "properties": {"price": {"label": "Price", "format": "number"}, "name": {}}}
		},
		"gallery": {"title": "Gallery", "display": {"component": "grid"}}
	}
}`

func items(texts ...string) (out []json.RawMessage) {
	for _, text := range texts {
		out = append(out, json.RawMessage(text))
	}
	return out
}

func TestCheckItems(t *testing.T) {
	s := parse(t, products)
	for _, valid := range [][]json.RawMessage{
		nil,
		items(`{"name": "a"}`),
		items(`{"name": "a", "price": 1, "sizes": [1, 2.0], "note": null}`, `{"name": "b", "anything": {"else": [1]}}`),
	} {
		if err := s.CheckItems(valid); err != nil {
			t.Errorf("%s: %v", valid, err)
		}
	}
	err := s.CheckItems(items(
		`{"name": "a"}`,
		`{"price": "5", "url": "no url"}`,
		`{"name": "b", "price": 2}`,
		`{"name": "", "sizes": [1, "2", 3.5]}`,
	))
	var problem *fault.Error
	if !errors.As(err, &problem) {
		t.Fatalf("got %v", err)
	}
	if problem.WireType() != "schema-validation-error" || problem.Message != "Schema validation failed" || problem.Code.HTTPStatus() != 400 {
		t.Errorf("got %s %q %d", problem.WireType(), problem.Message, problem.Code.HTTPStatus())
	}
	got, err := json.Marshal(problem.Data)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"invalidItems":[` +
		`{"itemPosition":1,"validationErrors":[` +
		`{"instancePath":"","schemaPath":"#/required","keyword":"required","params":{"missingProperty":"name"},"message":"must have required property 'name'"},` +
		`{"instancePath":"/price","schemaPath":"#/properties/price/type","keyword":"type","params":{"type":"number"},"message":"must be number"},` +
		`{"instancePath":"/url","schemaPath":"#/properties/url/format","keyword":"format","params":{"format":"uri"},"message":"must match format \"uri\""}]},` +
		`{"itemPosition":3,"validationErrors":[` +
		`{"instancePath":"/name","schemaPath":"#/properties/name/minLength","keyword":"minLength","params":{"limit":1},"message":"must NOT have fewer than 1 characters"},` +
		`{"instancePath":"/sizes/1","schemaPath":"#/properties/sizes/items/type","keyword":"type","params":{"type":"integer"},"message":"must be integer"},` +
		`{"instancePath":"/sizes/2","schemaPath":"#/properties/sizes/items/type","keyword":"type","params":{"type":"integer"},"message":"must be integer"}]}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// An item is judged by draft-07 whatever it says; the schema's older form is
// judged as if it were written in full.
func TestCheckItemsBareFields(t *testing.T) {
	s := parse(t, `{"actorSpecification": 1, "fields": {"title": {"type": "string"}, "price": {"type": "number"}}}`)
	if err := s.CheckItems(items(`{"title": "a"}`)); err != nil {
		t.Error(err)
	}
	if err := s.CheckItems(items(`{"title": 5}`)); err == nil {
		t.Error("a wrong item passed")
	}
	if got := string(s.Fields()); got != `{"properties":{"title":{"type":"string"},"price":{"type":"number"}}}` {
		t.Errorf("fields: %s", got)
	}
}

func TestCheckItemsWithoutFields(t *testing.T) {
	s := parse(t, `{"actorSpecification": 1, "views": {}}`)
	if s.HasFields() || s.Fields() != nil || s.CheckItems(items(`{"a": 1}`)) != nil {
		t.Error("a schema without fields must take everything")
	}
	if all := parse(t, `{"actorSpecification": 1, "fields": {}}`); !all.HasFields() || all.CheckItems(items(`{"a": 1}`)) != nil {
		t.Error("empty fields must take everything")
	}
	if none := parse(t, `{"actorSpecification": 1, "fields": false}`); none.CheckItems(items(`{}`)) == nil {
		t.Error("false must take nothing")
	}
}

// A push of nothing but wrong items must not be answered with gigabytes.
func TestCheckItemsIsBounded(t *testing.T) {
	s := parse(t, products)
	many := make([]json.RawMessage, 50_000)
	for i := range many {
		many[i] = json.RawMessage(`{}`)
	}
	var problem *fault.Error
	if err := s.CheckItems(many); !errors.As(err, &problem) {
		t.Fatal(err)
	}
	if n := len(problem.Data.(InvalidItems).InvalidItems); n != maxErrors {
		t.Errorf("%d items are listed", n)
	}
}

func TestViews(t *testing.T) {
	s := parse(t, products)
	want := View{
		Name: "overview", Title: "Overview", Description: "The most important fields",
		Transformation: Transformation{
			Fields: []string{"name", "price"}, Omit: []string{"url"}, Unwind: []string{"sizes"}, Flatten: []string{"note"},
			Limit: 5, Desc: true, Clean: true, SkipHidden: true, SkipEmpty: true,
		},
		Display: Display{Component: "table", Columns: []Column{{"price", "Price", "number"}, {"name", "", ""}}},
	}
	if got, ok := s.View("overview"); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if got, ok := s.View(""); !ok || got.Name != "overview" {
		t.Errorf("the first view is %q", got.Name)
	}
	if got, ok := s.View("gallery"); !ok || got.Display.Component != "grid" {
		t.Errorf("got %+v", got)
	}
	if _, ok := s.View("none"); ok || len(s.Views()) != 2 {
		t.Errorf("%d views", len(s.Views()))
	}
	if !slices.Equal(s.FieldNames(), []string{"name", "price", "url", "note", "sizes"}) || s.Title() != "Products" {
		t.Errorf("fields %v, title %q", s.FieldNames(), s.Title())
	}
	if older := parse(t, `{"actorSpecification": 1, "views": {"v": {"title": "V", "transformation": {"unwind": "a", "omit": "b"}}}}`); true {
		v, _ := older.View("v")
		if !slices.Equal(v.Transformation.Unwind, []string{"a"}) || !slices.Equal(v.Transformation.Omit, []string{"b"}) {
			t.Errorf("got %+v", v)
		}
	}
}

func TestJSON(t *testing.T) {
	s := parse(t, "{ // as written\n\"actorSpecification\": 1, \"fields\": {\"type\": \"object\", \"example\": 1.50,},}")
	if got := string(s.JSON()); got != `{"actorSpecification":1,"fields":{"type":"object","example":1.50}}` {
		t.Errorf("got %s", got)
	}
	if again := parse(t, string(s.JSON())); string(again.Fields()) != string(s.Fields()) {
		t.Errorf("got %s", again.Fields())
	}
}

func TestParseFaults(t *testing.T) {
	_, err := Parse([]byte(`{"actorSpecification": 2, "fields": {"type": 5}}`), "dataset_schema.json")
	if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "dataset_schema.json:1:24: actorSpecification must be 1") {
		t.Errorf("got %v", err)
	}
	if _, err := Parse([]byte(`{`), "x.json"); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("got %v", err)
	}
}

// What is made to be slow to judge must not be.
func TestCheckIsBounded(t *testing.T) {
	list := func(n int, format string) string {
		texts := make([]string, n)
		for i := range texts {
			texts[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(texts, ",")
	}
	fields := func(n int) string {
		return `"fields": {"type": "object", "properties": {` + list(n, `"field number %d": {}`) + `}}`
	}
	view := func(name, transformation string) string {
		return `"` + name + `": {"title": "V", "transformation": {` + transformation + `}}`
	}
	for name, text := range map[string]string{
		"many names that are almost known": `{"actorSpecification": 1, ` + fields(5000) + `, "views": {` + view("v", `"fields": [`+list(3000, `"field numbers %d"`)+`]`) + `}}`,
		"a name of dots":                   `{"actorSpecification": 1, ` + fields(10) + `, "views": {` + view("v", `"fields": ["`+strings.Repeat("a.", 200_000)+`"]`) + `}}`,
		"names of dots":                    `{"actorSpecification": 1, ` + fields(10) + `, "views": {` + view("v", `"fields": [`+list(300, `"`+strings.Repeat("a.", 400)+`%d"`)+`]`) + `}}`,
		"everything unwound":               `{"actorSpecification": 1, ` + fields(5000) + `, "views": {` + view("v", `"unwind": [`+list(5000, `"field number %d"`)+`], "fields": [`+list(5000, `"%d"`)+`]`) + `}}`,
		"many views":                       `{"actorSpecification": 1, ` + fields(1000) + `, "views": {` + list(5000, `"v%d": {"titel": 1}`) + `}}`,
		"many unknown members":             `{"actorSpecification": 1, "fields": {}, ` + list(10_000, `"feilds%d": {}`) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := jsonc.Parse("x.json", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			Check(doc, doc.Root)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v for %d bytes", took, len(text))
			} else {
				t.Logf("took %v for %d bytes", took, len(text))
			}
		})
	}
}

func BenchmarkCheckItems(b *testing.B) {
	s := parse(b, products)
	batch := make([]json.RawMessage, 100)
	for i := range batch {
		batch[i] = json.RawMessage(fmt.Sprintf(`{"name": "product %d", "price": %d.5, "url": "https://example.com/%d", "sizes": [1, 2, 3]}`, i, i, i))
	}
	for b.Loop() {
		if err := s.CheckItems(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "items/s")
}

func FuzzCheck(f *testing.F) {
	f.Add(products, `{"name": 5}`)
	f.Add(`{"actorSpecification": 1, "fields": {"a": {"type": "string"}}, "views": {"v": {"title": "", "transformation": {"unwind": "a.b"}}}}`, `{}`)
	f.Add(`{"actorSpecification": 1, "fields": {"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}, "$ref": "#/definitions/a"}}`, `{}`)
	f.Add(`{"actorSpecification": 1, "fields": {"properties": {"a": {"$ref": "#"}}, "pattern": "(a+)+$"}}`, `{"a": {"a": {}}}`)
	f.Add(strings.Repeat(`{"fields":`, 500), `[]`)
	f.Fuzz(func(t *testing.T, text, item string) {
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
		if json.Valid([]byte(item)) {
			_ = s.CheckItems(items(item))
		}
		if !json.Valid(s.JSON()) || s.HasFields() && !json.Valid(s.Fields()) {
			t.Errorf("not JSON: %s %s", s.JSON(), s.Fields())
		}
	})
}
