package shapetest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
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

//go:embed judge.cjs
var judgeScript string

// Judge compares verdicts with the platform's meta-schema of that name, on the
// corpus and on thousands of files made by changing it at random. Differences
// that are meant stand in testdata/differences.txt.
func Judge(t *testing.T, name string, check Check) {
	t.Helper()
	n := 4000
	if testing.Short() {
		n = 500
	}
	cases := generate(t, n)
	script := filepath.Join(t.TempDir(), "judge.cjs")
	if err := os.WriteFile(script, []byte(judgeScript), 0o666); err != nil {
		t.Fatal(err)
	}
	verdicts := oracletest.Ask[verdict](t, cases, script, name)
	known := differences(t)
	failed := 0
	for i, text := range cases {
		doc, err := jsonc.Parse("generated.json", text)
		if err != nil {
			t.Fatalf("case %d is no JSON: %v\n%s", i, err, text)
		}
		list := check(doc, doc.Root)
		accepted := len(list.Errors()) == 0
		if accepted == verdicts[i].Valid || explained(known, accepted, list) {
			continue
		}
		if failed++; failed <= 5 {
			t.Errorf("accepted here: %v, by the platform: %v (%s)\n%s\n%s", accepted, verdicts[i].Valid, verdicts[i].Why, text, render(list))
		}
	}
	if failed > 5 {
		t.Errorf("and %d more", failed-5)
	}
	for _, d := range known {
		if !d.used && !testing.Short() {
			t.Errorf("differences.txt: nothing differs any more because of %q", d.pattern)
		}
	}
}

type verdict struct {
	Valid bool   `json:"valid"`
	Why   string `json:"why"`
}

// difference is a line of differences.txt: what is accepted here in spite of the
// platform, or rejected, when it comes with a diagnostic that matches. A
// rejection is explained by a warning, or by lines that match all its errors.
type difference struct {
	accepted bool
	pattern  string
	matches  *regexp.Regexp
	used     bool
}

func differences(t *testing.T) (list []*difference) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "differences.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verb, pattern, _ := strings.Cut(line, " ")
		if verb != "accepted" && verb != "rejected" {
			t.Fatalf("differences.txt: %q", line)
		}
		list = append(list, &difference{accepted: verb == "accepted", pattern: pattern, matches: regexp.MustCompile(pattern)})
	}
	return list
}

func explained(known []*difference, accepted bool, list diagnostic.List) bool {
	errors, matched, warned := 0, 0, false
	for _, d := range list {
		if d.Severity == diagnostic.Error {
			errors++
		}
		i := slices.IndexFunc(known, func(k *difference) bool {
			return k.accepted == accepted && k.matches.MatchString(fmt.Sprintf("%s: %s", d.Rule, d.Message))
		})
		switch {
		case i < 0:
			continue
		case d.Severity == diagnostic.Error:
			matched++
		default:
			warned = true
		}
		known[i].used = true
	}
	return warned || errors > 0 && matched == errors
}

// generate gives the corpus and n files made from it, the same each time.
func generate(t *testing.T, n int) (cases []json.RawMessage) {
	t.Helper()
	var seeds []any
	for _, file := range corpus(t) {
		text := read(t, file).Root.JSON()
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, v)
		cases = append(cases, text)
	}
	m := &mutator{rand: rand.New(rand.NewPCG(20, 26)), seeds: seeds}
	for range n {
		v := clone(seeds[m.rand.IntN(len(seeds))])
		for range 1 + m.rand.IntN(3) {
			v = m.mutate(v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, text)
	}
	return cases
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			out[k] = clone(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = clone(inner)
		}
		return out
	}
	return v
}

// mutator changes values at random places.
type mutator struct {
	rand  *rand.Rand
	seeds []any
}

// mutate changes one place of v, which it may change in itself.
func (m *mutator) mutate(v any) any {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		switch at := m.rand.IntN(10); {
		case len(names) == 0 || at == 0:
			v[m.name()] = m.value()
		case at == 1:
			delete(v, names[m.rand.IntN(len(names))])
		case at == 2:
			name := names[m.rand.IntN(len(names))]
			v[m.name()] = v[name]
			delete(v, name)
		default:
			name := names[m.rand.IntN(len(names))]
			v[name] = m.mutate(v[name])
		}
		return v
	case []any:
		switch at := m.rand.IntN(4); {
		case len(v) == 0 || at == 0:
			return append(v, m.value())
		case at == 1:
			return v[1:]
		case at == 2:
			return append(v, v[0])
		default:
			i := m.rand.IntN(len(v))
			v[i] = m.mutate(v[i])
			return v
		}
	}
	return m.value()
}

var names = []string{
	"title", "description", "fields", "views", "type", "properties", "key", "keyPrefix", "contentTypes", "jsonSchema",
	"template", "transformation", "display", "component", "unwind", "omit", "limit", "required", "items", "x", "$schema",
}

func (m *mutator) name() string { return names[m.rand.IntN(len(names))] }

// value gives some value, now and then a part of a seed.
func (m *mutator) value() any {
	values := []any{nil, true, false, 0.0, 1.0, -1.5, "", "a", "object", "string", "table", "application/json", []any{}, []any{"a"},
		[]any{"a", "a"}, []any{1.0}, map[string]any{}, map[string]any{"type": "string"}, map[string]any{"type": 7.0}}
	if i := m.rand.IntN(len(values) + 3); i < len(values) {
		return clone(values[i])
	}
	v := m.seeds[m.rand.IntN(len(m.seeds))]
	for range 3 {
		object, ok := v.(map[string]any)
		if !ok || len(object) == 0 {
			break
		}
		inner := make([]string, 0, len(object))
		for name := range object {
			inner = append(inner, name)
		}
		slices.Sort(inner)
		v = object[inner[m.rand.IntN(len(inner))]]
	}
	return clone(v)
}
