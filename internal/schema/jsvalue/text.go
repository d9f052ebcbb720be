package jsvalue

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Few is the number of members up to which an object is searched from end to
// end instead of through an index.
const Few = 16

// Number gives a JSON number as JavaScript reads it: a double, infinite when
// it is too large for one.
func Number(v *jsonc.Value) float64 {
	f, _ := strconv.ParseFloat(v.Text, 64)
	return f
}

// AppendNumber writes a number as JavaScript does.
func AppendNumber(dst []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0') // the sign of a zero is not shown
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	dst = append(append(append(dst, mantissa...), 'e'), exponent[0])
	return append(dst, strings.TrimLeft(exponent[1:], "0")...)
}

// NumberText is AppendNumber as a text.
func NumberText(f float64) string { return string(AppendNumber(nil, f)) }

// AppendNumberJSON writes a number as JSON.stringify does.
func AppendNumberJSON(dst []byte, f float64) []byte {
	if math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return AppendNumber(dst, f)
}

// AppendString writes a string as JSON.stringify does.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// AppendJSON writes a value as JavaScript does that has read and writes it.
func AppendJSON(dst []byte, v *jsonc.Value) []byte {
	switch v.Kind {
	case jsonc.String:
		return AppendString(dst, v.Text)
	case jsonc.Number:
		return AppendNumberJSON(dst, Number(v))
	case jsonc.Array:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, item)
		}
		return append(dst, ']')
	case jsonc.Object:
		dst = append(dst, '{')
		for i, m := range Members(v) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, m.Name), ':')
			dst = AppendJSON(dst, m.Value)
		}
		return append(dst, '}')
	}
	return append(dst, v.Text...)
}

// AppendKey writes what is the same for equal values and differs for others.
func AppendKey(dst []byte, v *jsonc.Value) []byte {
	switch v.Kind {
	case jsonc.String:
		return appendKeyText(append(dst, 's'), v.Text)
	case jsonc.Number:
		return append(AppendNumber(append(dst, 'n'), Number(v)), ';')
	case jsonc.Array:
		dst = append(dst, '[')
		for _, item := range v.Items {
			dst = AppendKey(dst, item)
		}
		return append(dst, ']')
	case jsonc.Object:
		members := slices.Clone(Members(v))
		slices.SortFunc(members, func(a, b jsonc.Member) int { return strings.Compare(a.Name, b.Name) })
		dst = append(dst, '{')
		for _, m := range members {
			dst = AppendKey(appendKeyText(dst, m.Name), m.Value)
		}
		return append(dst, '}')
	}
	return append(dst, v.Text[0]) // n, t or f; a number has digits after its n
}

func appendKeyText(dst []byte, s string) []byte {
	dst = append(strconv.AppendInt(dst, int64(len(s)), 10), ':')
	return append(dst, s...)
}

// Members gives an object's members as JavaScript goes through them: each name
// once, at its first place with its last value, and names that are array
// indexes first and in their order.
func Members(v *jsonc.Value) []jsonc.Member {
	members := v.Members
	if Repeats(members) {
		members = v.Unique()
	}
	if !slices.ContainsFunc(members, func(m jsonc.Member) bool { _, ok := Index(m.Name); return ok }) {
		return members
	}
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b jsonc.Member) int {
		i, isIndex := Index(a.Name)
		j, other := Index(b.Name)
		switch {
		case isIndex && other:
			return int(i - j)
		case isIndex:
			return -1
		case other:
			return 1
		}
		return 0
	})
	return members
}

// Repeats reports whether a name comes more than once.
func Repeats(members []jsonc.Member) bool {
	if len(members) > Few {
		seen := make(map[string]struct{}, len(members))
		for i := range members {
			seen[members[i].Name] = struct{}{}
		}
		return len(seen) < len(members)
	}
	for i := range members {
		for j := range i {
			if members[i].Name == members[j].Name {
				return true
			}
		}
	}
	return false
}

// Index reads a name that JavaScript takes for an array index.
func Index(name string) (int64, bool) {
	if name == "" || len(name) > 10 || name[0] < '0' || name[0] > '9' || name[0] == '0' && len(name) > 1 {
		return 0, false
	}
	n, err := strconv.ParseInt(name, 10, 64)
	return n, err == nil && n < math.MaxUint32
}
