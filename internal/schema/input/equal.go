package input

import (
	"slices"
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// equal compares two values as JSON data: numbers by value, objects without
// regard to order.
func equal(a, b *jsonc.Value) bool {
	return string(canonical(nil, a)) == string(canonical(nil, b))
}

// duplicate finds the two equal items that the platform names, in its order.
// Where the items' schema names scalar types alone, it looks at items of those
// types only, from the last to the first, and names the later one first; else it
// takes the last item that an earlier one equals, and the nearest such.
func duplicate(schema *jsonc.Value, items []*jsonc.Value) (int, int, bool) {
	scalars := scalarTypes(schema)
	if scalars == nil {
		var first, second int
		var ok bool
		last := make(map[string]int, len(items))
		for i, item := range items {
			key := string(canonical(nil, item))
			if before, seen := last[key]; seen {
				first, second, ok = before, i, true
			}
			last[key] = i
		}
		return first, second, ok
	}
	seen := make(map[string]int, len(items))
	for i, item := range slices.Backward(items) {
		if !slices.ContainsFunc(scalars, func(name string) bool { return hasType(item, name) }) {
			continue
		}
		key := string(canonical(nil, item))
		if later, ok := seen[key]; ok {
			return later, i, true
		}
		seen[key] = i
	}
	return 0, 0, false
}

// scalarTypes gives the types that the items' schema names, nil when it names
// none, or one that has parts.
func scalarTypes(schema *jsonc.Value) []string {
	names := typeNames(schema)
	if slices.Contains(names, "object") || slices.Contains(names, "array") || len(names) == 0 {
		return nil
	}
	if schema.Get("nullable").True() {
		names = append(names, "null")
	}
	return names
}

// canonical appends a text that is the same for equal values alone.
func canonical(dst []byte, v *jsonc.Value) []byte {
	switch v.Kind {
	case jsonc.Number:
		f, _ := number(v)
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
