package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crashesVariable says how often the server is killed; make soak sets it.
const crashesVariable = "GREENROOM_TEST_CRASHES"

// TestServerCrashes kills a server under mixed load at random moments and starts
// it again. What was answered with success must be there afterwards, what was
// not answered may be, and what was refused or never sent must not.
func TestServerCrashes(t *testing.T) {
	crashes := 20
	if text := os.Getenv(crashesVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s is %q", crashesVariable, text)
		}
		crashes = n
	}
	s := startServed(t)
	l := &load{s: s, random: rand.New(rand.NewPCG(rand.Uint64(), 1))}
	l.prepare(t)
	var slowest time.Duration
	for round := range crashes {
		ctx, cancel := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		for _, work := range []func(context.Context, int){l.push, l.push, l.put, l.put, l.work, l.work, l.storages} {
			workers.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					work(ctx, n)
				}
			})
		}
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		s.kill()
		cancel()
		workers.Wait()
		begun := time.Now()
		s.start()
		slowest = max(slowest, time.Since(begun))
		l.check(t)
		if t.Failed() {
			t.Fatalf("after crash %d", round+1)
		}
	}
	t.Logf("%d crashes, %d writes answered, %d not; the slowest start took %v",
		crashes, l.answered, l.unanswered, slowest.Round(time.Millisecond))
	if l.answered < 10*crashes {
		t.Errorf("only %d writes were answered", l.answered)
	}
}

// load is what writes to the server, with what it was told.
type load struct {
	s       *served
	dataset string
	values  string
	queue   string

	mu                   sync.Mutex
	random               *rand.Rand
	answered, unanswered int
	last                 int                  // number given out
	pushes               map[string]bool      // by their name: answered
	records              map[string]*versions // by key
	requests             map[string]*progress // by unique key
	stores               map[string]*versions // by id: the names it was given
}

// versions are the states that something may be in: the last answered one, and
// those asked for since then.
type versions struct {
	certain string
	perhaps []string
}

func (v *versions) allows(state string) bool {
	if state == v.certain {
		return true
	}
	for _, p := range v.perhaps {
		if state == p {
			return true
		}
	}
	return false
}

// progress is how far a request came. Whether it is there, handled or deleted may
// be unknown when an answer is missing.
type progress struct {
	added, handled, deleted bool // answered
	handling, deleting      bool // asked for
}

const absent = "" // the state of what is not there

func (l *load) number() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	return l.last
}

func (l *load) note(answered bool, change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if answered {
		l.answered++
	} else {
		l.unanswered++
	}
	if change != nil {
		change()
	}
}

func (l *load) intN(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.random.IntN(n)
}

// ask sends a request. The server dies, not the request: an answer on its way
// counts.
func (l *load) ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, ok bool) {
	return l.s.send(context.WithoutCancel(ctx), method, path, body)
}

func (l *load) prepare(t *testing.T) {
	l.pushes, l.records = map[string]bool{}, map[string]*versions{}
	l.requests, l.stores = map[string]*progress{}, map[string]*versions{}
	for kind, id := range map[string]*string{"datasets": &l.dataset, "key-value-stores": &l.values, "request-queues": &l.queue} {
		status, answer, ok := l.ask(t.Context(), "POST", "/v2/"+kind+"?name=load", nil)
		var made struct{ Data struct{ ID string } }
		if !ok || status != http.StatusCreated || json.Unmarshal(answer, &made) != nil {
			t.Fatalf("%s: %d %s", kind, status, answer)
		}
		*id = made.Data.ID
	}
}

// push adds some items at once.
func (l *load) push(ctx context.Context, _ int) {
	name := fmt.Sprint("push-", l.number())
	var items []string
	for part := range 5 {
		items = append(items, fmt.Sprintf(`{"push":%q,"part":%d,"pad":%q}`, name, part, strings.Repeat("x", l.intN(300))))
	}
	l.note(false, func() { l.pushes[name] = false; l.unanswered-- })
	status, _, ok := l.ask(ctx, "POST", "/v2/datasets/"+l.dataset+"/items", []byte("["+strings.Join(items, ",")+"]"))
	ok = ok && status == http.StatusCreated
	l.note(ok, func() { l.pushes[name] = ok })
}

// record makes the content of a record that tells by itself whether it is whole.
func record(n, size int) []byte {
	text := []byte(strings.Repeat(strconv.Itoa(n)+" ", size/8+1))
	sum := sha256.Sum256(text)
	return append([]byte(hex.EncodeToString(sum[:])+" "), text...)
}

// version names a record's content; ok is false for one that nobody wrote.
func version(content []byte) (name string, ok bool) {
	sum, text, ok := bytes.Cut(content, []byte(" "))
	want := sha256.Sum256(text)
	return string(sum), ok && string(sum) == hex.EncodeToString(want[:])
}

// put writes and removes records, small and large ones.
func (l *load) put(ctx context.Context, _ int) {
	n := l.number()
	// A key has one writer at a time: the order of answers is then that of writes.
	key := fmt.Sprintf("key-%d", n)
	size := []int{10, 1000, 100_000, 2_000_000}[l.intN(4)]
	for step := range 3 {
		content, name := []byte(nil), absent
		method := "PUT"
		if step == 2 && n%3 == 0 {
			method = "DELETE"
		} else {
			content = record(n*3+step, size)
			name, _ = version(content)
		}
		l.note(false, func() {
			l.unanswered--
			if l.records[key] == nil {
				l.records[key] = &versions{}
			}
			l.records[key].perhaps = append(l.records[key].perhaps, name)
		})
		status, _, ok := l.ask(ctx, method, "/v2/key-value-stores/"+l.values+"/records/"+key, content)
		ok = ok && status < 300
		l.note(ok, func() {
			if ok {
				*l.records[key] = versions{certain: name}
			}
		})
		if !ok {
			return
		}
	}
}

// work adds requests, takes them and handles or deletes them.
func (l *load) work(ctx context.Context, n int) {
	client := fmt.Sprintf("?clientKey=worker-%d", l.intN(1000))
	base := "/v2/request-queues/" + l.queue
	var keys, batch []string
	for range 4 {
		key := fmt.Sprint("request-", l.number())
		keys = append(keys, key)
		batch = append(batch, fmt.Sprintf(`{"url":"http://example.com/%s","uniqueKey":%q,"method":"GET"}`, key, key))
	}
	l.note(false, func() {
		l.unanswered--
		for _, key := range keys {
			l.requests[key] = &progress{}
		}
	})
	status, _, ok := l.ask(ctx, "POST", base+"/requests/batch"+client+"&forefront="+strconv.FormatBool(n%2 == 0), []byte("["+strings.Join(batch, ",")+"]"))
	ok = ok && status == http.StatusCreated
	l.note(ok, func() {
		for _, key := range keys {
			l.requests[key].added = ok
		}
	})
	if !ok {
		return
	}
	status, answer, ok := l.ask(ctx, "POST", base+"/head/lock"+client+"&lockSecs=600&limit=3", nil)
	var head struct {
		Data struct {
			Items []struct{ ID, UniqueKey string }
		}
	}
	if !ok || status != http.StatusCreated || json.Unmarshal(answer, &head) != nil {
		l.note(false, nil)
		return
	}
	l.note(true, nil)
	for i, item := range head.Data.Items {
		var method string
		var body []byte
		l.note(false, func() {
			l.unanswered--
			r := l.requests[item.UniqueKey]
			if i == 2 {
				method, r.deleting = "DELETE", true
			} else {
				method, r.handling = "PUT", true
				body = fmt.Appendf(nil, `{"id":%q,"url":"http://example.com/%s","uniqueKey":%q,"method":"GET","handledAt":"2026-01-02T03:04:05.678Z"}`,
					item.ID, item.UniqueKey, item.UniqueKey)
			}
		})
		status, _, ok := l.ask(ctx, method, base+"/requests/"+item.ID+client, body)
		ok = ok && status < 300
		l.note(ok, func() {
			r := l.requests[item.UniqueKey]
			r.deleted = ok && method == "DELETE"
			r.handled = ok && method == "PUT"
		})
		if !ok {
			return
		}
	}
}

// storages makes, renames and deletes storages.
func (l *load) storages(ctx context.Context, n int) {
	kind := []string{"datasets", "key-value-stores", "request-queues"}[n%3]
	name := fmt.Sprint("storage-", l.number())
	status, answer, ok := l.ask(ctx, "POST", "/v2/"+kind+"?name="+name, nil)
	var made struct{ Data struct{ ID string } }
	if !ok || status != http.StatusCreated || json.Unmarshal(answer, &made) != nil {
		l.note(false, nil)
		return
	}
	path := kind + "/" + made.Data.ID
	l.note(true, func() { l.stores[path] = &versions{certain: name} })
	for step, next := range []string{name + "-renamed", absent} {
		if step == 1 && n%4 == 0 {
			return // it stays
		}
		l.note(false, func() { l.unanswered--; l.stores[path].perhaps = append(l.stores[path].perhaps, next) })
		method, body := "PUT", fmt.Appendf(nil, `{"name":%q}`, next)
		if next == absent {
			method, body = "DELETE", nil
		}
		status, _, ok := l.ask(ctx, method, "/v2/"+path, body)
		ok = ok && status < 300
		l.note(ok, func() {
			if ok {
				*l.stores[path] = versions{certain: next}
			}
		})
		if !ok {
			return
		}
	}
}

// check compares everything with what was answered. What turns out to have
// happened is certain from then on.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.checkItems(t)
	l.checkRecords(t)
	l.checkRequests(t)
	l.checkStorages(t)
}

func (l *load) checkItems(t *testing.T) {
	var items []struct {
		Push string
		Part int
	}
	l.s.get(t, "/v2/datasets/"+l.dataset+"/items?fields=push,part", &items)
	found := map[string]bool{}
	for i, item := range items {
		if item.Part != i%5 || item.Part > 0 && item.Push != items[i-1].Push {
			t.Errorf("item %d is part %d of %s", i, item.Part, item.Push)
			return
		}
		if _, sent := l.pushes[item.Push]; !sent || item.Part == 0 && found[item.Push] {
			t.Errorf("%s is there more often than it was sent", item.Push)
		}
		found[item.Push] = true
	}
	for name, answered := range l.pushes {
		if answered && !found[name] {
			t.Errorf("%s was answered and is lost", name)
		}
		l.pushes[name] = found[name]
	}
	var info struct{ Data struct{ ItemCount int } }
	l.s.get(t, "/v2/datasets/"+l.dataset, &info)
	if info.Data.ItemCount != len(items) {
		t.Errorf("the dataset says %d items and has %d", info.Data.ItemCount, len(items))
	}
}

func (l *load) checkRecords(t *testing.T) {
	found := map[string]bool{}
	for start := ""; ; {
		var page struct {
			Data struct {
				Items                 []struct{ Key string }
				NextExclusiveStartKey *string
			}
		}
		l.s.get(t, "/v2/key-value-stores/"+l.values+"/keys?exclusiveStartKey="+start, &page)
		for _, item := range page.Data.Items {
			found[item.Key] = true
		}
		if page.Data.NextExclusiveStartKey == nil {
			break
		}
		start = *page.Data.NextExclusiveStartKey
	}
	for key := range found {
		if l.records[key] == nil {
			t.Errorf("nobody wrote record %s", key)
		}
	}
	for key, v := range l.records {
		state := absent
		if len(v.perhaps) == 0 && found[key] != (v.certain != absent) {
			t.Errorf("record %s is listed: %v", key, found[key])
		}
		status, content, ok := l.ask(t.Context(), "GET", "/v2/key-value-stores/"+l.values+"/records/"+key, nil)
		switch {
		case !ok || status != http.StatusOK && status != http.StatusNotFound:
			t.Errorf("record %s: %d", key, status)
		case status == http.StatusOK:
			var whole bool
			if state, whole = version(content); !whole {
				t.Errorf("record %s has %d bytes that nobody wrote", key, len(content))
			}
		}
		if !v.allows(state) {
			t.Errorf("record %s is %q, last answered was %q", key, state, v.certain)
		}
		if found[key] != (state != absent) {
			t.Errorf("record %s is listed: %v, and read: %v", key, found[key], state != absent)
		}
		if state == absent {
			delete(l.records, key)
			continue
		}
		// The large ones go once a second crash has not harmed them.
		if len(v.perhaps) == 0 && len(content) > 10_000 {
			if status, _, _ := l.ask(t.Context(), "DELETE", "/v2/key-value-stores/"+l.values+"/records/"+key, nil); status != http.StatusNoContent {
				t.Errorf("record %s cannot be deleted: %d", key, status)
			}
			delete(l.records, key)
			continue
		}
		*v = versions{certain: state}
	}
}

func (l *load) checkRequests(t *testing.T) {
	base := "/v2/request-queues/" + l.queue
	type request struct {
		ID, UniqueKey string
		HandledAt     *string
	}
	found := map[string]request{}
	handled := 0
	for cursor := ""; ; {
		var page struct {
			Data struct {
				Items      []request
				NextCursor *string
			}
		}
		l.s.get(t, base+"/requests?limit=1000"+cursor, &page)
		for _, r := range page.Data.Items {
			if _, twice := found[r.UniqueKey]; twice {
				t.Errorf("%s is there twice", r.UniqueKey)
			}
			found[r.UniqueKey] = r
			if r.HandledAt != nil {
				handled++
			}
		}
		if page.Data.NextCursor == nil || *page.Data.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + *page.Data.NextCursor
	}
	for key, r := range l.requests {
		got, there := found[key]
		switch {
		case r.deleted && there:
			t.Errorf("%s was deleted and is there", key)
		case r.added && !there && !r.deleting:
			t.Errorf("%s was added and is lost", key)
		case r.handled && got.HandledAt == nil && there:
			t.Errorf("%s was handled and is not", key)
		case there && got.HandledAt != nil && !r.handling:
			t.Errorf("%s is handled, which nobody asked for", key)
		}
		if !there {
			delete(l.requests, key)
			continue
		}
		*r = progress{added: true, handled: got.HandledAt != nil, handling: got.HandledAt != nil}
	}
	for key := range found {
		if l.requests[key] == nil {
			t.Errorf("nobody added %s, or somebody deleted it", key)
		}
	}
	var info struct {
		Data struct{ TotalRequestCount, HandledRequestCount, PendingRequestCount int }
	}
	l.s.get(t, base, &info)
	if d := info.Data; d.TotalRequestCount != len(found) || d.HandledRequestCount != handled || d.PendingRequestCount != len(found)-handled {
		t.Errorf("the queue says %+v and has %d, %d handled", d, len(found), handled)
	}
}

func (l *load) checkStorages(t *testing.T) {
	for path, v := range l.stores {
		status, answer, ok := l.ask(t.Context(), "GET", "/v2/"+path, nil)
		var info struct{ Data struct{ Name string } }
		if !ok || status != http.StatusOK && status != http.StatusNotFound || json.Unmarshal(answer, &info) != nil {
			t.Errorf("%s: %d %s", path, status, answer)
		}
		if !v.allows(info.Data.Name) {
			t.Errorf("%s has the name %q, last answered was %q", path, info.Data.Name, v.certain)
		}
		if info.Data.Name == absent {
			delete(l.stores, path)
			continue
		}
		*v = versions{certain: info.Data.Name}
		// Its name finds it too.
		kind, _, _ := strings.Cut(path, "/")
		var named struct{ Data struct{ ID string } }
		l.s.get(t, "/v2/"+kind+"/"+info.Data.Name, &named)
		if kind+"/"+named.Data.ID != path {
			t.Errorf("%s is named %s, which finds %s", path, info.Data.Name, named.Data.ID)
		}
	}
}
