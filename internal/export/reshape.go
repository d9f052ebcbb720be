package export

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxDepth is how deep objects are taken apart; what lies deeper stays one value.
// It keeps hostile items from costing the square of their size.
const maxDepth = 100

// errBroken is for stored items that are not what a dataset holds.
func errBroken(err error) error {
	return fault.Wrap(fault.Internal, err, "a stored item is not valid JSON")
}

// records gives the members of every resulting item, which are valid until the
// next and may be changed.
func (j *job) records(yield func([]Member) error) error {
	var parsed []Member
	for item, err := range j.items {
		if err != nil {
			return err
		}
		if parsed, err = appendMembers(parsed[:0], item); err != nil {
			return errBroken(err)
		}
		if j.SkipFailed && has(parsed, "errorInfo") {
			if err := j.step(); err != nil {
				return err
			}
			continue
		}
		if err := j.unwind(parsed, j.Unwind, yield); err != nil {
			return err
		}
	}
	return nil
}

// unwind replaces a record by what its fields hold, field after field. One
// record at a time exists: several arrays multiply.
func (j *job) unwind(record []Member, fields []string, yield func([]Member) error) error {
	if len(fields) == 0 {
		return j.finish(record, yield)
	}
	at := find(record, fields[0])
	if at < 0 {
		return j.unwind(record, fields[1:], yield)
	}
	value := record[at].Value
	merge := func(value json.RawMessage) error {
		merged, err := mergeAt(record, at, value)
		if err != nil {
			return errBroken(err)
		}
		return j.unwind(merged, fields[1:], yield)
	}
	switch jsontext.Kind(value) {
	case "an object":
		return merge(value)
	case "an array":
		return eachElement(value, merge)
	}
	return j.unwind(record, fields[1:], yield)
}

// finish applies everything that maps one record to at most one.
func (j *job) finish(members []Member, yield func([]Member) error) error {
	if err := j.step(); err != nil {
		return err
	}
	for _, field := range j.Flatten {
		var err error
		if members, err = flatten(members, field); err != nil {
			return errBroken(err)
		}
	}
	if len(j.Fields) > 0 {
		members = j.pick(members)
	} else if len(j.omit) > 0 || j.SkipHidden {
		members = slices.DeleteFunc(members, func(m Member) bool { return j.unwanted(m.Key) })
	}
	if j.SkipEmpty && len(members) == 0 {
		return nil
	}
	return yield(members)
}

// unwanted tells whether a key is dropped by name.
func (j *job) unwanted(key string) bool {
	return j.omit[key] || j.SkipHidden && strings.HasPrefix(key, "#")
}

// outputName is what the i-th of the fields is called in the result.
func (j *job) outputName(i int) string {
	if len(j.OutputFields) > 0 {
		return j.OutputFields[i]
	}
	return j.Fields[i]
}

// pick keeps what Fields names, in that order and under the output names. Of
// several fields of one output name the last that is there counts.
func (j *job) pick(members []Member) []Member {
	lookup := func(key string) int { return find(members, key) }
	if len(members)*len(j.Fields) > 1<<12 {
		index := make(map[string]int, len(members))
		for i, m := range members {
			index[m.Key] = i
		}
		lookup = func(key string) int {
			if i, ok := index[key]; ok {
				return i
			}
			return -1
		}
	}
	picked := make([]Member, 0, len(j.Fields))
	for i, field := range j.Fields {
		if j.unwanted(field) {
			continue
		}
		if at := lookup(field); at >= 0 {
			picked = append(picked, Member{j.outputName(i), members[at].Value})
		}
	}
	return lastOfEach(picked)
}

// lastOfEach leaves one member of each key: in the place of the first, the value
// of the last, as JSON parsers do with duplicates.
func lastOfEach(members []Member) []Member {
	if len(members) < 2 {
		return members
	}
	at := make(map[string]int, len(members))
	kept := members[:0]
	for _, m := range members {
		if i, ok := at[m.Key]; ok {
			kept[i].Value = m.Value
			continue
		}
		at[m.Key] = len(kept)
		kept = append(kept, m)
	}
	return kept
}

// mergeAt gives record without the member at, merged with value's members,
// whose values win. A value that is no object stays under the member's key.
func mergeAt(record []Member, at int, value json.RawMessage) ([]Member, error) {
	merged := slices.Clone(record)
	if jsontext.Kind(value) != "an object" {
		merged[at].Value = value
		return merged, nil
	}
	merged, err := appendMembers(slices.Delete(merged, at, at+1), value)
	if err != nil {
		return nil, err
	}
	return lastOfEach(merged), nil
}

// flatten replaces the object under field by its members under dotted keys,
// objects inside it too. Arrays and empty objects stay values.
func flatten(members []Member, field string) ([]Member, error) {
	at := find(members, field)
	if at < 0 || jsontext.Kind(members[at].Value) != "an object" {
		return members, nil
	}
	flat, err := appendFlat(nil, field, members[at].Value, maxDepth)
	if err != nil {
		return nil, err
	}
	out := make([]Member, 0, len(members)+len(flat))
	out = append(out, members[:at]...)
	out = append(out, flat...)
	return lastOfEach(append(out, members[at+1:]...)), nil
}

func appendFlat(dst []Member, prefix string, object json.RawMessage, depth int) ([]Member, error) {
	children, err := Members(object)
	if err != nil {
		return nil, err
	}
	if len(children) == 0 {
		return append(dst, Member{prefix, object}), nil
	}
	for _, child := range children {
		key := prefix + "." + child.Key
		if depth > 1 && jsontext.Kind(child.Value) == "an object" {
			if dst, err = appendFlat(dst, key, child.Value, depth-1); err != nil {
				return nil, err
			}
			continue
		}
		dst = append(dst, Member{key, child.Value})
	}
	return dst, nil
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
