package token

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/token"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// run runs the commands with a home directory of the test's own.
func run(t *testing.T, home string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := map[string]string{"HOME": home, "LocalAppData": home}
	f := &cmdkit.Factory{IO: &cmdkit.IO{Out: &out, Err: &errs}, Getenv: func(name string) string { return env[name] }}
	root := New(f)
	root.SetArgs(args)
	status = cmdkit.Run(t.Context(), f.IO, root)
	return status, out.String(), errs.String()
}

func TestLifecycle(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if status, out, errs := run(t, "", "ls", "--data-dir", dir); status != 0 || out != "" || !strings.Contains(errs, "no tokens in "+dir) {
		t.Errorf("empty: %d, %q, %q", status, out, errs)
	}
	if status, out, _ := run(t, "", "ls", "--json", "--data-dir", dir); status != 0 || out != "{\n  \"tokens\": []\n}\n" {
		t.Errorf("empty: %d, %q", status, out)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("listing made the directory")
	}
	server, err := token.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()

	status, out, errs := run(t, "", "create", "--data-dir", dir)
	plain := strings.TrimSuffix(out, "\n")
	if status != 0 || !token.WellFormed(plain) || !strings.Contains(errs, "only time") || strings.Contains(errs, plain) {
		t.Errorf("create: %d, %q, %q", status, out, errs)
	}
	if id, ok := server.Lookup(plain); !ok || id.Scope != token.Full {
		t.Errorf("%+v, %v", id, ok)
	}
	status, out, errs = run(t, "", "create", "--name", "note\u00e9book", "--scope", "read-only", "--expires", "30d", "--json", "--data-dir", dir)
	var made struct {
		description
		ExpiresAt time.Time `json:"expiresAt"`
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || status != 0 || errs != "" {
		t.Fatalf("create: %d, %q, %q, %v", status, out, errs, err)
	}
	if left := time.Until(made.ExpiresAt); made.Name != "note\u00e9book" || made.Scope != "read-only" || left < 29*24*time.Hour || left > 30*24*time.Hour || made.IsExpired {
		t.Errorf("made %s", out)
	}
	if id, ok := server.Lookup(made.Token); !ok || id.Scope != token.ReadOnly || id.ID != made.ID {
		t.Errorf("%+v, %v", id, ok)
	}
	if status, out, _ := run(t, "", "create", "--scope", "run:abcdefghij1234567", "--jq", ".scope", "--data-dir", dir); status != 0 || out != "run:abcdefghij1234567\n" {
		t.Errorf("create: %d, %q", status, out)
	}

	status, out, _ = run(t, "", "ls", "--data-dir", dir)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != 4 || !strings.HasPrefix(lines[0], "ID ") || !strings.Contains(lines[2], made.ID+"  "+made.Start+"…  note\u00e9book  read-only") {
		t.Errorf("ls: %d\n%s", status, out)
	}
	if strings.Contains(out, plain) || strings.Contains(out, made.Token) {
		t.Errorf("a token is listed:\n%s", out)
	}
	if status, out, _ := run(t, "", "ls", "--jq", ".tokens[].scope", "--data-dir", dir); status != 0 || out != "full\nread-only\nrun:abcdefghij1234567\n" {
		t.Errorf("ls: %d, %q", status, out)
	}

	status, out, errs = run(t, "", "revoke", made.ID[:6], plain, "--jq", ".revoked[].id", "--data-dir", dir)
	if status != 0 || !strings.HasPrefix(out, made.ID+"\n") || strings.Contains(out+errs, plain) || strings.Count(errs, "revoked ") != 2 {
		t.Errorf("revoke: %d, %q, %q", status, out, errs)
	}
	for _, secret := range []string{plain, made.Token} {
		if _, ok := server.Lookup(secret); ok {
			t.Errorf("%s is still good", secret)
		}
	}
	if status, _, errs := run(t, "", "revoke", made.ID, "--data-dir", dir); status != 250 || !strings.Contains(errs, "apify token ls") {
		t.Errorf("again: %d, %q", status, errs)
	}
}

func TestDefaultDirectory(t *testing.T) {
	home := t.TempDir()
	if status, _, errs := run(t, home, "create"); status != 0 {
		t.Fatalf("%d, %q", status, errs)
	}
	dir, err := cmdkit.DataDir("", func(string) string { return home })
	if err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(home, "*", "*", "*", "tokens.json"))
	if _, err := os.Stat(filepath.Join(dir, "tokens.json")); err != nil && len(found) != 1 {
		t.Errorf("%v", err)
	}
	if status, _, errs := run(t, "", "ls"); status != 1 || !strings.Contains(errs, "--data-dir") {
		t.Errorf("without a home: %d, %q", status, errs)
	}
}

func TestWhatIsWrong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, args := range [][]string{
		{"create", "--scope", "everything"}, {"create", "--scope", "run:"}, {"create", "--expires", "soon"}, {"create", "--expires", "0d"},
		{"create", "--expires", "2020-01-01"}, {"create", "--expires", "101y"}, {"create", "extra"}, {"create", "--name", "a\x1b[31m"},
		{"revoke"}, {"nothing"}, {"ls", "extra"},
	} {
		status, out, errs := run(t, "", append(args, "--data-dir", dir)...)
		if status != 1 || out != "" || !strings.Contains(errs, "error: ") || strings.Contains(errs, "\x1b") {
			t.Errorf("%v: %d, %q, %q", args, status, out, errs)
		}
	}
	if status, _, errs := run(t, "", "create", "--jq", ".[", "--data-dir", dir); status == 0 {
		t.Errorf("a wrong expression: %q", errs)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused command made the directory")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokens.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"ls"}, {"create"}, {"revoke", "abcd"}} {
		if status, _, errs := run(t, "", append(args, "--data-dir", dir)...); status != 5 || !strings.Contains(errs, "tokens.json") {
			t.Errorf("damaged: %v: %d, %q", args, status, errs)
		}
	}
}

func TestParseExpiry(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "never": {},
		"90m": now.Add(90 * time.Minute), "12h": now.Add(12 * time.Hour), "30d": now.AddDate(0, 0, 30), "4w": now.AddDate(0, 0, 28),
		"100y":                      now.Add(100 * 365 * 24 * time.Hour),
		"2027-01-31":                time.Date(2027, 1, 31, 0, 0, 0, 0, time.Local),
		"2027-01-31T12:00:00+02:00": time.Date(2027, 1, 31, 10, 0, 0, 0, time.UTC),
	} {
		if got, err := parseExpiry(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"d", "-1d", "+1d", "1.5d", "0h", "101y", "4294967296d", "4294967295m", "30", "30 d", "31.12.2027", "2027-02-30", "0001-01-01T00:00:00Z"} {
		if got, err := parseExpiry(text, now); !fault.Is(err, fault.Usage) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzParseExpiry(f *testing.F) {
	for _, seed := range []string{"30d", "2027-01-31", "2027-01-31T12:00:00Z", "never", "99999999999w", "y"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseExpiry(text, now)
		if err != nil && !at.IsZero() || err == nil && at.IsZero() != (text == "" || text == "never") {
			t.Fatalf("%q gives %v, %v", text, at, err)
		}
	})
}
