package main

import (
	"strings"
	"testing"
)

// TestOfficialClients lets the official clients call every method that they have
// for storages, and judge the answers.
func TestOfficialClients(t *testing.T) {
	for _, judge := range []struct{ name, program, mode string }{
		{"JavaScript", "client.cjs", ""},
		{"Python", "client.py", "sync"},
		{"Python, asynchronous", "client.py", "async"},
	} {
		t.Run(judge.name, func(t *testing.T) {
			t.Parallel()
			s := startServed(t)
			var args []string
			if judge.mode != "" {
				args = append(args, judge.mode)
			}
			cmd := s.official(judge.program, args...)
			var complaints strings.Builder
			cmd.Stderr = &complaints
			out, err := cmd.Output()
			if err != nil || !strings.HasPrefix(string(out), "called ") {
				t.Fatalf("%v:\n%s%s", err, out, &complaints)
			}
			t.Logf("%s", out)
			s.stop()
		})
	}
}
