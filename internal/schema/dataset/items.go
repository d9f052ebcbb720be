package dataset

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonschema"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// InvalidItems is the error.data of a push that was rejected.
type InvalidItems struct {
	InvalidItems []InvalidItem `json:"invalidItems"`
}

// InvalidItem is an item that does not match the schema. ItemPosition counts
// from 0 in the array that was pushed.
type InvalidItem struct {
	ItemPosition     int                `json:"itemPosition"`
	ValidationErrors []jsonschema.Error `json:"validationErrors"`
}

// maxErrors is about how many errors an answer lists: those of one item are
// never divided, but no further item is judged once there are so many.
const maxErrors = 20_000

// CheckItems judges items, each a JSON object, that are to be pushed. It gives
// nil, or a fault.InvalidInput of type schema-validation-error with the API's
// message, whose Data is an InvalidItems that lists every item that does not
// match, with everything that is wrong with it. The platform then stores none of
// them (its documentation of dataset validation).
func (s *Schema) CheckItems(items []json.RawMessage) error {
	if s.item == nil {
		return nil
	}
	var invalid []InvalidItem
	for i, n := 0, 0; i < len(items) && n < maxErrors; i++ {
		doc, err := jsonc.Parse("the item", items[i])
		if err != nil {
			return fault.New(fault.InvalidRequest, "item %d is not valid JSON", i)
		}
		if errors := s.item.Validate(doc.Root); len(errors) > 0 {
			invalid = append(invalid, InvalidItem{i, errors})
			n += len(errors)
		}
	}
	if len(invalid) == 0 {
		return nil
	}
	return &fault.Error{
		Code: fault.InvalidInput, Type: "schema-validation-error", Message: "Schema validation failed",
		Data: InvalidItems{invalid},
	}
}
