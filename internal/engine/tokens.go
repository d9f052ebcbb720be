package engine

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// tokens makes the tokens of runs out of one key, so that none needs to be kept
// to be known again, by this engine or a later one.
type tokens struct{ key []byte }

const tokenPrefix = "greenroom_run_"

func newTokens(key []byte) tokens {
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key) // never fails, by its contract
	}
	return tokens{key}
}

// derive gives a secret text for a use of a run, the same each time.
func (t tokens) derive(use, runID string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(use + "\x00" + runID))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:20])
}

// of gives the token of a run.
func (t tokens) of(runID string) string { return tokenPrefix + runID + "_" + t.derive("token", runID) }

// runOf gives the run that a token is of; ok is false for any other text.
func (t tokens) runOf(token string) (runID string, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return "", false
	}
	runID, proof, ok := strings.Cut(rest, "_")
	return runID, ok && hmac.Equal([]byte(proof), []byte(t.derive("token", runID)))
}
