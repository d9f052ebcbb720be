package run

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// parse gives what a command line comes to.
func parse(t *testing.T, args ...string) (Options, error) {
	t.Helper()
	streams := &cmdkit.IO{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
	var got Options
	cmd := New(&cmdkit.Factory{IO: streams, Getenv: func(string) string { return "" }}, func(_ context.Context, o *Options) error {
		got = *o
		return nil
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	return got, cmd.ExecuteContext(t.Context())
}

func TestFlags(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want Options
	}{
		"nothing":         {nil, Options{Executor: "auto"}},
		"directory":       {[]string{"dir"}, Options{Executor: "auto", Dir: "dir"}},
		"pairs anywhere":  {[]string{"a=1", "dir", "b:=2"}, Options{Executor: "auto", Dir: "dir", Pairs: []string{"a=1", "b:=2"}}},
		"short forms":     {[]string{"-i", "{}", "-m", "512", "-t", "9", "-o", "-s"}, Options{Executor: "auto", Input: "{}", HasInput: true, MemoryMbytes: 512, TimeoutSecs: 9, Output: true, Silent: true}},
		"official alias":  {[]string{"--if", "x.json"}, Options{Executor: "auto", InputFile: "x.json"}},
		"empty input":     {[]string{"--input="}, Options{Executor: "auto", HasInput: true}},
		"no purge":        {[]string{"--no-purge"}, Options{Executor: "auto", NoPurge: true}},
		"purge false":     {[]string{"--purge=false"}, Options{Executor: "auto", NoPurge: true}},
		"environment":     {[]string{"-e", "A=b=c", "-e", "D="}, Options{Executor: "auto", Env: []string{"A=b=c", "D="}}},
		"docker, rebuilt": {[]string{"--executor", "docker", "--rebuild", "--no-cache"}, Options{Executor: "docker", Rebuild: true, NoCache: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(t, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(Options{})); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, line := range []string{
		"one two", "--nosuch", "--executor bogus", "--input {} a=1", "--input {} --input-file x", "--output --json",
		"--purge --no-purge", "--purge --resurrect", "--executor docker --not-at-home", "--executor docker --entrypoint x",
		"-e NOVALUE", "-e =x", "--timeout -1", "--memory much",
	} {
		if got, err := parse(t, strings.Fields(line)...); err == nil {
			t.Errorf("%q is accepted: %+v", line, got)
		}
	}
}

func TestInputSources(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		stdin   string
		want    string
		err     string
	}{
		"text":             {options: Options{HasInput: true, Input: ` {"a": 1.0}`}, want: `{"a": 1.0}`},
		"byte order mark":  {options: Options{InputFile: "-"}, stdin: "\ufeff{}", want: "{}"},
		"pairs":            {options: Options{Pairs: []string{"a=1.0"}}, want: `{"a":1.0}`},
		"piped":            {stdin: "\n {\"a\": 1}\n", want: `{"a": 1}`},
		"piped, then more": {stdin: `{"a": 1} and more`, want: `{"a": 1}`},
		"empty pipe":       {stdin: ""},
		"blank pipe":       {stdin: " \n"},
		"array":            {options: Options{HasInput: true, Input: "[]"}, err: "got an array"},
		"null":             {options: Options{HasInput: true, Input: "null"}, err: "got null"},
		"empty":            {options: Options{HasInput: true, Input: ""}, err: "--input"},
		"position":         {options: Options{HasInput: true, Input: "{\n\"a\": x}"}, err: "line 2, column 6"},
		"path":             {options: Options{HasInput: true, Input: "../in.json"}, err: "--input takes JSON"},
		"broken pipe":      {stdin: `{"a": `, err: "standard input"},
		"bad pair":         {options: Options{Pairs: []string{"a:=x"}}, err: "a:="},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			o := test.options
			o.factory = &cmdkit.Factory{IO: &cmdkit.IO{In: strings.NewReader(test.stdin), Err: &stderr}, Getenv: func(string) string { return "" }}
			got, err := o.input(t.Context(), newView(&o))
			if test.err != "" {
				if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want something about %s", err, test.err)
				}
				return
			}
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestExitStatus(t *testing.T) {
	code := func(n int) *int { return &n }
	for _, test := range []struct {
		status api.Status
		code   *int
		want   int
	}{
		{api.StatusSucceeded, code(0), 0}, {api.StatusFailed, code(42), 42}, {api.StatusFailed, nil, 1},
		{api.StatusFailed, code(0), 1}, {api.StatusTimedOut, code(137), 2}, {api.StatusAborted, code(0), 3},
	} {
		if got := exitStatus(api.Run{Status: test.status, ExitCode: test.code}); got != test.want {
			t.Errorf("%s with %v: %d, want %d", test.status, test.code, got, test.want)
		}
	}
}
