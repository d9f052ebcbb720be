package input

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Validate judges an input and returns every complaint: in the order of the
// schema's fields, then as the value is read; what concerns no field of the
// schema comes last. The input should have its defaults already (WithDefaults).
// The error is for what is no JSON at all.
func (in *Schema) Validate(input json.RawMessage) ([]FieldError, error) {
	v, err := parseInput(input)
	if err != nil {
		return nil, err
	}
	if v.Kind != jsonc.Object {
		return []FieldError{{Message: "Field input must be object"}}, nil
	}
	check := &check{in: in}
	check.value(in.root, v, nil)
	check.custom(v)
	if check.err != nil {
		return nil, check.err
	}
	order := make(map[string]int)
	for i, m := range in.properties() {
		order[m.Name] = i
	}
	rank := func(f found) int {
		if at, ok := order[f.top]; ok {
			return at
		}
		return len(order)
	}
	slices.SortStableFunc(check.found, func(a, b found) int { return cmp.Compare(rank(a), rank(b)) })
	var faults []FieldError
	told := make(map[FieldError]bool)
	for _, f := range check.found {
		if !told[f.FieldError] {
			told[f.FieldError] = true
			faults = append(faults, f.FieldError)
		}
	}
	return faults, nil
}

// found is a complaint and the top-level field it belongs to.
type found struct {
	FieldError
	top string
}

// check is one validation under way.
type check struct {
	in    *Schema
	found []found
	err   error
}

// place is where a value stands in the input, nil for the input itself.
type place struct {
	above *place
	name  string
}

// below gives the place of a member or an item.
func (p *place) below(name string) *place { return &place{p, name} }

// escaping is what a name goes through to become part of a path.
var escaping = strings.NewReplacer("~", "~0", "/", "~1")

// path joins the names down to the place with dots.
func (p *place) path() string {
	switch {
	case p == nil:
		return ""
	case p.above == nil:
		return escaping.Replace(p.name)
	default:
		return p.above.path() + "." + escaping.Replace(p.name)
	}
}

// String gives the path as messages spell it.
func (p *place) String() string {
	if p == nil {
		return "input"
	}
	return "input." + p.path()
}

// top gives the name of the top-level field that the place is in.
func (p *place) top() string {
	switch {
	case p == nil:
		return ""
	case p.above == nil:
		return p.name
	default:
		return p.above.top()
	}
}

// report records a complaint about the value at a place. An errorMessage of the
// field for the keyword replaces the text.
func (c *check) report(field *jsonc.Value, keyword string, at *place, format string, args ...any) {
	c.add(at, at.path(), ownMessage(field, keyword, fmt.Sprintf(format, args...)))
}

// reportMember records a complaint about a member that at lacks or should not
// have. An errorMessage replaces the text and is about the object as a whole.
func (c *check) reportMember(field *jsonc.Value, keyword string, at *place, name, format string) {
	member := at.below(name)
	path := strings.TrimPrefix(at.path()+"."+strings.ReplaceAll(name, "/", "."), ".")
	text := fmt.Sprintf(format, "input."+path)
	if own := ownMessage(field, keyword, text); own != text {
		c.add(member, at.path(), own)
		return
	}
	c.add(member, path, text)
}

func (c *check) add(at *place, path, text string) {
	c.found = append(c.found, found{FieldError{Field: path, Message: text}, at.top()})
}

// value judges v by a field's keywords, in the order in which the platform does.
// Keywords for another type than the value's are passed over.
func (c *check) value(field, v *jsonc.Value, at *place) {
	c.typeOf(field, v, at)
	c.enum(field, v, at)
	switch v.Kind {
	case jsonc.Number:
		c.number(field, v, at)
	case jsonc.String:
		c.text(field, v, at)
	case jsonc.Array:
		c.array(field, v, at)
	case jsonc.Object:
		c.object(field, v, at)
	}
}

func (c *check) typeOf(field, v *jsonc.Value, at *place) {
	names := typeNames(field)
	switch {
	case len(names) == 0:
		return
	case slices.ContainsFunc(names, func(name string) bool { return hasType(v, name) }):
		return
	case v.Kind == jsonc.Null && field.Get("nullable").True():
		return
	case v.Kind == jsonc.String && field.Get("isSecret").True() && isEncryptedJSON(v.Text):
		// A secret object or array arrives as one encrypted string.
		return
	}
	c.report(field, "type", at, "Field %s must be %s", at, strings.Join(names, ","))
}

// typeNames gives the types that a field allows, none when any will do.
func typeNames(field *jsonc.Value) []string {
	typ := field.Get("type")
	switch {
	case typ.Is(jsonc.String):
		return []string{typ.Text}
	case typ.Is(jsonc.Array):
		names := make([]string, len(typ.Items))
		for i, t := range typ.Items {
			names[i] = t.Text
		}
		return names
	}
	return nil
}

func hasType(v *jsonc.Value, name string) bool {
	switch name {
	case "integer":
		return isInteger(v)
	case "number":
		_, ok := number(v)
		return ok
	default:
		return string(v.Kind) == name
	}
}

// number gives a number as JavaScript sees it: infinite when the literal is too
// large for a double.
func number(v *jsonc.Value) (float64, bool) {
	if !v.Is(jsonc.Number) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(v.Text, 64)
	return f, true
}

// isInteger holds for 1.0 and 1e3 too.
func isInteger(v *jsonc.Value) bool {
	f, ok := number(v)
	return ok && f == math.Trunc(f)
}

// limit gives the number a keyword of the field sets.
func limit(field *jsonc.Value, keyword string) (float64, *jsonc.Value) {
	v := field.Get(keyword)
	f, ok := number(v)
	if !ok {
		return 0, nil
	}
	return f, v
}

func (c *check) enum(field, v *jsonc.Value, at *place) {
	allowed := field.Get("enum")
	if !allowed.Is(jsonc.Array) {
		return
	}
	var names []string
	for _, a := range allowed.Items {
		if equal(a, v) {
			return
		}
		names = append(names, `"`+a.Text+`"`)
	}
	c.report(field, "enum", at, "Field %s must be equal to one of the allowed values: %s", at, strings.Join(names, ", "))
}

func (c *check) number(field, v *jsonc.Value, at *place) {
	n, ok := number(v)
	if !ok {
		return
	}
	if most, literal := limit(field, "maximum"); literal != nil && n > most {
		c.report(field, "maximum", at, "Field %s must be <= %s", at, shortNumber(most))
	}
	if least, literal := limit(field, "minimum"); literal != nil && n < least {
		c.report(field, "minimum", at, "Field %s must be >= %s", at, shortNumber(least))
	}
}

// shortNumber writes a number as JavaScript does.
func shortNumber(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		mantissa, exponent, _ := strings.Cut(s, "e")
		sign := exponent[:1]
		return mantissa + "e" + sign + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// count reports when n passes a field's upper or lower bound.
func (c *check) count(field *jsonc.Value, suffix, noun string, n int, at *place) {
	if most, literal := limit(field, "max"+suffix); literal != nil && float64(n) > most {
		c.report(field, "max"+suffix, at, "Field %s must NOT have more than %s %s", at, shortNumber(most), noun)
	}
	if least, literal := limit(field, "min"+suffix); literal != nil && float64(n) < least {
		c.report(field, "min"+suffix, at, "Field %s must NOT have fewer than %s %s", at, shortNumber(least), noun)
	}
}

func (c *check) text(field, v *jsonc.Value, at *place) {
	c.count(field, "Length", "characters", utf8.RuneCountInString(v.Text), at)
	if pattern := field.Get("pattern"); pattern != nil && !c.matches(pattern, v.Text) {
		c.report(field, "pattern", at, `Field %s must match pattern "%s"`, at, pattern.Text)
	}
}

func (c *check) array(field, v *jsonc.Value, at *place) {
	c.count(field, "Items", "items", len(v.Items), at)
	items := field.Get("items")
	if items.Is(jsonc.Object) {
		for i, item := range v.Items {
			c.value(items, item, at.below(strconv.Itoa(i)))
		}
	}
	if field.Get("uniqueItems").True() {
		if i, j, ok := duplicate(items, v.Items); ok {
			c.report(field, "uniqueItems", at, "Field %s must NOT have duplicate items (items ## %d and %d are identical)", at, i, j)
		}
	}
}

func (c *check) object(field, v *jsonc.Value, at *place) {
	members := v.Unique()
	c.count(field, "Properties", "properties", len(members), at)
	have := make(map[string]*jsonc.Value, len(members))
	for _, m := range members {
		have[m.Name] = m.Value
	}
	if required := field.Get("required"); required.Is(jsonc.Array) {
		for _, name := range required.Items {
			if _, ok := have[name.Text]; !ok {
				c.reportMember(field, "required", at, name.Text, "Field %s is required")
			}
		}
	}
	properties := field.Get("properties")
	if more := field.Get("additionalProperties"); more.Is(jsonc.Boolean) && !more.True() {
		for _, m := range members {
			if properties.Get(m.Name) == nil {
				c.reportMember(field, "additionalProperties", at, m.Name, "Property %s is not allowed.")
			}
		}
	}
	if !properties.Is(jsonc.Object) {
		return
	}
	for _, f := range properties.Unique() {
		if value, ok := have[f.Name]; ok {
			c.value(f.Value, value, at.below(f.Name))
		}
	}
}
