package engine_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/engine/onedir"
	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/internal/secret/keyfile"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const secretSchema = `{
	"actorSpecification": 1, "name": "secretive", "version": "0.1", "scripts": {"run": "sh ./main.sh"},
	"input": {"title": "T", "type": "object", "schemaVersion": 1, "properties": {
		"user": {"title": "U", "type": "string", "description": "d", "editor": "textfield"},
		"password": {"title": "P", "type": "string", "description": "d", "editor": "textfield", "isSecret": true},
		"cookies": {"title": "C", "type": "array", "description": "d", "editor": "json", "isSecret": true},
		"empty": {"title": "E", "type": "string", "description": "d", "editor": "textfield", "isSecret": true}}}}`

// tell writes what the code can see of its secrets: the variables to a file
// (its log masks them), the rest to its log.
const tell = `printf '%s\n%s' "$APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE" "$APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE" > key.txt
env | grep SECRETS
echo "the password is hunter2, the cookies are oatmeal, hazelnut"`

// secretive is an engine with an Actor that has secret inputs.
func secretive(t *testing.T, change ...func(*engine.Config, *onedir.Source)) *bench {
	return start(t, tell, append(change, func(_ *engine.Config, p *onedir.Source) {
		dir := p.Definition.Root
		write(t, filepath.Join(dir, ".actor", "actor.json"), secretSchema)
		d, err := definition.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		p.Definition = d
	})...)
}

const openInput = `{"user": "me", "password": "hunter2", "cookies": [{"name": "oatmeal"}, "hazelnut", "no"], "empty": ""}`

func TestSecretInputsAreEncrypted(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	b := secretive(t, func(c *engine.Config, _ *onedir.Source) { c.SecretKey = keyfile.In(keys).Key })
	stored := filepath.Join(b.storage, "key_value_stores", "default", "INPUT.json")
	write(t, stored, openInput)

	check := func(r api.Run) string {
		t.Helper()
		if r.Status != api.StatusSucceeded {
			t.Fatalf("the run %s", r.Status)
		}
		read := record(t, b.root, r.DefaultKeyValueStoreID, "INPUT")
		for _, open := range []string{"hunter2", "oatmeal", "hazelnut"} {
			if strings.Contains(read, open) {
				t.Errorf("the record has %s in it: %s", open, read)
			}
		}
		var fields map[string]string
		if err := json.Unmarshal([]byte(read), &fields); err != nil {
			t.Fatalf("%s: %v", read, err)
		}
		if fields["user"] != "me" || fields["empty"] != "" ||
			!strings.HasPrefix(fields["password"], "ENCRYPTED_VALUE:") || !strings.HasPrefix(fields["cookies"], "ENCRYPTED_JSON:") {
			t.Errorf("the record is %s", read)
		}
		decrypted, err := keyOf(t, b).DecryptInput([]byte(read))
		if err != nil || string(decrypted) != `{"user":"me","password":"hunter2","cookies":[{"name":"oatmeal"},"hazelnut","no"],"empty":""}` {
			t.Errorf("the code decrypts %s, %v", decrypted, err)
		}
		return read
	}
	// The stored input, which stays as the user wrote it.
	first := b.end(t, b.begin(t, engine.StartRequest{}).ID)
	encrypted := check(first)
	if text, err := os.ReadFile(stored); err != nil || string(text) != openInput {
		t.Errorf("the stored input became %s, %v", text, err)
	}
	log := logOf(t, b, first.ID)
	if !strings.Contains(log, "the password is *****, the cookies are *****, *****") || strings.Contains(log, "BEGIN") {
		t.Errorf("the log is %s", log)
	}
	key, err := os.ReadFile(filepath.Join(b.dir, "key.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(key), "\n") {
		if part == "" || strings.Contains(log, part) {
			t.Errorf("the log shows the key %q", part)
		}
	}
	// A given input, in storages of the run's own: encrypted on disk, too.
	second := b.end(t, b.begin(t, engine.StartRequest{Input: &engine.Input{Body: []byte(openInput)}}).ID)
	check(second)
	expectNowhere(t, b.storage, stored, "hunter2", "oatmeal", "hazelnut")
	// One that is encrypted already, as another program may have it from the API.
	third := b.end(t, b.begin(t, engine.StartRequest{Input: &engine.Input{Body: []byte(encrypted)}}).ID)
	if again := check(third); again != encrypted {
		t.Errorf("the encrypted input became %s", again)
	}
	if log := logOf(t, b, third.ID); strings.Contains(log, "hunter2") {
		t.Errorf("the log is %s", log)
	}
}

// expectNowhere looks for texts in all files below a directory but one.
func expectNowhere(t *testing.T, dir, but string, texts ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == but {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range texts {
			if strings.Contains(string(content), text) {
				t.Errorf("%s contains %s", path, text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func keyOf(t *testing.T, b *bench) *secret.PrivateKey {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "key.txt"))
	if err != nil {
		t.Fatal(err)
	}
	encoded, passphrase, _ := strings.Cut(string(text), "\n")
	file, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	key, err := secret.ParsePrivateKey(string(file), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func logOf(t *testing.T, b *bench, id string) string {
	t.Helper()
	log, err := b.Log(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	text, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestInputsOfAnotherKeyAreRefused(t *testing.T) {
	other, err := secret.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Public().EncryptString("hunter2")
	if err != nil {
		t.Fatal(err)
	}
	b := secretive(t)
	in := &engine.Input{Body: []byte(`{"password": "` + foreign + `"}`)}
	for name, err := range map[string]error{
		"check": func() error { _, err := b.CheckInput(t.Context(), b.unbuilt(t), in); return err }(),
		"start": func() error {
			_, err := b.StartRun(t.Context(), engine.StartRequest{Actor: b.actor.ID, Input: in})
			return err
		}(),
	} {
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), `"password"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Without a secret value, nobody makes a key.
func TestNoSecretsNoKey(t *testing.T) {
	b := secretive(t, func(c *engine.Config, _ *onedir.Source) {
		c.SecretKey = func(string) (*secret.PrivateKey, error) {
			t.Error("a key was asked for")
			return nil, context.Canceled
		}
	})
	r := b.end(t, b.begin(t, engine.StartRequest{Input: &engine.Input{Body: []byte(`{"user": "me", "password": ""}`)}}).ID)
	if text, err := os.ReadFile(filepath.Join(b.dir, "key.txt")); err != nil || string(text) != "\n" {
		t.Errorf("the code was given %q, %v", text, err)
	}
	if r.Status != api.StatusSucceeded {
		t.Errorf("the run %s", r.Status)
	}
}

// Code that reads files finds its input in the open, and the log masks it all the
// same.
func TestSecretsForCodeThatReadsFiles(t *testing.T) {
	var storage string
	b := secretive(t, func(c *engine.Config, p *onedir.Source) {
		storage = filepath.Join(p.Definition.Root, "storage")
		c.StorageDir = storage
	})
	write(t, filepath.Join(b.dir, "main.sh"), tell+"\n"+`cat "$APIFY_LOCAL_STORAGE_DIR/key_value_stores/default/$ACTOR_INPUT_KEY.json" > seen.json`)
	r := b.end(t, b.begin(t, engine.StartRequest{Input: &engine.Input{Body: []byte(openInput)}}).ID)
	seen, err := os.ReadFile(filepath.Join(b.dir, "seen.json"))
	if err != nil || !strings.Contains(string(seen), "hunter2") {
		t.Errorf("the code read %s, %v", seen, err)
	}
	if log := logOf(t, b, r.ID); strings.Contains(log, "hunter2") {
		t.Errorf("the log is %s", log)
	}
	expectNowhere(t, storage, "", "hunter2")
}
