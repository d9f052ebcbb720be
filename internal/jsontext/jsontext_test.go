package jsontext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var texts = []string{
	``, ` `, `{}`, `[]`, `{`, `[`, `}`, `{]`, `[}`, `{} {}`, `[] ,`, `[,]`, `[1,]`, `[1 2]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{1:2}`,
	` { "a" : [ 1 , "x y" , { } , [ ] , true , false , null ] } `, "\t\r\n0\n", "\f1", "\u00a01", `"`, `"\`, `"\"`, `"\u12"`, `"\u12g4"`, `"\u12aF"`,
	`"\x"`, "\"\x00\"", "\"\x1f\"", "\"\x7f\xff\"", `"é\n\\"`, `-`, `-0`, `00`, `01`, `1.`, `.5`, `1.5e`, `1.5e+`, `1.5E-07`, `1e5.5`, `--1`, `+1`,
	`tru`, `truee`, `nul`, `falsé`, `True`, `NaN`, `{"a":1}x`, `{"a":1}/**/`, "\xef\xbb\xbf{}", `[1,[2,[3,{"a":[4]}]]]`, `"a" "b"`, `{"a":1 "b":2}`, `{"a" 1}`,
	strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting), strings.Repeat("[", maxNesting+1) + strings.Repeat("]", maxNesting+1),
	strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), strings.Repeat("[", 70) + strings.Repeat("]", 69) + "}",
}

// compare judges a text as encoding/json does.
func compare(t *testing.T, text []byte) {
	t.Helper()
	var want bytes.Buffer
	valid := json.Compact(&want, text) == nil
	if Valid(text) != valid || json.Valid(text) != valid {
		t.Fatalf("%q is valid: %v, want %v", text, Valid(text), valid)
	}
	got, ok := AppendCompact([]byte("before"), text)
	if ok != valid || ok && string(got) != "before"+want.String() {
		t.Fatalf("%q becomes %q, %v; want %q, %v", text, got, ok, want.String(), valid)
	}
}

// compareElements splits a text as encoding/json does.
func compareElements(t *testing.T, text []byte) {
	t.Helper()
	var want []json.RawMessage
	array := json.Unmarshal(text, &want) == nil && bytes.HasPrefix(bytes.TrimSpace(text), []byte("["))
	got, ok := Elements[[]byte](text)
	if ok != array || ok && len(got) != len(want) {
		t.Fatalf("%q has the elements %q, %v; want %q, %v", text, got, ok, want, array)
	}
	for i := range got {
		if ok && !bytes.Equal(got[i], want[i]) {
			t.Fatalf("element %d of %q is %q, want %q", i, text, got[i], want[i])
		}
	}
}

func TestLikeEncodingJSON(t *testing.T) {
	for _, text := range texts {
		compare(t, []byte(text))
		compareElements(t, []byte(text))
	}
	// Texts that were sound, with a byte or two that are not.
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		text := []byte(texts[random.IntN(len(texts))])
		if len(text) == 0 || len(text) > 200 {
			continue
		}
		for range 1 + random.IntN(2) {
			at := random.IntN(len(text))
			switch random.IntN(3) {
			case 0:
				const syntax = " \"{}[]:,\\0-.eEtfnu\n"
				text[at] = syntax[random.IntN(len(syntax))]
			case 1:
				text[at] = byte(random.Uint32())
			default:
				text = append(text[:at], text[min(at+1, len(text)):]...)
			}
			if len(text) == 0 {
				break
			}
		}
		compare(t, text)
		compareElements(t, text)
	}
}

func FuzzCompact(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		compare(t, text)
		compareElements(t, text)
	})
}

func BenchmarkCompact(b *testing.B) {
	var text bytes.Buffer
	for i := range 1000 {
		text.WriteByte("[,"[min(i, 1)])
		fmt.Fprintf(&text, `{"n":%d,"url":"https://example.com/page/%d","title":"Page number %d","ok":true,"price":%d.5}`, i, i, i, i)
	}
	text.WriteByte(']')
	dst := make([]byte, 0, text.Len())
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, ok := AppendCompact(dst, text.Bytes()); !ok {
			b.Fatal("it is valid")
		}
	}
}
