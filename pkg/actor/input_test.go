package actor_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestInputSecretsAreDecrypted(t *testing.T) {
	key, err := secret.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	file, err := key.EncryptedPEM("passphrase")
	if err != nil {
		t.Fatal(err)
	}
	password, err := key.Public().EncryptString("hunter2")
	if err != nil {
		t.Fatal(err)
	}
	stored := `{"user": "me", "password": "` + password + `"}`
	dir := filepath.Join(t.TempDir(), "storage")
	path := filepath.Join(dir, "key_value_stores", "default", "INPUT.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(stored), 0o644); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"APIFY_LOCAL_STORAGE_DIR":                    dir,
		"APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE":       base64.StdEncoding.EncodeToString([]byte(file)),
		"APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE": "passphrase",
	}
	with := func(change map[string]string) *actor.Actor {
		a := actor.New(actor.FromEnv(func(name string) string {
			if value, ok := change[name]; ok {
				return value
			}
			return env[name]
		}))
		t.Cleanup(func() { a.Close() })
		return a
	}

	a := with(nil)
	var input struct{ User, Password string }
	if err := a.Input(t.Context(), &input); err != nil || input.User != "me" || input.Password != "hunter2" {
		t.Errorf("got %+v, %v", input, err)
	}
	record, err := a.OpenInput(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(record.Body)
	want := `{"user": "me", "password": "hunter2"}`
	if err != nil || string(text) != want || record.Size != int64(len(want)) || record.ContentType != "application/json; charset=utf-8" {
		t.Errorf("got %s, %+v, %v", text, record, err)
	}
	// The record itself stays as it is stored.
	var raw json.RawMessage
	if err := a.Value(t.Context(), "INPUT", &raw); err != nil || string(raw) != stored {
		t.Errorf("got %s, %v", raw, err)
	}

	for _, missing := range []string{"APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE", "APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE"} {
		if err := with(map[string]string{missing: ""}).Input(t.Context(), &input); err != nil || input.Password != password {
			t.Errorf("without %s: %+v, %v", missing, input, err)
		}
	}
	for name, value := range map[string]string{
		"APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE":       "/path/to/key.pem",
		"APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE": "wrong",
	} {
		err := with(map[string]string{name: value}).Input(t.Context(), &input)
		if !fault.Is(err, fault.InvalidInput) || strings.Contains(err.Error(), password) {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}

	other, err := secret.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	if file, err = other.EncryptedPEM("passphrase"); err != nil {
		t.Fatal(err)
	}
	err = with(map[string]string{"APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE": base64.StdEncoding.EncodeToString([]byte(file))}).Input(t.Context(), &input)
	if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), `"password"`) {
		t.Errorf("another Actor's key: %v", err)
	}
}
