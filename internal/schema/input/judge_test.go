package input

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/oracletest"
)

// question is a line for the official library, and answer what it says.
type question struct {
	Do         string          `json:"do"`
	Schema     json.RawMessage `json:"schema,omitempty"`
	Input      json.RawMessage `json:"input,omitempty"`
	PrivateKey string          `json:"privateKey,omitempty"`
	Passphrase string          `json:"passphrase,omitempty"`
}

type answer struct {
	// Message is why a schema is refused, nil when it is not. Useless is why a
	// schema that passes cannot be used to judge inputs.
	Message *string `json:"message"`
	Useless string  `json:"useless"`
	// Errors are what is wrong with an input.
	Errors []struct{ FieldKey, Message string } `json:"errors"`
	// Crash says that the library failed rather than refused.
	Crash any `json:"crash"`
	// Input is an encrypted or decrypted one.
	Input json.RawMessage `json:"input"`
}

// ask puts all questions to the official library, in one process.
func ask(t *testing.T, questions []question) []answer {
	t.Helper()
	return oracletest.Ask[answer](t, questions, filepath.Join("testdata", "judge.cjs"))
}
