package output

import (
	"net/url"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// The rules that diagnostics name.
const (
	rule      = "output-schema"
	olderForm = "older-form"
	unknown   = "unknown-field"
	variable  = "template-variable"
)

const versionMember = "actorOutputSchemaVersion"

// What a schema may hold, where the platform ignores the rest, and a property,
// where it refuses it.
var (
	rootMembers     = []string{versionMember, "title", "description", "properties", "type", "$schema"}
	propertyMembers = []string{"type", "template", "title", "description"}
	// olderMembers are what the whitepaper's properties may have besides.
	olderMembers = []string{"resourceType", "schema", "views", "keys"}
)

// reader fills a Schema and collects what is wrong.
type reader struct {
	shape.Report
	schema *Schema
}

func (r *reader) read(root *jsonc.Value) {
	r.Version(root, versionMember)
	r.schema.title = r.Text(root, "title")
	r.Text(root, "description")
	r.Text(root, "$schema")
	for _, m := range shape.Unknown(root, rootMembers) {
		r.WarnMember(unknown, m, "has no effect: it is not a field of an output schema, which has %s%s",
			strings.Join(rootMembers, ", "), shape.Meant(m.Name, rootMembers))
	}
	properties := root.Get("properties")
	if properties == nil {
		r.Error(root, `needs "properties", which are missing; {} says that there is no output`)
	}
	if !r.Is(properties, jsonc.Object) {
		return
	}
	for _, m := range properties.Unique() {
		if r.Is(m.Value, jsonc.Object) {
			r.schema.properties = append(r.schema.properties, r.property(m))
		}
	}
}

// property reads a member of the output object.
func (r *reader) property(m jsonc.Member) Property {
	v := m.Value
	p := Property{Name: m.Name, Title: r.Text(v, "title"), Description: r.Text(v, "description"), at: v.Get("template")}
	typ := v.Get("type")
	for _, other := range shape.Unknown(v, propertyMembers) {
		if slices.Contains(olderMembers, other.Name) {
			r.WarnMember(olderForm, other, "belongs to an older form that the platform refuses: the template alone says what a property links to")
			continue
		}
		r.ErrorMember(other, "is not a field of an output property: it has %s%s",
			strings.Join(propertyMembers, ", "), shape.Meant(other.Name, propertyMembers))
	}
	switch {
	case typ == nil:
		r.Error(v, `needs "type": "string", which is missing`)
	case typ.Kind == jsonc.String && strings.HasPrefix(typ.Text, "$default"):
		return r.olderProperty(p, v, typ)
	case typ.Kind != jsonc.String || typ.Text != "string":
		r.Error(typ, `must be "string", found %s: every property is a link`, shape.Describe(typ))
	}
	if p.at == nil {
		r.Error(v, `needs a "template", which is missing, such as "{{links.apiDefaultDatasetUrl}}/items"`)
	}
	if r.Is(p.at, jsonc.String) {
		p.parts = r.template(p.at, p.at.Text)
		p.Template = text(p.parts)
	}
	return p
}

// olderProperty reads a property of the whitepaper's first form, in which a type
// says what is meant and there are no templates.
func (r *reader) olderProperty(p Property, v, typ *jsonc.Value) Property {
	switch typ.Text {
	case "$defaultDataset":
		p.Template = "{{links.apiDefaultDatasetUrl}}/items"
		if view := first(v.Get("views")); view != "" {
			p.Template += "?view=" + url.QueryEscape(view)
		}
	case "$defaultKeyValueStore":
		p.Template = "{{links.apiDefaultKeyValueStoreUrl}}/keys"
		if key := first(v.Get("keys")); key != "" && len(v.Get("keys").Items) == 1 {
			p.Template = "{{links.apiDefaultKeyValueStoreUrl}}/records/" + url.PathEscape(key)
		}
	case "$defaultWebServer":
		p.Template = "{{run.containerUrl}}"
	default:
		r.Error(typ, `must be "string", found %s`, shape.Describe(typ))
		return p
	}
	r.Warn(olderForm, typ, `is an older form that the platform refuses: write "type": "string" and "template": %q`, p.Template)
	p.at, p.parts = typ, r.template(typ, p.Template)
	return p
}

// first gives the first of a list of strings, or "".
func first(list *jsonc.Value) string {
	if list.Is(jsonc.Array) && len(list.Items) > 0 && list.Items[0].Kind == jsonc.String {
		return list.Items[0].Text
	}
	return ""
}
