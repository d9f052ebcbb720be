package secrets_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cli/secrets"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

// run runs the commands with a home directory of the test's own.
func run(t *testing.T, stdin *os.File, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	f := &cmdkit.Factory{IO: &cmdkit.IO{Out: &out, Err: &errs}, Getenv: func(string) string { return "" }}
	if stdin != nil {
		f.IO.In = stdin
	}
	root := secrets.New(f)
	root.SetArgs(args)
	status = cmdkit.Run(t.Context(), f.IO, root)
	return status, out.String(), errs.String()
}

func isolate(t *testing.T) (file string) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	return filepath.Join(home, ".apify", "secrets.json")
}

func input(t *testing.T, text string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdin")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestLifecycle(t *testing.T) {
	file := isolate(t)
	if status, out, errs := run(t, nil, "ls"); status != 0 || out != "" || !strings.Contains(errs, "no secrets") {
		t.Errorf("empty: %d, %q, %q", status, out, errs)
	}
	if status, out, _ := run(t, nil, "ls", "--json"); status != 0 || out != "{\n  \"keys\": []\n}\n" {
		t.Errorf("empty: %d, %q", status, out)
	}
	if status, out, errs := run(t, input(t, "hunter2\r\n"), "add", "piped"); status != 0 || out+errs != "" {
		t.Errorf("piped: %d, %q, %q", status, out, errs)
	}
	if status, out, errs := run(t, nil, "add", "argued", "swordfish"); status != 0 || out != "" || !strings.Contains(errs, "history") {
		t.Errorf("on the command line: %d, %q, %q", status, out, errs)
	}
	if status, _, errs := run(t, input(t, "line 1\nline 2\n\n"), "add", "lines", "-"); status != 0 || errs != "" {
		t.Errorf("lines: %d, %q", status, errs)
	}
	text, err := os.ReadFile(file)
	if want := "{\n\t\"argued\": \"swordfish\",\n\t\"lines\": \"line 1\\nline 2\\n\",\n\t\"piped\": \"hunter2\"\n}\n"; err != nil || string(text) != want {
		t.Errorf("the file is %q, %v", text, err)
	}
	if status, out, errs := run(t, nil, "ls"); status != 0 || out != "NAME\nargued\nlines\npiped\n" || errs != "" {
		t.Errorf("ls: %d, %q, %q", status, out, errs)
	}

	status, _, errs := run(t, input(t, "other"), "add", "piped")
	if status != 1 || !strings.Contains(errs, "already exists") || !strings.Contains(errs, "--force") || strings.Contains(errs, "other") {
		t.Errorf("a duplicate: %d, %q", status, errs)
	}
	if status, _, errs := run(t, input(t, "other"), "add", "piped", "--force"); status != 0 {
		t.Errorf("replaced: %d, %q", status, errs)
	}
	if status, _, errs := run(t, nil, "rm", "lines"); status != 0 || errs != "" {
		t.Errorf("rm: %d, %q", status, errs)
	}
	if status, _, errs := run(t, nil, "rm", "lines"); status != 1 || !strings.Contains(errs, "does not exist") {
		t.Errorf("rm again: %d, %q", status, errs)
	}
	if status, out, _ := run(t, nil, "ls", "--json"); status != 0 || out != "{\n  \"keys\": [\n    \"argued\",\n    \"piped\"\n  ]\n}\n" {
		t.Errorf("ls --json: %d, %q", status, out)
	}
}

func TestRefused(t *testing.T) {
	file := isolate(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		name  string
		stdin *os.File
		args  []string
		says  string
	}{
		{"no value", null, []string{"add", "n"}, "missing"},
		{"an empty value", input(t, "\n"), []string{"add", "n"}, "empty"},
		{"a long value", input(t, strings.Repeat("x", 50_001)), []string{"add", "n"}, "at most 50000"},
		{"an endless value", input(t, strings.Repeat("x", 1_000_000)), []string{"add", "n"}, "at most 50000"},
		{"a long name", nil, []string{"add", strings.Repeat("n", 101), "v"}, "at most 100"},
		{"a name as in actor.json", nil, []string{"add", "@n", "v"}, `use "n"`},
		{"no name", nil, []string{"add"}, "needs 1 argument"},
		{"too much", nil, []string{"add", "n", "v", "w"}, "unexpected argument"},
		{"an unknown command", nil, []string{"show", "n"}, "unknown command"},
	} {
		status, out, errs := run(t, c.stdin, c.args...)
		if status != 1 || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%s: %d, %q, %q", c.name, status, out, errs)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("something was kept all the same")
	}
}
