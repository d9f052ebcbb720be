package grammar

import (
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// equal compares two values as JSON data: numbers by value, objects without
// regard to order.
func equal(a, b *jsonc.Value) bool {
	return string(canonical(nil, a)) == string(canonical(nil, b))
}

// canonical appends a text that is the same for equal values alone.
func canonical(dst []byte, v *jsonc.Value) []byte {
	switch v.Kind {
	case jsonc.Number:
		f := jsvalue.Number(v)
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
		for _, m := range jsvalue.Sorted(v.Unique()) {
			dst = append(strconv.AppendQuote(dst, m.Name), ':')
			dst = append(canonical(dst, m.Value), ',')
		}
		return append(dst, '}')
	default:
		return append(dst, v.Text...)
	}
}
