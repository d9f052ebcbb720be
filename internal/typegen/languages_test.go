package typegen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tool gives a program or folder that an environment variable names; without it
// the test is skipped, but not on CI.
func tool(t *testing.T, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not set", variable)
		}
		t.Skipf("%s is not set: see scripts/test-sdks.sh", variable)
	}
	return value
}

// tricky are schemas that are hard for one language or another.
func tricky() map[string]string {
	return map[string]string{
		"keywords": `{"type":"object","properties":{"class":{"type":"string"},"type":{"type":"string"},"func":{"type":"object","properties":{"None":{"type":"null"}}},"__private":{"type":"string"}}}`,
		"collide": `{"type":"object","properties":{"a_b":{"type":"string","enum":["x","X","x ",""]},"aB":{"type":"string","enum":["x"]},"A-B":{"type":"object","properties":{"c":{"type":"string"}}},
			"url":{"type":"string"},"Url":{"type":"string"},"URL":{"type":"string"},"startUrls":{"type":"array","items":{"type":"object","properties":{"url":{"type":"string"}}}}}}`,
		"words": `{"type":"object","description":"ends with a \"","properties":{"a":{"type":"string","description":"\"\"\" \\ \\\" */ // # \u0000 \u2028 x \r y"},"b,c":{"type":"string","description":"comma"},"-":{"type":"string"},"":{"type":"string"},"q\"r":{"type":"string"},"back` + "`" + `tick":{"type":"string"}}}`,
		"loops": `{"type":"object","properties":{"self":{"$ref":"#"},"box":{"$ref":"#/$defs/box"},"tree":{"$ref":"#/$defs/tree"},"either":{"$ref":"#/$defs/either"}},"required":["self","box"],
			"$defs":{"box":{"type":"object","properties":{"lid":{"$ref":"#/$defs/lid"}},"required":["lid"]},"lid":{"type":"object","properties":{"box":{"$ref":"#/$defs/box"}},"required":["box"]},
			"tree":{"type":"array","items":{"$ref":"#/$defs/tree"}},"either":{"anyOf":[{"type":"string"},{"$ref":"#/$defs/either"},{"type":"null"}]}}}`,
		"typing":   `{"type":"object","properties":{"a":{"$ref":"#/definitions/Any"},"l":{"$ref":"#/definitions/Literal"}},"definitions":{"Any":{"type":"object","properties":{"x":{"enum":["a",1,null,true,1.5,[1],{"a":1}]}}},"Literal":{"enum":["a"]}}}`,
		"nullable": `{"type":"object","properties":{"e":{"type":"string","enum":["a"],"nullable":true},"o":{"type":"object","nullable":true,"properties":{"x":{"type":"integer"}}},"n":{"type":["null","null"]},"u":{"type":["integer","number","null"]}},"required":["e","o","n","u"]}`,
		"scalar":   `{"type":"string"}`,
		"all":      `{"type":"object","allOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"a":{"type":"string"},"b":{"type":"array","minItems":1,"items":{"type":"integer"}}},"required":["a"]}]}`,
		"tuples":   `{"type":"object","properties":{"t":{"type":"array","items":[{"type":"string"},{"type":"object","properties":{"x":{"type":"string"}}}],"minItems":2}}}`,
		"never":    `{"type":"object","properties":{"a":false,"b":{"type":[]},"c":{"enum":[]},"d":{"anyOf":[]}}}`,
	}
}

// generated makes all examples in a language: by name, the files of each.
func generated(t *testing.T, language Language) map[string][]File {
	t.Helper()
	out := map[string][]File{}
	for name, e := range examples(t) {
		files, err := Generate(e.sources, Options{Language: language, AllOptional: e.opts.AllOptional, Open: e.opts.Open})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = files
	}
	for name, schema := range tricky() {
		files, err := Generate([]Source{{File: "input", Name: "input", Schema: json.RawMessage(schema)}, {File: "dataset", Name: "dataset", Schema: json.RawMessage(schema)}}, Options{Language: language})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out["tricky-"+name] = files
	}
	return out
}

// save writes generated files and gives their paths.
func save(t *testing.T, dir string, all map[string][]File) (paths []string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		folder := filepath.Join(dir, name)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		for _, f := range all[name] {
			path := filepath.Join(folder, f.Name)
			if err := os.WriteFile(path, f.Data, 0o666); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	return paths
}

// TestTypeScriptCompiles hands everything to the compiler. Where a member is at
// odds with an index signature, or a type with itself, the official tool writes
// what does not compile, and so do we.
func TestTypeScriptCompiles(t *testing.T) {
	judges := tool(t, "GREENROOM_TEST_JUDGES")
	all := generated(t, TypeScript)
	delete(all, "dataset-maps")
	delete(all, "tricky-loops")
	paths := save(t, t.TempDir(), all)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(judges, "typescript", "bin", "tsc"), "--noEmit", "--strict"}, paths...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// pythonCheck imports every module and makes an instance of each class.
const pythonCheck = `
import importlib.util, sys, typing
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("generated", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    count = 0
    for name, value in vars(module).items():
        if typing.is_typeddict(value):
            typing.get_type_hints(value, globalns=vars(module), include_extras=True)
            value(**{key: None for key in value.__annotations__})
            assert value.__required_keys__ | value.__optional_keys__ == set(value.__annotations__), name
            count += 1
    print(path, count, ",".join(sorted(getattr(getattr(module, "Input", None), "__required_keys__", []))))
`

func TestPythonImports(t *testing.T) {
	python := tool(t, "GREENROOM_TEST_PYTHON")
	paths := save(t, t.TempDir(), generated(t, Python))
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-c", pythonCheck}, paths...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("simple/input.py 1 deep,pages,ratio,url\n")) {
		t.Errorf("the required fields are not those of the schema:\n%s", out)
	}
}

// checkGo parses and type-checks the files of one package.
func checkGo(files []File) error {
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		file, err := parser.ParseFile(fset, f.Name, f.Data, parser.ParseComments)
		if err != nil {
			return err
		}
		parsed = append(parsed, file)
	}
	config := types.Config{Importer: importer.Default()}
	_, err := config.Check("schema", fset, parsed, nil)
	return err
}

func TestGoCompiles(t *testing.T) {
	for name, files := range generated(t, Go) {
		if err := checkGo(files); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGolden shows what the other languages look like.
func TestGolden(t *testing.T) {
	for _, name := range []string{"everything", "objects", "tricky-words", "tricky-loops", "tricky-collide"} {
		for _, language := range []Language{Python, Go} {
			var got strings.Builder
			for _, f := range generated(t, language)[name] {
				fmt.Fprintf(&got, "-- %s --\n%s", f.Name, f.Data)
			}
			golden := filepath.Join("testdata", string(language), name+".txtar")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s: got\n%s", golden, &got)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	deep := strings.Repeat(`{"type":"object","properties":{"a":`, 200) + `{}` + strings.Repeat(`}}`, 200)
	for name, schema := range map[string]string{
		"an unknown definition": `{"properties":{"a":{"$ref":"#/definitions/none"}}}`,
		"another file":          `{"properties":{"a":{"$ref":"other.json"}}}`,
		"too deep":              deep,
		"no object":             `[]`,
		"endless":               `{"properties":{"a":{"$ref":"#/definitions/a"}},"definitions":{"a":{"$ref":"#/definitions/a"}}}`,
	} {
		_, err := Generate([]Source{{File: "input", Name: "input", Schema: json.RawMessage(schema)}}, Options{Language: TypeScript})
		if name == "endless" { // has no meaning, and must end
			continue
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Generate(Input(json.RawMessage(`{}`)), Options{Language: "cobol"}); err == nil {
		t.Error("an unknown language: no error")
	}
}

// Hostile schemas must neither take long nor give code without end.
func TestHostile(t *testing.T) {
	multiply := strings.Repeat(`{"type":["object","object","string"],"anyOf":[`, 60) + `{}` + strings.Repeat(`]}`, 60)
	var same, refs strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&same, `"a%s":{"type":"object"},`, strings.Repeat("-", i%100)+strings.Repeat("+", i/100))
		fmt.Fprintf(&refs, `"p%d":{"$ref":"#/definitions/a%s"},`, i, strings.Repeat("-", i%100)+strings.Repeat("+", i/100))
	}
	var doubles strings.Builder
	for i := range 60 {
		fmt.Fprintf(&doubles, `"d%d":{"type":"array","items":[{"$ref":"#/definitions/d%d"},{"$ref":"#/definitions/d%d"}]},`, i, i+1, i+1)
	}
	for name, schema := range map[string]string{
		"multiply": `{"type":"object","properties":{"a":` + multiply + `}}`,
		"names":    `{"type":"object","properties":{` + refs.String() + `"z":{}},"definitions":{` + same.String() + `"z":{}}}`,
		"doubles":  `{"type":"object","properties":{"a":{"$ref":"#/definitions/d0"}},"definitions":{` + doubles.String() + `"d60":{"type":"string"}}}`,
		"tuple":    `{"type":"object","properties":{"a":{"type":"array","minItems":1000000000}}}`,
		"values":   `{"type":"object","properties":{"a":{"enum":[` + strings.Repeat(`"abcdefgh",`, 20000) + `1]}}}`,
	} {
		for _, language := range Languages() {
			start := time.Now()
			files, err := Generate([]Source{{File: "input", Name: "input", Schema: json.RawMessage(schema)}}, Options{Language: language})
			size := 0
			if err == nil {
				size = len(files[0].Data)
			}
			if took := time.Since(start); took > 10*time.Second || size > 10<<20 {
				t.Errorf("%s in %s: %d bytes in %v", name, language, size, took)
			}
		}
	}
}

// FuzzGenerate checks that any schema at all gives Go that parses, and that no
// language panics.
func FuzzGenerate(f *testing.F) {
	for _, e := range examples(f) {
		for _, s := range e.sources {
			f.Add([]byte(s.Schema), true)
		}
	}
	for _, schema := range tricky() {
		f.Add([]byte(schema), false)
	}
	f.Fuzz(func(t *testing.T, schema []byte, defaults bool) {
		if len(schema) > 1<<16 {
			return
		}
		sources := []Source{{File: "input", Name: "input", Schema: schema, DefaultsPresent: defaults}}
		for _, language := range Languages() {
			files, err := Generate(sources, Options{Language: language, Open: !defaults})
			if err != nil {
				continue
			}
			if language == Go {
				if _, err := parser.ParseFile(token.NewFileSet(), "x.go", files[0].Data, 0); err != nil {
					t.Errorf("%v\n%s", err, files[0].Data)
				}
			}
		}
		Dataset("default", schema)
		Output(schema)
		KeyValueStore(schema)
	})
}
