package jsonschema

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/oracletest"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

var (
	differentialSeed  = flag.Uint64("differential.seed", 1, "where the generated cases begin")
	differentialOnly  = flag.Int("differential.only", -1, "the one case to try")
	differentialCases = flag.Int("differential.cases", 1500, "how many schemas to generate")
)

// trial is a schema with values to judge by it.
type trial struct {
	Draft     int               `json:"draft"`
	Formats   bool              `json:"formats"`
	AllErrors bool              `json:"allErrors"`
	Schema    json.RawMessage   `json:"schema"`
	Values    []json.RawMessage `json:"values"`
}

func (c *trial) options() Options {
	opts := Options{Formats: c.Formats, AllErrors: c.AllErrors}
	if c.Draft == 2019 {
		opts.Draft = Draft201909
	}
	return opts
}

// verdict is what AJV says about a trial.
type verdict struct {
	Refused string            `json:"refused"`
	Errors  []json.RawMessage `json:"errors"`
}

// ajv judges the trials in one process.
func ajv(t *testing.T, trials []trial) []verdict {
	t.Helper()
	return oracletest.Ask[verdict](t, trials, filepath.Join("testdata", "judge.cjs"))
}

// ours judges a trial with this package.
func ours(t *testing.T, c *trial) (diagnostic.List, [][]Error) {
	doc, err := jsonc.Parse("schema", c.Schema)
	if err != nil {
		t.Fatalf("%s: %v", c.Schema, err)
	}
	s, list := Compile(doc, doc.Root, c.options())
	if s == nil {
		return list, nil
	}
	var out [][]Error
	for _, v := range c.Values {
		errs, err := s.ValidateJSON(v)
		if err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		out = append(out, errs)
	}
	return list, out
}

// compare says how our answer differs, "" when it does not or when there is a
// reason for it in testdata/differences.json.
func compare(t *testing.T, c *trial, want verdict) string {
	list, got := ours(t, c)
	if want.Refused == "" && len(list) > 0 && !slices.ContainsFunc(list, func(d diagnostic.Diagnostic) bool {
		return !strings.Contains(d.Message, "leads back to itself")
	}) {
		return ""
	}
	for i, theirs := range want.Errors {
		if got != nil && bytes.HasPrefix(theirs, []byte(`[{"message":"thrown:`)) {
			want.Errors[i], got[i] = []byte("null"), nil
		}
	}
	return difference(t, c, want, list, got)
}

func difference(t *testing.T, c *trial, want verdict, list diagnostic.List, got [][]Error) string {
	if want.Refused != "" || len(list) > 0 {
		if want.Refused == "" || len(list) == 0 {
			return fmt.Sprintf("\n schema %s\n ajv refuses: %q\n we:          %v", c.Schema, want.Refused, list)
		}
		return ""
	}
	for i := range c.Values {
		var theirs, mine any
		raw, err := json.Marshal(got[i])
		if err != nil {
			t.Fatal(err)
		}
		if json.Unmarshal(want.Errors[i], &theirs) != nil || json.Unmarshal(raw, &mine) != nil {
			t.Fatalf("%s or %s is no JSON", want.Errors[i], raw)
		}
		if !reflect.DeepEqual(theirs, mine) {
			return fmt.Sprintf("\n draft %d all %v\n schema %s\n value  %s\n ajv %s\n we  %s", c.Draft, c.AllErrors, c.Schema, c.Values[i], want.Errors[i], raw)
		}
	}
	return ""
}

// TestKnownDifferences holds that what we do on purpose unlike AJV still differs.
func TestKnownDifferences(t *testing.T) {
	data, err := os.ReadFile("testdata/differences.json")
	if err != nil {
		t.Fatal(err)
	}
	var known []struct {
		trial
		Reason string          `json:"reason"`
		Value  json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(data, &known); err != nil {
		t.Fatal(err)
	}
	var trials []trial
	for _, k := range known {
		k.Values = []json.RawMessage{k.Value}
		trials = append(trials, k.trial)
	}
	for i, want := range ajv(t, trials) {
		list, got := ours(t, &trials[i])
		if difference(t, &trials[i], want, list, got) == "" {
			t.Errorf("no longer differs: %s", known[i].Reason)
		}
	}
}

// TestDifferential compares whole lists of errors with AJV's.
func TestDifferential(t *testing.T) {
	n := *differentialCases
	if testing.Short() {
		n /= 10
	}
	var trials []trial
	for i := range n {
		g := &generator{Rand: rand.New(rand.NewPCG(*differentialSeed, uint64(i)))}
		c := trial{Draft: 7, AllErrors: i%2 == 0, Formats: i%5 == 0}
		if i/2%2 == 0 {
			c.Draft, g.draft = 2019, Draft201909
		}
		g.formats = c.Formats
		g.keywords = genProfiles[i/4%len(genProfiles)]
		c.Schema = json.RawMessage(g.document())
		for range 8 {
			c.Values = append(c.Values, json.RawMessage(g.value(3)))
		}
		if *differentialOnly < 0 || *differentialOnly == i {
			trials = append(trials, c)
		}
	}
	verdicts := ajv(t, trials)
	bad, refused, invalid, valid := 0, 0, 0, 0
	for i, v := range verdicts {
		if v.Refused != "" {
			refused++
		}
		for _, e := range v.Errors {
			if string(e) == "null" {
				valid++
			} else {
				invalid++
			}
		}
		if difference := compare(t, &trials[i], v); difference != "" {
			if bad++; bad <= 1 {
				_, difference = shrink(t, trials[i])
			}
			if bad <= 10 {
				t.Errorf("case %d: %s", i, strings.TrimSpace(difference))
			}
		}
	}
	t.Logf("%d schemas (%d refused), %d valid and %d invalid values, %d differences", n, refused, valid, invalid, bad)
}
