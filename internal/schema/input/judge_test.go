package input

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
	judges := os.Getenv("GREENROOM_TEST_JUDGES")
	if judges == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("GREENROOM_TEST_JUDGES is not set, and CI=true: nothing may be left out")
		}
		t.Skip(`GREENROOM_TEST_JUDGES is not set; run eval "$(scripts/test-sdks.sh)" and export it`)
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, q := range questions {
		if err := encoder.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "judge.cjs"))
	cmd.Stdin, cmd.Stderr = &lines, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the official library: %v", err)
	}
	answers := make([]answer, 0, len(questions))
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var a answer
		if err := json.Unmarshal(scanner.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	return answers
}
