package cmdkit

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1s": time.Second, "90m": 90 * time.Minute, "12h": 12 * time.Hour, "7d": 7 * 24 * time.Hour,
		"2w": 14 * 24 * time.Hour, "1y": 365 * 24 * time.Hour, "100y": longestSpan,
	} {
		if got, tooLong, ok := ParseSpan(text); got != want || tooLong || !ok {
			t.Errorf("%q: %v, %t, %t", text, got, tooLong, ok)
		}
	}
	for _, text := range []string{"101y", "4000000000d"} {
		if got, tooLong, ok := ParseSpan(text); got != 0 || !tooLong || !ok {
			t.Errorf("%q: %v, %t, %t", text, got, tooLong, ok)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1.5d", "7", "7 d", "7dd", "99999999999d"} {
		if got, _, ok := ParseSpan(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}
