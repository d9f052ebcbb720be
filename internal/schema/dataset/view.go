package dataset

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// View is a way to look at a dataset.
type View struct {
	Name, Title, Description string
	Transformation           Transformation
	Display                  Display
}

// Transformation says what a view makes of the items. Its members mean what the
// parameters of the same names mean when items are read through the API.
type Transformation struct {
	Fields, Omit, Unwind, Flatten []string
	Limit                         int // 0 means no limit
	Desc                          bool
	Clean, SkipHidden, SkipEmpty  bool
}

// Display says how a view is drawn: as a table or as a grid.
type Display struct {
	Component string
	Columns   []Column
}

// Column is how one field of a view is shown. Label and Format may be "".
type Column struct{ Field, Label, Format string }

// What views may hold. The platform ignores other members.
var (
	viewMembers           = []string{"title", "description", "transformation", "display"}
	transformationMembers = []string{"fields", "omit", "unwind", "flatten", "limit", "desc", "clean", "skipHidden", "skipEmpty"}
	displayMembers        = []string{"component", "options", "properties"}
	columnMembers         = []string{"label", "format"}

	components = []string{"table", "grid"}
	formats    = []string{"text", "number", "date", "link", "boolean", "image", "array", "object"}
)

// view reads a view; false when it is no object.
func (r *reader) view(m jsonc.Member) (View, bool) {
	view, v := View{Name: m.Name}, m.Value
	if !r.Is(v, jsonc.Object) {
		return view, false
	}
	r.ignored(v, "a view", viewMembers)
	view.Title, view.Description = r.Text(v, "title"), r.Text(v, "description")
	if v.Get("title") == nil {
		r.Error(v, `needs a "title", which is missing`)
	}
	transformation, display := v.Get("transformation"), v.Get("display")
	if transformation == nil && display == nil {
		r.Error(v, `needs a "transformation" or a "display"; both are missing`)
	}
	if r.Is(transformation, jsonc.Object) {
		view.Transformation = r.transformation(transformation)
	}
	if r.Is(display, jsonc.Object) {
		view.Display = r.display(display, view.Transformation)
	}
	return view, true
}

// ignored warns about members that have no effect.
func (r *reader) ignored(v *jsonc.Value, owner string, known []string) {
	for _, m := range shape.Unknown(v, known) {
		r.WarnMember(unknown, m, "has no effect: it is not a field of %s, which has %s%s",
			owner, strings.Join(known, ", "), shape.Meant(m.Name, known))
	}
}

func (r *reader) transformation(v *jsonc.Value) Transformation {
	r.ignored(v, "a transformation", transformationMembers)
	t := Transformation{
		Fields: r.Texts(v, "fields"), Omit: r.names(v, "omit"), Unwind: r.names(v, "unwind"), Flatten: r.Texts(v, "flatten"),
		Desc: r.Flag(v, "desc"), Clean: r.Flag(v, "clean"), SkipHidden: r.Flag(v, "skipHidden"), SkipEmpty: r.Flag(v, "skipEmpty"),
	}
	if limit := v.Get("limit"); limit != nil {
		// The platform's meta-schema does not know limit, its documentation does.
		n, err := strconv.Atoi(limit.Text)
		if limit.Kind != jsonc.Number || err != nil || n < 1 {
			r.Warn(rule, limit, "has no effect: it must be a whole number from 1 on, found %s", shape.Describe(limit))
		} else {
			t.Limit = n
		}
	}
	places := r.places(t.Unwind)
	for _, name := range []string{"unwind", "flatten", "fields", "omit"} {
		r.checkNames(v.Get(name), places)
	}
	return t
}

// names reads a list of names that the whitepaper writes as one string.
func (r *reader) names(v *jsonc.Value, name string) []string {
	if one := v.Get(name); one.Is(jsonc.String) {
		r.Warn(olderForm, one, "is a string, an older form that the platform refuses: write [%s]", shape.Quote(one.Text))
		return []string{one.Text}
	}
	return r.Texts(v, name)
}

// checkNames warns about names in a list, or the one name, that no item will
// have.
func (r *reader) checkNames(v *jsonc.Value, places []*jsonc.Value) {
	switch {
	case v.Is(jsonc.String):
		r.checkName(v, v.Start, v.Text, places)
	case v.Is(jsonc.Array):
		for _, item := range v.Items {
			if item.Kind == jsonc.String {
				r.checkName(item, item.Start, item.Text, places)
			}
		}
	}
}

func (r *reader) checkName(v *jsonc.Value, at int, name string, places []*jsonc.Value) {
	if r.Full() || r.exists(name, places) {
		return
	}
	r.WarnMember(viewOfField, jsonc.Member{At: at, Value: v}, "names the field %s, which the schema of an item does not list%s",
		shape.Quote(name), shape.Meant(name, r.schema.names))
}

// exists reports whether an item may have the field, as it is or after it was
// unwound; without places nobody knows.
func (r *reader) exists(name string, places []*jsonc.Value) bool {
	if strings.HasPrefix(name, "#") || len(name) > maxName {
		return true // hidden fields come from the code, not from what it scrapes
	}
	for _, place := range places {
		if _, known := r.lookup(place, name); known != missing {
			return true
		}
	}
	return len(places) == 0
}

// What bounds the search for a name.
const (
	maxPlaces = 8
	maxName   = 1000
)

// places gives the schemas that list an item's fields: its own, and those of what
// is merged into it by unwinding. None means that nobody knows the fields.
func (r *reader) places(unwind []string) []*jsonc.Value {
	if r.item == nil || len(unwind) > maxPlaces {
		return nil
	}
	places := []*jsonc.Value{r.item}
	for _, field := range unwind {
		for _, place := range slices.Clone(places) {
			switch inner, known := r.lookup(place, field); known {
			case open:
				return nil
			case listed:
				places = append(places, unwound(inner))
			}
		}
		if len(places) > maxPlaces {
			return nil
		}
	}
	return places
}

func (r *reader) display(v *jsonc.Value, t Transformation) Display {
	r.ignored(v, "a display", displayMembers)
	r.Is(v.Get("options"), jsonc.Object)
	d := Display{Component: r.Text(v, "component")}
	switch component := v.Get("component"); {
	case component == nil:
		r.Error(v, `needs a "component", which is missing: table or grid`)
	case component.Kind == jsonc.String && !slices.Contains(components, d.Component):
		r.Error(component, "must be table or grid, found %s", shape.Describe(component))
	}
	properties := v.Get("properties")
	if !r.Is(properties, jsonc.Object) {
		return d
	}
	places := r.places(t.Unwind)
	for _, m := range properties.Unique() {
		r.checkName(m.Value, m.At, m.Name, places)
		if column, ok := r.column(m); ok {
			d.Columns = append(d.Columns, column)
		}
	}
	return d
}

// column reads how a field is shown. The platform takes anything here, so what
// is wrong has no effect and is no error.
func (r *reader) column(m jsonc.Member) (Column, bool) {
	c, v := Column{Field: m.Name}, m.Value
	if v.Kind != jsonc.Object {
		r.Warn(rule, v, `has no effect: it must be an object with "label" and "format", found %s`, shape.Describe(v))
		return c, false
	}
	r.ignored(v, "a column", columnMembers)
	for _, name := range columnMembers {
		text := v.Get(name)
		switch {
		case text == nil:
		case text.Kind != jsonc.String:
			r.Warn(rule, text, "has no effect: it must be a string, found %s", shape.Describe(text))
		case name == "label":
			c.Label = text.Text
		case !slices.Contains(formats, text.Text):
			r.Warn(rule, text, "has no effect: it must be one of %s, found %s%s",
				strings.Join(formats, ", "), shape.Describe(text), shape.Meant(text.Text, formats))
		default:
			c.Format = text.Text
		}
	}
	return c, true
}
