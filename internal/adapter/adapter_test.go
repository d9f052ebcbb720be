package adapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const input = `{"n": 1.0, "big": 12345678901234567890, "s": "a b", "empty": "", "none": null, "yes": true, "no": false,
	"list": ["x", "", null, 2, [3]], "nothing": [], "o": {"a": {"b": "deep"}, "l": [{"u": "p"}, {"u": "q"}, {}]}, "a.b": "dotted",
	"a": {"b": "nested"}, "dash": "--evil"}`

func expand(t *testing.T, words string, in string) ([]string, error) {
	t.Helper()
	dir := t.TempDir()
	n := 0
	return Command{Words: strings.Split(words, "|~"), File: func(text []byte) (string, error) {
		n++
		return strconv.Itoa(n), os.WriteFile(filepath.Join(dir, strconv.Itoa(n)), text, 0o600)
	}}.Expand([]byte(in))
}

func TestExpand(t *testing.T) {
	for words, want := range map[string][]string{
		"plain|~{{s}}":         {"plain", "a b"},
		"--n={{n}}":            {"--n=1.0"},
		"{{big}}":              {"12345678901234567890"},
		"--e={{empty}}":        nil,
		"--e={{none}}":         nil,
		"--e={{missing}}":      nil,
		"--e={{nothing}}":      nil,
		"--x={{yes}}":          {"--x=true"},
		"{{--yes yes}}":        {"--yes"},
		"{{--no no}}":          nil,
		"{{--no missing}}":     nil,
		"{{--on|--off no}}":    {"--off"},
		"{{--on|--off yes}}":   {"--on"},
		"{{-o s}}":             {"-o", "a b"},
		"{{-o list}}":          {"-o", "x", "-o", "2", "-o", "[3]"},
		"{{-o... list}}":       {"-o", "x", "2", "[3]"},
		"{{-o... s}}":          {"-o", "a b"},
		"{{-o... nothing}}":    nil,
		"-I{{list}}":           {"-Ix", "-I2", "-I[3]"},
		"{{o.a.b}}":            {"deep"},
		"{{o.l.u}}":            {"p", "q"},
		"{{a.b}}":              {"dotted"},
		"{{o.a}}":              {`{"b":"deep"}`},
		"{{ s }}":              {"a b"},
		"{{s}}-{{n}}":          {"a b-1.0"},
		"{{list}}-{{list}}":    {"x,2,[3]-x", "x,2,[3]-2", "x,2,[3]-[3]"},
		"{{@s}}|~{{@list}}":    {"1", "2", "3", "4"},
		"{{-f @s}}":            {"-f", "1"},
		"{{}}|~{{ }}|~{{a b}}": {"{{}}", "{{ }}", "{{a b}}"},
		"{print}|~{{x":         {"{print}", "{{x"},
		"{{?}}{{s}}":           {"{{?}}a b"},
		"--|~{{dash}}":         {"--", "--evil"},
		"{{-- s}}|~{{- s}}":    {"--", "a b", "{{- s}}"},
	} {
		got, err := expand(t, words, input)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s gives %q (%v), want %q", words, got, err, want)
		}
	}
	if got, err := expand(t, "{{.}}", ` {"a": 1} `); err != nil || !cmp.Equal(got, []string{`{"a": 1}`}) {
		t.Errorf("the whole input is %q, %v", got, err)
	}
	if got, err := expand(t, "a|~{{b}}", ""); err != nil || !cmp.Equal(got, []string{"a"}) {
		t.Errorf("no input gives %q, %v", got, err)
	}
	for _, bad := range []string{"[1]", `"a"`, "null", "{", "7"} {
		if _, err := expand(t, "a", bad); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("the input %s gives %v", bad, err)
		}
	}
	if _, err := expand(t, "x{{--yes yes}}", input); !fault.Is(err, fault.Usage) {
		t.Errorf("an option inside a word gives %v", err)
	}
	boom := errors.New("no space")
	_, err := Command{Words: []string{"{{@s}}"}, File: func([]byte) (string, error) { return "", boom }}.Expand([]byte(input))
	if !errors.Is(err, boom) {
		t.Errorf("a file that cannot be written gives %v", err)
	}
}

func TestField(t *testing.T) {
	for name, want := range map[string]string{
		"s": "a b", "list": "x\n2\n[3]\n", "missing": "", "none": "", "yes": "true", "o.l.u": "p\nq\n", "o.a": `{"b":"deep"}`,
	} {
		if got, err := Field(name, []byte(input)); err != nil || string(got) != want {
			t.Errorf("%s gives %q, %v, want %q", name, got, err, want)
		}
	}
}

// results reads what a program printed: the items one a line, or the value and
// its type.
func results(t *testing.T, printed string, format Format) (out string, log string, err error) {
	t.Helper()
	var said bytes.Buffer
	r, err := Read(strings.NewReader(printed), format, &said)
	if err != nil {
		return "", "", err
	}
	switch {
	case r.Items != nil:
		text, err := io.ReadAll(r.Items)
		return string(text), said.String(), err
	case r.Value != nil:
		text, err := io.ReadAll(r.Value)
		return r.ContentType + ": " + string(text), said.String(), err
	}
	return "", said.String(), nil
}

func TestRead(t *testing.T) {
	const text = "text/plain; charset=utf-8: "
	for _, test := range []struct {
		format             Format
		printed, want, log string
	}{
		{Auto, "", "", ""},
		{Auto, " \n\n", "", ""},
		{Auto, `{"a": 1}` + "\n" + `{"b":2}` + "\n", `{"a":1}` + "\n" + `{"b":2}` + "\n", ""},
		{Auto, "{\"a\":1}\nworking…\n\n[{\"b\":2}, 3, [4]]\nnull\n", "{\"a\":1}\n{\"b\":2}\n{\"value\":3}\n{\"value\":[4]}\n", "working…\nnull\n"},
		{Auto, "[\n  {\"a\": 1},\n  {\"b\": \"x\\ny\"}\n]\n", "{\"a\":1}\n{\"b\":\"x\\ny\"}\n", ""},
		{Auto, "{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n", "{\"a\":1}\n{\"b\":2}\n", ""},
		{Auto, "[]\n", "", ""},
		{Auto, "\xef\xbb\xbf{\"a\":1}", "{\"a\":1}\n", ""},
		{Auto, "[INFO] started\ndone\n", text + "[INFO] started\ndone\n", ""},
		{Auto, "{not json\n", text + "{not json\n", ""},
		{Auto, "Hello, world\n", text + "Hello, world\n", ""},
		{Auto, "\n  indented\n", text + "\n  indented\n", ""},
		{Auto, "7\n", text + "7\n", ""},
		{Auto, "name,size\na,1\n\"b, c\",2\n", "{\"name\":\"a\",\"size\":\"1\"}\n{\"name\":\"b, c\",\"size\":\"2\"}\n", ""},
		{Auto, "name\tsize\na\t1\n", "{\"name\":\"a\",\"size\":\"1\"}\n", ""},
		{Auto, "Dear Sir, Madam.\nYours, me\n", text + "Dear Sir, Madam.\nYours, me\n", ""},
		{Auto, "name,size\n", text + "name,size\n", ""},
		{Auto, "a,b\n1,2,3\n", text + "a,b\n1,2,3\n", ""},
		{Auto, "a,a\n1,2\n", text + "a,a\n1,2\n", ""},
		{Auto, "<!DOCTYPE html><p>x", "text/html; charset=utf-8: <!DOCTYPE html><p>x", ""},
		{Auto, "\x89PNG\r\n\x1a\n\x00", "image/png: \x89PNG\r\n\x1a\n\x00", ""},
		{Value, "{\"a\": 1}\n", "application/json; charset=utf-8: {\"a\": 1}\n", ""},
		{Value, "a,b\n1,2\n", text + "a,b\n1,2\n", ""},
		{Lines, "a\r\n\n{\"b\":1}\nlast", "{\"line\":\"a\"}\n{\"line\":\"\"}\n{\"line\":\"{\\\"b\\\":1}\"}\n{\"line\":\"last\"}\n", ""},
		{Lines, "\xff<\n", "{\"line\":\"\ufffd<\"}\n", ""},
		{CSV, "a,,a\n1,2,3,4\n", "{\"a\":\"1\",\"column2\":\"2\",\"column4\":\"4\"}\n", ""},
		{CSV, "", "", ""},
		{TSV, "a\tb\n1\t2\"\n", "{\"a\":\"1\",\"b\":\"2\\\"\"}\n", ""},
		{JSON, "{\"a\": 1}\n[{}]", "{\"a\": 1}\n[{}]", ""}, // the reader of items takes it as it is
	} {
		out, log, err := results(t, test.printed, test.format)
		if err != nil || out != test.want || log != test.log {
			t.Errorf("%s of %q gives\n%q, log %q, %v\nwant\n%q, log %q", test.format, test.printed, out, log, err, test.want, test.log)
		}
	}
	if _, _, err := results(t, "a,b\n\"1,2\n", CSV); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a broken table gives %v", err)
	}
	if _, _, err := results(t, strings.Repeat("x", longestLine+1), Lines); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("an endless line gives %v", err)
	}
}

// A program that prints and then waits must see its items pushed meanwhile.
func TestItemsComeWhileTheProgramRuns(t *testing.T) {
	for _, format := range []Format{Auto, Lines} {
		in, program := io.Pipe()
		go func() { _, _ = io.WriteString(program, "{\"a\":1}\n") }()
		r, err := Read(in, format, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string)
		go func() {
			buf := make([]byte, 100)
			n, _ := r.Items.Read(buf)
			got <- string(buf[:n])
		}()
		select {
		case item := <-got:
			if !strings.Contains(item, "a") {
				t.Errorf("got %q", item)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: nothing came while the program still runs", format)
		}
		_ = program.Close()
	}
}

// A program must be able to end though nobody wants its items any more.
func TestClosedItemsAreStillRead(t *testing.T) {
	in, program := io.Pipe()
	wrote := make(chan error)
	go func() {
		var err error
		for i := 0; i < 100 && err == nil; i++ {
			_, err = io.WriteString(program, "{\"a\":\""+strings.Repeat("x", 10_000)+"\"}\n")
		}
		_ = program.Close()
		wrote <- err
	}()
	r, err := Read(in, Auto, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Items.Close()
	select {
	case err := <-wrote:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the program hangs")
	}
}

// What Auto cannot hold it passes on as a stream of JSON.
func TestLargeDocumentsStream(t *testing.T) {
	head := "[\n"
	item := `{"a":"` + strings.Repeat("x", 1<<20) + `"},` + "\n"
	printed := head + strings.Repeat(item, undecided/len(item)+2)
	out, _, err := results(t, printed, Auto)
	if err != nil || out != printed {
		t.Errorf("%d bytes came of %d: %v", len(out), len(printed), err)
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("--x={{a}} {{--b|--c b.c}} {{@d}} {{-e... e}} {{.}}", `{"a":[1,{"b":2}],"b":{"c":true},"d":"x","e":["y"]}`)
	f.Add("{{{{a}}}}", `{"{{a":1}`)
	f.Fuzz(func(t *testing.T, words, in string) {
		got, err := Command{Words: strings.Fields(words), File: func([]byte) (string, error) { return "file", nil }}.Expand([]byte(in))
		if err != nil && fault.CodeOf(err) == fault.Internal {
			t.Error(err)
		}
		if !strings.Contains(words, "{{") && err == nil && !slices.Equal(got, strings.Fields(words)) {
			t.Errorf("%q became %q", words, got)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"{\"a\":1}\n[2]\n", "a,b\n1,2\n", "[\n1\n]", "x\ty\n\"1\t2", "\xff\x00", "{\n}"} {
		for i := range Formats {
			f.Add(seed, i)
		}
	}
	f.Fuzz(func(t *testing.T, printed string, format int) {
		name := Formats[uint(format)%uint(len(Formats))]
		r, err := Read(strings.NewReader(printed), name, io.Discard)
		if err != nil || r.Items == nil || name == JSON {
			return
		}
		text, err := io.ReadAll(r.Items)
		if err != nil {
			return
		}
		for line := range bytes.Lines(text) {
			if !json.Valid(line) || first(line) != '{' {
				t.Errorf("%s of %q gives the item %q", name, printed, line)
			}
		}
	})
}
