package input

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const secretFields = `{
	"plain":{"title":"t","description":"d","type":"string","editor":"textfield"},
	"text":{"title":"t","description":"d","type":"string","editor":"textfield","isSecret":true},
	"object":{"title":"t","description":"d","type":"object","editor":"json","isSecret":true,"minProperties":1.0,"properties":{"10":{"title":"t","description":"d","type":"integer"},"9":{"title":"t","description":"d","type":"boolean"}}},
	"list":{"title":"t","description":"d","type":"array","editor":"json","isSecret":true,"maxItems":30,"errorMessage":{"maxItems":"\u2028 <&> 😀"}},
	"no secret":{"title":"t","description":"d","type":"string","editor":"textfield","isSecret":false}
}`

const secretInput = `{"extra":1e2,"plain":"p","text":"hunter2 \u017e","object":{"b":[1.50,null],"a":"x"},"list":["a",{"k":true}],"no secret":"n"}`

func TestSecrets(t *testing.T) {
	in := withFields(t, secretFields, "")
	if diff := cmp.Diff([]string{"text", "object", "list"}, in.Secrets()); diff != "" {
		t.Error(diff)
	}
	if secrets := withFields(t, `{"a":{"type":"string"}}`, "").Secrets(); len(secrets) > 0 {
		t.Errorf("secrets of a schema without any: %v", secrets)
	}
}

// testKey is one key for all tests: making one takes a while.
var testKey = sync.OnceValues(secret.GenerateKey)

func newKey(t testing.TB) *secret.PrivateKey {
	t.Helper()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestEncrypt(t *testing.T) {
	in, key := withFields(t, secretFields, ""), newKey(t)
	encrypted, err := in.Encrypt(json.RawMessage(secretInput), key.Public())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonc.ParseStrict("input", encrypted)
	if err != nil {
		t.Fatal(err)
	}
	for name, prefix := range map[string]string{
		"text":   "ENCRYPTED_VALUE:",
		"object": "ENCRYPTED_JSON:" + secretHash(in.fields[2].Value) + ":",
		"list":   "ENCRYPTED_JSON:" + secretHash(in.fields[3].Value) + ":",
	} {
		if value := doc.Root.Get(name); !value.Is(jsonc.String) || !strings.HasPrefix(value.Text, prefix) {
			t.Errorf("%s is %s, want %s…", name, value.JSON(), prefix)
		}
	}
	for _, text := range []string{"hunter2", `"a":"x"`, "true"} {
		if strings.Contains(string(encrypted), text) {
			t.Errorf("%q stands in clear", text)
		}
	}
	if !strings.HasPrefix(string(encrypted), `{"extra":1e2,"plain":"p","text":"ENC`) || !strings.HasSuffix(string(encrypted), `,"no secret":"n"}`) {
		t.Errorf("what is no secret does not stay as it was: %s", encrypted)
	}
	if again, err := in.Encrypt(encrypted, key.Public()); err != nil || string(again) != string(encrypted) {
		t.Errorf("what is encrypted already is encrypted again: %s, %v", again, err)
	}
	if faults, err := in.Validate(encrypted); err != nil || len(faults) > 0 {
		t.Errorf("an encrypted input is not valid: %v, %v", faults, err)
	}
	decrypted, err := key.DecryptInput(encrypted)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(decrypted); got != strings.ReplaceAll(secretInput, `\u017e`, "ž") {
		t.Errorf("decrypted again, it is %s", got)
	}
}

func TestEncryptLeavesAlone(t *testing.T) {
	in, key := withFields(t, secretFields, ""), newKey(t)
	for _, input := range []string{`{}`, ` { "text" : "" , "list" : null }`, `{"plain":"x"}`, `[1]`, `{"other":{"text":"x"}}`} {
		if got, err := in.Encrypt(json.RawMessage(input), key.Public()); err != nil || string(got) != input {
			t.Errorf("%s becomes %s, %v", input, got, err)
		}
	}
	for _, input := range []string{`{"text":5}`, `{"text":true}`, `{"text":`} {
		_, err := in.Encrypt(json.RawMessage(input), key.Public())
		if !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s gives %v", input, err)
		}
	}
}

// What we encrypt the official library decrypts, and what it encrypts we do.
func TestOracleSecrets(t *testing.T) {
	in, key := withFields(t, secretFields, ""), newKey(t)
	private, err := key.EncryptedPEM("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := in.Encrypt(json.RawMessage(secretInput), key.Public())
	if err != nil {
		t.Fatal(err)
	}
	answers := ask(t, []question{
		{Do: "decrypt", Input: ours, PrivateKey: private, Passphrase: "open sesame"},
		{Do: "encrypt", Schema: in.JSON(), Input: json.RawMessage(secretInput), PrivateKey: private, Passphrase: "open sesame"},
	})
	same := func(what string, got json.RawMessage) {
		var want, is any
		if err := json.Unmarshal([]byte(secretInput), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &is); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, is); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	same("encrypted by us, decrypted by the official library", answers[0].Input)
	theirs := answers[1].Input
	decrypted, err := key.DecryptInput(theirs)
	if err != nil {
		t.Fatal(err)
	}
	same("encrypted by the official library, decrypted by us", decrypted)
	// Their hash of a field's schema stands in the value and must be ours, too.
	if faults, err := in.Validate(theirs); err != nil || len(faults) > 0 {
		t.Errorf("what the official library encrypted is not valid: %v, %v", faults, err)
	}
	doc, err := jsonc.ParseStrict("input", theirs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range in.fields[2:4] {
		v, ok := secret.Read(doc.Root.Get(f.Name).Text)
		if !ok || v.SchemaHash == "" || v.SchemaHash != secretHash(f.Value) {
			t.Errorf("the official library's hash for %s is %q, ours %q", f.Name, v.SchemaHash, secretHash(f.Value))
		}
	}
}
