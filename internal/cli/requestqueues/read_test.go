package requestqueues

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestReadKeepsRequests(t *testing.T) {
	const own = `{"url":"https://a.b","uniqueKey":"k","big":12345678901234567890,"z":1.0}`
	for in, want := range map[string]string{
		own:                                      own,
		"[" + own + "]":                          own,
		"\ufeff\r\n  https://a.b/?x=1 ":          `{"method":"GET","uniqueKey":"https://a.b/?x=1","url":"https://a.b/?x=1"}`,
		`{"url":"https://a.b","n":1.0}`:          `{"n":1.0,"uniqueKey":"https://a.b","url":"https://a.b"}`,
		`{"url":"https://a.b","uniqueKey":null}`: `{"uniqueKey":"https://a.b","url":"https://a.b"}`,
	} {
		got, err := read(strings.NewReader(in))
		if err != nil || len(got) != 1 || string(got[0]) != want {
			t.Errorf("%q gives %s, %v", in, got, err)
		}
	}
	if _, err := read(strings.NewReader(strings.Repeat("x", maxLine+1))); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a line without an end: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"https://a.b", "[\"https://a.b\"]", `{"url":"https://a.b"}`, "[[", "# x\n", "{\"url\":\"x\"}\n{", "\"\\u0000\"", "[null]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		requests, err := read(strings.NewReader(text))
		if err != nil {
			if !fault.Is(err, fault.InvalidInput) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, raw := range requests {
			var fields map[string]json.RawMessage
			var address, key string
			if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(fields["url"], &address) != nil || json.Unmarshal(fields["uniqueKey"], &key) != nil {
				t.Fatalf("%q gives %s", text, raw)
			}
			if u, err := url.Parse(address); err != nil || u.Host == "" || key == "" {
				t.Errorf("%q gives %s", text, raw)
			}
		}
	})
}
