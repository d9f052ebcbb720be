package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/oracletest"
	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// testKey is one key for all tests: making one takes 100 ms.
var testKey = sync.OnceValue(func() *secret.PrivateKey {
	key, err := secret.GenerateKey()
	if err != nil {
		panic(err)
	}
	return key
})

func encrypted(t testing.TB, plain string) string {
	t.Helper()
	text, err := testKey().Public().EncryptString(plain)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDecryptInput(t *testing.T) {
	password := encrypted(t, `p"ss\wörd <&>`)
	object, err := testKey().Public().EncryptJSON(json.RawMessage(`{ "b": [1, 2], "a": null }`), "5be0c04285")
	if err != nil {
		t.Fatal(err)
	}
	bare, err := testKey().Public().EncryptJSON(json.RawMessage(`[]`), "")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(object, "ENCRYPTED_JSON:5be0c04285:") || strings.Count(bare, ":") != 2 {
		t.Fatalf("wrong forms: %s, %s", object, bare)
	}
	spelled := `"\u0045` + password[1:] + `"`
	for _, c := range []struct{ name, input, want string }{
		{"nothing to do", `{"a": "b" , "c":[1]}`, `{"a": "b" , "c":[1]}`},
		{"string", `{ "z": 1.0, "a" : "` + password + `" , "b": true}`, `{ "z": 1.0, "a" : "p\"ss\\wörd <&>" , "b": true}`},
		{"spelled with an escape", `{"a":` + spelled + `}`, `{"a":"p\"ss\\wörd <&>"}`},
		{"JSON", `{"a":"` + object + `","b":"` + bare + `"}`, `{"a":{ "b": [1, 2], "a": null },"b":[]}`},
		{"only fields of the input itself", `{"a":{"b":"` + password + `"},"c":["` + password + `"]}`, `{"a":{"b":"` + password + `"},"c":["` + password + `"]}`},
		{"similar text", `{"a":"ENCRYPTED_VALUE","b":"ENCRYPTED_VALUE:x","c":"ENCRYPTED_VALUE:a:b:c:d","d":"ENCRYPTED_VALUE:a b:c","e":"XENCRYPTED_VALUE:a:b"}`, `{"a":"ENCRYPTED_VALUE","b":"ENCRYPTED_VALUE:x","c":"ENCRYPTED_VALUE:a:b:c:d","d":"ENCRYPTED_VALUE:a b:c","e":"XENCRYPTED_VALUE:a:b"}`},
		{"no object", `["` + password + `"]`, `["` + password + `"]`},
		{"no JSON", `{"a":"` + password + `"`, `{"a":"` + password + `"`},
		{"empty", ``, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := testKey().DecryptInput([]byte(c.input))
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestDecryptInputRefuses(t *testing.T) {
	other, err := secret.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Public().EncryptString("x")
	if err != nil {
		t.Fatal(err)
	}
	good := encrypted(t, "not JSON")
	last := len(good) - 10 // within the data
	other64 := "A"         // another digit of base64: what is none would not be taken for encrypted
	if good[last] == 'A' {
		other64 = "B"
	}
	damaged := good[:last] + other64 + good[last+1:]
	for name, value := range map[string]string{
		"another key": foreign,
		"damaged":     damaged,
		"short":       "ENCRYPTED_VALUE:YQ==:YQ==",
		"empty":       "ENCRYPTED_VALUE::",
		"no base64":   "ENCRYPTED_VALUE:a:a",
		"not JSON":    strings.Replace(good, "ENCRYPTED_VALUE", "ENCRYPTED_JSON", 1),
	} {
		_, err := testKey().DecryptInput([]byte(`{"user":"me","token":"` + value + `"}`))
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), `"token"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSamePlaintextLooksDifferent(t *testing.T) {
	first, second := encrypted(t, "x"), encrypted(t, "x")
	if first == second {
		t.Error("two encryptions of the same text are the same")
	}
}

func TestPEM(t *testing.T) {
	const passphrase = "pässphrase"
	file, err := testKey().EncryptedPEM(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	key, err := secret.ParsePrivateKey(file, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	v, ok := secret.Read(encrypted(t, "hello"))
	if !ok {
		t.Fatal("not read")
	}
	if plain, err := key.Decrypt(v); err != nil || string(plain) != "hello" {
		t.Errorf("got %q, %v", plain, err)
	}
	for _, wrong := range []string{"", "passphrase"} {
		// Once in 256 times the padding looks right; what it holds never does.
		if _, err := secret.ParsePrivateKey(file, wrong); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("passphrase %q: %v", wrong, err)
		}
	}
	if _, err := secret.ParsePrivateKey("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ""); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a certificate: %v", err)
	}
}

// What OpenSSL writes is read, in every form that it has.
func TestOpenSSLKeys(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("needs the openssl command")
	}
	run := func(stdin []byte, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), openssl, args...)
		cmd.Stdin = bytes.NewReader(stdin)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, stderr.Bytes())
		}
		return out
	}
	plain := run(nil, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
	forms := map[string][]string{
		"PKCS #8":                {"pkcs8", "-topk8", "-nocrypt"},
		"PKCS #8, AES-256":       {"pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:pw"},
		"PKCS #8, AES-128, SHA1": {"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1", "-passout", "pass:pw"},
		"PKCS #8, AES-192, 512":  {"pkcs8", "-topk8", "-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512", "-passout", "pass:pw"},
		"PKCS #8, 3DES":          {"pkcs8", "-topk8", "-v2", "des3", "-passout", "pass:pw"},
		"PKCS #1":                {"rsa", "-traditional"},
		"PKCS #1, 3DES":          {"rsa", "-traditional", "-des3", "-passout", "pass:pw"},
		"PKCS #1, AES-128":       {"rsa", "-traditional", "-aes128", "-passout", "pass:pw"},
		"PKCS #1, AES-256":       {"rsa", "-traditional", "-aes256", "-passout", "pass:pw"},
	}
	var first string
	for name, args := range forms {
		file := string(run(plain, args...))
		key, err := secret.ParsePrivateKey(file, "pw")
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, file)
			continue
		}
		if first == "" {
			first, err = key.Public().EncryptString("same key")
			if err != nil {
				t.Fatal(err)
			}
		}
		v, _ := secret.Read(first)
		if text, err := key.Decrypt(v); err != nil || string(text) != "same key" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// The platform's own library decrypts what this package encrypts, with the key as
// this package writes it, and the other way round.
func TestOfficialLibrary(t *testing.T) {
	modules := oracletest.Modules(t)
	const program = `
const { createPrivateKey, createPublicKey } = require('node:crypto');
const { decryptInputSecrets, encryptInputSecrets } = require('@apify/input_secrets');
const { pem, passphrase, input } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const privateKey = createPrivateKey({ key: Buffer.from(pem, 'base64'), passphrase });
const decrypted = decryptInputSecrets({ input, privateKey });
const encrypted = encryptInputSecrets({
    input: decrypted, publicKey: createPublicKey(privateKey),
    inputSchema: { properties: { text: { type: 'string', isSecret: true }, list: { type: 'array', isSecret: true } } },
});
console.log(JSON.stringify({ decrypted, encrypted }));`
	file, err := testKey().EncryptedPEM("secret words")
	if err != nil {
		t.Fatal(err)
	}
	const text = "\x00 ünï \"code\" \U0001F511"
	list, err := testKey().Public().EncryptJSON(json.RawMessage(`[1,{"a":"b"}]`), "0123456789")
	if err != nil {
		t.Fatal(err)
	}
	question, err := json.Marshal(map[string]any{
		"pem": base64.StdEncoding.EncodeToString([]byte(file)), "passphrase": "secret words",
		"input": map[string]string{"text": encrypted(t, text), "list": list, "empty": encrypted(t, ""), "other": "plain"},
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-e", program)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stdin = bytes.NewReader(question)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var answer struct {
		Decrypted struct {
			Text, Empty, Other string
			List               json.RawMessage
		}
		Encrypted json.RawMessage
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	d := answer.Decrypted
	if d.Text != text || d.Empty != "" || d.Other != "plain" || string(d.List) != `[1,{"a":"b"}]` {
		t.Errorf("the library decrypted %s", out)
	}
	if !bytes.Contains(answer.Encrypted, []byte("ENCRYPTED_JSON:")) {
		t.Fatalf("the library encrypted nothing: %s", out)
	}
	back, err := testKey().DecryptInput(answer.Encrypted)
	if err != nil {
		t.Fatal(err)
	}
	var again struct {
		Text string
		List json.RawMessage
	}
	if err := json.Unmarshal(back, &again); err != nil || again.Text != text || string(again.List) != `[1,{"a":"b"}]` {
		t.Errorf("what the library encrypted came back as %s, %v", back, err)
	}
}

func FuzzParsePrivateKey(f *testing.F) {
	file, err := testKey().EncryptedPEM("pw")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file, "pw")
	f.Add(strings.Replace(file, "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", 2), "")
	f.Add("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0011223344556677\n\nAAECAwQFBgc=\n-----END RSA PRIVATE KEY-----\n", "pw")
	f.Fuzz(func(t *testing.T, file, passphrase string) {
		key, err := secret.ParsePrivateKey(file, passphrase)
		if (key == nil) == (err == nil) {
			t.Errorf("key %v, error %v", key, err)
		}
	})
}

func FuzzDecryptInput(f *testing.F) {
	f.Add([]byte(`{"a":"` + encrypted(f, "x") + `","b":[{"c":1}]}`))
	f.Add([]byte(`{"a":"ENCRYPTED_JSON:hash:AA==:AA=="}`))
	f.Add([]byte(`{"a":"\u0045NCRYPTED_VALUE::", "a":1}`))
	f.Add([]byte(strings.Repeat("[", 100000)))
	f.Fuzz(func(t *testing.T, input []byte) {
		out, err := testKey().DecryptInput(input)
		if err == nil && json.Valid(input) && !json.Valid(out) {
			t.Errorf("%q became %q", input, out)
		}
		if err == nil && !bytes.Contains(input, []byte("ENCRYPTED")) && !bytes.Contains(input, []byte(`\`)) && !bytes.Equal(input, out) {
			t.Errorf("%q became %q", input, out)
		}
	})
}
