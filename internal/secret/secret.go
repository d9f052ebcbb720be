// Package secret is the platform's encryption of secret inputs: what stands in
// a stored input instead of a secret field's value, and the key pair that turns
// one into the other.
//
// A value is encrypted with AES-256-GCM under a key of its own, and that key
// with the RSA key of the Actor. Sources: the platform's documentation of secret
// inputs, and what its JavaScript and Python SDKs write and read.
package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	stringPrefix = "ENCRYPTED_VALUE"
	jsonPrefix   = "ENCRYPTED_JSON"

	// The SDKs make key and nonce of ASCII letters and digits, and use their
	// bytes as they are.
	keyLength   = 32
	nonceLength = 16
	tagLength   = 16

	keyBits = 2048
)

// PublicKey encrypts an Actor's secret inputs.
type PublicKey struct{ rsa *rsa.PublicKey }

// PrivateKey decrypts an Actor's secret inputs.
type PrivateKey struct{ rsa *rsa.PrivateKey }

// GenerateKey makes a new key pair; it takes in the order of 100 ms.
func GenerateKey() (*PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "generate a key for secret inputs")
	}
	return &PrivateKey{key}, nil
}

// Public gives the key that encrypts what k decrypts.
func (k *PrivateKey) Public() *PublicKey { return &PublicKey{&k.rsa.PublicKey} }

// EncryptString encrypts the value of a secret string field:
// "ENCRYPTED_VALUE:<key>:<data>".
func (k *PublicKey) EncryptString(s string) (string, error) {
	sealed, err := k.seal([]byte(s))
	if err != nil {
		return "", err
	}
	return stringPrefix + ":" + sealed, nil
}

// EncryptJSON encrypts the value of a secret object or array field:
// "ENCRYPTED_JSON:<schemaHash>:<key>:<data>". The hash identifies the field's
// schema; "" leaves it out.
func (k *PublicKey) EncryptJSON(raw json.RawMessage, schemaHash string) (string, error) {
	sealed, err := k.seal(raw)
	if err != nil {
		return "", err
	}
	if schemaHash != "" {
		schemaHash += ":"
	}
	return jsonPrefix + ":" + schemaHash + sealed, nil
}

// seal gives "<key>:<data>": the encrypted key and nonce, and what they encrypt.
func (k *PublicKey) seal(plain []byte) (string, error) {
	password := alphanumerics(keyLength + nonceLength)
	gcm, err := newGCM(password)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encrypt a secret input")
	}
	data := gcm.Seal(nil, password[keyLength:], plain, nil)
	key, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, k.rsa, password, nil)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encrypt a secret input")
	}
	return base64.StdEncoding.EncodeToString(key) + ":" + base64.StdEncoding.EncodeToString(data), nil
}

// open is the opposite of seal. Its errors never hold a value.
func (k *PrivateKey) open(key, data string) ([]byte, error) {
	sealedKey, err := decodeBase64(key)
	if err != nil {
		return nil, errors.New("the encrypted key is not base64")
	}
	sealed, err := decodeBase64(data)
	if err != nil {
		return nil, errors.New("the encrypted data is not base64")
	}
	password, err := rsa.DecryptOAEP(sha1.New(), nil, k.rsa, sealedKey, nil)
	if err != nil {
		return nil, errors.New("it was encrypted for another key")
	}
	if len(password) != keyLength+nonceLength {
		return nil, errors.New("the encrypted key has the wrong length")
	}
	gcm, err := newGCM(password)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, password[keyLength:], sealed, nil)
	if err != nil {
		return nil, errors.New("the encrypted data is damaged")
	}
	return plain, nil
}

func newGCM(password []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(password[:keyLength])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithNonceSize(block, nonceLength)
}

// decodeBase64 reads what JavaScript reads: padding may be missing, and "-" is
// as good as "+".
func decodeBase64(s string) ([]byte, error) {
	s = strings.ReplaceAll(strings.TrimRight(s, "="), "-", "+")
	return base64.RawStdEncoding.DecodeString(s)
}

// alphanumerics gives n random ASCII letters and digits, each as likely.
func alphanumerics(n int) []byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, 0, n)
	random := make([]byte, 2*n)
	for len(text) < n {
		_, _ = rand.Read(random) // it never fails: it ends the program instead
		for _, b := range random {
			// 248 is the largest multiple of 62 in a byte.
			if b < 248 && len(text) < n {
				text = append(text, alphabet[b%62])
			}
		}
	}
	return text
}

// Value is an encrypted value taken apart.
type Value struct {
	// JSON says that what is encrypted is JSON, else it is text.
	JSON bool
	// SchemaHash identifies the schema it was encrypted for; "" when not said.
	SchemaHash string

	key, data string
}

// Read takes an encrypted value apart. ok is false for any other text; true does
// not mean that it can be decrypted.
func Read(s string) (v Value, ok bool) {
	prefix, rest, found := strings.Cut(s, ":")
	if !found || prefix != stringPrefix && prefix != jsonPrefix {
		return Value{}, false
	}
	v.JSON = prefix == jsonPrefix
	parts := strings.Split(rest, ":")
	if len(parts) == 3 {
		v.SchemaHash, parts = parts[0], parts[1:]
	}
	if len(parts) != 2 || !likeBase64(v.SchemaHash) || !likeBase64(parts[0]) || !likeBase64(parts[1]) {
		return Value{}, false
	}
	v.key, v.data = parts[0], parts[1]
	return v, true
}

// likeBase64 is what the SDKs take for base64: [-A-Za-z0-9+/]*={0,3}.
func likeBase64(s string) bool {
	text := strings.TrimRight(s, "=")
	if len(s)-len(text) > 3 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '+', c == '/':
		default:
			return false
		}
	}
	return true
}

// Decrypt gives the plain text, or the JSON, of an encrypted value.
func (k *PrivateKey) Decrypt(v Value) ([]byte, error) {
	plain, err := k.open(v.key, v.data)
	if err == nil && v.JSON && !json.Valid(plain) {
		err = errors.New("what it holds is not JSON")
	}
	return plain, err
}

// DecryptInput decrypts every encrypted value of an input that is an object, as
// the SDKs do: the values of its fields, not those further in. Everything else
// stays as it is, byte for byte, and so does what is no JSON. A value that cannot
// be decrypted is fault.InvalidInput and names the field.
func (k *PrivateKey) DecryptInput(input json.RawMessage) (json.RawMessage, error) {
	if !json.Valid(input) {
		return input, nil
	}
	var out []byte
	copied := 0
	err := stringFields(input, func(field, text string, start, end int) error {
		v, ok := Read(text)
		if !ok {
			return nil
		}
		plain, err := k.Decrypt(v)
		if err != nil {
			return fault.New(fault.InvalidInput, "the input field %q could not be decrypted: %w", field, err).
				WithHint("enter its value again")
		}
		if !v.JSON {
			plain = quote(string(plain))
		}
		out = append(append(out, input[copied:start]...), plain...)
		copied = end
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(out, input[copied:]...), nil
}

// IsEncrypted reports whether DecryptInput has something to decrypt.
func IsEncrypted(input json.RawMessage) bool {
	if !json.Valid(input) {
		return false
	}
	found := false
	_ = stringFields(input, func(_, text string, _, _ int) error { // valid JSON can be walked
		_, ok := Read(text)
		found = found || ok
		return nil
	})
	return found
}

// quote gives a string as JSON. Bytes that are no UTF-8 are replaced, as the SDKs
// replace them.
func quote(s string) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if err := encoder.Encode(s); err != nil {
		panic(err) // a string is always JSON
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// stringFields calls do with the fields of a valid JSON object whose values are
// strings; start and end are where such a value stands in data. What is no object
// has no fields.
func stringFields(data []byte, do func(field, text string, start, end int) error) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		var text string
		if value[0] != '"' || json.Unmarshal(value, &text) != nil {
			continue
		}
		end := int(decoder.InputOffset())
		if err := do(name.(string), text, end-len(value), end); err != nil {
			return err
		}
	}
	return nil
}
