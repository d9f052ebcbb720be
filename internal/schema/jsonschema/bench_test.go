package jsonschema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// BenchmarkValidate judges an input of 30 fields, as read and from its text.
func BenchmarkValidate(b *testing.B) {
	var properties, members []string
	for i := range 10 {
		properties = append(properties,
			fmt.Sprintf(`"text%d":{"type":"string","minLength":1,"maxLength":100,"pattern":"^[a-z]+"}`, i),
			fmt.Sprintf(`"count%d":{"type":"integer","minimum":1,"maximum":100}`, i),
			fmt.Sprintf(`"list%d":{"type":"array","uniqueItems":true,"items":{"type":"object","required":["url"],"properties":{"url":{"type":"string"}}}}`, i))
		members = append(members, fmt.Sprintf(`"text%d":"hello","count%d":%d,"list%d":[{"url":"http://a"},{"url":"http://b"}]`, i, i, i+1, i))
	}
	schema := compileText(b, `{"type":"object","required":["text1"],"additionalProperties":false,"properties":{`+strings.Join(properties, ",")+`}}`,
		Options{Draft: Draft201909, AllErrors: true})
	text := []byte("{" + strings.Join(members, ",") + "}")
	doc, err := jsonc.Parse("value", text)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("tree", func(b *testing.B) {
		for b.Loop() {
			if errs := schema.Validate(doc.Root); errs != nil {
				b.Fatal(errs)
			}
		}
	})
	b.Run("text", func(b *testing.B) {
		for b.Loop() {
			if errs, err := schema.ValidateJSON(text); errs != nil || err != nil {
				b.Fatal(errs, err)
			}
		}
	})
}
