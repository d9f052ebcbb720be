package secret

import (
	"encoding/json"
	"slices"
	"strings"
)

// minMask is how many bytes a text within a secret object or list must have to be
// masked: shorter ones say what is meant, as "id" and "GET" do.
const minMask = 4

// HasAny reports whether an input has a value for one of its secret fields.
func HasAny(input json.RawMessage, fields []string) bool {
	var values map[string]json.RawMessage
	if len(fields) == 0 || json.Unmarshal(input, &values) != nil {
		return false
	}
	return slices.ContainsFunc(fields, func(field string) bool {
		value := string(values[field])
		return value != "" && value != "null" && value != `""`
	})
}

// Texts gives what must not be shown of an input in the open: the texts that are
// secret fields, and those within secret objects and lists. A log has lines, so
// the lines of a text are among them, and so is a text as JSON writes it.
func Texts(input json.RawMessage, fields []string) (texts []string) {
	var values map[string]any
	if json.Unmarshal(input, &values) != nil {
		return nil
	}
	add := func(text string) {
		texts = append(texts, text)
		if strings.Contains(text, "\n") {
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); len(line) >= minMask {
					texts = append(texts, line)
				}
			}
		}
		if quoted := quote(text); len(quoted) > len(text)+2 {
			texts = append(texts, string(quoted[1:len(quoted)-1]))
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if len(v) >= minMask {
				add(v)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	for _, field := range fields {
		if text, ok := values[field].(string); !ok {
			walk(values[field])
		} else if text != "" {
			add(text)
		}
	}
	return texts
}
