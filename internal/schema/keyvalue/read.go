package keyvalue

import (
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// The rules that diagnostics name.
const (
	rule      = "key-value-store-schema"
	olderForm = "older-form"
	unknown   = "unknown-field"
	overlap   = "overlapping-collections"
)

const versionMember = "actorKeyValueStoreSchemaVersion"

// What the objects of a schema may hold. The platform ignores other members.
var (
	rootMembers       = []string{versionMember, "title", "description", "type", "collections", "$schema"}
	collectionMembers = []string{"title", "description", "key", "keyPrefix", "contentTypes", "jsonSchema"}
)

// Of the whitepaper's first version.
const (
	olderType    = "schemaType"
	olderVersion = "schemaVersion"
	olderTitle   = "name"
)

var (
	// keyCharacters are those of a record's key; up to maxKey of them.
	keyCharacters = regexp.MustCompile(`^[a-zA-Z0-9!\-_.'()]*$`)
	mediaType     = regexp.MustCompile(`^(\*/\*|[a-zA-Z0-9!#$&^_.+-]+/(\*|[a-zA-Z0-9!#$&^_.+-]+))$`)
)

const maxKey = 256

// reader fills a Schema and collects what is wrong.
type reader struct {
	shape.Report
	schema *Schema
}

func (r *reader) read(root *jsonc.Value) {
	known := rootMembers
	if root.Get(versionMember) == nil && root.Get(olderType).Is(jsonc.String) && root.Get(olderType).Text == "KeyValueStoreSchema" {
		r.Warn(olderForm, root.Get(olderType), "is an older form that the platform refuses: write %q: 1", versionMember)
		known = append([]string{olderType, olderVersion}, known...)
	} else {
		r.Version(root, versionMember)
	}
	title, older := r.title(root)
	if older {
		known = append([]string{olderTitle}, known...)
	}
	r.schema.title = title
	if root.Get("title") == nil && !older {
		r.Error(root, `needs a "title", which is missing`)
	}
	r.Text(root, "description")
	r.Text(root, "$schema")
	if typ := root.Get("type"); typ != nil && (typ.Kind != jsonc.String || typ.Text != "object") {
		r.Error(typ, `must be "object", found %s`, shape.Describe(typ))
	}
	r.ignored(root, "a key-value store schema", known)
	collections := root.Get("collections")
	if collections == nil {
		r.Error(root, `needs "collections", which are missing`)
	}
	if !r.Is(collections, jsonc.Object) {
		return
	}
	var members []jsonc.Member // of the collections that are objects
	for _, m := range collections.Unique() {
		if c, ok := r.collection(m); ok {
			r.schema.collections = append(r.schema.collections, c)
			members = append(members, m)
		}
	}
	r.overlaps(members)
}

// title gives an object's title, from its older name if need be.
func (r *reader) title(v *jsonc.Value) (title string, older bool) {
	if name := v.Get(olderTitle); v.Get("title") == nil && name.Is(jsonc.String) {
		r.Warn(olderForm, name, `is an older form that the platform does not read: call it "title"`)
		return name.Text, true
	}
	return r.Text(v, "title"), false
}

// ignored warns about members that have no effect.
func (r *reader) ignored(v *jsonc.Value, owner string, known []string) {
	for _, m := range shape.Unknown(v, known) {
		r.WarnMember(unknown, m, "has no effect: it is not a field of %s, which has %s%s",
			owner, strings.Join(known, ", "), shape.Meant(m.Name, known))
	}
}

// collection reads a collection; false when it is no object.
func (r *reader) collection(m jsonc.Member) (Collection, bool) {
	c, v := Collection{Name: m.Name}, m.Value
	if !r.Is(v, jsonc.Object) {
		return c, false
	}
	known := collectionMembers
	title, older := r.title(v)
	if older {
		known = append([]string{olderTitle}, known...)
	}
	r.ignored(v, "a collection", known)
	c.Title, c.Description = title, r.Text(v, "description")
	c.Key, c.KeyPrefix = r.key(v, "key"), r.key(v, "keyPrefix")
	switch key, prefix := v.Get("key"), v.Get("keyPrefix"); {
	case key == nil && prefix == nil:
		r.Error(v, `needs either "key", for one record, or "keyPrefix", for all records whose keys begin with it; both are missing`)
	case key != nil && prefix != nil:
		r.Error(v, `must have either "key" or "keyPrefix", found both`)
	}
	types := v.Get("contentTypes")
	c.ContentTypes = r.Texts(v, "contentTypes")
	if types.Is(jsonc.Array) {
		for _, t := range types.Items {
			if t.Kind == jsonc.String && !mediaType.MatchString(bare(t.Text)) {
				r.Warn(rule, t, "is not a content type, so no record will have it: found %s, such as text/html or image/* are meant", shape.Describe(t))
			}
		}
	}
	if schema := v.Get("jsonSchema"); schema != nil {
		r.value(&c, v, schema)
	}
	return c, true
}

// key reads a key or the beginning of keys.
func (r *reader) key(v *jsonc.Value, name string) string {
	text := r.Text(v, name)
	at := v.Get(name)
	switch {
	case !at.Is(jsonc.String):
	case text == "":
		r.Error(at, "must not be empty")
	case len(text) > maxKey || !keyCharacters.MatchString(text):
		r.Warn(rule, at, "is %s, which no record's key can be: keys are up to %d of a-z A-Z 0-9 ! - _ . ' ( )", shape.Quote(text), maxKey)
	}
	return text
}

// value reads the JSON Schema of a collection's records.
func (r *reader) value(c *Collection, v, schema *jsonc.Value) {
	switch types := v.Get("contentTypes"); {
	case types == nil:
		r.Error(schema, `needs "contentTypes": ["application/json"] beside it, which is missing`)
	case types.Kind == jsonc.Array && (len(types.Items) != 1 || !types.Items[0].Is(jsonc.String) || types.Items[0].Text != "application/json"):
		r.Error(types, `must be exactly ["application/json"] where there is a jsonSchema, found %.200s`, types.JSON())
	}
	if schema.Kind != jsonc.Object && schema.Kind != jsonc.Boolean {
		r.Error(schema, "must be an object, a JSON schema, found %s", shape.Describe(schema))
		return
	}
	compiled, list := jsonschema.Compile(r.Doc, schema, jsonschema.Options{AllErrors: true, Formats: true})
	r.Add(schema, list)
	c.value = compiled
}

// maxCompared bounds how many collections are compared with each other.
const maxCompared = 200

// overlaps warns about collections that share records but no content type, so
// that nothing can be stored under the keys that they share. The members are
// those of the collections.
func (r *reader) overlaps(members []jsonc.Member) {
	all := r.schema.collections[:min(len(r.schema.collections), maxCompared)]
	for i, c := range all {
		for _, other := range all[:i] {
			if !share(c, other) || compatible(c.ContentTypes, other.ContentTypes) {
				continue
			}
			r.WarnMember(overlap, members[i], "shares keys with %s, and no content type is allowed in both: a record under such a key must match both",
				shape.Quote(other.Name))
		}
	}
}

// share reports whether a key can belong to both collections.
func share(a, b Collection) bool {
	switch {
	case a.Key == "" && a.KeyPrefix == "", b.Key == "" && b.KeyPrefix == "":
		return false // faulty
	case a.Key != "":
		return b.Matches(a.Key)
	case b.Key != "":
		return a.Matches(b.Key)
	}
	return strings.HasPrefix(a.KeyPrefix, b.KeyPrefix) || strings.HasPrefix(b.KeyPrefix, a.KeyPrefix)
}

// compatible reports whether a record can have a content type of both lists.
func compatible(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	for _, x := range a {
		for _, y := range b {
			if allows(x, y) || allows(y, x) {
				return true
			}
		}
	}
	return false
}
