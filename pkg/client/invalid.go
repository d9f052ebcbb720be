package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// invalidItems is the error.data of a push that the dataset's schema rejects.
type invalidItems struct {
	InvalidItems []struct {
		ItemPosition     int               `json:"itemPosition"`
		ValidationErrors []validationError `json:"validationErrors"`
	} `json:"invalidItems"`
}

// validationError is an error in AJV's form.
type validationError struct {
	InstancePath string `json:"instancePath"`
	Message      string `json:"message"`
	Params       struct {
		AdditionalProperty string            `json:"additionalProperty"`
		AllowedValues      []json.RawMessage `json:"allowedValues"`
		AllowedValue       json.RawMessage   `json:"allowedValue"`
	} `json:"params"`
}

// maxTold is how many complaints a message repeats.
const maxTold = 20

// explain makes the error of a rejected push say which items are wrong and what
// is wrong with them. Items count from 1, after those that were pushed before.
// Other errors stay as they are, and so does the error's Data.
func explain(err error, before int) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Type != "schema-validation-error" {
		return err
	}
	raw, _ := e.Data.(json.RawMessage)
	var data invalidItems
	if json.Unmarshal(raw, &data) != nil || len(data.InvalidItems) == 0 {
		return err
	}
	var text strings.Builder
	stored := "no item was stored"
	if before > 0 {
		stored = "no further item was stored"
	}
	fmt.Fprintf(&text, "%s, and %s:", lowerFirst(e.Message), stored)
	told, all := 0, 0
	for _, item := range data.InvalidItems {
		all += len(item.ValidationErrors)
		for _, complaint := range item.ValidationErrors {
			if told == maxTold {
				break
			}
			told++
			fmt.Fprintf(&text, "\n  item %d: %s", before+item.ItemPosition+1, complaint)
		}
	}
	if all > told {
		fmt.Fprintf(&text, "\n  and %d more", all-told)
	}
	explained := *e
	explained.Message = text.String()
	return &explained
}

// String says what is wrong with which field: "price must be number".
func (v validationError) String() string {
	text := v.Message
	if path := strings.TrimPrefix(v.InstancePath, "/"); path != "" {
		for i, part := range strings.Split(path, "/") {
			part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
			if i == 0 {
				path = part
			} else {
				path += "." + part
			}
		}
		text = path + " " + text
	}
	switch {
	case v.Params.AdditionalProperty != "":
		text += fmt.Sprintf(" such as %q", v.Params.AdditionalProperty)
	case len(v.Params.AllowedValues) > 0:
		var values []string
		for _, value := range v.Params.AllowedValues[:min(len(v.Params.AllowedValues), maxTold)] {
			values = append(values, string(value))
		}
		text += ": " + strings.Join(values, ", ")
	case len(v.Params.AllowedValue) > 0:
		text += ": " + string(v.Params.AllowedValue)
	}
	return text
}

// lowerFirst fits a message of the API into those of this module.
func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
