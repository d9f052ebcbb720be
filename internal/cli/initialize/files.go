package initialize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/project"
	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// What is done with a file.
const (
	created   = "created"
	rewritten = "rewritten"
	changed   = "changed" // something was added
	kept      = "kept"
	renamed   = "renamed"
)

// file is a file of the plan.
type file struct {
	Path    string `json:"path"` // relative, with slashes
	Action  string `json:"action"`
	Reason  string `json:"reason,omitempty"`
	Content string `json:"content,omitempty"` // in a dry run

	content []byte
	to      string // of a renamed file
}

// add plans a file: it is written when it is not there, or with --force.
func (w *work) add(name string, content []byte, reason string) {
	f := file{Path: name, Action: created, Reason: reason, content: content}
	old, err := os.ReadFile(w.path(name))
	switch {
	case err == nil && bytes.Equal(old, content):
		f.Action, f.Reason, f.content = kept, "it is as it should be", nil
	case err == nil && w.options.Force:
		f.Action = rewritten
	case err == nil:
		f.Action, f.Reason, f.content = kept, "it exists; --force writes it anew", nil
	}
	w.files = append(w.files, f)
}

func (w *work) path(name string) string { return filepath.Join(w.root, filepath.FromSlash(name)) }

// plan lists everything that is to be written, without writing it.
func (w *work) plan() error {
	schema := w.planSchema()
	if err := w.planDefinition(schema); err != nil {
		return err
	}
	switch {
	case w.makeDockerfile:
		text, err := w.makeText()
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the Dockerfile cannot be read")
		}
		w.add(w.dockerfile, []byte(text), "")
	case w.dockerfile != "":
		reason := "it is used as it is"
		if w.adapted {
			reason = "it is used as it is, though its program knows nothing of Actors"
			w.next = append(w.next, "let "+w.dockerfile+" end with: CMD "+strings.ReplaceAll(execForm(w.start), "\\\n     ", ""))
		}
		w.files = append(w.files, file{Path: w.dockerfile, Action: kept, Reason: reason})
	}
	if err := w.planInput(schema); err != nil {
		return err
	}
	w.planIgnored()
	return nil
}

// schemaPlaces are where an input schema may be, the platform's places first.
var schemaPlaces = []string{
	".actor/INPUT_SCHEMA.json", "INPUT_SCHEMA.json", ".actor/input_schema.json", "input_schema.json",
}

// planSchema plans the input schema and gives its path.
func (w *work) planSchema() string {
	if w.current != nil && w.current.Input != nil {
		name := w.current.InputFile
		if rel, err := filepath.Rel(w.root, name); err == nil {
			name = filepath.ToSlash(rel)
		}
		if name != ".actor/actor.json" {
			w.files = append(w.files, file{Path: name, Action: kept, Reason: "the definition links it"})
		}
		return name
	}
	for _, place := range schemaPlaces {
		if !exists(w.path(place)) || w.options.Force && place == ".actor/input_schema.json" {
			continue
		}
		w.files = append(w.files, file{Path: place, Action: kept, Reason: "it is linked as the input schema"})
		return place
	}
	name := ".actor/input_schema.json"
	if w.current != nil && w.legacy == nil {
		// The definition that is kept does not link it: this name needs no link.
		name = schemaPlaces[0]
	}
	w.add(name, w.schema, "")
	return name
}

// actorJSON is a new definition, its members in the order in which people write
// them.
type actorJSON struct {
	Specification int    `json:"actorSpecification"`
	Name          string `json:"name"`
	Version       string `json:"version"`
	BuildTag      string `json:"buildTag"`
	Title         string `json:"title,omitempty"`
	Description   string `json:"description,omitempty"`
	Dockerfile    string `json:"dockerfile,omitempty"`
	Input         string `json:"input"`
}

func (w *work) planDefinition(schema string) error {
	dockerfile := link(w.dockerfile)
	if w.legacy != nil {
		content := w.legacy
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(content, &fields); err != nil {
			return fault.Wrap(fault.Internal, err, "read the definition that apify.json became")
		}
		for _, member := range []struct{ name, other, value string }{
			{"name", "", w.name}, {"dockerfile", "", dockerfile}, {"input", "inputSchema", link(schema)},
		} {
			if _, ok := fields[member.name]; ok || fields[member.other] != nil || member.value == "" {
				continue
			}
			content = bytes.TrimSuffix(bytes.TrimRight(content, "\n"), []byte("\n}"))
			content = append(bytes.Clone(content), fmt.Sprintf(",\n  %q: %s\n}\n", member.name, quote(member.value))...)
		}
		w.add(".actor/actor.json", content, "from apify.json")
		w.files = append(w.files, file{Path: "apify.json", Action: renamed, Reason: "now apify.json.deprecated", to: "apify.json.deprecated"})
		return nil
	}
	if w.current != nil {
		w.files = append(w.files, file{Path: ".actor/actor.json", Action: kept, Reason: "it exists; --force writes it anew"})
		if w.dockerfile != "" && w.current.Dockerfile != w.path(w.dockerfile) && w.dockerfile != "Dockerfile" && w.dockerfile != ".actor/Dockerfile" {
			w.next = append(w.next, `put "dockerfile": `+quote(dockerfile)+" into .actor/actor.json")
		}
		return nil
	}
	a := actorJSON{1, w.name, definition.DefaultVersion, definition.DefaultBuildTag, title(w.name), w.description(), dockerfile, link(schema)}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(a); err != nil {
		return fault.Wrap(fault.Internal, err, "write the definition")
	}
	w.add(".actor/actor.json", out.Bytes(), "")
	return nil
}

func (w *work) description() string {
	if w.project.Description != "" {
		return w.project.Description
	}
	if w.program != nil {
		return w.program.Description
	}
	return ""
}

// link is a path as actor.json has it: relative to .actor.
func link(name string) string {
	if name == "" {
		return ""
	}
	if inside, ok := strings.CutPrefix(name, ".actor/"); ok {
		return "./" + inside
	}
	return path.Join("..", name)
}

func quote(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // text always has a JSON form
	return strings.TrimSuffix(out.String(), "\n")
}

const inputFile = "storage/key_value_stores/default/INPUT.json"

// planInput plans the input to begin with. One that is there is the user's own
// and stays, whatever its kind and even with --force.
func (w *work) planInput(schemaFile string) error {
	folder := filepath.Dir(w.path(inputFile))
	if found := project.Glob(folder, "INPUT*"); len(found) > 0 {
		rel, _ := filepath.Rel(w.root, found[0])
		w.files = append(w.files, file{Path: filepath.ToSlash(rel), Action: kept, Reason: "it is the input of the next run"})
		return nil
	}
	schema := w.currentSchema()
	if schema == nil {
		text := w.schema
		if old, err := os.ReadFile(w.path(schemaFile)); err == nil && !w.options.Force {
			text = old
		}
		parsed, err := inputschema.Parse(text, w.path(schemaFile))
		if err != nil {
			return err
		}
		schema = parsed
	}
	var out bytes.Buffer
	if err := json.Indent(&out, schema.Prefilled(), "", "\t"); err != nil {
		return fault.Wrap(fault.Internal, err, "write the input")
	}
	out.WriteByte('\n')
	w.files = append(w.files, file{Path: inputFile, Action: created, content: out.Bytes()})
	return nil
}

func (w *work) currentSchema() *inputschema.Schema {
	if w.current == nil {
		return nil
	}
	return w.current.Input
}

// ignoredMark stands before what was added to .gitignore, once.
const ignoredMark = "# Added by apify init"

func (w *work) planIgnored() {
	ignored := []string{"storage", "node_modules", ".venv"}
	if w.project.Language == project.Python {
		ignored = append(ignored, "__pycache__")
	}
	name := ".gitignore"
	old, err := os.ReadFile(w.path(name))
	text := string(old)
	var missing []string
	for _, entry := range ignored {
		if !ignores(text, entry) {
			missing = append(missing, entry)
		}
	}
	switch {
	case len(missing) == 0 || strings.Contains(text, ignoredMark):
		w.files = append(w.files, file{Path: name, Action: kept, Reason: "it has what belongs there"})
	default:
		f := file{Path: name, Action: created}
		if err == nil {
			f.Action, f.Reason = changed, strings.Join(missing, ", ")+" added"
			if text != "" && !strings.HasSuffix(text, "\n") {
				text += "\n"
			}
			if text != "" {
				text += "\n"
			}
		}
		f.content = []byte(text + ignoredMark + "\n" + strings.Join(missing, "\n") + "\n")
		w.files = append(w.files, f)
	}
	if w.makeDockerfile && !exists(w.path(".dockerignore")) {
		w.files = append(w.files, file{Path: ".dockerignore", Action: created,
			content: []byte(strings.Join(append([]string{".git"}, ignored...), "\n") + "\n")})
	}
}

// ignores tells whether a .gitignore has an entry, in any of its spellings.
func ignores(text, entry string) bool {
	for line := range strings.Lines(text) {
		if strings.Trim(strings.TrimSpace(line), "/") == entry {
			return true
		}
	}
	return false
}

// write puts everything in its place. Each file is complete before it has its
// name; when one cannot be written, those before it are taken back.
func (w *work) write() (err error) {
	var undo []func()
	defer func() {
		if err != nil {
			for i := len(undo) - 1; i >= 0; i-- {
				undo[i]()
			}
			err = fault.Wrap(fault.Unavailable, err, "nothing was written")
		}
	}()
	for _, f := range w.files {
		name := w.path(f.Path)
		if f.Action == renamed {
			to := w.path(f.to)
			if err := os.Rename(name, to); err != nil {
				return err
			}
			undo = append(undo, func() { _ = os.Rename(to, name) })
			continue
		}
		if f.content == nil {
			continue
		}
		old, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		existed := err == nil
		made, err := makeFolders(filepath.Dir(name))
		undo = append(undo, func() {
			for _, dir := range made {
				_ = os.Remove(dir)
			}
		})
		if err != nil {
			return err
		}
		if err := replace(name, f.content); err != nil {
			return err
		}
		undo = append(undo, func() {
			if existed {
				_ = replace(name, old)
			} else {
				_ = os.Remove(name)
			}
		})
	}
	return nil
}

// replace writes a file beside its place and then gives it its name. A file that
// exists keeps its permissions, and a symbolic link stays one.
func replace(name string, content []byte) error {
	mode := fs.FileMode(0o666)
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	temporary := filepath.Join(filepath.Dir(name), fmt.Sprintf(".%s.%d.tmp", filepath.Base(name), os.Getpid()))
	if err := os.WriteFile(temporary, content, mode); err != nil {
		_ = os.Remove(temporary)
		return err
	}
	if err := os.Rename(temporary, name); err != nil {
		_ = os.Remove(temporary)
		return err
	}
	return nil
}

// makeFolders makes a folder and its parents, and gives those that were missing,
// the innermost first.
func makeFolders(dir string) (made []string, err error) {
	for missing := dir; ; missing = filepath.Dir(missing) {
		if _, err := os.Lstat(missing); !errors.Is(err, fs.ErrNotExist) || missing == filepath.Dir(missing) {
			break
		}
		made = append(made, missing)
	}
	return made, os.MkdirAll(dir, 0o777)
}

// judge checks what is there now, and says what is wrong with it.
func (w *work) judge() {
	_, found := definition.Check(w.root)
	for _, d := range found.Errors() {
		w.missing = append(w.missing, d.String())
	}
}
