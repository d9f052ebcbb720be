package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// TestPagesAreTheWhole asks for items in many ways, by random combinations of
// parameters: however they are transformed and cut into pages, the pages
// together are the whole, and lines are what the array has.
func TestPagesAreTheWhole(t *testing.T) {
	p := newPlatform(t)
	id := p.do("POST", "/v2/datasets", nil).want(201).str("data", "id")
	base := "/v2/datasets/" + id + "/items"
	random := rand.New(rand.NewPCG(3, 5))
	var items []string
	for n := range 60 {
		members := []string{fmt.Sprintf(`"n":%d`, n)}
		for _, member := range []string{
			`"a":"text & <b>"`, `"a":null`, `"b":{"x":1,"y":{"z":[1,2]}}`, `"b":[{"a":1},{"a":2,"#h":3}]`, `"c":[]`, `"#hidden":true`, `"#error":false`, `"d.e":1`, `"é":"ü"`, `"c":[1,"two",null]`,
		} {
			if random.IntN(4) == 0 {
				members = append(members, member)
			}
		}
		item := "{" + strings.Join(members, ",") + "}"
		if random.IntN(12) == 0 {
			item = "{}"
		}
		items = append(items, item)
	}
	p.do("POST", base, "["+strings.Join(items, ",")+"]").want(201)
	fetch := func(q url.Values) []byte { return p.do("GET", base+"?"+q.Encode(), nil).want(200).body }
	parse := func(q url.Values) (elements []json.RawMessage) {
		body := fetch(q)
		if err := json.Unmarshal(body, &elements); err != nil {
			t.Fatalf("%s: %v: %s", q.Encode(), err, body)
		}
		return elements
	}
	for range 150 {
		q := url.Values{}
		maybe := func(name string, values ...string) {
			if random.IntN(3) == 0 {
				q.Set(name, values[random.IntN(len(values))])
			}
		}
		maybe("fields", "n,a", "b,n", "é", "c,n,b.x", "nothing", "#hidden,n")
		maybe("omit", "a", "b", "n,c", "#hidden")
		maybe("unwind", "b", "c", "b,c", "nothing")
		maybe("flatten", "b", "b,c", "nothing")
		maybe("clean", "1", "0", "true")
		maybe("skipEmpty", "1", "false")
		maybe("skipHidden", "1", "0")
		maybe("simplified", "1")
		maybe("skipFailedPages", "1")
		maybe("desc", "1", "0")
		offset, limit := random.IntN(70), 1+random.IntN(30)
		page := func(offset, limit int) url.Values {
			one := url.Values{}
			for name, values := range q {
				one[name] = values
			}
			one.Set("offset", fmt.Sprint(offset))
			one.Set("limit", fmt.Sprint(limit))
			return one
		}
		whole := parse(page(offset, limit))
		var together []json.RawMessage
		size := 1 + random.IntN(limit)
		for at := 0; at < limit; at += size {
			together = append(together, parse(page(offset+at, min(size, limit-at)))...)
		}
		if got, want := bytes.Join(raw(together), []byte("\n")), bytes.Join(raw(whole), []byte("\n")); !bytes.Equal(got, want) {
			t.Fatalf("%s: pages of %d are\n%s\nand the whole is\n%s", page(offset, limit).Encode(), size, got, want)
		}
		lines := page(offset, limit)
		lines.Set("format", "jsonl")
		text := bytes.TrimSpace(fetch(lines))
		if want := bytes.Join(raw(whole), []byte("\n")); !bytes.Equal(text, want) {
			t.Fatalf("%s: the lines are\n%s\nand the array has\n%s", lines.Encode(), text, want)
		}
		if q.Get("desc") != "1" && q.Get("unwind") == "" && len(whole) > limit {
			t.Fatalf("%s: %d items", page(offset, limit).Encode(), len(whole))
		}
	}
}

func raw(items []json.RawMessage) [][]byte {
	out := make([][]byte, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}
