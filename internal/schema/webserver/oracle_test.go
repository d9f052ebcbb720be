package webserver

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/oracletest"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// corpus gives the documents of testdata by name.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no corpus: %v", err)
	}
	out := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(file)] = data
	}
	return out
}

// node is a value of a decoded document with a way to replace it.
type node struct {
	name    string
	value   any
	replace func(any)
	remove  func()
	rename  func(string)
}

func nodes(name string, v any, replace func(any)) (out []node) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			child := v[key]
			set := func(to any) { v[key] = to }
			out = append(out, node{key, child, set, func() { delete(v, key) }, func(to string) { delete(v, key); v[to] = child }})
			out = append(out, nodes(key, child, set)...)
		}
	case []any:
		for i, child := range v {
			set := func(to any) { v[i] = to }
			out = append(out, node{name, child, set, func() { replace(slices.Delete(slices.Clone(v), i, i+1)) }, nil})
			out = append(out, nodes(name, child, set)...)
		}
	}
	return out
}

// oddTexts are what strings and names are replaced with: some of them mean
// something in some place.
var oddTexts = []string{
	"", "x", "a b", "%zz", "[", "path", "query", "header", "cookie", "form", "simple", "label", "4XX", "600", "default", "/", "{a}", "#/nope", "#",
	"#/info", "#/components/schemas/Book", "#/components/parameters/limit", "3.0.9", "3.1.9", "3.2.0", "2.0", "a@b", "bearer", "basic", "apiKey",
	"http", "oauth2", "mutualTLS", "string", "strng", "null", "other.json#/a", "https://x.example/", "1.0", "body", "get", "schema", "content", "$ref",
	"x-a", "title", "name", "in", "description", "required", "example", "examples", "style", "type", "url", "server", "operationId", "operationRef",
}

// mutate changes a decoded document in one place.
func mutate(rng *rand.Rand, doc map[string]any) {
	all := nodes("", doc, nil)
	n := all[rng.IntN(len(all))]
	odd := oddTexts[rng.IntN(len(oddTexts))]
	switch rng.IntN(9) {
	case 0, 1:
		n.remove()
	case 2:
		n.replace([]any{nil, true, false, 42.0, 0.0, -1.0, 1.5, []any{}, map[string]any{}, []any{1.0}, []any{"a"}, []any{"a", "a"}}[rng.IntN(12)])
	case 3:
		n.replace(odd)
	case 4:
		if n.rename != nil {
			n.rename(odd)
		}
	case 5:
		if object, ok := n.value.(map[string]any); ok {
			object[odd] = []any{nil, true, 1.0, "a", map[string]any{}, []any{}}[rng.IntN(6)]
		}
	case 6:
		if list, ok := n.value.([]any); ok && len(list) > 0 {
			n.replace(append(list, list[rng.IntN(len(list))]))
		}
	case 7: // something from elsewhere, often under a name it knows
		other := all[rng.IntN(len(all))]
		n.replace(clone(other.value))
	case 8:
		if n.rename != nil {
			n.rename(n.name + "X")
		}
	}
}

func clone(v any) any {
	text, _ := json.Marshal(v)
	var out any
	_ = json.Unmarshal(text, &out)
	return out
}

// differences reads the file that lists what is judged otherwise on purpose:
// "ours VERSION RULE: reason" for what only this package rejects, and "theirs
// REGEXP: reason" for what only the official schemas reject.
type difference struct {
	line    string
	version string
	rule    string
	theirs  *regexp.Regexp
	used    bool
}

func differences(t *testing.T) (out []*difference) {
	t.Helper()
	data, err := os.ReadFile("testdata/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		what, _, ok := strings.Cut(line, " :: ")
		if !ok {
			t.Fatalf("no reason: %s", line)
		}
		fields := strings.SplitN(what, " ", 3)
		switch {
		case len(fields) == 3 && fields[0] == "ours":
			out = append(out, &difference{line: line, version: fields[1], rule: fields[2]})
		case len(fields) == 3 && fields[0] == "theirs":
			out = append(out, &difference{line: line, version: fields[1], theirs: regexp.MustCompile(fields[2])})
		default:
			t.Fatalf("cannot read: %s", line)
		}
	}
	return out
}

// TestOracle compares verdicts with those of the schemas that the OpenAPI
// Initiative publishes, over a corpus and thousands of changed copies of it.
func TestOracle(t *testing.T) {
	judges := oracletest.Modules(t)
	count := 3000
	if testing.Short() {
		count = 400
	}
	var documents []json.RawMessage
	bases := corpus(t)
	for _, name := range slices.Sorted(maps.Keys(bases)) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, bases[name]); err != nil {
			t.Fatal(err)
		}
		documents = append(documents, compact.Bytes())
	}
	rng := rand.New(rand.NewPCG(3, 14))
	big := []string{"library-3.0.json", "mail-3.1.json"}
	for i := range count {
		var doc map[string]any
		name := big[i%2]
		if i%10 == 9 {
			name = slices.Sorted(maps.Keys(bases))[rng.IntN(len(bases))]
		}
		if err := json.Unmarshal(bases[name], &doc); err != nil {
			t.Fatal(err)
		}
		for range 1 + rng.IntN(5)/4 {
			mutate(rng, doc)
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, text)
	}
	answers := oracletest.Ask[string](t, documents, filepath.Join("testdata", "judge.mjs"), judges)
	known := differences(t)
	agreed, rejected := 0, 0
	for i, document := range documents {
		theirs := answers[i]
		doc, err := jsonc.Parse("doc", document)
		if err != nil {
			t.Fatal(err)
		}
		_, list := Check(doc, doc.Root)
		ours := list.Errors()
		if (len(ours) == 0) == (theirs == "") {
			agreed++
			if theirs != "" {
				rejected++
			}
			continue
		}
		version := "3.0"
		if bytes.Contains(document, []byte(`"openapi":"3.1`)) {
			version = "3.1"
		}
		if !explained(known, version, ours, theirs) {
			t.Errorf("document %d: ours %v\ntheirs %.600s\n", i, ours, theirs)
			if os.Getenv("GREENROOM_TEST_SHOW") != "" {
				t.Logf("%s", document)
			}
		}
	}
	t.Logf("%d of %d verdicts agree, %d of them rejections", agreed, len(documents), rejected)
	for _, d := range known {
		if !d.used && !testing.Short() {
			t.Errorf("no longer differs: %s", d.line)
		}
	}
}

// explained reports whether a difference is one of the known ones: all of our
// errors are, or theirs is.
func explained(known []*difference, version string, ours diagnostic.List, theirs string) bool {
	if theirs != "" {
		for _, d := range known {
			if d.theirs != nil && d.version == version && d.theirs.MatchString(theirs) {
				d.used = true
				return true
			}
		}
		return false
	}
	for _, fault := range ours {
		i := slices.IndexFunc(known, func(d *difference) bool { return d.rule == fault.Rule && d.version == version })
		if i < 0 {
			return false
		}
		known[i].used = true
	}
	return true
}
