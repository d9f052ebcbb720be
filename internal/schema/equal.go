package schema

import (
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// equal compares two values as JSON data: numbers by value, objects without
// regard to order.
func equal(a, b *jsonc.Value) bool {
	return string(canonical(nil, a)) == string(canonical(nil, b))
}

// duplicate finds the pair of equal items that the platform names: the last
// item that an earlier one equals, and the nearest such earlier one.
func duplicate(items []*jsonc.Value) (earlier, later int, ok bool) {
	last := make(map[string]int, len(items))
	for i, item := range items {
		key := string(canonical(nil, item))
		if before, seen := last[key]; seen {
			earlier, later, ok = before, i, true
		}
		last[key] = i
	}
	return earlier, later, ok
}

// canonical appends a text that is the same for equal values alone.
func canonical(dst []byte, v *jsonc.Value) []byte {
	switch v.Kind {
	case jsonc.Number:
		f, ok := number(v)
		if !ok {
			return append(dst, v.Text...)
		}
		if f == 0 {
			f = 0 // minus zero is zero
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	case jsonc.String:
		return strconv.AppendQuote(dst, v.Text)
	case jsonc.Array:
		dst = append(dst, '[')
		for _, item := range v.Items {
			dst = append(canonical(dst, item), ',')
		}
		return append(dst, ']')
	case jsonc.Object:
		dst = append(dst, '{')
		for _, m := range sorted(v.Unique()) {
			dst = append(strconv.AppendQuote(dst, m.Name), ':')
			dst = append(canonical(dst, m.Value), ',')
		}
		return append(dst, '}')
	default:
		return append(dst, v.Text...)
	}
}
