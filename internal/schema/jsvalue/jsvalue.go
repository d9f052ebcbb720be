// Package jsvalue sees JSON values as JavaScript does, where that shows in what
// the platform says: what counts as true, how numbers and texts are read and
// written, in which order names come, what is equal.
package jsvalue

import (
	"slices"
	"strconv"
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
		return Number(v) != 0
	}
	return v.Kind != jsonc.String || v.Text != ""
}

// Entries gives what JavaScript's Object.entries does for objects and arrays:
// names that are whole numbers come first, in their order.
func Entries(v *jsonc.Value) []jsonc.Member {
	if v == nil {
		return nil
	}
	members := slices.Clone(Members(v))
	for i, item := range v.Items {
		members = append(members, jsonc.Member{Name: strconv.Itoa(i), At: item.Start, Value: item})
	}
	return members
}

// Sorted puts members in the order in which JavaScript sorts their names.
func Sorted(members []jsonc.Member) []jsonc.Member {
	slices.SortFunc(members, func(a, b jsonc.Member) int {
		return slices.Compare(utf16.Encode([]rune(a.Name)), utf16.Encode([]rune(b.Name)))
	})
	return members
}
