package grammar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
)

// advise warns of what the platform lets pass and what cannot be meant: values
// that break their own field's rules, limits that nothing meets, names that lead
// nowhere, secrets in clear. It is for schemas without faults.
func (c *checker) advise(root *jsonc.Value) {
	for _, m := range root.Get("properties").Unique() {
		c.adviseField(m.Value, place{"schema.properties", ""}.sub(m.Name))
	}
	c.twice(root, "")
}

func (c *checker) warn(at *jsonc.Value, path, rule, format string, args ...any) {
	c.found = append(c.found, finding{severity: diagnostic.Warning, offset: at.Start, path: path, rule: rule, text: fmt.Sprintf(format, args...)})
}

// adviseField looks at a field, or at the items of an array, and what is below.
func (c *checker) adviseField(v *jsonc.Value, at place) {
	c.values(v, at)
	for _, suffix := range []string{"imum", "Length", "Items", "Properties"} {
		from, to := v.Get("min"+suffix), v.Get("max"+suffix)
		if !from.Is(jsonc.Number) || !to.Is(jsonc.Number) {
			continue
		}
		if least, most := jsvalue.Number(from), jsvalue.Number(to); least > most {
			c.warn(from, at.path+"/min"+suffix, "contradictory-limits",
				"Field %s.min%s is %s and max%s is %s: no value is allowed", at.name, suffix, jsvalue.NumberText(least), suffix, jsvalue.NumberText(most))
		}
	}
	if titles := v.Get("enumTitles"); titles.Is(jsonc.Array) {
		for _, name := range []string{"enum", "enumSuggestedValues"} {
			if values := v.Get(name); values.Is(jsonc.Array) && len(values.Items) != len(titles.Items) {
				c.warn(titles, at.path+"/enumTitles", "enum-titles", "Field %s.enumTitles has %d titles for the %d values of %s",
					at.name, len(titles.Items), len(values.Items), name)
			}
		}
	}
	c.nestedRequired(v, at)
	if items := v.Get("items"); items.Is(jsonc.Object) {
		c.adviseField(items, at.items())
	}
	if properties := v.Get("properties"); properties.Is(jsonc.Object) {
		for _, m := range properties.Unique() {
			c.adviseField(m.Value, at.sub(m.Name))
		}
	}
}

// nestedRequired looks at the required names of an object: the platform checks
// those of the input alone.
func (c *checker) nestedRequired(v *jsonc.Value, at place) {
	required, properties := v.Get("required"), v.Get("properties")
	if !required.Is(jsonc.Array) || !properties.Is(jsonc.Object) {
		return
	}
	names := namesOf(properties)
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	for i, name := range required.Items {
		if known[name.Text] || c.full() {
			continue
		}
		text := fmt.Sprintf("Field %s requires %q, which is none of its properties", at.name, name.Text)
		if isFalse(v.Get("additionalProperties")) {
			text += " and which additionalProperties forbid: no value is allowed"
		}
		if hint := meant(name.Text, names); hint != "" {
			text += " (" + hint + ")"
		}
		c.warn(name, at.path+"/required/"+strconv.Itoa(i), "unknown-required", "%s", text)
	}
}

// values holds the values that a field brings with it against the field's rules.
func (c *checker) values(v *jsonc.Value, at place) {
	secret := v.Get("isSecret").True()
	var judge *jsonschema.Schema
	for _, name := range []string{"default", "prefill", "example"} {
		value := v.Get(name)
		if value == nil {
			continue
		}
		if secret {
			c.warn(value, at.path+"/"+name, "public-secret", "Field %s is a secret, but its %s is for everybody to read", at.name, name)
		}
		if value.Kind == jsonc.Null {
			continue // allowed or not by nullable, which is a matter of faults
		}
		if judge == nil {
			judge, _ = jsonschema.Compile(c.doc, v, Options)
		}
		if judge == nil {
			return
		}
		var texts []string
		for _, e := range judge.Validate(value) {
			w := Say(e, name)
			text := strings.TrimPrefix(strings.Replace(w.Text, name+". ", name+" ", 1), "Field ")
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
		if texts != nil {
			c.warn(value, at.path+"/"+name, "contradictory-value", "The %s of field %s breaks the field's own rules: %s", name, at.name, strings.Join(texts, ", "))
		}
	}
	if editor := v.Get("editor"); editor.Is(jsonc.String) && editor.Text == "hidden" {
		if prefill := v.Get("prefill"); prefill != nil {
			c.warn(prefill, at.path+"/prefill", "useless-prefill", "Field %s is hidden, so its prefill has no effect; a default has", at.name)
		}
	}
}

// twice looks for names that an object has more than once: the last one counts.
func (c *checker) twice(v *jsonc.Value, path string) {
	seen := make(map[string]bool, len(v.Members))
	for _, m := range v.Members {
		where := path + "/" + jsonc.PointerPart(m.Name)
		if seen[m.Name] {
			c.found = append(c.found, finding{severity: diagnostic.Warning, offset: m.At, path: where, rule: "duplicate-name",
				text: fmt.Sprintf("%q is there more than once; what stands last counts", m.Name)})
		}
		seen[m.Name] = true
		c.twice(m.Value, where)
	}
	for i, item := range v.Items {
		c.twice(item, path+"/"+strconv.Itoa(i))
	}
}
