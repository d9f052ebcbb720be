package summary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/internal/store"
)

func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		items string // a line each
		want  string
		clean int
	}{
		{``, ``, 0},
		{`{}`, ``, 0},
		{`{"#hidden":1}`, `#hidden 1..1 null 0 empty 0`, 0},
		{`{"":0}`, ` 0..0 null 0 empty 0`, 1},
		{`{"a":2}` + "\n" + `{"a":-1.5e1}` + "\n" + `{"b":3}`, `a -15..2 null 0 empty 1; b 3..3 null 0 empty 2`, 3},
		{`{"a":null}` + "\n" + `{}` + "\n" + `{"a":null,"#b":{}}`, `a null 2 empty 1; #b 0..0 null 0 empty 2`, 2},
		{`{"s":"","n":1}` + "\n" + `{"n":2,"s":"é😀\u00e9\ud83d\ude00\n\"\\"}`, `s 0..9 null 0 empty 0; n 1..2 null 0 empty 0`, 2},
		{`{"l":[]}` + "\n" + `{"l":[1,[2,3],{"a":"],["},","]}` + "\n" + `{"l":[[]]}`, `l 0..4 null 0 empty 0`, 3},
		{`{"o":{}}` + "\n" + `{"o":{"a":{"b":1,"c":2},"d":"}","\"":[1,2,3]}}`, `o 0..3 null 0 empty 0`, 2},
		{`{"b":true}`, `b 0..1 null 0 empty 0`, 1},
		{`{"b":false}`, `b 0..0 null 0 empty 0`, 1},
		{`{"a":1,"a":5}`, `a 1..1 null 0 empty 0`, 1},
		{`{"\u0061":1}` + "\n" + `{"a":2}`, `a 1..2 null 0 empty 0`, 2},
		{`{"a":1e999}`, `a null 0 empty 0`, 1},
		{" { \"a\" :\t[ 1 ,\r 2 ] , \"b\" : { } ,\"c\": [ ] }\t", `a 2..2 null 0 empty 0; b 0..0 null 0 empty 0; c 0..0 null 0 empty 0`, 1},
	} {
		var items [][]byte
		if c.items != "" {
			items = bytes.Split([]byte(c.items), []byte("\n"))
		}
		s := Of(items)
		if got := describe(s.Statistics()); got != c.want || s.Clean() != c.clean || s.Items() != len(items) {
			t.Errorf("%s\n got %s (%d clean)\nwant %s (%d clean)", c.items, got, s.Clean(), c.want, c.clean)
		}
	}
}

func describe(s store.Statistics) string {
	var parts []string
	for _, f := range s.Fields {
		text := f.Name
		if f.Min != nil {
			text += fmt.Sprintf(" %v..%v", *f.Min, *f.Max)
		}
		parts = append(parts, fmt.Sprintf("%s null %d empty %d", text, f.Nulls, f.Empty))
	}
	return strings.Join(parts, "; ")
}

// TestModel compares with counts made the slow way, also when they are made in
// parts, kept and read again in between.
func TestModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		items := make([]json.RawMessage, r.IntN(30))
		for i := range items {
			text, err := json.Marshal(randomItem(r))
			if err != nil {
				t.Fatal(err)
			}
			items[i] = text
			if r.IntN(2) == 0 {
				var b bytes.Buffer
				if err := json.Indent(&b, text, "", "\t"); err != nil {
					t.Fatal(err)
				}
				items[i] = b.Bytes()
			}
		}
		cut := r.IntN(len(items) + 1)
		parts := Of(items[:cut])
		parts, ok := Parse(parts.Bytes())
		if !ok {
			t.Fatal("what was kept cannot be read")
		}
		parts.Merge(Of(items[cut:]))
		whole := Of(items)
		if !reflect.DeepEqual(parts.Statistics(), whole.Statistics()) || parts.Clean() != whole.Clean() {
			t.Fatalf("in parts:\n%s\nat once:\n%s", describe(parts.Statistics()), describe(whole.Statistics()))
		}
		if got, want := byName(whole.Statistics()), model(t, items); !reflect.DeepEqual(got, want) {
			t.Fatalf("items %s\n got %v\nwant %v", items, got, want)
		}
	}
}

func randomItem(r *rand.Rand) map[string]any {
	item := map[string]any{}
	for range r.IntN(6) {
		item[[]string{"a", "b", "#c", "ä", `"`, `\`, "d.e"}[r.IntN(7)]] = randomValue(r, 2)
	}
	return item
}

func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(8); {
	case n == 0:
		return nil
	case n == 1:
		return r.IntN(2) == 0
	case n == 2:
		return r.NormFloat64() * 1000
	case n == 3:
		return []string{"", "text", "}{][,:", `"quoted"`, `\`, "é😀", "\u2028\x00", "<&>"}[r.IntN(8)]
	case depth == 0:
		return 1
	case n < 6:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	default:
		object := map[string]any{}
		for i := range r.IntN(4) {
			object[fmt.Sprint(i)] = randomValue(r, depth-1)
		}
		return object
	}
}

func byName(s store.Statistics) map[string]string {
	out := map[string]string{}
	for _, f := range s.Fields {
		out[f.Name] = describe(store.Statistics{Fields: []store.FieldStatistics{f}})
	}
	return out
}

func model(t *testing.T, items []json.RawMessage) map[string]string {
	t.Helper()
	all := map[string][]any{}
	for _, item := range items {
		var v map[string]any
		if err := json.Unmarshal(item, &v); err != nil {
			t.Fatal(err)
		}
		for name, value := range v {
			all[name] = append(all[name], value)
		}
	}
	out := map[string]string{}
	for name, values := range all {
		f := store.FieldStatistics{Name: name, Empty: len(items) - len(values)}
		for _, value := range values {
			var n float64
			switch v := value.(type) {
			case nil:
				f.Nulls++
				continue
			case bool:
				if zero := 0.0; f.Min == nil || *f.Min > 0 {
					f.Min = &zero
				}
				if v {
					n = 1
				}
			case float64:
				n = v
			case string:
				n = float64(len(utf16.Encode([]rune(v))))
			case []any:
				n = float64(len(v))
			case map[string]any:
				n = float64(len(v))
			}
			least, most := n, n
			if f.Min != nil {
				least = min(least, *f.Min)
			}
			if f.Max != nil {
				most = max(most, *f.Max)
			} else if f.Min != nil {
				most = max(most, *f.Min)
			}
			f.Min, f.Max = &least, &most
		}
		out[name] = describe(store.Statistics{Fields: []store.FieldStatistics{f}})
	}
	return out
}

func TestTooManyFields(t *testing.T) {
	s := &Summary{}
	for n := range MaxFields + 10 {
		s.Add(fmt.Appendf(nil, `{"f%d":1,"f0":2}`, n))
	}
	s.Merge(Of([][]byte{[]byte(`{"another":1}`)}))
	got := s.Statistics()
	if len(got.Fields) != MaxFields || got.Items != MaxFields+11 || got.Fields[0].Empty != 1 || s.Clean() != got.Items {
		t.Errorf("%d fields, %d items, %d without the first", len(got.Fields), got.Items, got.Fields[0].Empty)
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{``, `[]`, `{"items":-1}`, `{"items":1,"clean":2}`, `null nonsense`} {
		if _, ok := Parse([]byte(text)); ok {
			t.Errorf("%q was read", text)
		}
	}
}

func FuzzAdd(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":"\`, `{"a":[{"b":"`, `{"a`, `{"a":tru`, `{`, `{"a":1 "b":2}`, "{\"\\u00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, item []byte) {
		s := Of([][]byte{item})
		if _, ok := Parse(s.Bytes()); !ok {
			t.Errorf("%q: what was counted cannot be kept", item)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	item := []byte(`{"url":"https://example.com/a/b/c?d=e","title":"Some title of a page","price":12.5,"tags":["a","b"],"seller":{"name":"x","rating":5},"inStock":true,"note":null}`)
	b.SetBytes(int64(len(item)))
	s := &Summary{}
	for b.Loop() {
		s.Add(item)
	}
}

// BenchmarkValid is what every push pays for anyway.
func BenchmarkValid(b *testing.B) {
	item := []byte(`{"url":"https://example.com/a/b/c?d=e","title":"Some title of a page","price":12.5,"tags":["a","b"],"seller":{"name":"x","rating":5},"inStock":true,"note":null}`)
	b.SetBytes(int64(len(item)))
	for b.Loop() {
		json.Valid(item)
	}
}
