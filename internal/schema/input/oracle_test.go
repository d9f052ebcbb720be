package input

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/input/grammar"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// difference is something that we judge otherwise than the official library, and
// why. Its schema and input show it; Official and Ours, which are regular
// expressions, recognise it elsewhere.
type difference struct {
	Reason   string          `json:"reason"`
	Schema   json.RawMessage `json:"schema"`
	Input    json.RawMessage `json:"input"`
	Official string          `json:"official"`
	Ours     string          `json:"ours"`
}

func (d difference) matches(official, ours string) bool {
	return regexp.MustCompile(d.Official).MatchString(official) && regexp.MustCompile(d.Ours).MatchString(ours)
}

// leftover gives, field by field, the lines of two answers that are not in both.
func leftover(official, ours string) map[string][2]string {
	out := make(map[string][2]string)
	add := func(which int, lines, others []string) {
		for _, line := range lines {
			if i := slices.Index(others, line); i >= 0 {
				others = slices.Delete(slices.Clone(others), i, i+1)
				continue
			}
			field, _, _ := strings.Cut(line, ": ")
			pair := out[field]
			pair[which] = strings.TrimPrefix(pair[which]+"\n"+line, "\n")
			out[field] = pair
		}
	}
	lines := func(text string) []string { return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }) }
	a, b := lines(official), lines(ours)
	add(0, a, b)
	add(1, b, a)
	return out
}

// explain gives the known difference for each field that differs; ok says that
// there is one for all of them.
func explain(official, ours string, byField bool, known []difference) (found []int, ok bool) {
	pairs := map[string][2]string{"": {official, ours}}
	if official == ours {
		return nil, true
	}
	if byField && !strings.HasPrefix(official, "crash: ") {
		pairs = leftover(official, ours)
	}
	for _, pair := range pairs {
		which := slices.IndexFunc(known, func(d difference) bool { return d.matches(pair[0], pair[1]) })
		if which < 0 {
			return nil, false
		}
		found = append(found, which)
	}
	return found, true
}

// differences reads those that are about inputs, or about schemas.
func differences(t *testing.T, inputs bool) (list []difference) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "differences.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []difference
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if (d.Input != nil) == inputs {
			list = append(list, d)
		}
	}
	return list
}

// compare asks the official library all questions and reports where it says
// something else, but for the known differences. The questions end with those
// that show the differences, one each, which must still be there.
func compare(t *testing.T, questions []question, known []difference, official func(answer) string, ours func(question) string) {
	t.Helper()
	for _, d := range known {
		q := question{Do: questions[0].Do, Schema: d.Schema, Input: d.Input}
		questions = append(questions, q)
	}
	answers := ask(t, questions)
	shown, refused, excused := 0, 0, make([]int, len(known))
	for i, q := range questions {
		want, got := official(answers[i]), ours(q)
		if want != "" {
			refused++
		}
		found, explained := explain(want, got, q.Do == "input", known)
		if witness := i - (len(questions) - len(known)); witness >= 0 {
			if !slices.Equal(found, []int{witness}) {
				t.Errorf("the known difference %q is not there any more, or is another:\nofficial %s\nours     %s", known[witness].Reason, want, got)
			}
			continue
		}
		for _, which := range found {
			excused[which]++
		}
		if !explained {
			if shown++; shown <= 15 {
				t.Errorf("%s %s\nofficial %s\nours     %s", q.Schema, q.Input, want, got)
			}
		}
	}
	t.Logf("%d questions, of which %d were refused; %d differences; known differences met: %v", len(questions), refused, shown, excused)
}

// count is how many cases are tried.
func count(full int) int {
	if testing.Short() {
		return full / 10
	}
	return full
}

func TestOracleSchemas(t *testing.T) {
	var questions []question
	for seed := range count(4000) {
		g := newGenerator(uint64(seed))
		schema := g.schema()
		if seed%4 == 0 {
			schema = g.soup()
		}
		for range g.IntN(4) {
			g.mutate(schema)
		}
		questions = append(questions, question{Do: "schema", Schema: encode(t, schema)})
	}
	for _, text := range corpusSchemas(t) {
		questions = append(questions, question{Do: "schema", Schema: text})
	}
	compare(t, questions, differences(t, false), func(a answer) string {
		switch {
		case a.Message == nil && a.Useless != "":
			return "useless: " + a.Useless
		case a.Message == nil:
			return ""
		case a.Crash == true:
			return "crash: " + *a.Message
		}
		text := strings.TrimPrefix(*a.Message, "Input schema is not valid (")
		if text != *a.Message {
			text = strings.TrimSuffix(text, ")")
		}
		return text
	}, func(q question) string {
		doc, err := jsonc.Parse("schema.json", q.Schema)
		if err != nil {
			return err.Error()
		}
		verdict := grammar.Judge(doc, doc.Root)
		errors := verdict.List.Errors()
		switch {
		case len(errors) == 0:
			return verdict.Official
		case verdict.Official == "":
			return "ours alone: " + errors[0].Message
		case !strings.HasPrefix(errors[0].Message, verdict.Official) && !strings.HasSuffix(errors[0].Hint, verdict.Official):
			return fmt.Sprintf("%q does not say %q", errors[0].Message, verdict.Official)
		}
		return verdict.Official
	})
}

func TestOracleInputs(t *testing.T) {
	var questions []question
	for seed := range count(4000) {
		g := newGenerator(uint64(1_000_000 + seed))
		schema := g.schema()
		text := encode(t, schema)
		if _, err := Parse(text, "schema.json"); err != nil {
			continue // chance made it invalid
		}
		questions = append(questions, question{Do: "input", Schema: text, Input: encode(t, g.input(schema))})
	}
	if len(questions) < count(4000)/2 {
		t.Fatalf("only %d schemas of %d are valid", len(questions), count(4000))
	}
	compare(t, questions, differences(t, true), func(a answer) string {
		if a.Crash != nil {
			return fmt.Sprint("crash: ", a.Crash)
		}
		var found []FieldError
		for _, e := range a.Errors {
			found = append(found, FieldError{e.FieldKey, e.Message})
		}
		return byField(found)
	}, func(q question) string {
		in, err := Parse(q.Schema, "schema.json")
		if err != nil {
			return err.Error()
		}
		found, err := in.Validate(q.Input)
		if err != nil {
			return err.Error()
		}
		return byField(found)
	})
}

// byField lists complaints by field: in which order the fields come is not
// compared, in which order one field's complaints come is.
func byField(found []FieldError) string {
	slices.SortStableFunc(found, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
	var lines []string
	for _, f := range found {
		lines = append(lines, f.Field+": "+f.Message)
	}
	return strings.Join(lines, "\n")
}

func encode(t testing.TB, v any) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// corpusSchemas gives the schemas of the corpus as plain JSON.
func corpusSchemas(t testing.TB) (list []json.RawMessage) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if doc, err := jsonc.Parse(file, data); err == nil {
			list = append(list, doc.Root.JSON())
		}
	}
	return list
}
