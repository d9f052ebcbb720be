// Package signature makes and checks the signatures by which URLs of storages
// are open to whoever has them. Their form is that of the official clients,
// which make such URLs themselves from the key that a storage's metadata give.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// version is the only one there is.
const version = "0"

// hexDigits is how much of a hash the clients keep.
const hexDigits = 30

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Key derives the key of a storage from the secret of a server. Nobody who has
// the one can tell the other.
func Key(secret []byte, storageID string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("url of storage " + storageID))
	return base62(mac.Sum(nil))
}

// Sum signs a text: the signature of a record is that of its key. It is short,
// as the clients have it: 119 bits.
func Sum(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	digits := hex.EncodeToString(mac.Sum(nil))[:hexDigits]
	n, _ := new(big.Int).SetString(digits, 16) // they are digits
	return base62(n.Bytes())
}

// base62 writes bytes as a number, most significant digit first, "" for zero.
func base62(bytes []byte) string {
	n, base, digit := new(big.Int).SetBytes(bytes), big.NewInt(int64(len(alphabet))), new(big.Int)
	var reversed []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		reversed = append(reversed, alphabet[digit.Int64()])
	}
	for i, j := 0, len(reversed)-1; i < j; i, j = i+1, j-1 {
		reversed[i], reversed[j] = reversed[j], reversed[i]
	}
	return string(reversed)
}

// Content signs the content of a storage: the items of a dataset, or the keys
// of a key-value store. The zero time makes a signature that does not expire.
func Content(key, storageID string, expires time.Time) string {
	at := "0"
	if !expires.IsZero() {
		at = strconv.FormatInt(expires.UnixMilli(), 10)
	}
	text := version + "." + at + "."
	return base64.RawURLEncoding.EncodeToString([]byte(text + Sum(key, text+storageID)))
}

// A Verdict is what comes of a check.
type Verdict int

// What comes of a check. The zero Verdict opens nothing.
const (
	Wrong Verdict = iota
	Expired
	Valid
)

// CheckRecord checks the signature of a record, which does not expire.
func CheckRecord(key, recordKey, signature string) Verdict {
	return CheckSum(signature, Sum(key, recordKey))
}

// CheckContent checks the signature of a storage's content. The JavaScript
// client leaves the padding of the base64 out, the Python client does not.
func CheckContent(key, storageID, signature string, now time.Time) Verdict {
	plain, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(signature, "="))
	if err != nil {
		return Wrong
	}
	parts := strings.Split(string(plain), ".")
	if len(parts) != 3 || parts[0] != version {
		return Wrong
	}
	expires, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || expires < 0 {
		return Wrong
	}
	if CheckSum(parts[2], Sum(key, parts[0]+"."+parts[1]+"."+storageID)) == Wrong {
		return Wrong
	}
	if expires > 0 && now.UnixMilli() > expires {
		return Expired
	}
	return Valid
}

// CheckSum compares two signatures, in the same time wherever they differ.
func CheckSum(given, wanted string) Verdict {
	if subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) == 1 {
		return Valid
	}
	return Wrong
}
