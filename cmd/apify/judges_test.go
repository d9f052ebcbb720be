package main

import (
	"slices"
	"strings"
	"testing"
)

// leftOut are the methods of the official clients that the judges do not call,
// each with the reason. One that could be called is a failure.
var leftOut = map[string]map[string]string{
	"client.cjs": {
		"DatasetClient.getStatistics":             "not served yet",
		"DatasetClient.createItemsPublicUrl":      "not served yet",
		"KeyValueStoreClient.getRecordPublicUrl":  "not served yet",
		"KeyValueStoreClient.createKeysPublicUrl": "not served yet",
	},
	"client.py": {
		"DatasetClient.get_statistics":               "not served yet",
		"DatasetClient.create_items_public_url":      "not served yet",
		"KeyValueStoreClient.get_record_public_url":  "not served yet",
		"KeyValueStoreClient.create_keys_public_url": "not served yet",
	},
}

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
			for method, reason := range leftOut[judge.program] {
				if judge.mode == "async" {
					method = strings.Replace(method, "Client.", "ClientAsync.", 1)
				}
				if reason == "" {
					t.Errorf("no reason is given for leaving out %s", method)
				}
				args = append(args, method)
			}
			slices.Sort(args[min(1, len(judge.mode)):])
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
