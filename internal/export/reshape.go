package export

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// eachRecord gives the members of every resulting item.
func (o Options) eachRecord(items Items, yield func([]Member) error) error {
	var parsed []Member
	for item, err := range items {
		if err != nil {
			return err
		}
		if parsed, err = appendMembers(parsed[:0], item); err != nil {
			return fault.Wrap(fault.Internal, err, "a stored item is not a JSON object")
		}
		if o.SkipFailed && has(parsed, "errorInfo") {
			continue
		}
		if len(o.Unwind) == 0 {
			if err := o.finish(parsed, yield); err != nil {
				return err
			}
			continue
		}
		records, err := unwind(parsed, o.Unwind)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "a stored item is not valid JSON")
		}
		for _, record := range records {
			if err := o.finish(record, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish applies everything that maps one record to at most one.
func (o Options) finish(members []Member, yield func([]Member) error) error {
	for _, field := range o.Flatten {
		var err error
		if members, err = flatten(members, field); err != nil {
			return fault.Wrap(fault.Internal, err, "a stored item is not valid JSON")
		}
	}
	if len(o.Fields) > 0 {
		members = o.pick(members)
	} else if len(o.Omit) > 0 {
		members = drop(members, func(key string) bool { return slices.Contains(o.Omit, key) })
	}
	if o.SkipHidden {
		members = drop(members, func(key string) bool { return strings.HasPrefix(key, "#") })
	}
	if o.SkipEmpty && len(members) == 0 {
		return nil
	}
	return yield(members)
}

// pick keeps what Fields names, in that order and under the output names.
func (o Options) pick(members []Member) []Member {
	picked := make([]Member, 0, len(o.Fields))
	for i, field := range o.Fields {
		if slices.Contains(o.Omit, field) {
			continue
		}
		at := find(members, field)
		if at < 0 {
			continue
		}
		name := field
		if len(o.OutputFields) > 0 {
			name = o.OutputFields[i]
		}
		picked = append(picked, Member{name, members[at].Value})
	}
	return picked
}

// unwind replaces a record by what its fields hold, field after field.
func unwind(record []Member, fields []string) ([][]Member, error) {
	records := [][]Member{record}
	for _, field := range fields {
		var next [][]Member
		for _, r := range records {
			at := find(r, field)
			if at < 0 {
				next = append(next, r)
				continue
			}
			value := r[at].Value
			switch Kind(value) {
			case "an object":
				merged, err := mergeAt(r, at, value)
				if err != nil {
					return nil, err
				}
				next = append(next, merged)
			case "an array":
				elements, err := Elements(value)
				if err != nil {
					return nil, err
				}
				for _, element := range elements {
					merged, err := mergeAt(r, at, element)
					if err != nil {
						return nil, err
					}
					next = append(next, merged)
				}
			default:
				next = append(next, r)
			}
		}
		records = next
	}
	return records, nil
}

// mergeAt gives record without the member at, merged with value's members,
// whose values win. A value that is no object stays under the member's key.
func mergeAt(record []Member, at int, value json.RawMessage) ([]Member, error) {
	merged := slices.Clone(record)
	if Kind(value) != "an object" {
		merged[at].Value = value
		return merged, nil
	}
	merged = slices.Delete(merged, at, at+1)
	children, err := Members(value)
	if err != nil {
		return nil, err
	}
	for _, child := range children {
		if i := find(merged, child.Key); i >= 0 {
			merged[i].Value = child.Value
		} else {
			merged = append(merged, child)
		}
	}
	return merged, nil
}

// flatten replaces the object under field by its members under dotted keys,
// objects inside it too. Arrays and empty objects stay values.
func flatten(members []Member, field string) ([]Member, error) {
	at := find(members, field)
	if at < 0 || Kind(members[at].Value) != "an object" {
		return members, nil
	}
	flat, err := appendFlat(nil, field, members[at].Value)
	if err != nil {
		return nil, err
	}
	out := make([]Member, 0, len(members)+len(flat))
	out = append(out, members[:at]...)
	out = append(out, flat...)
	return append(out, members[at+1:]...), nil
}

func appendFlat(dst []Member, prefix string, object json.RawMessage) ([]Member, error) {
	children, err := Members(object)
	if err != nil {
		return nil, err
	}
	if len(children) == 0 {
		return append(dst, Member{prefix, object}), nil
	}
	for _, child := range children {
		key := prefix + "." + child.Key
		if Kind(child.Value) == "an object" {
			if dst, err = appendFlat(dst, key, child.Value); err != nil {
				return nil, err
			}
			continue
		}
		dst = append(dst, Member{key, child.Value})
	}
	return dst, nil
}

func drop(members []Member, unwanted func(key string) bool) []Member {
	kept := make([]Member, 0, len(members))
	for _, m := range members {
		if !unwanted(m.Key) {
			kept = append(kept, m)
		}
	}
	return kept
}

// find gives the index of the last member of that key, as JSON parsers do with
// duplicates, or -1.
func find(members []Member, key string) int {
	for i := len(members) - 1; i >= 0; i-- {
		if members[i].Key == key {
			return i
		}
	}
	return -1
}

func has(members []Member, key string) bool {
	i := find(members, key)
	return i >= 0 && string(members[i].Value) != "null"
}
