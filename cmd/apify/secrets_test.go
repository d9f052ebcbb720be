package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// An Actor's code with secret inputs, in every language that can decrypt them.
// Each stores what it gets as its input, and how the record begins that it is in.
var secretReaders = []struct{ sample, file, code, needs string }{
	{"node-cheerio", "src/main.js", `import { Actor } from 'apify';
await Actor.init();
const { user, password, cookies } = await Actor.getInput();
const raw = await Actor.getValue('INPUT');
await Actor.pushData({ user, password, cookies, raw: [raw.password.split(':')[0], raw.cookies.split(':')[0]] });
await Actor.exit('done');
`, nodeModules},
	{"python-sdk", "main.py", `import asyncio
from apify import Actor

async def main():
    async with Actor:
        given = await Actor.get_input()
        raw = await Actor.get_value('INPUT')
        await Actor.push_data({
            'user': given['user'], 'password': given['password'], 'cookies': given['cookies'],
            'raw': [raw['password'].split(':')[0], raw['cookies'].split(':')[0]]})
        await Actor.set_status_message('done', is_terminal=True)

asyncio.run(main())
`, python},
	{"hello-shell", "main.sh", `#!/bin/sh
set -eu
input=$(actor get-input)
raw=$(actor get-value INPUT | tr ',' '\n' | grep -o 'ENCRYPTED_[A-Z]*' | sed 's/.*/"&"/' | paste -sd, -)
echo "${input%\}}, \"raw\": [$raw]}" | actor push-data
actor set-status-message --terminal done
`, ""},
}

const secretFields = `{"title": "Secrets", "type": "object", "schemaVersion": 1, "properties": {
	"user": {"title": "User", "type": "string", "description": "d", "editor": "textfield"},
	"password": {"title": "Password", "type": "string", "description": "d", "editor": "textfield", "isSecret": true},
	"cookies": {"title": "Cookies", "type": "array", "description": "d", "editor": "json", "isSecret": true}}}`

// TestSDKsDecryptSecretInputs lets the official SDKs, and our own commands, read
// what the engine has encrypted.
func TestSDKsDecryptSecretInputs(whole *testing.T) {
	if runtime.GOOS == "windows" {
		whole.Skip("the sample Actors are prepared by a shell script")
	}
	built, err := binaries()
	if err != nil {
		whole.Fatal(err)
	}
	for _, reader := range secretReaders {
		whole.Run(reader.sample, func(t *testing.T) {
			if reader.needs != "" && os.Getenv(reader.needs) == "" {
				missing(t, reader.needs+" is not set; scripts/test-sdks.sh prints it")
			}
			dir := filepath.Join(t.TempDir(), "secret-"+reader.sample)
			prepare := exec.Command("bash", "scripts/sample.sh", reader.sample, dir)
			prepare.Dir = module
			if out, err := prepare.CombinedOutput(); err != nil {
				t.Fatalf("preparing: %v\n%s", err, out)
			}
			for file, text := range map[string]string{reader.file: reader.code, ".actor/input_schema.json": secretFields} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			d, err := definition.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			whole.Cleanup(func() { removeImages(whole, image.Tag(d)) })
			input := `{"user":"me","password":"hun\"ter2 ü","cookies":[{"name":"sid","value":"oatmeal"}]}`
			want := outcome{api.StatusSucceeded, 0, "done", []any{item(
				"user", "me", "password", "hun\"ter2 ü", "cookies", []any{item("name", "sid", "value", "oatmeal")},
				"raw", []any{"ENCRYPTED_VALUE", "ENCRYPTED_JSON"},
			)}, map[string]string{}}
			key := ""
			for _, executor := range []string{"process", "docker"} {
				if executor == "docker" {
					gateway(t)
				}
				got := runSample(t, built.apify, built.actor, dir, executor, input, "none")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: want -, got +:\n%s", executor, diff)
				}
				keys := glob(t, filepath.Join(dir, "storage", ".greenroom", "keys", "*.pem"))
				if len(keys) != 1 {
					t.Fatalf("%d keys are kept, want 1", len(keys))
				}
				text := read(t, keys[0])
				if info, err := os.Stat(keys[0]); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("the key: %v, %v", info.Mode(), err)
				}
				if key != "" && text != key {
					t.Error("the second run got another key")
				}
				key = text
			}
			expectNoSecrets(t, filepath.Join(dir, "storage"), "ter2", "oatmeal")
		})
	}
}

// expectNoSecrets looks for texts wherever the platform keeps something of its
// own accord: what the code stores is its own affair.
func expectNoSecrets(t *testing.T, storage string, texts ...string) {
	t.Helper()
	err := filepath.WalkDir(storage, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path, filepath.Join(storage, "datasets")) {
			return err
		}
		content := read(t, path)
		for _, text := range texts {
			if strings.Contains(content, text) {
				t.Errorf("%s contains %s", path, text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
