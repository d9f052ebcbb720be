package shape_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// every visits all values below v with the pointers that lead to them.
func every(v *jsonc.Value, path string, visit func(v *jsonc.Value, path string)) {
	visit(v, path)
	for _, m := range v.Members {
		every(m.Value, path+"/"+jsonc.PointerPart(m.Name), visit)
	}
	for i, item := range v.Items {
		every(item, fmt.Sprintf("%s/%d", path, i), visit)
	}
}

func TestPath(t *testing.T) {
	doc, err := jsonc.Parse("x.json", []byte(` // first
	{"a": {"b/c": [1, {"~": "x", "": []}, [], "s"], "e": {}}, "f": [[[{"g": null}]]], "a2": true}`))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	every(doc.Root, "", func(v *jsonc.Value, path string) {
		n++
		if got := shape.Path(doc.Root, v.Start); got != path {
			t.Errorf("got %q, want %q", got, path)
		}
	})
	if n != 16 {
		t.Errorf("%d values were looked at", n)
	}
}

func TestName(t *testing.T) {
	for path, want := range map[string]string{
		"":                             "the schema",
		"/a":                           "a",
		"/a/0/b":                       "a.0.b",
		"/views/a~1b/x~0y":             "views.a/b.x~y",
		"/views//x":                    `views[""].x`,
		"/a b/c.d":                     `["a b"]["c.d"]`,
		"/" + strings.Repeat("x", 100): `["` + strings.Repeat("x", 60) + `"…]`,
	} {
		if got := shape.Name(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestMeant(t *testing.T) {
	known := []string{"title", "fields", "views", "description", "x"}
	for wrong, want := range map[string]string{
		"titel": "title", "Fields": "fields", "filds": "fields", "view": "views", "descriptoin": "description",
		"title": "", "y": "", "nothing": "", "": "", strings.Repeat("title", 100): "",
	} {
		if got := shape.Closest(wrong, known); got != want {
			t.Errorf("%.20q: got %q, want %q", wrong, got, want)
		}
	}
	if got := shape.Meant("titel", known); got != `; did you mean "title"?` {
		t.Error(got)
	}
}

// However much is wrong, what is said about it stays within bounds.
func TestReportIsBounded(t *testing.T) {
	doc, err := jsonc.Parse("x.json", []byte("["+strings.Repeat("1,", 5000)+"1]"))
	if err != nil {
		t.Fatal(err)
	}
	r := shape.Report{Doc: doc, Rule: "r"}
	for _, item := range doc.Root.Items {
		r.Is(item, jsonc.String)
	}
	r.Add(doc.Root, r.List)
	if len(r.List) != 1000 || r.List[1].Message != "1 must be a string, found the number 1" || r.List[1].Path != "/1" {
		t.Errorf("%d diagnostics, %+v", len(r.List), r.List[1])
	}
}

func TestMembers(t *testing.T) {
	doc, err := jsonc.Parse("x.json", []byte(`{"one": 1.0, "two": 2, "text": "x", "flag": true, "list": ["a", "a", 1], "none": [], "odd": "1"}`))
	if err != nil {
		t.Fatal(err)
	}
	r := shape.Report{Doc: doc, Rule: "r"}
	v := doc.Root
	r.Version(v, "one")
	if len(r.List) > 0 || r.Text(v, "text") != "x" || !r.Flag(v, "flag") || r.Text(v, "nothing") != "" || r.Flag(v, "nothing") || len(r.List) > 0 {
		t.Fatalf("got %v", r.List)
	}
	r.Version(v, "two")
	r.Version(v, "odd")
	r.Version(v, "three")
	r.Text(v, "two")
	r.Flag(v, "text")
	if got := r.Texts(v, "list"); len(got) != 1 || got[0] != "a" {
		t.Errorf("got %v", got)
	}
	r.Texts(v, "none")
	var got []string
	for _, d := range r.List {
		got = append(got, d.Message)
	}
	want := []string{
		"two must be 1, found the number 2", `odd must be 1, found the string "1"`, `the schema needs "three": 1, which is missing`,
		"two must be a string, found the number 2", `text must be true or false, found the string "x"`,
		`list.1 repeats "a"`, "list.2 must be a string, found the number 1", "none must name at least one, found an empty array; leave it out to name none",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
