package jsonschema

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/schema/format"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// limit compiles maximum and its like.
func (b *builder) limit(name string, value *jsonc.Value) rule {
	if !value.Is(jsonc.Number) {
		return nil
	}
	bound := jsvalue.Number(value)
	var sign string
	var fits func(f float64) bool
	switch name {
	case "maximum":
		sign, fits = "<=", func(f float64) bool { return f <= bound }
	case "minimum":
		sign, fits = ">=", func(f float64) bool { return f >= bound }
	case "exclusiveMaximum":
		sign, fits = "<", func(f float64) bool { return f < bound }
	default:
		sign, fits = ">", func(f float64) bool { return f > bound }
	}
	params := jsvalue.AppendNumberJSON([]byte(`{"comparison":"`+sign+`","limit":`), bound)
	wrong := b.complaint(name, string(params)+"}", "must be "+sign+" "+jsvalue.NumberText(bound))
	return func(r *run, m mode, v *jsonc.Value) bool { return fits(jsvalue.Number(v)) || r.fail(m, v, wrong) }
}

func (b *builder) multipleOf(name string, value *jsonc.Value) rule {
	if !value.Is(jsonc.Number) {
		return nil
	}
	unit := jsvalue.Number(value)
	params := jsvalue.AppendNumberJSON([]byte(`{"multipleOf":`), unit)
	wrong := b.complaint(name, string(params)+"}", "must be multiple of "+jsvalue.NumberText(unit))
	return func(r *run, m mode, v *jsonc.Value) bool {
		quotient := jsvalue.Number(v) / unit
		// JavaScript's parseInt reads no exponent, which numbers from 1e21
		// on are written with.
		whole := isInteger(quotient) && math.Abs(quotient) < 1e21
		return whole && unit != 0 || r.fail(m, v, wrong)
	}
}

// count compiles a keyword that limits how many of something there may be; a
// name that begins with "max" limits from above.
func (b *builder) count(name string, value *jsonc.Value, noun string, of func(v *jsonc.Value) int) rule {
	if !value.Is(jsonc.Number) {
		return nil
	}
	bound := jsvalue.Number(value)
	upper, word := name[:3] == "max", "fewer"
	if upper {
		word = "more"
	}
	wrong := b.complaint(name, string(jsvalue.AppendNumberJSON([]byte(`{"limit":`), bound))+"}",
		fmt.Sprintf("must NOT have %s than %s %s", word, jsvalue.NumberText(bound), noun))
	return func(r *run, m mode, v *jsonc.Value) bool {
		n := float64(of(v))
		if upper && n > bound || !upper && n < bound {
			return r.fail(m, v, wrong)
		}
		return true
	}
}

func (b *builder) length(name string, value *jsonc.Value) rule {
	return b.count(name, value, "characters", func(v *jsonc.Value) int { return utf8.RuneCountInString(v.Text) })
}

func (b *builder) itemCount(name string, value *jsonc.Value) rule {
	return b.count(name, value, "items", func(v *jsonc.Value) int { return len(v.Items) })
}

func (b *builder) memberCount(name string, value *jsonc.Value) rule {
	return b.count(name, value, "properties", func(v *jsonc.Value) int {
		if jsvalue.Repeats(v.Members) {
			return len(v.Unique())
		}
		return len(v.Members)
	})
}

func (b *builder) textPattern(name string, value *jsonc.Value) rule {
	if !value.Is(jsonc.String) {
		return nil
	}
	re, text := b.pattern(value.Text, value), value.Text
	if re == nil {
		return nil
	}
	params := jsvalue.AppendString([]byte(`{"pattern":`), text)
	wrong := b.complaint(name, string(params)+"}", `must match pattern "`+text+`"`)
	return func(r *run, m mode, v *jsonc.Value) bool {
		ok := r.match(re, text, v.Text, v, wrong.node, name)
		return !r.left && (ok || r.fail(m, v, wrong))
	}
}

func (b *builder) stringFormat(name string, value *jsonc.Value) rule {
	check := format.Text(value.Text)
	if !b.opts.Formats || check == nil {
		return nil
	}
	wrong := b.formatComplaint(name, value)
	return func(r *run, m mode, v *jsonc.Value) bool {
		r.spend(len(v.Text)/8, v, wrong.node)
		return !r.left && (check(v.Text) || r.fail(m, v, wrong))
	}
}

func (b *builder) numberFormat(name string, value *jsonc.Value) rule {
	check := format.Number(value.Text)
	if !b.opts.Formats || check == nil {
		return nil
	}
	wrong := b.formatComplaint(name, value)
	return func(r *run, m mode, v *jsonc.Value) bool { return check(jsvalue.Number(v)) || r.fail(m, v, wrong) }
}

func (b *builder) formatComplaint(name string, value *jsonc.Value) *complaint {
	params := jsvalue.AppendString([]byte(`{"format":`), value.Text)
	return b.complaint(name, string(params)+"}", `must match format "`+value.Text+`"`)
}
