// Package runtoken makes the tokens of runs out of one key, so that none needs to
// be kept to be known again, by this server or a later one.
package runtoken

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// Key is what tokens are made of.
type Key struct{ key []byte }

const tokenPrefix = "greenroom_run_"

// New gives the Key of some secret bytes; nil makes one that lives as long as
// this process.
func New(key []byte) Key {
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key) // never fails, by its contract
	}
	return Key{key}
}

// Derive gives a secret text for a use of a run, the same each time.
func (k Key) Derive(use, runID string) string {
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte(use + "\x00" + runID))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:20])
}

// Of gives the token of a run.
func (k Key) Of(runID string) string { return tokenPrefix + runID + "_" + k.Derive("token", runID) }

// RunOf gives the run that a token is of; ok is false for any other text.
func (k Key) RunOf(token string) (runID string, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return "", false
	}
	runID, proof, ok := strings.Cut(rest, "_")
	return runID, ok && hmac.Equal([]byte(proof), []byte(k.Derive("token", runID)))
}
