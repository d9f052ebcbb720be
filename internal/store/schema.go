package store

import (
	"bytes"
	"encoding/json"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// CompactSchema gives a storage's schema without blanks, as stores keep it; nil
// for none. What is no JSON is fault.InvalidRequest.
func CompactSchema(schema json.RawMessage) (json.RawMessage, error) {
	if len(schema) == 0 {
		return nil, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, schema); err != nil {
		return nil, fault.New(fault.InvalidRequest, "the schema of a storage must be JSON: %w", err)
	}
	return compact.Bytes(), nil
}
