package jsonschema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// shrink makes a trial that differs from AJV smaller as long as it differs.
func shrink(t *testing.T, c trial) (trial, string) {
	best := ""
	for {
		smaller := smallerTrials(t, c)
		verdicts := ajv(t, smaller)
		found := false
		for i := range smaller {
			if difference := compare(t, &smaller[i], verdicts[i]); difference != "" {
				c, best, found = smaller[i], difference, true
				break
			}
		}
		if !found {
			return c, best
		}
	}
}

func smallerTrials(t *testing.T, c trial) []trial {
	var out []trial
	if len(c.Values) > 1 {
		for _, v := range c.Values {
			one := c
			one.Values = []json.RawMessage{v}
			out = append(out, one)
		}
		return out
	}
	doc, err := jsonc.Parse("schema", c.Schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range reductions(doc.Root) {
		one := c
		one.Schema = json.RawMessage(text)
		out = append(out, one)
	}
	if doc, err = jsonc.Parse("value", c.Values[0]); err != nil {
		t.Fatal(err)
	}
	for _, text := range reductions(doc.Root) {
		one := c
		one.Values = []json.RawMessage{json.RawMessage(text)}
		out = append(out, one)
	}
	return out
}

// reductions gives the texts of a value with something left out of it.
func reductions(v *jsonc.Value) []string {
	var parts []string
	var children []*jsonc.Value
	opening, closing := "[", "]"
	switch v.Kind {
	case jsonc.Array:
		for _, item := range v.Items {
			parts, children = append(parts, string(item.JSON())), append(children, item)
		}
	case jsonc.Object:
		opening, closing = "{", "}"
		for _, m := range v.Members {
			parts, children = append(parts, string(m.Literal())+":"+string(m.Value.JSON())), append(children, m.Value)
		}
	default:
		return nil
	}
	join := func(parts []string) string { return opening + strings.Join(parts, ",") + closing }
	var out []string
	for i := range parts {
		out = append(out, join(append(append([]string{}, parts[:i]...), parts[i+1:]...)))
	}
	for i, child := range children {
		prefix := strings.TrimSuffix(parts[i], string(child.JSON()))
		smaller := reductions(child)
		if child.Kind == jsonc.Object || child.Kind == jsonc.Array {
			smaller = append(smaller, "true")
		}
		for _, text := range smaller {
			changed := append([]string{}, parts...)
			changed[i] = prefix + text
			out = append(out, join(changed))
		}
	}
	return out
}
