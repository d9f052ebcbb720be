package definition

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// project writes files below a new directory and returns it. Names end with a
// slash for directories.
func project(t testing.TB, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustLoad(t *testing.T, dir string) *Actor {
	t.Helper()
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const (
	someDataset = `{"actorSpecification":1,"fields":{},"views":{"all":{"title":"All","transformation":{"fields":["a"]},"display":{"component":"table"}}}}`
	someStore   = `{"actorKeyValueStoreSchemaVersion":1,"title":"t","collections":{"all":{"title":"All","keyPrefix":"a"}}}`
	someServer  = `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{}}`
)

const someSchema = `{"title":"t","type":"object","schemaVersion":1,"properties":{"q":{"title":"q","type":"string","description":"d","editor":"textfield"}}}`

func TestLoadEverything(t *testing.T) {
	dir := project(t, map[string]string{
		".actor/actor.json": "\ufeff" + `{
			// comments and trailing commas are fine
			"actorSpecification": 1,
			"name": "my-actor", "version": "1.2", "buildTag": "beta",
			"title": "My Actor", "description": "Does things",
			"dockerfile": "./build/Dockerfile", "dockerContextDir": "..",
			"input": "./schemas/in.json",
			"environmentVariables": {"A": "1", "B": "@secret", "EMPTY": ""},
			"usesStandbyMode": true,
			"defaultMemoryMbytes": 1024,
			"scripts": {"run": "sh run.sh"},
			"storages": {"datasets": {"default": "./dataset.json", "errors": {"actorSpecification": 1, "fields": {}, "views": {}}}, "keyValueStore": "../store.json"},
			"readme": "../docs/READ.md", "changelog": "x.md", "meta": {"templateId": "x"}, "labels": {"a": "b"},
			"minMemoryMbytes": 128, "maxMemoryMbytes": 4096, "$schema": "y", "template": "t", "id": "i",
			"output": {"actorOutputSchemaVersion": 1, "properties": {}},
			"webServerSchema": "./web.json", "webServerMcpPath": "/mcp",
			"future": {"kept": [1.0 /* as written */]},
		}`,
		".actor/build/Dockerfile": "FROM scratch",
		".actor/schemas/in.json":  someSchema,
		".actor/dataset.json":     someDataset,
		".actor/web.json":         someServer,
		"store.json":              someStore,
		"docs/READ.md":            "",
		".actor/x.md":             "",
		"Dockerfile":              "FROM other",
	})
	a := mustLoad(t, dir)
	if a.Input == nil || !cmp.Equal(a.Input.Properties(), []string{"q"}) {
		t.Errorf("the input schema was not read: %v", a.Input)
	}
	if len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], `"future"`) {
		t.Errorf("warnings %q", a.Warnings)
	}
	if a.Output == nil || a.KeyValueStore == nil || a.WebServer == nil || len(a.Datasets) != 2 || a.Datasets["default"] == nil || a.Datasets["errors"] == nil {
		t.Errorf("schemas are missing: %+v", a)
	}
	document := `{"actorSpecification":1,"name":"my-actor","version":"1.2","buildTag":"beta","title":"My Actor","description":"Does things",` +
		`"dockerfile":"./build/Dockerfile","dockerContextDir":"..","input":` + someSchema +
		`,"environmentVariables":{"A":"1","B":"@secret","EMPTY":""},"usesStandbyMode":true,"defaultMemoryMbytes":1024,"scripts":{"run":"sh run.sh"},` +
		`"storages":{"datasets":{"default":` + someDataset + `,"errors":{"actorSpecification":1,"fields":{},"views":{}}},"keyValueStore":` + someStore +
		`},"readme":"../docs/READ.md","changelog":"x.md","meta":{"templateId":"x"},"labels":{"a":"b"},"minMemoryMbytes":128,"maxMemoryMbytes":4096,` +
		`"$schema":"y","template":"t","id":"i","output":{"actorOutputSchemaVersion":1,"properties":{}},"webServerSchema":` + someServer +
		`,"webServerMcpPath":"/mcp","future":{"kept":[1.0]}}`
	if diff := cmp.Diff(document, string(a.Document)); diff != "" {
		t.Errorf("document differs (-want +got):\n%s", diff)
	}
	a.Input, a.Output, a.KeyValueStore, a.WebServer, a.Datasets, a.Document, a.Warnings = nil, nil, nil, nil, nil, nil, nil
	want := &Actor{
		Root: dir, File: filepath.Join(dir, ".actor", "actor.json"),
		Name: "my-actor", Version: "1.2", BuildTag: "beta", Title: "My Actor", Description: "Does things",
		Dockerfile: filepath.Join(dir, ".actor", "build", "Dockerfile"), ContextDir: dir,
		Environment:     map[string]string{"A": "1", "B": "@secret", "EMPTY": ""},
		UsesStandbyMode: true, DefaultMemoryMbytes: 1024, RunScript: "sh run.sh",
		InputFile:       filepath.Join(dir, ".actor", "schemas", "in.json"),
		MinMemoryMbytes: 128, MaxMemoryMbytes: 4096, Template: "t", Meta: json.RawMessage(`{"templateId":"x"}`),
		Readme: filepath.Join(dir, "docs", "READ.md"), Changelog: filepath.Join(dir, ".actor", "x.md"), WebServerMCPPath: "/mcp",
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("definition differs (-want +got):\n%s", diff)
	}
}

func TestLoadMinimal(t *testing.T) {
	dir := project(t, map[string]string{".actor/actor.json": `{"actorSpecification":1,"name":"abc","version":"0.1"}`})
	want := &Actor{
		Root: dir, File: filepath.Join(dir, ".actor", "actor.json"), Name: "abc", Version: "0.1", BuildTag: "latest",
		ContextDir: dir, Environment: map[string]string{},
		Document: json.RawMessage(`{"actorSpecification":1,"name":"abc","version":"0.1"}`),
	}
	if diff := cmp.Diff(want, mustLoad(t, dir)); diff != "" {
		t.Errorf("definition differs (-want +got):\n%s", diff)
	}
}

// The definition that the hint shows must be one that loads without a word.
func TestExampleLoads(t *testing.T) {
	if a := mustLoad(t, project(t, map[string]string{".actor/actor.json": example})); len(a.Warnings) > 0 {
		t.Error(a.Warnings)
	}
}

func TestLoadNothing(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"empty":              {},
		"a Dockerfile alone": {"Dockerfile": "FROM scratch"},
		"package.json alone": {"package.json": "{}"},
		".actor is a file":   {".actor": "x"},
		".actor is empty":    {".actor/": ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(project(t, files))
			if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "actor.json") || !strings.Contains(err.Error(), "apify.json") {
				t.Errorf("got %v", err)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, `"actorSpecification": 1`) {
				t.Errorf("the hint %q shows no example", hint)
			}
		})
	}
	dir := project(t, map[string]string{"file": ""})
	if _, err := Load(filepath.Join(dir, "none")); !fault.Is(err, fault.NotFound) {
		t.Errorf("no directory gives %v", err)
	}
	if _, err := Load(filepath.Join(dir, "file")); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a file gives %v", err)
	}
	if _, err := Load(project(t, map[string]string{".actor/actor.json/": ""})); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a directory named actor.json gives %v", err)
	}
}

func TestLoadFaults(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"syntax", "{\n  \"name\": \"a\"\n  \"version\": \"0.1\"\n}", `actor.json:3:3: invalid character '"' after object value`},
		{"columns are characters", "{\"žluťoučký\" 1}", "actor.json:1:14: invalid character '1'"},
		{"half a file", `{"name": "a`, "actor.json:1:12: unexpected end of file"},
		{"nothing", "", "actor.json:1:1: the file is empty"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "UTF-16"},
		{"a list", "[]", "actor.json:1:1: the file must be an object, found an empty array"},
		{"name", `{"name": 5}`, "actor.json:1:10: name must be a string, found the number 5"},
		{"version is a number", `{"version": 0.1}`, "actor.json:1:13: version must be a string, found the number 0.1"},
		{"version", `{"version": "1"}`, `version must be MAJOR.MINOR such as "0.1", found "1"`},
		{"buildTag", `{"buildTag": ""}`, "buildTag must not be empty"},
		{"specification", `{"actorSpecification": 2}`, "actorSpecification must be 1, found the number 2"},
		{"standby", `{"usesStandbyMode": "yes"}`, "usesStandbyMode must be true or false, found a string"},
		{"memory too small", `{"defaultMemoryMbytes": 64}`, "defaultMemoryMbytes must be a whole number from 128 to 32768, found 64"},
		{"memory is half", `{"defaultMemoryMbytes": 512.5}`, "found 512.5"},
		{"memory is a list", `{"defaultMemoryMbytes": []}`, "found an empty array"},
		{"variables are a list", `{"environmentVariables": []}`, "environmentVariables must be an object of strings, found an empty array"},
		{"variable is a number", `{"environmentVariables": {"A": 1}}`, "actor.json:1:32: environmentVariables.A must be a string, found the number 1"},
		{"variable without a name", `{"environmentVariables": {"A=B": ""}}`, `"A=B" cannot be the name`},
		{"variable with NUL", `{"environmentVariables": {"A": "\u0000"}}`, "NUL"},
		{"scripts", `{"scripts": "x"}`, "scripts must be an object, found a string"},
		{"script", `{"scripts": {"run": ["x"]}}`, "scripts.run must be a string, found an array"},
		{"no Dockerfile", `{"dockerfile": "../Dockerfile.none"}`, "dockerfile names the file"},
		{"Dockerfile is a directory", `{"dockerfile": "../dir"}`, "dockerfile must name a file"},
		{"Dockerfile outside", `{"dockerfile": "../../Dockerfile"}`, "outside of the Actor's directory"},
		{"absolute Dockerfile", `{"dockerfile": "/etc/passwd"}`, "must be a path relative to"},
		{"context is a file", `{"dockerContextDir": "../file"}`, "dockerContextDir must name a directory"},
		{"context outside", `{"dockerContextDir": "../.."}`, "outside of"},
		{"context is a number", `{"dockerContextDir": 1}`, "dockerContextDir must be a path, found the number 1"},
		{"no input schema", `{"input": "./none.json"}`, "input names the file"},
		{"input schema outside", `{"inputSchema": "../../x.json"}`, "inputSchema leads to"},
		{"input schema through a link", `{"input": "../link/secret.json"}`, "outside of the Actor's directory"},
		{"empty path", `{"input": ""}`, "input must not be empty"},
		{"input is a number", `{"input": 1}`, "input must be a path or an object, found the number 1"},
		{"inlined schema", "{\n\"input\": {\"type\": \"object\"}}", "actor.json:2:10: Field schema.properties is required"},
		{"linked schema", `{"input": "../bad.json"}`, "bad.json:2:1: invalid character"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Contains(tt.name, "through a link") && runtime.GOOS == "windows" {
				t.Skip("symbolic links need a privilege there")
			}
			outside := project(t, map[string]string{"secret.json": someSchema})
			dir := project(t, map[string]string{".actor/actor.json": tt.file, "dir/": "", "file": "", "bad.json": "{\n]"})
			if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil && runtime.GOOS != "windows" {
				t.Fatal(err)
			}
			_, err := Load(dir)
			if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestLoadTellsAllFaults(t *testing.T) {
	_, err := Load(project(t, map[string]string{".actor/actor.json": `{
		"name": 5,
		"usesStandbyMode": 1,
		"dockerfile": "none",
		"environmentVariables": {"A": 1, "B": null},
		"input": {"title": "t", "type": "object", "schemaVersion": 1}
	}`}))
	if !fault.Is(err, fault.InvalidInput) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"has 6 faults", ":2:11: name", ":3:22: usesStandbyMode", ":4:17: dockerfile", ":5:33: environmentVariables.A", ":5:41: environmentVariables.B must be a string, found null", ":6:12: Field schema.properties"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
}

func TestLoadWarnings(t *testing.T) {
	tests := []struct {
		name, file string
		want       string
		memory     int
	}{
		{"unknown field", `{"nmae": "x"}`, `:1:2: the field "nmae" is not known and has no effect`, 0},
		{"unknown script", `{"scripts": {"test": "x"}}`, `the field "scripts.test" is not known`, 0},
		{"short name", `{"name": "ab"}`, `the name "ab" runs here but not on the platform`, 0},
		{"name with blanks", `{"name": "my actor"}`, "letters, digits and hyphens", 0},
		{"memory above the largest", `{"defaultMemoryMbytes": 4096, "maxMemoryMbytes": 1024}`, "defaultMemoryMbytes is outside of minMemoryMbytes and maxMemoryMbytes, found 4096; runs get 1024", 4096},
		{"reserved variable", `{"environmentVariables": {"APIFY_TOKEN": "x"}}`, "the variable APIFY_TOKEN has a name that is reserved for the platform", 0},
		{"both names of the input", `{"input": ` + someSchema + `, "inputSchema": "none"}`, "inputSchema has no effect beside input", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := mustLoad(t, project(t, map[string]string{".actor/actor.json": tt.file}))
			if len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], tt.want) {
				t.Errorf("got %q, want %s", a.Warnings, tt.want)
			}
			if a.DefaultMemoryMbytes != tt.memory {
				t.Errorf("memory %d", a.DefaultMemoryMbytes)
			}
		})
	}
}

func TestConventionalPlaces(t *testing.T) {
	files := map[string]string{
		".actor/actor.json": "{}", ".actor/Dockerfile": "", "Dockerfile": "",
		".actor/INPUT_SCHEMA.json": someSchema, "INPUT_SCHEMA.json": someSchema, "other/": "",
	}
	dir := project(t, files)
	for _, place := range []string{".actor/Dockerfile", "Dockerfile", ""} {
		a, want := mustLoad(t, dir), ""
		if place != "" {
			want = filepath.Join(dir, filepath.FromSlash(place))
		}
		if a.Dockerfile != want {
			t.Errorf("Dockerfile %q, want %q", a.Dockerfile, want)
		}
		if want != "" {
			os.Remove(want)
		}
	}
	for _, place := range []string{".actor/INPUT_SCHEMA.json", "INPUT_SCHEMA.json", ""} {
		a, want := mustLoad(t, dir), ""
		if place != "" {
			want = filepath.Join(dir, filepath.FromSlash(place))
		}
		if a.InputFile != want || (a.Input == nil) != (want == "") {
			t.Errorf("input schema %q, want %q", a.InputFile, want)
		}
		if want != "" {
			os.Remove(want)
		}
	}
	for _, place := range []string{"input_schema.json", ".actor/input_schema.json"} {
		want := filepath.Join(dir, filepath.FromSlash(place))
		if err := os.WriteFile(want, []byte(someSchema), 0o666); err != nil {
			t.Fatal(err)
		}
		// Case-insensitive file systems find it under the upper-case name.
		if a := mustLoad(t, dir); !strings.EqualFold(a.InputFile, want) {
			t.Errorf("input schema %q, want %q", a.InputFile, want)
		}
	}
}

func TestMonorepoContext(t *testing.T) {
	dir := project(t, map[string]string{
		"repo/.git/":                      "",
		"repo/shared.Dockerfile":          "",
		"repo/actors/a/.actor/actor.json": `{"dockerContextDir": "../../..", "dockerfile": "../../../shared.Dockerfile"}`,
		"repo/actors/b/.actor/actor.json": `{"dockerContextDir": "../../../.."}`,
		"repo/actors/c/.actor/actor.json": `{"dockerfile": "../../../shared.Dockerfile"}`,
		"repo/actors/d/.actor/actor.json": `{"dockerContextDir": "../src"}`,
		"repo/actors/d/src/":              "",
	})
	a := mustLoad(t, filepath.Join(dir, "repo", "actors", "a"))
	if a.ContextDir != filepath.Join(dir, "repo") || a.Dockerfile != filepath.Join(dir, "repo", "shared.Dockerfile") {
		t.Errorf("context %q, Dockerfile %q", a.ContextDir, a.Dockerfile)
	}
	for _, outside := range []string{"b", "c"} {
		if _, err := Load(filepath.Join(dir, "repo", "actors", outside)); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s gives %v", outside, err)
		}
	}
	if a := mustLoad(t, filepath.Join(dir, "repo", "actors", "d")); a.ContextDir != filepath.Join(dir, "repo", "actors", "d", "src") {
		t.Errorf("context %q", a.ContextDir)
	}
}

func TestLegacy(t *testing.T) {
	for name, file := range map[string]string{
		"newer": `{"name": "old-actor", "version": "0.3", "buildTag": "beta", "env": {"A": "1", "B": "@s"}, "template": "x",}`,
		"older": `{"name": "old-actor", "actId": null, "version": {"versionNumber": "0.3", "buildTag": "beta", "sourceType": "TARBALL",
			"envVars": [{"name": "A", "value": "1"}, {"name": "B", "value": "@s"}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, map[string]string{"apify.json": file, "Dockerfile": "", "INPUT_SCHEMA.json": someSchema})
			a := mustLoad(t, dir)
			if len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], ".actor/actor.json") {
				t.Errorf("warnings %q, want one that says how to migrate", a.Warnings)
			}
			if a.Input == nil {
				t.Error("no input schema")
			}
			var document map[string]any
			if err := json.Unmarshal(a.Document, &document); err != nil || document["environmentVariables"] == nil || document["input"] == nil {
				t.Errorf("the document is %s", a.Document)
			}
			a.Warnings, a.Input, a.Document, a.Template = nil, nil, nil, ""
			want := &Actor{
				Root: dir, File: filepath.Join(dir, "apify.json"), Legacy: true,
				Name: "old-actor", Version: "0.3", BuildTag: "beta", Environment: map[string]string{"A": "1", "B": "@s"},
				Dockerfile: filepath.Join(dir, "Dockerfile"), ContextDir: dir, InputFile: filepath.Join(dir, "INPUT_SCHEMA.json"),
			}
			if diff := cmp.Diff(want, a); diff != "" {
				t.Errorf("definition differs (-want +got):\n%s", diff)
			}
		})
	}
	for file, want := range map[string]string{
		`{"env": []}`:                               "env must be an object of strings",
		`{"version": {"envVars": {}}}`:              "version.envVars must be an array",
		`{"version": {"envVars": [{"name": "A"}]}}`: "version.envVars.0 must be an object with name and value",
		`{"version": {"versionNumber": 1}}`:         "version.versionNumber must be a string",
	} {
		if _, err := Load(project(t, map[string]string{"apify.json": file})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %s", file, err, want)
		}
	}
}

func TestActorJSONComesFirst(t *testing.T) {
	a := mustLoad(t, project(t, map[string]string{".actor/actor.json": `{"name":"new-one"}`, "apify.json": "broken"}))
	if a.Name != "new-one" || a.Legacy {
		t.Errorf("%s was read", a.File)
	}
}
