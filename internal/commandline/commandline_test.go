package commandline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestFieldName(t *testing.T) {
	for label, want := range map[string]string{
		"--max-count": "maxCount", "MAX_COUNT": "maxCount", "<max count>": "maxCount", "--maxCount": "maxCount", "-n": "n", "-N": "N",
		"URL": "url", "--1080p": "n1080p", "--": "", "größe": "grE" /* letters that names may not have divide it */, "input-file": "inputFile", "--HTTPProxy": "hTTPProxy",
	} {
		got := FieldName(label)
		if got != want {
			t.Errorf("%q gives %q, want %q", label, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for text, want := range map[string]string{"short": "short", "größer, als": "größer…", strings.Repeat("é", 9): strings.Repeat("é", 7) + "…"} {
		if got := Shorten(text, 8); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// Two options whose names make the same field both get one.
func TestFieldsAreDistinct(t *testing.T) {
	p := &Program{Options: []Option{{Long: "--max-count", Value: "N"}, {Long: "--maxCount", Value: "N"}, {Long: "--text"}}, Stdin: true}
	p.Complete()
	b := p.Bind()
	want := []string{"--max-count={{maxCount}}", "--maxCount={{maxCount2}}", "{{--text text}}"}
	if !slices.Equal(b.Words, want) || b.Stdin != "standardInput" {
		t.Errorf("got %q and %s", b.Words, b.Stdin)
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(p.InputSchema("x"), &schema); err != nil || len(schema.Properties) != 4 {
		t.Errorf("got %v, %v", schema, err)
	}
}

// A value of one kind is never given as another.
func TestWords(t *testing.T) {
	for _, test := range []struct {
		program Program
		want    string
	}{
		{Program{Options: []Option{{Long: "--a", Short: "-a", Value: "X"}}, Positionals: []Option{{Name: "B"}}}, "--a={{a}} -- {{B}}"},
		{Program{GoFlags: true, Options: []Option{{Long: "-v"}, {Long: "-n", Value: "int"}}, Positionals: []Option{{Name: "B"}}}, "-v={{v}} -n={{n}} -- {{B}}"},
		{Program{Valued: true, Options: []Option{{Long: "--v"}, {Short: "-q"}}}, "--v={{v}} {{-q q}}"},
		{Program{Apart: true, Options: []Option{{Long: "--data", Value: "X"}}}, "{{--data data}}"},
		{Program{Options: []Option{{Long: "-vframes", Value: "n"}}, Positionals: []Option{{Name: "B"}}}, "{{-vframes vframes}} {{B}}"},
		{Program{Options: []Option{{Short: "-O", Value: "n", Joined: true}}}, "-O{{O}}"},
		{Program{Options: []Option{{Long: "--no-x", Negative: ""}, {Long: "--y", Negative: "--no-y"}}}, "{{--no-x noX}} {{--y|--no-y y}}"},
		{Program{Options: []Option{{Long: "--f", Value: "FILE"}, {Long: "--g", Value: "X", Repeated: true, Spread: true}}}, "--f={{@f}} {{--g... g}}"},
	} {
		test.program.Complete()
		if got := strings.Join(test.program.Bind().Words, " "); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
