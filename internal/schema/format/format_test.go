package format

import (
	"strings"
	"testing"
	"time"
)

// The verdicts were observed with ajv-formats 3; the JSON Schema evaluator
// compares many more with it.
func TestText(t *testing.T) {
	for _, test := range []struct {
		format, text string
		want         bool
	}{
		{"date", "2020-02-29", true},
		{"date", "2021-02-29", false},
		{"date-time", "2020-01-01 00:00:00Z", true},
		{"time", "23:59:60Z", true},
		{"time", "12:59:60Z", false},
		{"uri", "http://[::1]:80/?a#b", true},
		{"uri", "a/b c", false},
		{"url", "http://10.0.0.1", false},
		{"url", "http://user@example.com/x@y", true},
		{"email", "a.b@c.de", true},
		{"email", "ſ@c.de", false},
		{"hostname", "a.b.", true},
		{"ipv6", "fe80::1%eth0", false},
		{"byte", "!\nYQ==", true},
		{"regex", `a\Z`, false},
	} {
		if got := Text(test.format)(test.text); got != test.want {
			t.Errorf("%s: %q gives %v", test.format, test.text, got)
		}
	}
	if Text("password") != nil || Text("nonsense") != nil || Number("float") != nil {
		t.Error("there is a test for what always passes")
	}
	if int32s := Number("int32"); int32s(1.5) || int32s(1<<31) || !int32s(-1<<31) {
		t.Error("int32 is wrong")
	}
}

func FuzzText(f *testing.F) {
	for name := range texts {
		f.Add(name, strings.Repeat("a.@/:", 9))
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		check := Text(name)
		if check == nil {
			return
		}
		start := time.Now()
		check(text)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v for %d bytes", name, took, len(text))
		}
	})
}
