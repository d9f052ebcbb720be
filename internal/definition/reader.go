package definition

import (
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// A purpose is what a definition is read for. It decides how much a finding
// matters.
type purpose int

const (
	running  purpose = iota // here and now: Load
	checking                // here and on the platform: Check
)

// A weight is how much a finding matters for either purpose.
type weight int

const (
	broken   weight = iota // an error always: nobody can use this
	refused                // the platform builds nothing from this; it runs here with a warning
	required               // as refused, but runs are not told: nothing is lost here
	useless                // a warning always: it does not do what it seems to
	advice                 // a warning when checking
)

// severity says how a finding is to be told, "" when it is not.
func (w weight) severity(p purpose) diagnostic.Severity {
	switch {
	case w == broken, p == checking && (w == refused || w == required):
		return diagnostic.Error
	case p == running && (w == required || w == advice):
		return ""
	default:
		return diagnostic.Warning
	}
}

// finding is something to say about a file.
type finding struct {
	diagnostic.Diagnostic
	weight weight
}

// maxFindings bounds how much of one weight is remembered of a hostile file; more
// helps nobody.
const maxFindings = 200

// reader fills an Actor from a document and remembers everything that there is
// to say about it.
type reader struct {
	doc   *jsonc.Document
	actor *Actor
	found []finding
	count [advice + 1]int // of found, by weight
	parts []Part

	// documents are the parsed files by path, schemas what was made of them, so
	// that a file that is linked twice is read and judged once.
	documents map[string]*jsonc.Document
	schemas   map[schemaKey]*linked
	// inlined gives the value that takes a link's place in Actor.Document.
	inlined map[*jsonc.Value]*jsonc.Value
	// variables are where the values of Actor.Environment stand.
	variables map[string]*jsonc.Value
	// inputRoot is the input schema, wherever it stands.
	inputRoot *jsonc.Value
	// listings are the entries of directories that were searched.
	listings map[string][]string
}

// diagnostics gives what there is to say for a purpose, sorted.
func (r *reader) diagnostics(p purpose) (list diagnostic.List) {
	for _, f := range r.found {
		if f.Severity == diagnostic.Warning { // of a schema, which has its own measure
			f.weight = advice
		}
		if f.Severity = f.weight.severity(p); f.Severity != "" {
			list = append(list, f.Diagnostic)
		}
	}
	sortByPart(list, r.parts)
	return list
}

// add records what was found, by others too.
func (r *reader) add(w weight, list ...diagnostic.Diagnostic) {
	for _, d := range list {
		if r.count[w]++; r.count[w] <= maxFindings {
			r.found = append(r.found, finding{d, w})
		}
	}
}

// diagnostic makes one about a value of the definition.
func (r *reader) diagnostic(v *jsonc.Value, rule, message string) diagnostic.Diagnostic {
	line, column := r.doc.LineColumn(v.Start)
	return diagnostic.Diagnostic{
		File: r.doc.File, Line: line, Column: column, Path: shape.Path(r.doc.Root, v.Start), Rule: rule, Message: message,
	}
}

// tell reports something about a value of the definition. The message follows
// the name of its place: tell(broken, v, "type", "must be a string").
func (r *reader) tell(w weight, v *jsonc.Value, rule, format string, args ...any) {
	r.add(w, r.diagnostic(v, rule, r.name(v)+" "+fmt.Sprintf(format, args...)))
}

// tellMember reports something about a member, at its name. The message stands
// for itself.
func (r *reader) tellMember(w weight, m jsonc.Member, rule, format string, args ...any) {
	d := r.diagnostic(m.Value, rule, fmt.Sprintf(format, args...))
	d.Line, d.Column = r.doc.LineColumn(m.At)
	r.add(w, d)
}

// tellFile reports something about a file as a whole.
func (r *reader) tellFile(w weight, file, rule, format string, args ...any) {
	r.add(w, diagnostic.Diagnostic{File: file, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// name says where a value stands, as people write it: "storages.dataset".
func (r *reader) name(v *jsonc.Value) string {
	if path := shape.Path(r.doc.Root, v.Start); path != "" {
		return shape.Name(path)
	}
	return "the file"
}

// quoted is name in quotes, where it is a name and not a quotation itself.
func (r *reader) quoted(v *jsonc.Value) string {
	if name := r.name(v); strings.Contains(name, `"`) {
		return name
	}
	return `"` + r.name(v) + `"`
}

// wrongType says what was found and what is allowed there.
func (r *reader) wrongType(v *jsonc.Value, allowed string) {
	r.tell(broken, v, "type", "must be %s, found %s", allowed, describe(v))
}

// describe says what a value is, in few words. Strings are not repeated: they
// may be secrets.
func describe(v *jsonc.Value) string {
	if v.Kind == jsonc.String {
		return "a string"
	}
	return shape.Describe(v)
}

// text reads a string field, which may be absent, into to.
func (r *reader) text(v *jsonc.Value, to *string) bool {
	if v == nil {
		return false
	}
	if v.Kind != jsonc.String {
		r.wrongType(v, "a string")
		return false
	}
	*to = v.Text
	return true
}

// object tells whether a value, which may be absent, is an object; anything else
// is a fault. What is allowed is said in words.
func (r *reader) object(v *jsonc.Value, allowed string) bool {
	if v != nil && v.Kind != jsonc.Object {
		r.wrongType(v, allowed)
	}
	return v.Is(jsonc.Object)
}

// fields are the members of an object by name.
type fields map[string]jsonc.Member

// value gives a field's value, nil when it is absent.
func (f fields) value(name string) *jsonc.Value { return f[name].Value }

// fieldsOf gives the members of an object and reports those that are not among
// the known ones, as useless or refused.
func (r *reader) fieldsOf(object *jsonc.Value, w weight, known []string) fields {
	effect := "has no effect"
	if w == refused {
		effect = "the platform refuses it"
	}
	f := fields{}
	for _, m := range object.Unique() {
		f[m.Name] = m
		if !slices.Contains(known, m.Name) && r.count[w] < maxFindings {
			r.tellMember(w, m, "unknown-field", "the field %s is not known and %s%s", r.quoted(m.Value), effect, shape.Meant(m.Name, known))
		}
	}
	return f
}

// pick gives the first mentioned of several names of one field, whose value is
// nil when there is none, and warns about the others.
func (r *reader) pick(f fields, names ...string) jsonc.Member {
	var mentioned []jsonc.Member
	for _, name := range names {
		if m, ok := f[name]; ok {
			mentioned = append(mentioned, m)
		}
	}
	slices.SortFunc(mentioned, func(a, b jsonc.Member) int { return a.At - b.At })
	if len(mentioned) == 0 {
		return jsonc.Member{}
	}
	for _, m := range mentioned[1:] {
		r.tellMember(useless, m, "two-names", "%s has no effect beside %s: they are two names of one field", r.name(m.Value), r.name(mentioned[0].Value))
	}
	return mentioned[0]
}
