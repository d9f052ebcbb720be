package schema

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
func (in *Input) Validate(input json.RawMessage) ([]FieldError, error) {
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
	faults := make([]FieldError, len(check.found))
	for i, f := range check.found {
		faults[i] = f.FieldError
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
	in    *Input
	found []found
	err   error
}

// report records a complaint about the value at path. An errorMessage of the
// field for the keyword replaces the text.
func (c *check) report(field *jsonc.Value, keyword string, path []string, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if own := field.Get("errorMessage").Get(keyword); own.Is(jsonc.String) {
		text = own.Text
	}
	f := found{FieldError: FieldError{Field: strings.Join(path, "."), Message: text}}
	if len(path) > 0 {
		f.top = path[0]
	}
	c.found = append(c.found, f)
}

// value judges v by a field's keywords. Keywords for another type than the
// value's are passed over, so that a wrong type gives one complaint.
func (c *check) value(field, v *jsonc.Value, path []string) {
	at := "input." + strings.Join(path, ".")
	c.typeOf(field, v, path, at)
	c.enum(field, v, path, at)
	switch v.Kind {
	case jsonc.Number:
		c.number(field, v, path, at)
	case jsonc.String:
		c.text(field, v, path, at)
	case jsonc.Array:
		c.array(field, v, path, at)
	case jsonc.Object:
		c.object(field, v, path, at)
	}
}

func (c *check) typeOf(field, v *jsonc.Value, path []string, at string) {
	typ := field.Get("type")
	if typ == nil {
		return
	}
	names := []string{typ.Text}
	if typ.Kind == jsonc.Array {
		names = names[:0]
		for _, t := range typ.Items {
			names = append(names, t.Text)
		}
	}
	switch {
	case slices.ContainsFunc(names, func(name string) bool { return hasType(v, name) }):
		return
	case v.Kind == jsonc.Null && field.Get("nullable").True():
		return
	case v.Kind == jsonc.String && field.Get("isSecret").True() && isEncryptedJSON(v.Text):
		// A secret object or array arrives as one encrypted string.
		return
	}
	c.report(field, "type", path, "Field %s must be %s", at, strings.Join(names, ","))
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

// number gives a number as JavaScript sees it; a literal too large for a double
// is no number at all.
func number(v *jsonc.Value) (float64, bool) {
	if !v.Is(jsonc.Number) {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	return f, err == nil && !math.IsInf(f, 0)
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

func (c *check) enum(field, v *jsonc.Value, path []string, at string) {
	allowed := field.Get("enum")
	if !allowed.Is(jsonc.Array) {
		return
	}
	var names []string
	for _, a := range allowed.Items {
		if equal(a, v) {
			return
		}
		if a.Kind == jsonc.String {
			names = append(names, `"`+a.Text+`"`)
		} else {
			names = append(names, string(a.JSON()))
		}
	}
	c.report(field, "enum", path, "Field %s must be equal to one of the allowed values: %s", at, strings.Join(names, ", "))
}

func (c *check) number(field, v *jsonc.Value, path []string, at string) {
	n, ok := number(v)
	if !ok {
		return
	}
	if most, literal := limit(field, "maximum"); literal != nil && n > most {
		c.report(field, "maximum", path, "Field %s must be <= %s", at, shortNumber(most))
	}
	if least, literal := limit(field, "minimum"); literal != nil && n < least {
		c.report(field, "minimum", path, "Field %s must be >= %s", at, shortNumber(least))
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
func (c *check) count(field *jsonc.Value, suffix, noun string, n int, path []string, at string) {
	if most, literal := limit(field, "max"+suffix); literal != nil && float64(n) > most {
		c.report(field, "max"+suffix, path, "Field %s must NOT have more than %s %s", at, shortNumber(most), noun)
	}
	if least, literal := limit(field, "min"+suffix); literal != nil && float64(n) < least {
		c.report(field, "min"+suffix, path, "Field %s must NOT have fewer than %s %s", at, shortNumber(least), noun)
	}
}

func (c *check) text(field, v *jsonc.Value, path []string, at string) {
	c.count(field, "Length", "characters", utf8.RuneCountInString(v.Text), path, at)
	if pattern := field.Get("pattern"); pattern != nil && !c.matches(pattern, v.Text) {
		c.report(field, "pattern", path, `Field %s must match pattern "%s"`, at, pattern.Text)
	}
}

func (c *check) array(field, v *jsonc.Value, path []string, at string) {
	c.count(field, "Items", "items", len(v.Items), path, at)
	if items := field.Get("items"); items.Is(jsonc.Object) {
		for i, item := range v.Items {
			c.value(items, item, append(slices.Clip(path), strconv.Itoa(i)))
		}
	}
	if field.Get("uniqueItems").True() {
		if i, j, ok := duplicate(v.Items); ok {
			c.report(field, "uniqueItems", path, "Field %s must NOT have duplicate items (items ## %d and %d are identical)", at, j, i)
		}
	}
}

func (c *check) object(field, v *jsonc.Value, path []string, at string) {
	members := v.Unique()
	if field != c.in.root {
		c.count(field, "Properties", "properties", len(members), path, at)
	}
	have := make(map[string]*jsonc.Value, len(members))
	for _, m := range members {
		have[m.Name] = m.Value
	}
	if required := field.Get("required"); required.Is(jsonc.Array) {
		for _, name := range required.Items {
			if _, ok := have[name.Text]; !ok {
				below := append(slices.Clip(path), name.Text)
				c.report(field, "required", below, "Field input.%s is required", strings.Join(below, "."))
			}
		}
	}
	properties := field.Get("properties")
	if more := field.Get("additionalProperties"); more.Is(jsonc.Boolean) && !more.True() {
		for _, m := range members {
			if properties.Get(m.Name) == nil {
				below := append(slices.Clip(path), m.Name)
				c.report(field, "additionalProperties", below, "Property input.%s is not allowed.", strings.Join(below, "."))
			}
		}
	}
	if !properties.Is(jsonc.Object) {
		return
	}
	for _, f := range properties.Unique() {
		if value, ok := have[f.Name]; ok {
			c.value(f.Value, value, append(slices.Clip(path), f.Name))
		}
	}
}
