// Package api holds the wire types of the Apify API v2 that server and clients
// share: shapes only, no logic beyond marshalling.
//
// Source of every field and its optionality: the API's OpenAPI document, plus
// what the official Python client's strict models additionally require.
package api

import (
	"encoding/json"
	"strings"
	"time"
)

// TimeFormat is how the API writes times: UTC, RFC 3339, exactly three decimals.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Time is a moment as the API writes it.
type Time struct{ time.Time }

// Now is the present moment, cut to the milliseconds that the wire carries.
func Now() Time { return TimeOf(time.Now()) }

// TimeOf converts t, cutting it to milliseconds.
func TimeOf(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// String gives the wire form.
func (t Time) String() string { return t.UTC().Format(TimeFormat) }

// MarshalJSON writes the wire form.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON reads RFC 3339 with any number of decimals, and the Python
// client's "2026-11-22 04:01:22.477832+00:00".
func (t *Time) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	parsed, err := ParseTime(s)
	if err != nil {
		return err
	}
	t.Time = parsed
	return nil
}

// ParseTime reads a time as any of the official clients writes it.
func ParseTime(s string) (time.Time, error) {
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	return time.Parse(time.RFC3339Nano, strings.TrimSpace(s))
}

// Envelope is how the API wraps most successful answers.
type Envelope[T any] struct {
	Data T `json:"data"`
}

// ErrorEnvelope is how the API wraps every failure.
type ErrorEnvelope struct {
	Error Error `json:"error"`
}

// Error is the body of a failure.
type Error struct {
	Type    string          `json:"type"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Page is one page of an offset-paginated list.
type Page[T any] struct {
	Total  int  `json:"total"`
	Offset int  `json:"offset"`
	Limit  int  `json:"limit"`
	Count  int  `json:"count"`
	Desc   bool `json:"desc"`
	// Unnamed is present in lists of storages only.
	Unnamed *bool `json:"unnamed,omitempty"`
	Items   []T   `json:"items"`
}
