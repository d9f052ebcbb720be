package signature

import (
	"encoding/base64"
	"encoding/json"
)

// sealed is a JSON text with who sealed it, so that nobody can change either.
type sealed struct {
	Payload   string `json:"payload"`
	UserID    string `json:"userId"`
	Signature string `json:"signature"`
}

func (s sealed) sum(secret []byte) string { return Sum(string(secret), s.UserID+"\n"+s.Payload) }

// Seal signs a JSON text for a user and gives both in one base64 text.
func Seal(secret []byte, userID string, payload json.RawMessage) string {
	s := sealed{Payload: string(payload), UserID: userID}
	s.Signature = s.sum(secret)
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // three strings always marshal
	}
	return base64.StdEncoding.EncodeToString(text)
}

// Unseal gives what was sealed and by whom. ok is false for a text that is none
// of Seal's; the verdict says whether it was changed, or sealed with another
// secret.
func Unseal(secret []byte, text string) (payload json.RawMessage, userID string, v Verdict, ok bool) {
	var s sealed
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &s) != nil || !json.Valid([]byte(s.Payload)) {
		return nil, "", Wrong, false
	}
	return json.RawMessage(s.Payload), s.UserID, CheckSum(s.Signature, s.sum(secret)), true
}
