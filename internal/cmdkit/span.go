package cmdkit

import (
	"strconv"
	"time"
)

// longestSpan is as long as a span may be.
const longestSpan = 100 * 365 * 24 * time.Hour

// units are those of spans. Days have 24 hours whatever the clocks do.
var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour,
}

// ParseSpan reads a time such as 30d: a whole number, not 0, of seconds, minutes,
// hours, days, weeks or years. tooLong says that it is more than 100 years.
func ParseSpan(text string) (span time.Duration, tooLong, ok bool) {
	if text == "" {
		return 0, false, false
	}
	unit, ok := units[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if !ok || err != nil || n == 0 {
		return 0, false, false
	}
	if n > uint64(longestSpan/unit) {
		return 0, true, true
	}
	return time.Duration(n) * unit, false, true
}
