package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// IDLength is how long the platform's ids are.
const IDLength = 17

// NewID makes an id as the platform does: 17 characters of [A-Za-z0-9].
func NewID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	const length = IDLength
	id := make([]byte, 0, length)
	var random [32]byte
	for len(id) < length {
		rand.Read(random[:]) // never fails, by its contract
		for _, b := range random {
			// 248 is the largest multiple of 62 that a byte holds; dropping the
			// rest keeps the characters equally likely.
			if b < 248 && len(id) < length {
				id = append(id, alphabet[b%62])
			}
		}
	}
	return string(id)
}

// RequestID derives a request's id from its unique key by the platform's rule,
// which the clients compute too: the first 15 characters of the base64 SHA-256
// with '+', '/' and '=' removed.
func RequestID(uniqueKey string) string {
	sum := sha256.Sum256([]byte(uniqueKey))
	id := strings.NewReplacer("+", "", "/", "", "=", "").Replace(base64.StdEncoding.EncodeToString(sum[:]))
	return id[:min(15, len(id))]
}

// ValidKey reports whether key may name a record of a key-value store: 1 to 256
// of a-zA-Z0-9!-_.'(). Regular expressions for this would cost every program
// that links this package a millisecond at its start.
func ValidKey(key string) bool {
	for i := range len(key) {
		if !alphanumeric(key[i]) && strings.IndexByte("!-_.'()", key[i]) < 0 {
			return false
		}
	}
	return 1 <= len(key) && len(key) <= 256
}

// ValidName reports whether name may name a storage: letters, digits and inner
// hyphens, at most 63.
func ValidName(name string) bool {
	for i := range len(name) {
		inner := 0 < i && i < len(name)-1
		if !alphanumeric(name[i]) && (name[i] != '-' || !inner) {
			return false
		}
	}
	return 1 <= len(name) && len(name) <= 63
}

// InvalidName is what a store says of a name that is no ValidName.
func InvalidName(name string) error {
	return fault.New(fault.InvalidRequest, "%q cannot be the name of a storage", name).
		WithType("invalid-value").
		WithHint("use up to 63 letters, digits and hyphens, no hyphen at either end")
}

func alphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}
