package input

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Encrypted values as they stand in a stored input, the schema's hash optional.
var (
	encryptedJSON = regexp.MustCompile(`^ENCRYPTED_JSON:(?:\w+:)?[A-Za-z0-9+/=_-]*:[A-Za-z0-9+/=_-]*$`)
	encryptedHash = regexp.MustCompile(`^ENCRYPTED_(?:JSON|VALUE):(\w+):[A-Za-z0-9+/=_-]*:[A-Za-z0-9+/=_-]*$`)
)

// isEncryptedJSON recognises the string that stands for a secret object or array.
func isEncryptedJSON(text string) bool { return encryptedJSON.MatchString(text) }

// isStale reports whether a value was encrypted for another schema of the field.
func isStale(field *jsonc.Value, text string) bool {
	parts := encryptedHash.FindStringSubmatch(text)
	return parts != nil && parts[1] != secretHash(field)
}

// notHashed are the keys that say nothing about values, at any depth.
var notHashed = []string{"title", "description", "sectionCaption", "sectionDescription", "nullable", "example", "prefill", "editor"}

// secretHash identifies the schema that a secret was encrypted for: the first
// ten hexadecimal digits of the SHA-256 of the field's schema, its keys sorted.
func secretHash(field *jsonc.Value) string {
	sum := sha256.Sum256(appendHashed(nil, field))
	return hex.EncodeToString(sum[:])[:10]
}

// appendHashed appends what counts of a value as JavaScript writes it, keys sorted.
func appendHashed(dst []byte, v *jsonc.Value) []byte {
	switch v.Kind {
	case jsonc.Object:
		dst = append(dst, '{')
		relevant := slices.DeleteFunc(v.Unique(), func(m jsonc.Member) bool { return slices.Contains(notHashed, m.Name) })
		for i, m := range sorted(relevant) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, m.Name), ':')
			dst = appendHashed(dst, m.Value)
		}
		return append(dst, '}')
	case jsonc.Array:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendHashed(dst, item)
		}
		return append(dst, ']')
	case jsonc.String:
		return appendString(dst, v.Text)
	case jsonc.Number:
		n, _ := number(v)
		return append(dst, shortNumber(n)...)
	default:
		return append(dst, v.Text...)
	}
}

func appendString(dst []byte, s string) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return strconv.AppendQuote(dst, s)
	}
	return append(dst, bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))...)
}

// sorted gives members in the order of their names.
func sorted(members []jsonc.Member) []jsonc.Member {
	slices.SortFunc(members, func(a, b jsonc.Member) int { return cmp.Compare(a.Name, b.Name) })
	return members
}
