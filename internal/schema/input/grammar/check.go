// Package grammar judges input schemas themselves, by the schema of input schemas
// that the platform publishes and by the rules of its validator, in its words.
package grammar

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/ecma"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

const (
	// MaxSize is the largest input schema the platform takes, in bytes.
	MaxSize = 500 * 1024
	// MaxNesting is how deep fields may be nested in each other.
	MaxNesting = 100
	// maxFaults bounds what is said of one schema: more helps nobody.
	maxFaults = 500
)

// Options are those with which the platform judges inputs by a schema, but that
// it lists every error.
var Options = jsonschema.Options{Draft: jsonschema.Draft201909, AllErrors: true, LoosePatterns: true}

// Verdict is what there is to say about an input schema.
type Verdict struct {
	// List is everything that is wrong, what the platform would say first; or
	// else, as warnings, what cannot be meant.
	List diagnostic.List
	// Official is the one message with which the platform refuses the schema,
	// without what it wraps it in; "" when it does not.
	Official string
	// Inputs evaluates inputs by the schema; nil when List has errors.
	Inputs *jsonschema.Schema
}

// Judge judges an input schema by the platform's rules, root being its place in
// doc.
func Judge(doc *jsonc.Document, root *jsonc.Value) Verdict {
	c := newChecker(doc, root)
	c.schema(root)
	if len(c.found) > 0 {
		return Verdict{List: c.list(), Official: c.official}
	}
	inputs, faults := jsonschema.Compile(doc, root, Options)
	if inputs == nil {
		// The platform takes such a schema, and then cannot judge any input.
		for i, f := range faults {
			faults[i].Path = c.base + f.Path
			faults[i].Rule = "input-schema"
			faults[i].Message = "Field schema" + strings.ReplaceAll(f.Path, "/", ".") + " " + f.Message
		}
		return Verdict{List: faults}
	}
	c.advise(root)
	return Verdict{List: c.list(), Inputs: inputs}
}

// checker judges one input schema.
type checker struct {
	doc *jsonc.Document
	// base is the place of the schema in the document, as a JSON Pointer.
	base  string
	found []finding
	// known holds what was found by place and rule, not to tell it twice.
	known map[string]bool
	// official is the one thing that the platform would say, without what it
	// wraps it in.
	official string
}

// finding is one fault or one piece of advice.
type finding struct {
	severity diagnostic.Severity
	offset   int
	path     string
	rule     string
	// text is what the platform says, and note what we add to it.
	text, note, hint string
	// member is the name of the member that is missing or should not be there.
	member string
	// values counts the values that an enum allows.
	values int
}

func newChecker(doc *jsonc.Document, root *jsonc.Value) *checker {
	base, _ := pointer(doc.Root, root)
	return &checker{doc: doc, base: base, known: make(map[string]bool)}
}

// pointer finds the place of a value below another.
func pointer(from, to *jsonc.Value) (string, bool) {
	if from == to {
		return "", true
	}
	if from == nil || to.Start < from.Start || to.End > from.End {
		return "", false
	}
	for _, m := range from.Members {
		if path, ok := pointer(m.Value, to); ok {
			return "/" + jsonc.PointerPart(m.Name) + path, true
		}
	}
	for i, item := range from.Items {
		if path, ok := pointer(item, to); ok {
			return "/" + strconv.Itoa(i) + path, true
		}
	}
	return "", false
}

// list gives what was found as diagnostics.
func (c *checker) list() diagnostic.List {
	var list diagnostic.List
	for _, f := range c.found[:min(len(c.found), maxFaults)] {
		line, column := c.doc.LineColumn(f.offset)
		message := f.text
		if f.note != "" {
			message += " (" + f.note + ")"
		}
		list = append(list, diagnostic.Diagnostic{
			Severity: f.severity, File: c.doc.File, Line: line, Column: column, Path: c.base + f.path, Rule: f.rule, Message: message, Hint: f.hint,
		})
	}
	return list
}

// fault records something that the platform finds. What is about the same place
// and rule as something known already adds nothing.
func (c *checker) fault(f finding) {
	f.severity = diagnostic.Error
	if c.official == "" {
		c.official = f.text
	}
	if key := fmt.Sprint(f.offset, f.rule, f.text); !c.known[key] {
		c.known[key] = true
		c.found = append(c.found, f)
	}
}

// full says that there is enough to tell.
func (c *checker) full() bool { return len(c.found) >= maxFaults }

// schema judges in the platform's order: the outer form, the fields, and the
// names of required fields. The platform then asks the meta-schema as a whole,
// which has nothing to add: what passed the definition of its type passes no other.
func (c *checker) schema(root *jsonc.Value) {
	if size := root.End - root.Start; size > MaxSize {
		c.fault(finding{offset: root.Start, rule: "size", text: fmt.Sprintf("an input schema may have %d bytes at most, this one has %d", MaxSize, size)})
		return
	}
	if at, path := tooNested(root, "", 0); at != nil {
		c.fault(finding{offset: at.Start, path: path, rule: "nesting", text: fmt.Sprintf("fields may be nested %d deep at most", MaxNesting)})
		return
	}
	c.judge(meta().structure, root, place{"schema", ""}, true, "")
	properties := root.Get("properties")
	if !properties.Is(jsonc.Object) {
		return
	}
	for _, m := range jsvalue.Entries(properties) {
		c.field(m.Value, place{"schema.properties", ""}.sub(m.Name), false)
	}
	c.required(root.Get("required"), properties)
}

// required looks for the names of required fields among the fields.
func (c *checker) required(list, properties *jsonc.Value) {
	if !list.Is(jsonc.Array) {
		return
	}
	names := namesOf(properties)
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	for i, name := range list.Items {
		if name.Kind == jsonc.String && !known[name.Text] && !c.full() {
			c.fault(finding{offset: name.Start, path: "/required/" + strconv.Itoa(i), rule: "unknown-field",
				text: "Field schema.properties." + name.Text + " does not exist, but it is specified in schema.required. " +
					"Either define the field or remove it from schema.required.",
				note: meant(name.Text, names)})
		}
	}
}

func namesOf(object *jsonc.Value) []string {
	names := make([]string, len(object.Members))
	for i, m := range object.Members {
		names[i] = m.Name
	}
	return names
}

// tooNested finds what nests deeper than allowed: schemas are judged by recursion,
// each field together with those below it.
func tooNested(v *jsonc.Value, path string, depth int) (*jsonc.Value, string) {
	if depth > MaxNesting {
		return v, path
	}
	if items := v.Get("items"); items != nil {
		if at, where := tooNested(items, path+"/items", depth+1); at != nil {
			return at, where
		}
	}
	for _, m := range jsvalue.Entries(v.Get("properties")) {
		if at, where := tooNested(m.Value, path+"/properties/"+jsonc.PointerPart(m.Name), depth+1); at != nil {
			return at, where
		}
	}
	return nil, ""
}

// place is where a schema stands: its name in messages, and its JSON Pointer
// below the input schema.
type place struct{ name, path string }

func (p place) sub(name string) place {
	return place{p.name + "." + name, p.path + "/properties/" + jsonc.PointerPart(name)}
}

func (p place) items() place { return place{p.name + ".items", p.path + "/items"} }

// types are the types a field may have.
var types = []string{"array", "boolean", "integer", "number", "object", "string"}

// field judges a field, those below it first.
func (c *checker) field(v *jsonc.Value, at place, sub bool) {
	if c.full() {
		return
	}
	before := len(c.found)
	if typ := v.Get("type"); typ.Is(jsonc.String) {
		switch typ.Text {
		case "object":
			c.subFields(v, at)
		case "array":
			c.items(v, at)
		}
	}
	if v.Kind != jsonc.Object && v.Kind != jsonc.Array {
		c.fault(finding{offset: v.Start, path: at.path, rule: "type", text: "Field " + at.name + " must be object"})
		return
	}
	clean := len(c.found) == before
	v = c.withoutDeprecated(v, at)
	d, says := meta().find(v, sub)
	if d == nil {
		found := v
		if typ := v.Get("type"); typ != nil {
			found = typ
		}
		c.fault(finding{offset: found.Start, path: at.path, rule: "type",
			text: "Field " + at.name + " is not matching any input schema type definition. Please make sure that it's type is valid.",
			note: "the types are " + quoted(types)})
		return
	}
	c.judge(d, v, at, clean, says)
	if pattern := v.Get("pattern"); pattern.Is(jsonc.String) {
		c.pattern(pattern, at, true)
	}
}

// subFields judges the fields of an object.
func (c *checker) subFields(v *jsonc.Value, at place) {
	for _, m := range jsvalue.Entries(v.Get("properties")) {
		c.field(m.Value, at.sub(m.Name), true)
	}
}

// items judges the fields of the objects that an array has, however many arrays
// they are in.
func (c *checker) items(v *jsonc.Value, at place) {
	items := v.Get("items")
	// The platform does not look here, and then cannot judge any input.
	if pattern := items.Get("pattern"); pattern.Is(jsonc.String) {
		c.pattern(pattern, at.items(), false)
	}
	typ := items.Get("type")
	if !typ.Is(jsonc.String) {
		return
	}
	switch typ.Text {
	case "object":
		c.subFields(items, at.items())
	case "array":
		c.items(items, at.items())
	}
}

// withoutDeprecated reports the keywords that the platform knew once, and gives
// the field without them.
func (c *checker) withoutDeprecated(v *jsonc.Value, at place) *jsonc.Value {
	for _, name := range []string{"patternKey", "patternValue"} {
		i := slices.IndexFunc(v.Members, func(m jsonc.Member) bool { return m.Name == name })
		if i < 0 {
			continue
		}
		c.fault(finding{offset: v.Members[i].At, path: at.path + "/" + name, rule: "deprecated",
			text: "Property " + at.name + "." + name + " is deprecated and no longer supported. Please remove it from the input schema. " +
				"See https://docs.apify.com/platform/actors/development/actor-definition/input-schema/specification/v1#deprecation-of-patternkey-and-patternvalue for migration instructions."})
		out := *v
		out.Members = slices.DeleteFunc(slices.Clone(v.Members), func(m jsonc.Member) bool { return m.Name == name })
		v = &out
	}
	return v
}

// pattern judges a regular expression of a field.
func (c *checker) pattern(v *jsonc.Value, at place, official bool) {
	_, err := ecma.Compile(v.Text)
	if err == nil {
		return
	}
	f := finding{severity: diagnostic.Error, offset: v.Start, path: at.path + "/pattern", rule: "pattern",
		text: `The regular expression "` + v.Text + `" in field ` + at.name + `.pattern must be valid.`, note: err.Error()}
	if official {
		c.fault(f)
	} else {
		c.found = append(c.found, f)
	}
}

// judge holds a schema against its definition. clean says that nothing below it
// is wrong. says is what the platform says without looking, if anything.
func (c *checker) judge(d *definition, v *jsonc.Value, at place, clean bool, says string) {
	all := d.all().Validate(v)
	if len(all) == 0 && says == "" {
		return
	}
	faults := c.relevantFaults(d, v, all, at)
	if clean {
		first := finding{offset: v.Start, path: at.path, rule: "input-schema", text: says}
		if says == "" {
			errors := d.first().Validate(v)
			if len(errors) == 0 {
				return // what the platform takes is right
			}
			e, w := sayBest(d.root(), v, errors, at.name)
			first = locate(e, w, at)
		}
		same := slices.IndexFunc(faults, func(f finding) bool { return f.text == first.text })
		switch {
		case same >= 0:
			first = faults[same]
			faults = slices.Insert(slices.Delete(faults, same, same+1), 0, first)
		case len(faults) == 0:
			faults = []finding{first}
		default:
			// The platform's own words are about an alternative that was never
			// meant, or hide what is wrong.
			c.official = cmp.Or(c.official, first.text)
			faults[0].hint = "the platform says of this: " + first.text
		}
	}
	for _, f := range oneEnum(faults) {
		c.fault(f)
	}
}

// oneEnum leaves one complaint about what a value may be: of several, which come
// from alternatives, the first if the platform says it, else the most generous.
func oneEnum(faults []finding) []finding {
	kept := make(map[int]int) // by offset, the place in out
	var out []finding
	for i, f := range faults {
		at, ok := kept[f.offset]
		switch {
		case f.values == 0 || !ok:
			if f.values > 0 {
				kept[f.offset] = len(out)
			}
			out = append(out, f)
		case f.values > out[at].values && (at > 0 || i > 0 && out[0].hint != ""):
			f.hint = out[at].hint
			out[at] = f
		}
	}
	return out
}

// relevantFaults lists what is wrong with v by its definition, leaving alone the
// fields below it: those of all errors that are about the alternatives meant.
func (c *checker) relevantFaults(d *definition, v *jsonc.Value, all []jsonschema.Error, at place) (faults []finding) {
	relevant := d.relevant(v)
	for _, e := range all {
		switch e.Keyword {
		case "if", "oneOf", "anyOf", "additionalProperties", "unevaluatedProperties":
			continue // these follow from others, or are told below
		}
		if !relevant.rules[rule{e.Schema, e.Instance}] {
			continue
		}
		f := locate(e, Say(e, at.name), at)
		if editors := relevant.objects[e.Instance]; e.Keyword == "required" && f.member == "editor" && editors != nil {
			f.note = "one of " + quoted(editors.editors)
		}
		faults = append(faults, f)
	}
	for _, object := range relevant.order {
		a := relevant.objects[object]
		if !a.closed {
			continue
		}
		for _, m := range object.Unique() {
			if slices.Contains(a.names, m.Name) || len(faults) >= maxFaults {
				continue
			}
			path := a.path + "/" + jsonc.PointerPart(m.Name)
			note := meant(m.Name, a.names)
			switch {
			case slices.Contains(a.elsewhere, m.Name):
				if slices.ContainsFunc(faults, func(f finding) bool { return f.path == at.path+a.path+"/editor" }) {
					continue // it may go with the editor that was meant
				}
				note = "not together with this editor, isSecret or resourceType"
			case note == "":
				note = "allowed are " + quoted(slices.Sorted(slices.Values(a.names)))
			}
			faults = append(faults, finding{offset: m.At, path: at.path + path, rule: "unknown-field", member: m.Name, note: note,
				text: "Property " + at.name + "." + Dotted(a.path+"/"+m.Name) + " is not allowed."})
		}
	}
	return faults
}

// locate gives an error its place in the file.
func locate(e jsonschema.Error, w Words, at place) finding {
	f := finding{offset: e.Instance.Start, path: at.path + e.InstancePath, rule: "input-schema", text: w.Text, member: w.Member}
	switch e.Keyword {
	case "enum":
		f.values = len(e.Schema.Get("enum").Items)
	case "oneOf":
		f.note = `there may be an "enum" or "enumSuggestedValues", not both`
	case "required":
		f.rule = "missing-field"
		switch w.Member {
		case "enumSuggestedValues":
			f.note = `a list of suggestions, or an "enum"`
		case "enum":
			f.note = `a list of the allowed values, or "enumSuggestedValues"`
		}
	case "additionalProperties", "unevaluatedProperties":
		f.rule = "unknown-field"
		f.path += "/" + jsonc.PointerPart(w.Member)
		for _, m := range e.Instance.Members {
			if m.Name == w.Member {
				f.offset = m.At
			}
		}
	case "not":
		f.note = "resourcePermissions allow neither prefill nor default"
	case "contains":
		f.note = `"READ" must be among them`
	}
	return f
}

// meant suggests the allowed name that is closest to a wrong one, if any is.
func meant(wrong string, allowed []string) string {
	if name := shape.Closest(wrong, allowed); name != "" {
		return fmt.Sprintf("did you mean %q?", name)
	}
	return ""
}

func quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }
