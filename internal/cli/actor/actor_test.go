package actor

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

// tried runs one command line below another root, as `apify actor …` does.
func tried(t *testing.T, stdin string, env map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	io := &cmdkit.IO{In: strings.NewReader(stdin), Out: &out, Err: &err}
	f := &cmdkit.Factory{IO: io, Version: "test", Getenv: func(name string) string { return env[name] }}
	root := cmdkit.Group(&cobra.Command{Use: "apify"})
	root.AddCommand(New(f))
	root.SetArgs(append([]string{"actor"}, args...))
	return cmdkit.Run(context.Background(), io, root), out.String(), err.String()
}

func TestBelowAnotherRoot(t *testing.T) {
	env := map[string]string{"APIFY_LOCAL_STORAGE_DIR": t.TempDir()}
	for _, args := range [][]string{{"help", "push-data"}, {"push-data", "--help"}, {"help"}, {}} {
		if status, out, err := tried(t, "", env, args...); status != 0 || out == "" || err != "" {
			t.Errorf("%q: %d, %q, %q", args, status, out, err)
		}
	}
	if status, _, err := tried(t, "", env, "help", "nonsense"); status != 1 || !strings.Contains(err, "apify: error: there is no command") {
		t.Errorf("%d, %q", status, err)
	}
	if status, _, err := tried(t, "piped", env, "set-value", "k", "--contentType=text/plain"); status != 0 {
		t.Errorf("%d, %q", status, err)
	}
	if status, out, err := tried(t, "", env, "get-value", "k"); status != 0 || out != "piped" {
		t.Errorf("%d, %q, %q", status, out, err)
	}
}

func TestEveryCommandHasExamplesAndExitCodes(t *testing.T) {
	for _, cmd := range New(&cmdkit.Factory{IO: &cmdkit.IO{}}).Commands() {
		if cmd.Name() == "help" {
			continue
		}
		if cmd.Example == "" || !strings.Contains(cmd.Long, "Exit codes:") {
			t.Errorf("%s: example %q, help %q", cmd.Name(), cmd.Example, cmd.Long)
		}
	}
}
