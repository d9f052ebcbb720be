package input

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Secrets names the top-level fields whose values are to be kept encrypted, in
// the order written.
func (in *Schema) Secrets() []string {
	var names []string
	for _, f := range in.special {
		if f.secret {
			names = append(names, f.Name)
		}
	}
	return names
}

// Encrypt gives the input with the values of its secret fields encrypted in the
// platform's format. Values that are empty, null or encrypted already stay as they
// are, and so does all the rest, byte for byte when there is nothing to encrypt.
// It fails when the input is not JSON.
func (in *Schema) Encrypt(input json.RawMessage, key *secret.PublicKey) (json.RawMessage, error) {
	v, err := parseInput(input)
	if err != nil {
		return nil, err
	}
	encrypted := make(map[string]string)
	for _, f := range in.special {
		value := v.Get(f.Name)
		if !f.secret || !jsvalue.Truthy(value) {
			continue
		}
		text := ""
		switch value.Kind {
		case jsonc.String:
			if _, ok := secret.Read(value.Text); ok {
				continue
			}
			text, err = key.EncryptString(value.Text)
		case jsonc.Object, jsonc.Array:
			text, err = key.EncryptJSON(value.JSON(), secretHash(f.Value))
		default:
			// No secret field can have such a value; in clear it must not stay.
			return nil, fault.New(fault.InvalidInput, "the input field %q is a secret and cannot be a %s", f.Name, value.Kind)
		}
		if err != nil {
			return nil, fault.New(fault.Internal, "the input field %q could not be encrypted: %w", f.Name, err)
		}
		encrypted[f.Name] = text
	}
	if len(encrypted) == 0 {
		return input, nil
	}
	out := []byte("{")
	for i, m := range v.Unique() {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, m.Literal()...), ':')
		if text, ok := encrypted[m.Name]; ok {
			out = appendString(out, text)
		} else {
			out = m.Value.AppendJSON(out)
		}
	}
	return append(out, '}'), nil
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
		// A name is put in its place by JavaScript when it is a whole number.
		for i, m := range jsvalue.Entries(&jsonc.Value{Kind: jsonc.Object, Members: jsvalue.Sorted(relevant)}) {
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
		n := jsvalue.Number(v)
		return append(dst, jsvalue.NumberText(n)...)
	default:
		return append(dst, v.Text...)
	}
}

// appendString appends a string as JavaScript writes it.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', byte(r))
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if r < ' ' {
				dst = fmt.Appendf(dst, `\u%04x`, r)
			} else {
				dst = utf8.AppendRune(dst, r)
			}
		}
	}
	return append(dst, '"')
}
