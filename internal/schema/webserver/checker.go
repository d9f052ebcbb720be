package webserver

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// The rules that diagnostics name.
const (
	ruleVersion       = "openapi-version"
	ruleType          = "openapi-type"
	ruleRequired      = "openapi-required"
	ruleUnknown       = "openapi-unknown-field"
	ruleValue         = "openapi-value"
	ruleExclusive     = "openapi-exclusive"
	ruleJSONSchema    = "openapi-json-schema"
	ruleReference     = "openapi-reference"
	ruleReferenceKind = "openapi-reference-kind"
	ruleReferenceLoop = "openapi-reference-loop"
	ruleRemote        = "openapi-remote-reference"
	rulePath          = "openapi-path"
	rulePathParameter = "openapi-path-parameter"
	ruleParameter     = "openapi-parameter"
	ruleDuplicate     = "openapi-duplicate-parameter"
	ruleOperationID   = "openapi-operation-id"
	ruleResponses     = "openapi-responses"
	ruleSecurity      = "openapi-security"
	ruleTag           = "openapi-tag"
	ruleServer        = "openapi-server"
	ruleComponentName = "openapi-component-name"
	ruleLink          = "openapi-link"
	ruleExample       = "openapi-example"
)

// maxListed bounds the diagnostics of one document, and maxDepth the nesting
// that is looked into: no document that a person wrote comes near.
const (
	maxListed = 1000
	maxDepth  = 500
)

// place is where a value stands below the top of the document, as a chain: most
// values have nothing to complain about and never need the text. nil is the top.
type place struct {
	up    *place
	name  string
	depth int
}

func (p *place) in(name string) *place {
	next := &place{up: p, name: name, depth: 1}
	if p != nil {
		next.depth += p.depth
	}
	return next
}

func (p *place) names() (names []string) {
	for ; p != nil; p = p.up {
		names = append(names, p.name)
	}
	slices.Reverse(names)
	return names
}

var plainName = regexp.MustCompile(`^[A-Za-z_$][\w$-]*$`)

// String gives the place as people write it: paths["/users"].get.responses.
func (p *place) String() string {
	var text strings.Builder
	for _, name := range p.names() {
		_, err := strconv.Atoi(name)
		switch {
		case err == nil && text.Len() > 0:
			text.WriteString("[" + name + "]")
		case !plainName.MatchString(name):
			text.WriteString("[" + strconv.Quote(name) + "]")
		default:
			if text.Len() > 0 {
				text.WriteByte('.')
			}
			text.WriteString(name)
		}
	}
	if text.Len() == 0 {
		return "the document"
	}
	return text.String()
}

func pointer(names []string) string {
	var text strings.Builder
	for _, name := range names {
		text.WriteByte('/')
		text.WriteString(jsonc.PointerPart(name))
	}
	return text.String()
}

// checker walks one document and collects what is wrong with it.
type checker struct {
	doc  *jsonc.Document
	root *jsonc.Value
	// top is the place of root in doc: the document may stand in a larger one.
	top  *place
	v31  bool
	list diagnostic.List
	// objects are the kinds of object of this version.
	objects map[string]*object
	// schemas is how many schema objects enclose the value in hand.
	schemas int

	references   references
	operationIDs map[string]*place
	links        []found
	requirements []found
}

// found is a value that is judged when everything has been seen.
type found struct {
	value *jsonc.Value
	at    *place
}

func (c *checker) say(severity diagnostic.Severity, rule string, offset int, at *place, format string, args ...any) {
	if len(c.list) >= maxListed {
		return
	}
	if c.v31 && c.schemas > 0 && (rule == ruleType || rule == ruleValue || rule == ruleRequired || rule == ruleUnknown) {
		rule = ruleJSONSchema
	}
	line, column := c.doc.LineColumn(offset)
	c.list = append(c.list, diagnostic.Diagnostic{
		Severity: severity, File: c.doc.File, Line: line, Column: column,
		Path: pointer(append(c.top.names(), at.names()...)), Rule: rule, Message: fmt.Sprintf(format, args...),
	})
}

// fault reports an error at a value.
func (c *checker) fault(rule string, v *jsonc.Value, at *place, format string, args ...any) {
	c.say(diagnostic.Error, rule, v.Start, at, format, args...)
}

// faultAt reports an error at an offset: that of a member's name.
func (c *checker) faultAt(rule string, offset int, at *place, format string, args ...any) {
	c.say(diagnostic.Error, rule, offset, at, format, args...)
}

func (c *checker) warn(rule string, v *jsonc.Value, at *place, format string, args ...any) {
	c.say(diagnostic.Warning, rule, v.Start, at, format, args...)
}

func (c *checker) wrongType(v *jsonc.Value, at *place, allowed string) {
	c.fault(ruleType, v, at, "%s must be %s, found %s", at, allowed, describe(v))
}

// describe says what a value is, in few words.
func describe(v *jsonc.Value) string {
	switch v.Kind {
	case jsonc.Null:
		return "null"
	case jsonc.Boolean:
		return v.Text
	case jsonc.Number:
		return "the number " + v.Text
	case jsonc.Array:
		return "an array"
	case jsonc.Object:
		return "an object"
	}
	if text := []rune(v.Text); len(text) > 60 {
		return strconv.Quote(string(text[:60])) + "…"
	}
	return strconv.Quote(v.Text)
}

// shape judges a value.
type shape func(c *checker, v *jsonc.Value, at *place)

// object is a kind of object: its fields and what else holds for it.
type object struct {
	// noun is what to call it, with its article.
	noun     string
	fields   map[string]shape
	required []string
	// others judges members that are no field, by name; nil and false mean that
	// only fields are allowed. keys says in words what others allows.
	others func(name string) (shape, bool)
	keys   string
	// open objects take any member.
	open bool
	// rules judge the object as a whole, after its members.
	rules []shape
}

// is gives the shape of a kind of object, looked up when it is needed: kinds
// contain each other.
func is(kind string) shape {
	return func(c *checker, v *jsonc.Value, at *place) { c.object(c.objects[kind], v, at) }
}

// object judges a value as an object of a kind.
func (c *checker) object(o *object, v *jsonc.Value, at *place) {
	if v.Kind != jsonc.Object {
		c.wrongType(v, at, "an object")
		return
	}
	if at != nil && at.depth > maxDepth {
		c.fault(ruleType, v, at, "values are nested more than %d deep", maxDepth)
		return
	}
	for _, name := range o.required {
		if v.Get(name) == nil {
			c.fault(ruleRequired, v, at.in(name), "%s is required in %s", at.in(name), o.noun)
		}
	}
	for _, m := range v.Unique() {
		field := at.in(m.Name)
		if of, ok := o.fields[m.Name]; ok {
			of(c, m.Value, field)
			continue
		}
		if strings.HasPrefix(m.Name, "x-") || o.open {
			continue
		}
		if o.others != nil {
			if of, ok := o.others(m.Name); ok {
				of(c, m.Value, field)
				continue
			}
		}
		c.unknown(o, m, field)
	}
	for _, rule := range o.rules {
		rule(c, v, at)
	}
}

// unknown reports a member that an object of the kind cannot have.
func (c *checker) unknown(o *object, m jsonc.Member, at *place) {
	allowed := o.keys
	if allowed == "" {
		names := make([]string, 0, len(o.fields))
		for name := range o.fields {
			names = append(names, name)
		}
		slices.Sort(names)
		allowed = strings.Join(names, ", ")
	}
	c.faultAt(ruleUnknown, m.At, at, "%s: %q is not a field of %s; allowed are %s, and names that begin with x-",
		at.up, m.Name, o.noun, allowed)
}

// The simple shapes.

func anything(*checker, *jsonc.Value, *place) {}

func kind(k jsonc.Kind, noun string) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Kind != k {
			c.wrongType(v, at, noun)
		}
	}
}

var (
	text    = kind(jsonc.String, "a string")
	boolean = kind(jsonc.Boolean, "true or false")
	number  = kind(jsonc.Number, "a number")
)

func list(of shape) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Kind != jsonc.Array {
			c.wrongType(v, at, "an array")
			return
		}
		for i, item := range v.Items {
			of(c, item, at.in(strconv.Itoa(i)))
		}
	}
}

func mapOf(of shape) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Kind != jsonc.Object {
			c.wrongType(v, at, "an object")
			return
		}
		for _, m := range v.Unique() {
			of(c, m.Value, at.in(m.Name))
		}
	}
}

// filled is a map or list with at least one entry.
func filled(of shape) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if (v.Kind == jsonc.Array || v.Kind == jsonc.Object) && len(v.Items)+len(v.Members) == 0 {
			c.fault(ruleValue, v, at, "%s must not be empty", at)
		}
		of(c, v, at)
	}
}

func oneOf(values ...string) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Kind != jsonc.String || !slices.Contains(values, v.Text) {
			c.fault(ruleValue, v, at, "%s must be one of %s, found %s", at, strings.Join(values, ", "), describe(v))
		}
	}
}

// both judges with one shape and then with another.
func both(first, second shape) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		first(c, v, at)
		second(c, v, at)
	}
}

// exclusive forbids two fields beside each other.
func exclusive(a, b string) shape {
	return func(c *checker, v *jsonc.Value, at *place) {
		if v.Get(a) != nil && v.Get(b) != nil {
			c.fault(ruleExclusive, v, at, "%s must not have both %s and %s", at, a, b)
		}
	}
}
