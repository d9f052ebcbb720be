package input

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

var httpURL = regexp.MustCompile(`^(?i:https?)://`)

// custom makes the checks that JSON Schema has no words for: top-level fields
// with certain editors, pattern keywords for keys and values, and secrets that
// were encrypted for another schema. Complaints about one field are joined.
func (c *check) custom(input *jsonc.Value) {
	required := make(map[string]bool)
	if list := c.in.root.Get("required"); list != nil {
		for _, name := range list.Items {
			required[name.Text] = true
		}
	}
	for _, f := range c.in.properties() {
		value := input.Get(f.Name)
		if value == nil {
			continue
		}
		var texts []string
		switch value.Kind {
		case jsonc.Object:
			if isEditor(f.Value, "proxy") {
				texts = append(texts, checkProxy("input."+f.Name, value, required[f.Name])...)
			}
			texts = append(texts, c.objectPatterns(f, value)...)
		case jsonc.Array:
			if isEditor(f.Value, "requestListSources") {
				texts = append(texts, checkSources(f.Name, value)...)
			}
			texts = append(texts, c.arrayPatterns(f, value)...)
		case jsonc.String:
			if f.Value.Get("isSecret").True() && isStale(f.Value, value.Text) {
				texts = append(texts, "The field schema.properties."+f.Name+" is a secret field, but its schema has changed. "+
					"Please update the value in the input editor.")
			}
		}
		if len(texts) > 0 {
			c.found = append(c.found, found{FieldError{Field: f.Name, Message: strings.Join(texts, ", ")}, f.Name})
		}
	}
}

func isEditor(field *jsonc.Value, name string) bool {
	editor := field.Get("editor")
	return editor.Is(jsonc.String) && editor.Text == name
}

// checkSources names the items that are no source of requests.
func checkSources(name string, value *jsonc.Value) []string {
	var bad []string
	for i, item := range value.Items {
		url := item.Get("url")
		if !truthy(url) {
			url = item.Get("requestsFromUrl")
		}
		if !url.Is(jsonc.String) || !httpURL.MatchString(url.Text) {
			bad = append(bad, strconv.Itoa(i))
		}
	}
	if bad == nil {
		return nil
	}
	return []string{"Items in input." + name + " at positions [" + strings.Join(bad, ",") + "] do not contain valid URLs"}
}

// truthy tells what JavaScript takes for true.
func truthy(v *jsonc.Value) bool {
	switch {
	case v == nil, v.Kind == jsonc.Null:
		return false
	case v.Kind == jsonc.Boolean:
		return v.True()
	case v.Kind == jsonc.Number:
		n, _ := number(v)
		return n != 0
	}
	return v.Kind != jsonc.String || v.Text != ""
}

// ownMessage gives the field's errorMessage for the keyword, else text.
func ownMessage(field *jsonc.Value, keyword, text string) string {
	if own := field.Get("errorMessage").Get(keyword); own.Is(jsonc.String) && own.Text != "" {
		return own.Text
	}
	return text
}

// objectPatterns applies patternKey and patternValue to an object's members.
func (c *check) objectPatterns(f jsonc.Member, value *jsonc.Value) (texts []string) {
	keyPattern, valuePattern := f.Value.Get("patternKey"), f.Value.Get("patternValue")
	var badKeys, badValues []string
	for _, m := range value.Unique() {
		if keyPattern != nil && !c.matches(keyPattern, m.Name) {
			badKeys = append(badKeys, m.Name)
		}
		if valuePattern != nil && (m.Value.Kind != jsonc.String || !c.matches(valuePattern, m.Value.Text)) {
			badValues = append(badValues, m.Name)
		}
	}
	if badKeys != nil {
		// The platform's text ends without the closing quotation mark.
		texts = append(texts, ownMessage(f.Value, "patternKey",
			"Keys ["+strings.Join(badKeys, ",")+"] in input."+f.Name+` must match regular expression "`+keyPattern.Text))
	}
	if badValues != nil {
		texts = append(texts, ownMessage(f.Value, "patternValue",
			"Keys ["+strings.Join(badValues, ",")+"] in input."+f.Name+` must have string value which matches regular expression "`+valuePattern.Text+`"`))
	}
	return texts
}

// arrayPatterns applies patternKey and patternValue to the pairs of a keyValue
// editor, and patternValue to the items of a stringList.
func (c *check) arrayPatterns(f jsonc.Member, value *jsonc.Value) (texts []string) {
	pairs, list := isEditor(f.Value, "keyValue"), isEditor(f.Value, "stringList")
	apply := func(keyword, noun string, part func(*jsonc.Value) *jsonc.Value) {
		pattern := f.Value.Get(keyword)
		if pattern == nil {
			return
		}
		var bad []string
		for i, item := range value.Items {
			if v := part(item); !v.Is(jsonc.String) && !v.Is(jsonc.Number) || !c.matches(pattern, v.Text) {
				bad = append(bad, strconv.Itoa(i))
			}
		}
		if bad != nil {
			texts = append(texts, ownMessage(f.Value, keyword, noun+" in input."+f.Name+" at positions ["+
				strings.Join(bad, ",")+`] must match regular expression "`+pattern.Text+`"`))
		}
	}
	switch {
	case pairs:
		apply("patternKey", "Keys", func(item *jsonc.Value) *jsonc.Value { return item.Get("key") })
		apply("patternValue", "Values", func(item *jsonc.Value) *jsonc.Value { return item.Get("value") })
	case list:
		apply("patternValue", "Values", func(item *jsonc.Value) *jsonc.Value { return item })
	}
	return texts
}
