package jsontext

import (
	"encoding/json"
	"errors"
	"strings"
)

// Problem says what an error of encoding/json is about, without the names of Go's
// types: whoever sent the text knows none of them.
func Problem(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return strings.TrimSpace(wrong.Field + " cannot be a JSON " + wrong.Value)
	}
	return err.Error()
}
