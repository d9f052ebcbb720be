package template

import (
	"encoding/json"
	"errors"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestManifests(t *testing.T) {
	folders, err := fs.ReadDir(embedded, "templates")
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != len(order) {
		t.Errorf("%d folders, %d listed", len(folders), len(order))
	}
	seen := map[string]string{}
	for _, tpl := range All() {
		for _, name := range append([]string{tpl.Name}, tpl.Aliases...) {
			if other, ok := seen[plain(name)]; ok {
				t.Errorf("%s means both %s and %s", name, other, tpl.Name)
			}
			seen[plain(name)] = tpl.Name
		}
		if !slices.Contains(Languages, tpl.Language) || !slices.Contains(UseCases, tpl.UseCase) {
			t.Errorf("%s: language %q, use case %q", tpl.Name, tpl.Language, tpl.UseCase)
		}
		if tpl.Title == "" || tpl.Description == "" || len(tpl.Description) > 78 || strings.HasSuffix(tpl.Description, ".") {
			t.Errorf("%s: title %q, description %q", tpl.Name, tpl.Title, tpl.Description)
		}
		if len(tpl.NextSteps) == 0 || tpl.NextSteps[0] != "apify run" {
			t.Errorf("%s: next steps %q", tpl.Name, tpl.NextSteps)
		}
	}
	// A language or use case that nothing has would only lead astray.
	for _, language := range Languages {
		if !slices.ContainsFunc(All(), func(t Template) bool { return t.Language == language }) {
			t.Errorf("nothing is in %s", language)
		}
	}
	for _, useCase := range UseCases {
		if !slices.ContainsFunc(All(), func(t Template) bool { return t.UseCase == useCase }) {
			t.Errorf("nothing is for %s", useCase)
		}
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"shell": "shell", "cli-start": "shell", "JS": "js", "project_empty": "js", "project-empty": "js",
		"getting_started_typescript": "ts", "ts-crawlee-cheerio": "ts-cheerio", "python-start": "python",
	} {
		if got, err := Find(name); err != nil || got.Name != want {
			t.Errorf("%s is %s, %v; want %s", name, got.Name, err, want)
		}
	}
	_, err := Find("cobol")
	if !fault.Is(err, fault.Usage) || !strings.Contains(fault.HintOf(err), "\n  python-beautifulsoup  Crawls") {
		t.Errorf("an unknown template: %v\n%s", err, fault.HintOf(err))
	}
}

// named are the files that a README speaks of.
var named = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

func TestFiles(t *testing.T) {
	for _, tpl := range All() {
		t.Run(tpl.Name, func(t *testing.T) {
			list, err := tpl.Files("Some-Name")
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]File{}
			for _, file := range list {
				files[file.Path] = file
			}
			for _, name := range []string{
				".actor/actor.json", ".actor/input_schema.json", ".actor/output_schema.json",
				"Dockerfile", "README.md", ".gitignore", ".dockerignore", ".editorconfig",
			} {
				if len(files[name].Data) == 0 {
					t.Errorf("there is no %s", name)
				}
			}
			for _, name := range []string{".gitignore", ".dockerignore"} {
				if !strings.Contains(string(files[name].Data), "\nstorage\n") {
					t.Errorf("%s lets storage through", name)
				}
			}
			for name, file := range files {
				text := string(file.Data)
				if strings.Contains(text, Placeholder) {
					t.Errorf("%s still speaks of %s", name, Placeholder)
				}
				if !strings.HasSuffix(text, "\n") || strings.Contains(text, "\r") || strings.Contains(text, " \n") {
					t.Errorf("%s does not end in a line end, or has blanks at line ends", name)
				}
				if path.Ext(name) == ".tmpl" {
					t.Errorf("%s keeps its ending", name)
				}
				if want := strings.HasPrefix(text, "#!"); want != (file.Mode&0o111 != 0) || path.Ext(name) == ".sh" && !want {
					t.Errorf("%s has the mode %s", name, file.Mode)
				}
				if path.Ext(name) == ".json" && !json.Valid(file.Data) {
					t.Errorf("%s is no JSON", name)
				}
				if path.Ext(name) == ".go" {
					if formatted, err := format.Source(file.Data); err != nil || string(formatted) != text {
						t.Errorf("%s is not formatted: %v", name, err)
					}
				}
			}
			if !strings.Contains(string(files[".actor/actor.json"].Data), `"name": "Some-Name"`) {
				t.Error("the Actor has another name")
			}
			if text := string(files["package.json"].Data); text != "" && !strings.Contains(text, `"name": "some-name"`) {
				t.Error("the package has another name")
			}
			tables := named.FindAllStringSubmatch(string(files["README.md"].Data), -1)
			if len(tables) < 5 {
				t.Errorf("the README explains %d files", len(tables))
			}
			for _, match := range tables {
				if _, ok := files[match[1]]; !ok {
					t.Errorf("the README speaks of %s, which is not there", match[1])
				}
			}
		})
	}
}

func TestWrite(t *testing.T) {
	tpl, err := Find("shell")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := tpl.Write(dir, "my-shell"); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "main.sh")
	info, err := os.Stat(script)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode()&0o100 == 0 {
		t.Errorf("main.sh has the mode %s", info.Mode())
	}
	if err := os.WriteFile(script, []byte("mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := tpl.Write(dir, "my-shell"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("writing over a project: %v", err)
	}
	if text, err := os.ReadFile(script); err != nil || string(text) != "mine" {
		t.Errorf("main.sh is %q, %v", text, err)
	}
}
