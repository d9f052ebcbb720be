// Package jsvalue sees JSON values as JavaScript does, where that shows in what
// the platform says: what counts as true, how numbers are written, in which order
// names come.
package jsvalue

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Truthy tells what JavaScript takes for true.
func Truthy(v *jsonc.Value) bool {
	switch {
	case v == nil, v.Kind == jsonc.Null:
		return false
	case v.Kind == jsonc.Boolean:
		return v.True()
	case v.Kind == jsonc.Number:
		n, _ := Number(v)
		return n != 0
	}
	return v.Kind != jsonc.String || v.Text != ""
}

// Number gives a number as JavaScript sees it: infinite when the literal is too
// large for a double.
func Number(v *jsonc.Value) (float64, bool) {
	if !v.Is(jsonc.Number) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(v.Text, 64)
	return f, true
}

// FormatNumber writes a number as JavaScript does.
func FormatNumber(f float64) string {
	if f == 0 {
		return "0" // minus zero, too
	}
	if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		mantissa, exponent, _ := strings.Cut(s, "e")
		sign := exponent[:1]
		return mantissa + "e" + sign + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// Entries gives what JavaScript's Object.entries does for objects and arrays:
// names that are whole numbers come first, in their order.
func Entries(v *jsonc.Value) []jsonc.Member {
	if v == nil {
		return nil
	}
	members := v.Unique()
	for i, item := range v.Items {
		members = append(members, jsonc.Member{Name: strconv.Itoa(i), At: item.Start, Value: item})
	}
	index := func(m jsonc.Member) uint64 {
		n, err := strconv.ParseUint(m.Name, 10, 32)
		if err != nil || n == math.MaxUint32 || len(m.Name) > 1 && m.Name[0] == '0' {
			return math.MaxUint64
		}
		return n
	}
	slices.SortStableFunc(members, func(a, b jsonc.Member) int { return cmp.Compare(index(a), index(b)) })
	return members
}

// Sorted puts members in the order in which JavaScript sorts their names.
func Sorted(members []jsonc.Member) []jsonc.Member {
	slices.SortFunc(members, func(a, b jsonc.Member) int {
		return slices.Compare(utf16.Encode([]rune(a.Name)), utf16.Encode([]rune(b.Name)))
	})
	return members
}
