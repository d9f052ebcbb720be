package typegen

import (
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// reference makes the type of a schema that refers to another. What is a
// definition or an object gets a name; words beside a reference to a simple type
// make another simple type.
func (r *reader) reference(v *jsonc.Value, ref string) *typ {
	target, name := r.resolve(ref)
	if target == nil {
		r.fail("the schema refers to %q, which is not in it", ref)
		return &typ{kind: unknownType}
	}
	if t := r.named[target]; t != nil {
		return t
	}
	s := newSchema(target)
	composed := s.isRecord() || s.isList() || s.has("anyOf") || s.has("oneOf") || s.has("allOf") || s.has("$ref")
	if len(v.Unique()) > 1 && !composed {
		merged := &jsonc.Value{Kind: jsonc.Object, Start: v.Start}
		for _, m := range v.Unique() {
			if m.Name != "$ref" {
				merged.Members = append(merged.Members, m)
			}
		}
		for _, m := range target.Unique() {
			if merged.Get(m.Name) == nil {
				merged.Members = append(merged.Members, m)
			}
		}
		return r.shape(merged, asWritten)
	}
	if !r.definitions[target] && !composed {
		return r.read(target, asWritten)
	}
	t := &typ{}
	r.named[target] = t
	name = r.names.unique(safeName(strings.TrimSuffix(name, path.Ext(name))))
	*t = *r.read(target, asWritten)
	t.name = name
	return t
}

var unescapes = strings.NewReplacer("~1", "/", "~0", "~")

// resolve follows a reference inside of the schema, and gives the last name on
// the way.
func (r *reader) resolve(ref string) (*jsonc.Value, string) {
	fragment, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, ""
	}
	fragment, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, ""
	}
	at, name := r.root, ""
	if fragment == "" {
		return at, name
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(fragment, "/"), "/") {
		name = unescapes.Replace(part)
		if i, err := strconv.Atoi(name); err == nil && at.Is(jsonc.Array) && i >= 0 && i < len(at.Items) {
			at = at.Items[i]
		} else if at = at.Get(name); at == nil {
			return nil, ""
		}
	}
	return at, name
}

// collect finds the definitions, wherever they stand.
func (r *reader) collect(v *jsonc.Value) {
	for _, m := range v.Members {
		if m.Name == "definitions" || m.Name == "$defs" {
			for _, d := range m.Value.Members {
				r.definitions[d.Value] = true
			}
		}
		r.collect(m.Value)
	}
	for _, item := range v.Items {
		r.collect(item)
	}
}
