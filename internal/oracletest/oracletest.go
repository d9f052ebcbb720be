// Package oracletest asks the official libraries what they say, so that tests can
// compare.
package oracletest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// longestAnswer is how long one line may be.
const longestAnswer = 64 << 20

// Modules gives the node_modules folder of the official libraries. Without one
// the test is skipped; with CI=true it fails.
func Modules(t testing.TB) string {
	t.Helper()
	const name = "GREENROOM_TEST_JUDGES"
	dir := os.Getenv(name)
	switch {
	case dir != "":
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not set, and CI=true: nothing may be left out", name)
	default:
		t.Skipf(`%s is not set; run eval "$(scripts/test-sdks.sh)" and export it`, name)
	}
	return dir
}

// Ask has one Node.js process answer all questions: the program gets a line of
// JSON for each on its standard input and writes one for each, in their order.
// script is its file, whose require finds the official libraries; args follow.
func Ask[A, Q any](t testing.TB, questions []Q, script string, args ...string) []A {
	t.Helper()
	modules := Modules(t)
	var lines, complaints bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, q := range questions {
		if err := encoder.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stdin, cmd.Stderr = &lines, &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, complaints.String())
	}
	answers := make([]A, 0, len(questions))
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, longestAnswer)
	for scanner.Scan() {
		var answer A
		if err := json.Unmarshal(scanner.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %v: %s", cmd, err, scanner.Bytes())
		}
		answers = append(answers, answer)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(questions) {
		t.Fatalf("%v: %d answers to %d questions\n%s", cmd, len(answers), len(questions), complaints.String())
	}
	return answers
}
