package input

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// thirty is a schema of thirty fields as people write them, and an input that
// has a value for each.
func thirty(t testing.TB) (*Schema, json.RawMessage) {
	var fields, values []string
	for i := range 5 {
		fields = append(fields,
			fmt.Sprintf(`"text%d":{"title":"t","description":"d","type":"string","editor":"textfield","minLength":1,"maxLength":100,"pattern":"^[a-z ]+$"}`, i),
			fmt.Sprintf(`"count%d":{"title":"t","description":"d","type":"integer","minimum":0,"maximum":1000,"default":5}`, i),
			fmt.Sprintf(`"flag%d":{"title":"t","description":"d","type":"boolean","default":false}`, i),
			fmt.Sprintf(`"choice%d":{"title":"t","description":"d","type":"string","editor":"select","enum":["a","b","c"],"default":"a"}`, i),
			fmt.Sprintf(`"urls%d":{"title":"t","description":"d","type":"array","editor":"requestListSources","minItems":1}`, i),
			fmt.Sprintf(`"settings%d":{"title":"t","description":"d","type":"object","editor":"json","required":["depth"],"properties":{`+
				`"depth":{"title":"t","description":"d","type":"integer","minimum":1},"names":{"title":"t","description":"d","type":"array","editor":"stringList"}}}`, i))
		values = append(values,
			fmt.Sprintf(`"text%d":"some words"`, i), fmt.Sprintf(`"count%d":%d`, i, i), fmt.Sprintf(`"flag%d":true`, i), fmt.Sprintf(`"choice%d":"b"`, i),
			fmt.Sprintf(`"urls%d":[{"url":"https://example.com/a"},{"url":"https://example.com/b"}]`, i), fmt.Sprintf(`"settings%d":{"depth":3,"names":["x","y"]}`, i))
	}
	return withFields(t, "{"+strings.Join(fields, ",")+"}", `"required":["text0","urls0"]`), json.RawMessage("{" + strings.Join(values, ",") + "}")
}

func BenchmarkValidate30Fields(b *testing.B) {
	in, input := thirty(b)
	b.ReportAllocs()
	for b.Loop() {
		if faults, err := in.Validate(input); err != nil || len(faults) > 0 {
			b.Fatal(faults, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inputs/s")
}

func BenchmarkParse30Fields(b *testing.B) {
	in, _ := thirty(b)
	text := in.JSON()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text, "s.json"); err != nil {
			b.Fatal(err)
		}
	}
}
