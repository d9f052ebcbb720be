package storages

import (
	"encoding/json"
	"testing"
)

func TestShow(t *testing.T) {
	for value, want := range map[string]string{
		`"text"`: "text", `""`: "", `null`: "", ``: "", `1000`: "1000", `true`: "true", `{"a":1}`: `{"a":1}`,
	} {
		if got := show(json.RawMessage(value)); got != want {
			t.Errorf("%s is shown as %q, want %q", value, got, want)
		}
	}
}
