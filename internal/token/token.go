// Package token keeps the API tokens of one server: who may call it, how far
// that goes, and until when. Tokens are kept as hashes in one file of the data
// directory; only the owner's own token is kept in clear beside it, so that a
// server can print it at every start and commands on the same machine can use it.
//
// Several processes may use one directory at once: a token that a command makes
// or revokes counts in a running server from the next request on.
package token

import (
	"crypto/rand"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Prefix begins every token. It is the platform's: scanners for leaked secrets
// and tools that check the look of a token know it.
const Prefix = "apify_api_"

const (
	secretLength = 36 // after the prefix, about 214 bits
	idLength     = 17
	shownLength  = len(Prefix) + 4

	// OwnerID is the ID of the owner's token.
	OwnerID = "owner"

	maxNameLength = 100
)

// Scope is what a token gives access to: Full, ReadOnly, or what OneRun gives.
type Scope string

// The scopes that name no run.
const (
	Full     Scope = "full"      // everything
	ReadOnly Scope = "read-only" // whatever changes nothing
)

const runPrefix = "run:"

// OneRun is the scope of the storages of one run.
func OneRun(runID string) Scope { return Scope(runPrefix + runID) }

// ParseScope reads a scope: "full", "read-only" or "run:" with the ID of a run.
// Anything else is fault.Usage.
func ParseScope(text string) (Scope, error) {
	s := Scope(text)
	if s == Full || s == ReadOnly {
		return s, nil
	}
	id, ok := strings.CutPrefix(text, runPrefix)
	if !ok || len(id) != idLength || !alphanumeric(id) {
		return "", fault.New(fault.Usage, "%.40q is not a scope of tokens", text).
			WithHint("use full, read-only, or run: and the id of a run, 17 letters and digits")
	}
	return s, nil
}

// RunID is the run whose storages the scope gives access to, "" for the others.
func (s Scope) RunID() string {
	id, _ := strings.CutPrefix(string(s), runPrefix)
	if len(id) == len(s) {
		return ""
	}
	return id
}

// Identity is whom a token stands for.
type Identity struct {
	// ID is that of the token, OwnerID for the owner's own.
	ID    string
	Scope Scope
}

// Token is what is known of a token; the token itself is not among it.
type Token struct {
	// ID is 17 letters and digits, or OwnerID.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Start is the first characters of the token, enough to recognise it by.
	Start     string    `json:"start"`
	Scope     Scope     `json:"scope"`
	CreatedAt time.Time `json:"createdAt"`
	// ExpiresAt is zero for tokens that do not expire.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// LastUsedAt is exact to UsePrecision; zero means never.
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
}

// Expired reports whether the token has expired at a moment.
func (t Token) Expired(at time.Time) bool { return !t.ExpiresAt.IsZero() && !at.Before(t.ExpiresAt) }

// WellFormed reports whether a text looks like a token.
func WellFormed(text string) bool {
	secret, ok := strings.CutPrefix(text, Prefix)
	return ok && len(secret) == secretLength && alphanumeric(secret)
}

func alphanumeric(text string) bool {
	for i := range len(text) {
		if c := text[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return true
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// random gives n letters and digits, each as likely as any other.
func random(n int) string {
	text := make([]byte, 0, n)
	var buf [64]byte
	for len(text) < n {
		_, _ = rand.Read(buf[:]) // never fails
		for _, b := range buf {
			// The greatest multiple of the alphabet's 62 letters in a byte.
			if b < 248 && len(text) < n {
				text = append(text, alphabet[b%62])
			}
		}
	}
	return string(text)
}

// checkName refuses names that no list could show in a line.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fault.New(fault.Usage, "the name of a token cannot hold %.40q", name).
			WithHint("use letters, digits, spaces and punctuation")
	case utf8.RuneCountInString(name) > maxNameLength:
		return fault.New(fault.Usage, "the name of the token has %d characters, at most %d are allowed",
			utf8.RuneCountInString(name), maxNameLength)
	}
	return nil
}
