// Package template holds the Actors that `apify create` starts projects from.
// They are part of the binary, so that creating one needs no network.
//
// Each folder of templates is one: template.json says what it is, and files
// holds what a project gets, with names and contents as they are there. Three
// things differ:
//
//   - the name my-actor, wherever it stands, is replaced with the project's own;
//   - a file name that ends in .tmpl loses that: go.mod and .go files would
//     otherwise be a module of their own, or belong to this one;
//   - files that begin with #! become executable, because embedded files have
//     no modes.
package template

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Placeholder is the Actor's name in the files of every template.
const Placeholder = "my-actor"

//go:embed all:templates
var embedded embed.FS

// order is how templates are listed: the smallest first, languages together.
var order = []string{
	"shell", "js", "js-cheerio", "ts", "ts-cheerio", "python", "python-beautifulsoup",
	"go", "docker", "standby", "mcp",
}

// Languages and UseCases are what templates are filtered by, in the order in
// which people are offered them.
var (
	Languages = []string{"javascript", "typescript", "python", "go", "shell", "any"}
	UseCases  = []string{"starter", "web-scraper", "data-pipeline", "ai-agent"}
)

// Template is a project to start from.
type Template struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"` // one line
	Language    string `json:"language"`    // one of Languages
	UseCase     string `json:"useCase"`     // one of UseCases
	// Aliases are further names it is found by, those of the platform's own
	// equivalent among them.
	Aliases []string `json:"aliases"`
	// NextSteps are the commands to go on with, in the project's directory.
	NextSteps []string `json:"nextSteps"`
	// Note is what to know before the first run, or "".
	Note string `json:"note,omitempty"`
}

// All lists the templates in the order to show them in.
func All() []Template { return slices.Clone(all()) }

var all = sync.OnceValue(func() []Template {
	list := make([]Template, 0, len(order))
	for _, name := range order {
		text, err := embedded.ReadFile(path.Join("templates", name, "template.json"))
		if err != nil {
			panic(err) // embedded at build time; the tests read them all
		}
		t := Template{Name: name}
		if err := json.Unmarshal(text, &t); err != nil {
			panic(fmt.Errorf("template %s: %w", name, err))
		}
		list = append(list, t)
	}
	return list
})

// Find gives the template with that name or alias. Upper and lower case, and
// _ and -, count as the same: the platform has names of both kinds. None is a
// fault.Usage that lists what there is.
func Find(name string) (Template, error) {
	wanted := plain(name)
	for _, t := range all() {
		if plain(t.Name) == wanted || slices.ContainsFunc(t.Aliases, func(alias string) bool { return plain(alias) == wanted }) {
			return t, nil
		}
	}
	return Template{}, fault.New(fault.Usage, "there is no template %q", name).
		WithHint("the templates are:\n%s", Table(all()))
}

func plain(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// Table lists templates for people, one on a line, each line indented by two
// spaces and without a line end after the last.
func Table(list []Template) string {
	width := 0
	for _, t := range list {
		width = max(width, len(t.Name))
	}
	lines := make([]string, len(list))
	for i, t := range list {
		lines[i] = fmt.Sprintf("  %-*s  %s", width, t.Name, t.Description)
	}
	return strings.Join(lines, "\n")
}

// File is a file of a project.
type File struct {
	Path string // relative, with slashes
	Data []byte
	Mode fs.FileMode
}

// Files gives the files of a project with that name, sorted by path.
func (t Template) Files(name string) ([]File, error) {
	root := path.Join("templates", t.Name, "files")
	var files []File
	err := fs.WalkDir(embedded, root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := embedded.ReadFile(at)
		if err != nil {
			return err
		}
		file := File{Path: strings.TrimSuffix(strings.TrimPrefix(at, root+"/"), ".tmpl"), Mode: 0o644}
		if bytes.HasPrefix(data, []byte("#!")) {
			file.Mode = 0o755
		}
		own := name
		if file.Path == "package.json" {
			own = strings.ToLower(name) // npm takes no capital letters
		}
		file.Data = bytes.ReplaceAll(data, []byte(Placeholder), []byte(own))
		files = append(files, file)
		return nil
	})
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the template %s cannot be read", t.Name)
	}
	return files, nil
}

// Write puts the files of a project with that name into dir, which must exist.
// It replaces no file, and stops at the first that cannot be written.
func (t Template) Write(dir, name string) error {
	files, err := t.Files(name)
	if err != nil {
		return err
	}
	for _, file := range files {
		to := filepath.Join(dir, filepath.FromSlash(file.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the Actor's files cannot be written")
		}
		if err := write(to, file); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the Actor's files cannot be written")
		}
	}
	return nil
}

func write(to string, file File) (err error) {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.Mode)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	_, err = f.Write(file.Data)
	return err
}
