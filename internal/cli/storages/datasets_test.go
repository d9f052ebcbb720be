package storages_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lines are n items as JSON lines.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"n":%d,"text":"a, \"b\"\nc %d","big":12345678901234567890}`+"\n", i, i)
	}
	return b.String()
}

// filled makes a dataset of n items.
func filled(p *platform, name string, n int) {
	p.t.Helper()
	p.apify("datasets", "create", name).ok()
	p.piped(strings.NewReader(lines(n)), "datasets", "push-items", name).ok().says(fmt.Sprintf("pushed %d item", n))
}

func TestPushItems(t *testing.T) {
	p := newPlatform(t)
	p.apify("datasets", "create", "d").ok()
	for _, in := range []string{
		`{"z":1.50,"a":{}}`, ` [ {"z":2} , {"z":3} ] `, "{\"z\":4}\n{\"z\":5}{\"z\":6}", "\ufeff[{\"z\":7}]", "[]",
	} {
		p.piped(strings.NewReader(in), "datasets", "push-items", "d").ok().prints("")
	}
	p.apify("datasets", "push-items", "d", `[{"z":8},{"z":9}]`).ok().says("pushed 2 items")
	p.piped(strings.NewReader(`{"z":10}`), "datasets", "push-items", "d", "-").ok().says("pushed 1 item to")
	p.apify("datasets", "get-items", "d", "--format", "jsonl").ok().says("application/jsonl").
		prints(`{"z":1.50,"a":{}}` + "\n{\"z\":2}\n{\"z\":3}\n{\"z\":4}\n{\"z\":5}\n{\"z\":6}\n{\"z\":7}\n{\"z\":8}\n{\"z\":9}\n{\"z\":10}\n")
	for in, said := range map[string]string{
		"":                                "holds no items",
		" \n ":                            "holds no items",
		"{\"z\":1}\nx":                    "item 2 is not JSON",
		"{\"z\":1}{":                      "item 2 is not JSON: it ends too early",
		"[{\"z\":1}":                      "item 2 is not JSON",
		"[{\"z\":1}] {}":                  "something follows",
		"[{\"z\":1} {}]":                  "not JSON",
		"[{\"z\":1},]":                    "not JSON",
		"text":                            "item 1 is not JSON",
		"{\"z\":1} [{}]":                  "item 2 is no JSON object",
		"[[" + strings.Repeat("[", 20000): "not JSON",
	} {
		p.piped(strings.NewReader(in), "datasets", "push-items", "d").fails(5, said)
	}
	p.apify("datasets", "info", "d", "--jq", ".itemCount").ok().prints("10\n")

	// More than one portion: what was stored before something wrong is told.
	big := `{"x":"` + strings.Repeat("y", 1<<20) + `"}`
	p.piped(strings.NewReader(strings.Repeat(big, 9)+"{"), "datasets", "push-items", "d").fails(5, "after 6 items that were stored", "item 10")
	p.apify("datasets", "info", "d", "--jq", ".itemCount").ok().prints("16\n")
	p.piped(io.MultiReader(strings.NewReader(`{"a":1}`), broken{}), "datasets", "push-items", "d").fails(1, "the disk is on fire")
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("the disk is on fire") }

func TestGetItems(t *testing.T) {
	p := newPlatform(t)
	filled(p, "d", 1000)
	all := p.apify("datasets", "get-items", "d").ok().says("application/json")
	var items []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(all.stdout), &items); err != nil || len(items) != 1000 || string(items[7]["big"]) != "12345678901234567890" {
		t.Fatalf("%d items, %v", len(items), err)
	}
	if !strings.HasSuffix(all.stdout, "]\n") {
		t.Errorf("the items end in %q", all.stdout[len(all.stdout)-5:])
	}
	p.apify("datasets", "get-items", "d", "--offset", "998", "--fields", "n", "--format", "jsonl").ok().prints("{\"n\":998}\n{\"n\":999}\n")
	p.apify("datasets", "get-items", "d", "--limit", "2", "--desc", "--omit", "text,big").ok().prints("[{\"n\":999},{\"n\":998}]\n")
	p.apify("datasets", "get-items", "d", "--jq", "length, .[3].big").ok().prints("1000\n12345678901234567890\n")
	p.apify("datasets", "get-items", "d", "--format", "jsonl", "--limit", "3", "--jq", `select(.n > 0) | "n is \(.n)"`).ok().prints("n is 1\nn is 2\n")
	p.apify("datasets", "get-items", "d", "--format", "jsonl", "--jq", `if .n < 2 then empty else .text.x end`).fails(5, "item 3", "jq expression")
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(p.apify("datasets", "get-items", "d", "--format", "csv").ok().stdout, "\ufeff"))).ReadAll()
	if err != nil || len(records) != 1001 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// cutting breaks connections that send items after some bytes, the first times.
func cutting(after int, times int32) func(http.Handler) http.Handler {
	var cut atomic.Int32
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/items") && r.Method == http.MethodGet && cut.Add(1) <= times {
				w = &cutWriter{w, after}
			}
			next.ServeHTTP(w, r)
		})
	}
}

type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func parts(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.part-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestExportGoesOn(t *testing.T) {
	for _, format := range []string{"jsonl", "csv", "json"} {
		t.Run(format, func(t *testing.T) {
			p := newPlatform(t)
			filled(p, "d", 1000)
			want := p.apify("datasets", "get-items", "d", "--format", format).ok().stdout
			if format == "json" {
				want = strings.TrimSuffix(want, "\n") // which get-items adds
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "out."+format)
			var asked []string
			observe := func(cut func(http.Handler) http.Handler) {
				asked = nil
				p.wrap = func(next http.Handler) http.Handler {
					inner := cut(next)
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if strings.HasSuffix(r.URL.Path, "/items") {
							asked = append(asked, r.URL.Query().Get("offset"))
						}
						inner.ServeHTTP(w, r)
					})
				}
			}
			check := func() {
				t.Helper()
				got, err := os.ReadFile(file)
				if err != nil || string(got) != want {
					t.Fatalf("%d bytes were exported, want %d, %v", len(got), len(want), err)
				}
				if left := parts(t, dir); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}

			observe(cutting(20000, 2))
			p.apify("datasets", "export", "d", "-o", file).ok().says("wrote " + file)
			if len(asked) != 3 {
				t.Errorf("the items were asked for at %q", asked)
			}
			check()

			// Every attempt gets a little further, or, as JSON, none.
			observe(cutting(20000, 4))
			given := p.apify("datasets", "export", "d", "-o", file)
			if format == "json" {
				given.fails(1, "ended early")
				if left := parts(t, dir); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				p.wrap = nil
				p.apify("datasets", "export", "d", "-o", file).ok()
				check()
				return
			}
			given.ok()
			check()

			// It gives up, keeps what it has, and the next command goes on.
			var started atomic.Int32
			observe(func(next http.Handler) http.Handler {
				if started.Add(1) > 2 { // finding the dataset is a call too
					return cutting(30, 1)(next)
				}
				return cutting(20000, 1)(next)
			})
			p.apify("datasets", "export", "d", "-o", file).fails(1, "ended early", "the same command goes on")
			if left := parts(t, dir); len(left) != 1 {
				t.Fatalf("kept are %v", left)
			}
			if _, err := os.Stat(file); err == nil {
				t.Error("a file that is not complete is there")
			}
			observe(func(next http.Handler) http.Handler { return next })
			p.apify("datasets", "export", "d", "-o", file).ok().says("1000 items")
			if len(asked) != 1 || asked[0] == "" {
				t.Errorf("the items were asked for at %q", asked)
			}
			check()

			// What was kept is for these items only.
			started.Store(0)
			observe(cutting(20000, 1000))
			p.apify("datasets", "export", "d", "-o", file, "--clean").fails(1)
			p.wrap = nil
			if left := parts(t, dir); len(left) != 0 {
				t.Errorf("kept are %v", left)
			}
			p.apify("datasets", "export", "d", "-o", file, "--offset", "10", "--limit", "980", "--restart").ok().says("980 items")
			p.apify("datasets", "get-items", "d", "--offset", "10", "--limit", "980", "--format", format).ok()
		})
	}
}

func TestExportOfOtherColumnsBeginsAnew(t *testing.T) {
	p := newPlatform(t)
	p.apify("datasets", "create", "d").ok()
	var in strings.Builder
	for i := range 200 {
		fmt.Fprintf(&in, `{"n":%d,"early%d":"%s"}`, i, i/100, strings.Repeat("x", 100))
	}
	p.piped(strings.NewReader(in.String()), "datasets", "push-items", "d").ok()
	want := p.apify("datasets", "get-items", "d", "--format", "csv").ok().stdout
	p.wrap = cutting(13000, 1)
	file := filepath.Join(t.TempDir(), "out.csv")
	p.apify("datasets", "export", "d", "-o", file).ok().says("other columns; beginning anew")
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("got %.300s, %v", got, err)
	}
}

func TestExportOfEmptyItemsGoesOn(t *testing.T) {
	p := newPlatform(t)
	p.apify("datasets", "create", "d").ok()
	p.piped(strings.NewReader(strings.Repeat(`{}{"a":"`+strings.Repeat("x", 50)+`"}{}`, 100)), "datasets", "push-items", "d").ok()
	for _, format := range []string{"csv", "jsonl"} {
		p.wrap = nil
		want := p.apify("datasets", "get-items", "d", "--format", format).ok().stdout
		for _, after := range []int{1000, 2001, 3002} {
			p.wrap = cutting(after, 1)
			file := filepath.Join(t.TempDir(), "out."+format)
			p.apify("datasets", "export", "d", "-o", file).ok()
			if got, err := os.ReadFile(file); err != nil || string(got) != want {
				t.Errorf("%s cut after %d: %d bytes, want %d, %v", format, after, len(got), len(want), err)
			}
		}
	}
}

func TestExportElsewhere(t *testing.T) {
	p := newPlatform(t)
	filled(p, "d", 3)
	p.apify("datasets", "export", "d", "--format", "jsonl", "-o", "-", "--fields", "n").ok().prints("{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n")
	p.tty = true
	file := filepath.Join(t.TempDir(), "out.csv")
	p.apify("datasets", "export", "d", "-o", file).ok().says("of 3 items")
	p.apify("datasets", "create", "empty").ok()
	for _, format := range []string{"csv", "jsonl", "json"} {
		p.apify("datasets", "export", "empty", "-o", file, "--format", format).ok()
		want := p.apify("datasets", "get-items", "empty", "--format", format).ok().stdout
		if got, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(want) {
			t.Errorf("%s: %q, want %q, %v", format, got, want, err)
		}
	}
}

func TestTail(t *testing.T) {
	p := newPlatform(t)
	filled(p, "d", 25)
	p.apify("datasets", "tail", "d", "-n", "2", "--jq", ".n").ok().prints("23\n24\n")
	if got := strings.Count(p.apify("datasets", "tail", "d").ok().stdout, "\n"); got != 10 {
		t.Errorf("%d lines", got)
	}
	p.apify("datasets", "tail", "d", "-n", "0").ok().prints("")
	p.apify("datasets", "tail", "d", "-n", "100", "--jq", ".n|error").fails(5, "item 1")

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &growing{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.follow(ctx, out, "datasets", "tail", "d", "-n", "1", "--follow", "--interval", "5ms", "--jq", ".n")
	}()
	out.wait(t, "24\n")
	p.apify("datasets", "push-items", "d", `[{"n":100},{"n":101}]`).ok()
	out.wait(t, "24\n100\n101\n")
	p.apify("datasets", "push-items", "d", `{"n":102}`).ok()
	out.wait(t, "24\n100\n101\n102\n")
	stop()
	<-done
}

// growing is an output that is read while it is written.
type growing struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (g *growing) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.Write(p)
}

func (g *growing) wait(t *testing.T, want string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		g.mu.Lock()
		got = g.buf.String()
		g.mu.Unlock()
		if got == want {
			return
		}
	}
	t.Fatalf("got %q, want %q", got, want)
}

func TestHelpSaysExitCodes(t *testing.T) {
	p := newPlatform(t)
	for _, group := range []string{"datasets", "key-value-stores", "request-queues"} {
		for _, cmd := range p.root().Commands() {
			if cmd.Name() != group {
				continue
			}
			for _, verb := range cmd.Commands() {
				if !strings.Contains(verb.Long, "Exit codes:") || verb.Example == "" {
					t.Errorf("%s has no exit codes or no example", verb.CommandPath())
				}
				for line := range strings.SplitSeq(verb.Example, "\n") {
					for _, name := range []string{"apify key-value-stores ", "apify kvs ", "apify datasets ", "apify request-queues "} {
						_, rest, found := strings.Cut(line, name)
						if !found {
							continue
						}
						word, _, _ := strings.Cut(strings.TrimRight(rest, ")"), " ")
						if !slices.ContainsFunc(p.root().Commands(), func(c *cobraCommand) bool {
							found, _, err := c.Find([]string{word})
							return err == nil && found != c
						}) {
							t.Errorf("the example %q names no command", line)
						}
					}
				}
			}
		}
	}
}

func TestExportRestarts(t *testing.T) {
	p := newPlatform(t)
	filled(p, "d", 1000)
	dir := t.TempDir()
	file := filepath.Join(dir, "out.jsonl")
	var calls atomic.Int32
	p.wrap = func(next http.Handler) http.Handler {
		if calls.Add(1) > 2 {
			return cutting(10, 1)(next)
		}
		return cutting(20000, 1)(next)
	}
	p.apify("datasets", "export", "d", "-o", file).fails(1)
	p.wrap = nil
	kept := parts(t, dir)
	if len(kept) != 1 {
		t.Fatalf("kept are %v", kept)
	}
	if err := os.WriteFile(kept[0], []byte("not what the dataset holds\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.apify("datasets", "export", "d", "-o", file, "--restart").ok()
	if got, err := os.ReadFile(file); err != nil || string(got) != p.apify("datasets", "get-items", "d", "--format", "jsonl").ok().stdout {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// A dataset that was emptied since has other items than those that were kept.
func TestExportOfAnEmptiedDatasetBeginsAnew(t *testing.T) {
	p := newPlatform(t)
	filled(p, "d", 5)
	dir := t.TempDir()
	file := filepath.Join(dir, "out.jsonl")
	p.wrap = cutting(1, 1000)
	p.apify("datasets", "export", "d", "-o", file).fails(1)
	var calls atomic.Int32
	p.wrap = func(next http.Handler) http.Handler {
		if calls.Add(1) > 2 {
			return cutting(1, 1)(next)
		}
		return cutting(200, 1)(next)
	}
	p.apify("datasets", "export", "d", "-o", file).fails(1, "are kept")
	kept := parts(t, dir)
	if len(kept) != 1 {
		t.Fatalf("kept are %v", kept)
	}
	if err := os.WriteFile(kept[0], []byte(strings.Repeat("{}\n", 9)), 0o644); err != nil {
		t.Fatal(err)
	}
	p.wrap = nil
	p.apify("datasets", "export", "d", "-o", file).ok().says("fewer items than were written before; beginning anew").says("5 items")
}

func TestEveryFormat(t *testing.T) {
	p := newPlatform(t)
	filled(p, "d", 20)
	for format, begin := range map[string]string{"xlsx": "PK\x03\x04", "xml": "<?xml", "rss": "<?xml", "html": "<"} {
		file := filepath.Join(t.TempDir(), "OUT."+strings.ToUpper(format))
		p.apify("datasets", "export", "d", "-o", file).ok()
		exported, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(strings.TrimPrefix(string(exported), "\ufeff"), begin) {
			t.Errorf("%s begins with %.20q, %v", format, exported, err)
		}
		printed := p.apify("datasets", "get-items", "d", "--format", format).ok().stdout
		if got := len(printed) - len(exported); got != 0 && (got != 1 || format == "xlsx") {
			t.Errorf("%s: printed are %d bytes, exported %d", format, len(printed), len(exported))
		}
	}
}
