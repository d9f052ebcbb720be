package webserver

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestFaults compares everything that is said about the documents in
// testdata/faults with the words beside them.
func TestFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			document, golden := &archive.Files[0], &archive.Files[1]
			doc, err := jsonc.Parse(document.Name, document.Data)
			if err != nil {
				t.Fatal(err)
			}
			s, list := Check(doc, doc.Root)
			if (s == nil) != (len(list.Errors()) > 0) {
				t.Errorf("a schema: %v, errors: %v", s != nil, list.Errors())
			}
			var got strings.Builder
			for _, d := range list {
				fmt.Fprintf(&got, "%s\n    %s %s\n", d, d.Rule, d.Path)
			}
			if *update {
				golden.Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(golden.Data); got.String() != want {
				t.Errorf("got:\n%s\nwant:\n%s", &got, want)
			}
		})
	}
}

func TestCorpusIsValid(t *testing.T) {
	for name, data := range corpus(t) {
		s, err := Parse(data, name)
		if strings.HasPrefix(name, "loose") {
			if err == nil {
				t.Errorf("%s is valid, the text of the specification forbids it", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Title() == "" || !json.Valid(s.JSON()) {
			t.Errorf("%s: title %q", name, s.Title())
		}
	}
}

func TestWithServer(t *testing.T) {
	for _, test := range []struct{ document, want string }{
		{
			`{"openapi":"3.1.0", /* where */ "servers":[{"url":"/a"},{"url":"/b"}], "info":{"title":"t","version":"1"},"paths":{}}`,
			`{"openapi":"3.1.0","servers":[{"url":"https://a.example/?b=\u0026"}],"info":{"title":"t","version":"1"},"paths":{}}`,
		},
		{
			`{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{}}`,
			`{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{},"servers":[{"url":"https://a.example/?b=\u0026"}]}`,
		},
	} {
		s, err := Parse([]byte(test.document), "openapi.json")
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.WithServer("https://a.example/?b=&")); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestParse(t *testing.T) {
	_, err := Parse([]byte(`{"openapi": "3.1.0"}`), "openapi.json")
	if !fault.Is(err, fault.InvalidInput) {
		t.Fatalf("got %v", err)
	}
	if _, err := Parse([]byte(`{`), "openapi.json"); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("not JSON: got %v", err)
	}
}

// A document may stand in a larger one: places are those of the larger one,
// references those of its own.
func TestInlined(t *testing.T) {
	doc, err := jsonc.Parse("actor.json", []byte(`{
  "name": "x",
  "list": [{"other": {}}, {
    "openapi": "3.1.0", "info": {"title": "t"},
    "components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": true}}
  }]
}`))
	if err != nil {
		t.Fatal(err)
	}
	_, list := Check(doc, doc.Root.Get("list").Items[1])
	if len(list) != 1 || list[0].Path != "/list/1/info/version" || list[0].Line != 4 || list[0].Column != 33 {
		t.Errorf("got %+v", list)
	}
}

// Hostile documents must neither take long nor overflow.
func TestHostile(t *testing.T) {
	deep := strings.Repeat(`{"properties":{"a":`, 4000) + `{}` + strings.Repeat(`}}`, 4000)
	var chain strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&chain, `"S%d":{"allOf":[{"$ref":"#/components/schemas/S%d"},{"$ref":"#/components/schemas/S%d"}]},`, i, (i+1)%5000, (i*7)%5000)
	}
	for name, schemas := range map[string]string{
		"deep":  `"A":` + deep,
		"chain": chain.String() + `"last":{}`,
		"wrong": `"A":` + strings.Repeat(`{"type":1,"properties":{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":`, 4000) + `1` + strings.Repeat(`}}`, 4000),
	} {
		document := `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"components":{"schemas":{` + schemas + `}}}`
		doc, err := jsonc.Parse("doc", []byte(document))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, list := Check(doc, doc.Root)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		if len(list.Errors()) == 0 {
			t.Errorf("%s: nothing found", name)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(data)
	}
	f.Add([]byte(`{"openapi":"3.1.0","info":{"title":"t","version":"1"},"components":{"schemas":{"A":{"$ref":"#/components/schemas/A"}}}}`))
	f.Add([]byte(`{"openapi":"3.0.0","info":{"title":"t","version":"1"},"paths":{"/{a}":{"parameters":[{"$ref":"#/paths/~1%7Ba%7D/parameters/0"}],"get":1}}}`))
	f.Add([]byte(`{"swagger":"2.0"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := jsonc.Parse("doc", data)
		if err != nil {
			return
		}
		s, list := Check(doc, doc.Root)
		for _, d := range list {
			if d.Line < 1 || d.Message == "" || d.Rule == "" {
				t.Errorf("incomplete: %+v", d)
			}
		}
		if s == nil {
			if len(list.Errors()) == 0 {
				t.Error("no schema and no reason")
			}
			return
		}
		_ = s.Title()
		replaced := s.WithServer("https://a.example")
		if !json.Valid(replaced) {
			t.Fatalf("not JSON: %s", replaced)
		}
		again, err := Parse(replaced, "doc")
		if err != nil {
			t.Fatalf("with another server it is no longer valid: %v", err)
		}
		_ = again
	})
}
