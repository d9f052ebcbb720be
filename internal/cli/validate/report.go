package validate

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fatih/color"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/diagnostic"
)

// report is what was found, with the names of files as they are shown. Its JSON
// is what --json prints.
type report struct {
	Valid       bool              `json:"valid"`
	Errors      int               `json:"errors"`
	Warnings    int               `json:"warnings"`
	Diagnostics diagnostic.List   `json:"diagnostics"`
	Files       []definition.Part `json:"files"`

	o       *options
	io      *cmdkit.IO
	sources map[string]*source // by the name shown
	paths   map[string]string  // the paths of the names shown
}

func newReport(o *options, reading *definition.Reading) *report {
	r := &report{
		Diagnostics: diagnostic.List{}, Files: []definition.Part{},
		o: o, io: o.factory.IO, sources: map[string]*source{}, paths: map[string]string{},
	}
	base, err := os.Getwd()
	if err != nil {
		base = "" // paths are shown as they are then
	}
	for _, d := range reading.Diagnostics {
		d.File = r.shown(base, d.File)
		r.Diagnostics = append(r.Diagnostics, d)
	}
	for _, part := range reading.Parts {
		part.File = r.shown(base, part.File)
		r.Files = append(r.Files, part)
	}
	r.Errors, r.Warnings = len(r.Diagnostics.Errors()), len(r.Diagnostics.Warnings())
	r.Valid = r.Errors == 0 && (!o.strict || r.Warnings == 0)
	return r
}

// shown gives the name of a file as it is shown: relative to the working
// directory unless that makes it longer.
func (r *report) shown(base, path string) string {
	name := path
	if relative, err := filepath.Rel(base, path); err == nil && filepath.IsAbs(path) && len(relative) < len(path) {
		name = relative
	}
	r.paths[name] = path
	return name
}

// show prints the report: JSON for programs, else text that ends with what
// conclude says.
func (r *report) show(conclude func(*report)) error {
	if r.o.factory.Getenv("GITHUB_ACTIONS") == "true" {
		out := r.io.Out
		if r.o.json {
			out = r.io.Err // GitHub looks there too, and JSON stays JSON
		}
		r.annotate(out, r.o.factory.Getenv("GITHUB_WORKSPACE"))
	}
	if r.o.json {
		return r.io.PrintJSON(r)
	}
	for _, d := range r.Diagnostics {
		r.text(d)
	}
	conclude(r)
	return nil
}

// text prints a diagnostic for people: position, message, and the line it is
// about.
func (r *report) text(d diagnostic.Diagnostic) {
	label, hue := "error:", color.FgRed
	if d.Severity == diagnostic.Warning {
		label, hue = "warning:", color.FgYellow
	}
	message := strings.ReplaceAll(strings.TrimSpace(d.Message), "\n", "\n  ")
	fmt.Fprintf(r.io.Err, "%s: %s %s %s\n", plain(d.Position()), r.paint(label, hue, color.Bold), plain(message), r.paint("["+d.Rule+"]", color.Faint))
	if line, marker, ok := r.source(d.File).excerpt(d.Line, d.Column); ok {
		number := fmt.Sprint(d.Line)
		margin := r.paint(strings.Repeat(" ", len(number))+" | ", color.Faint)
		fmt.Fprintf(r.io.Err, "  %s%s\n  %s%s\n", r.paint(number+" | ", color.Faint), line, margin, r.paint(marker, hue))
	}
	if d.Hint != "" {
		fmt.Fprintf(r.io.Err, "  hint: %s\n", plain(strings.ReplaceAll(d.Hint, "\n", "\n  ")))
	}
}

// definition concludes what was said about a definition.
func (r *report) definition() {
	what := "the Actor's definition"
	if len(r.Files) > 0 && r.Files[0].Kind != definition.KindActor {
		r.schemas()
		return
	}
	verdict := r.paint("is valid", color.FgGreen)
	if !r.Valid {
		verdict = r.paint("is not valid", color.FgRed)
	}
	fmt.Fprintf(r.io.Err, "%s %s%s\n", what, verdict, r.counts())
}

// counts says how much was found: ": 2 errors and 1 warning".
func (r *report) counts() string {
	var counts []string
	if r.Errors > 0 {
		counts = append(counts, plural(r.Errors, "error"))
	}
	if r.Warnings > 0 {
		counts = append(counts, plural(r.Warnings, "warning"))
	}
	if len(counts) == 0 {
		return ""
	}
	strict := ""
	if r.o.strict && r.Warnings > 0 {
		strict = ", and --strict allows none"
	}
	return ": " + strings.Join(counts, " and ") + strict
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// schemas concludes what was said about each schema. The words are those of the
// official command, which scripts look for.
func (r *report) schemas() {
	for _, part := range r.Files {
		place := part.File
		if part.Path != "" {
			place += "#" + part.Path
		}
		verdict := r.paint("is valid", color.FgGreen)
		if !r.sound(part) {
			verdict = r.paint("is not valid", color.FgRed)
		}
		fmt.Fprintf(r.io.Err, "%s %s (%s)\n", part.Kind.Title(), verdict, plain(place))
	}
	if counts := strings.TrimPrefix(r.counts(), ": "); counts != "" {
		fmt.Fprintln(r.io.Err, counts)
	}
}

// sound tells whether nothing that counts was said about a part.
func (r *report) sound(part definition.Part) bool {
	for _, d := range r.Diagnostics {
		inside := part.Path == "" || d.Path == part.Path || strings.HasPrefix(d.Path, part.Path+"/")
		if d.File == part.File && inside && (d.Severity == diagnostic.Error || r.o.strict) {
			return false
		}
	}
	return true
}

// paint colours text when it goes to a terminal.
func (r *report) paint(text string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	if !r.io.ErrTTY || r.o.factory.Getenv("NO_COLOR") != "" {
		return text
	}
	c.EnableColor()
	return c.Sprint(text)
}

// annotate prints the diagnostics as GitHub's workflow commands. GitHub finds
// files by their path from the workspace, "" when that is not known.
func (r *report) annotate(out io.Writer, workspace string) {
	for _, d := range r.Diagnostics {
		file := d.File
		if workspace != "" {
			if relative, err := filepath.Rel(workspace, r.paths[file]); err == nil && filepath.IsLocal(relative) {
				file = relative
			}
		}
		properties := "file=" + property(filepath.ToSlash(file))
		if d.Line > 0 {
			properties += fmt.Sprintf(",line=%d,col=%d", d.Line, d.Column)
		}
		properties += ",title=" + property(d.Rule)
		message := d.Message
		if d.Hint != "" {
			message += "\n" + d.Hint
		}
		fmt.Fprintf(out, "::%s %s::%s\n", d.Severity, properties, data.Replace(message))
	}
}

// The characters that workflow commands escape, in messages and in properties.
var (
	data  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	extra = strings.NewReplacer(":", "%3A", ",", "%2C")
)

func property(text string) string { return extra.Replace(data.Replace(text)) }
