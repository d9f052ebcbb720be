package keyvalue

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func parse(t *testing.T, text string) *Schema {
	t.Helper()
	s, err := Parse([]byte(text), "key_value_store_schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const files = `{
	"actorKeyValueStoreSchemaVersion": 1,
	"title": "Files",
	"collections": {
		"images": {"title": "Images", "keyPrefix": "image-", "contentTypes": ["image/*"]},
		"thumbnails": {"title": "Thumbnails", "keyPrefix": "image-small-", "contentTypes": ["image/png", "image/jpeg"]},
		"report": {"title": "Report", "description": "The result", "key": "REPORT", "contentTypes": ["text/html"]},
		"state": {"title": "State", "keyPrefix": "state-", "contentTypes": ["application/json"],
			"jsonSchema": {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}},
		"notes": {"title": "Notes", "keyPrefix": "note-"}
	}
}`

func TestCheckRecord(t *testing.T) {
	s := parse(t, files)
	for name, c := range map[string]struct{ key, contentType, body, wrong string }{
		"wildcard":                 {"image-1", "image/gif", "", ""},
		"wildcard, other type":     {"image-1", "text/plain", "", `the record "image-1" cannot have the content type "text/plain": the collection "images" allows image/*`},
		"both collections":         {"image-small-1", "image/png", "", ""},
		"one of two collections":   {"image-small-1", "image/gif", "", `the collection "thumbnails" allows image/png, image/jpeg`},
		"key":                      {"REPORT", "text/html", "", ""},
		"parameters do not count":  {"REPORT", "text/html; charset=utf-8", "", ""},
		"letters' case":            {"REPORT", "Text/HTML;charset=UTF-8", "", ""},
		"key, other type":          {"REPORT", "application/json", "{}", `"REPORT" cannot have the content type "application/json"`},
		"key, no type":             {"REPORT", "", "", `content type "application/octet-stream"`},
		"longer than the key":      {"REPORT-2", "application/json", "{}", ""},
		"no collection":            {"INPUT", "application/json", "{}", ""},
		"other case of the prefix": {"Image-1", "text/plain", "", ""},
		"any type":                 {"note-1", "x/y", "", ""},
		"JSON":                     {"state-1", "application/json; charset=utf-8", `{"count": 1, "more": true}`, ""},
		"JSON of another type":     {"state-1", "text/plain", `{"count": 1}`, "cannot have the content type"},
		"JSON, wrong field":        {"state-1", "application/json", `{"count": "1"}`, `the record "state-1" does not match the JSON schema of the collection "state": count must be integer`},
		"JSON, missing field":      {"state-1", "application/json", `{}`, `collection "state": it must have required property 'count'`},
		"JSON, wrong value":        {"state-1", "application/json", `[1]`, `it must be object`},
		"not JSON":                 {"state-1", "application/json", `{"count"`, `must be JSON: `},
		"nothing":                  {"state-1", "application/json", ``, `must be JSON: `},
		"JSON with a comment":      {"state-1", "application/json", `{"count": 1} // one`, `must be JSON: `},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.CheckRecord(c.key, c.contentType, []byte(c.body))
			if c.wrong == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			var problem *fault.Error
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("got %v\nwant %s", err, c.wrong)
			}
			if problem.WireType() != "schema-validation-failed" || problem.Code.HTTPStatus() != 400 {
				t.Errorf("got %s, %d", problem.WireType(), problem.Code.HTTPStatus())
			}
		})
	}
}

func TestCheckRecordData(t *testing.T) {
	s := parse(t, files)
	for want, err := range map[string]error{
		`{"collection":"report","key":"REPORT","contentType":"a/b","allowedContentTypes":["text/html"]}`:                                                                               s.CheckRecord("REPORT", "a/b", nil),
		`{"collection":"state","key":"state-1","validationErrors":[{"instancePath":"","schemaPath":"#/type","keyword":"type","params":{"type":"object"},"message":"must be object"}]}`: s.CheckRecord("state-1", "application/json", []byte("5")),
	} {
		var problem *fault.Error
		if !errors.As(err, &problem) {
			t.Fatalf("got %v", err)
		}
		if got, err := json.Marshal(problem.Data); err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
}

func TestNeedsBody(t *testing.T) {
	s := parse(t, files)
	for key, want := range map[string]bool{"state-1": true, "state-": true, "state": false, "image-1": false, "REPORT": false, "x": false} {
		if got := s.NeedsBody(key); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
}

func TestCollections(t *testing.T) {
	s := parse(t, files)
	if c, ok := s.Collection("report"); !ok || c.Key != "REPORT" || c.KeyPrefix != "" || c.Title != "Report" || c.Description != "The result" {
		t.Errorf("got %+v", c)
	}
	if c, ok := s.Collection("images"); !ok || c.KeyPrefix != "image-" || !c.Matches("image-1") || c.Matches("image") {
		t.Errorf("got %+v", c)
	}
	if _, ok := s.Collection("none"); ok {
		t.Error("there is no such collection")
	}
	if _, ok := s.Collection(""); ok {
		t.Error("there is no such collection")
	}
	if s.Title() != "Files" || len(s.Collections()) != 5 || !json.Valid(s.JSON()) {
		t.Errorf("got %q and %d collections", s.Title(), len(s.Collections()))
	}
	older := parse(t, `{"schemaType": "KeyValueStoreSchema", "schemaVersion": 2, "name": "N", "collections": {"a": {"name": "A", "key": "a"}}}`)
	if c, _ := older.Collection("a"); older.Title() != "N" || c.Title != "A" {
		t.Errorf("got %q %+v", older.Title(), c)
	}
}

func TestAllows(t *testing.T) {
	for _, c := range []struct {
		allowed, contentType string
		want                 bool
	}{
		{"image/png", "image/png", true}, {"image/png", "image/jpeg", false}, {"image/*", "image/svg+xml", true},
		{"image/*", "imagine/png", false}, {"image/*", "image", false}, {"*/*", "a/b", true},
		{"application/json; charset=utf-8", "application/json", true}, {" Text/Plain ", "text/plain ;x=y", true},
	} {
		if got := allows(c.allowed, c.contentType); got != c.want {
			t.Errorf("%q allows %q: %v", c.allowed, c.contentType, got)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(files, "state-1", "application/json", `{"count": 1}`)
	f.Add(`{"actorKeyValueStoreSchemaVersion": 1, "title": "", "collections": {"a": {"key": "a", "contentTypes": ["application/json"], "jsonSchema": {"not": {"$ref": "#"}}}}}`, "a", "application/json", `[`)
	f.Add(`{"schemaType": "KeyValueStoreSchema", "name": 5, "collections": {"a": {"keyPrefix": "`+strings.Repeat("x", 300)+`"}}}`, "x", "", "")
	f.Add(strings.Repeat(`{"collections":`, 500), "", "", "")
	f.Fuzz(func(t *testing.T, text, key, contentType, body string) {
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
		err = s.CheckRecord(key, contentType, []byte(body))
		if !s.NeedsBody(key) && (s.CheckRecord(key, contentType, nil) == nil) != (err == nil) {
			t.Error("the body made a difference")
		}
		for _, c := range s.Collections() {
			if (c.Key == "") == (c.KeyPrefix == "") {
				t.Errorf("collection %+v", c)
			}
		}
	})
}
