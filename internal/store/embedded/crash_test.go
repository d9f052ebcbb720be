package embedded

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// crashDir tells the test program to be the one that is killed, on this folder.
const crashDir = "GREENROOM_TEST_CRASH_DIR"

const crashWriters = 4

// crashRecord is the value of a record's nth version: now small, now in a file.
func crashRecord(n int) string {
	return strings.Repeat(strconv.Itoa(n)+" ", 1+n%3*smallRecord/2)
}

// TestCrashChild writes for ever and says on standard output what was answered.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("only for TestCrash")
	}
	round := os.Getenv(crashDir + "_ROUND")
	r := open(t, dir, Options{SegmentSize: 4000})
	d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "d"})
	must(t, err)
	k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{Name: "k"})
	must(t, err)
	q, _, err := r.RequestQueues().Create(t.Context(), store.CreateOptions{Name: "q"})
	must(t, err)
	for w := range crashWriters {
		go func() {
			for n := 0; ; n++ {
				me := fmt.Sprintf("%s-%d-%d", round, w, n)
				var items []json.RawMessage
				for part := range 3 {
					items = append(items, fmt.Appendf(nil, `{"append":%q,"part":%d}`, me, part))
				}
				if d.Append(t.Context(), items) == nil {
					fmt.Printf("dataset %s\n", me)
				}
				key := fmt.Sprintf("key-%s-%d", round, w)
				if _, err := k.Put(t.Context(), key, "text/plain", strings.NewReader(crashRecord(n))); err == nil {
					fmt.Printf("record %s %d\n", key, n)
				}
				request := store.Request{UniqueKey: me, URL: "http://" + me, JSON: []byte(`{}`)}
				if _, err := q.Add(t.Context(), []store.Request{request}, n%2 == 0, store.Client{Key: round}); err == nil {
					fmt.Printf("request %s\n", me)
				}
				now := time.Now()
				request.HandledAt = &now
				if _, err := q.Update(t.Context(), request, false, store.Client{Key: round}); err == nil {
					fmt.Printf("handled %s\n", me)
				}
				if r.Runs().Create(t.Context(), me, api.Run{ID: me}) == nil {
					fmt.Printf("run %s\n", me)
				}
				if r.Logs().Append(t.Context(), "log", []byte(me+"\n")) == nil {
					fmt.Printf("log %s\n", me)
				}
				if n%20 == 19 {
					extra, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{})
					if err == nil {
						extra.Put(t.Context(), "K", "a/b", strings.NewReader(crashRecord(2)))
						extra.Delete(t.Context())
						fmt.Printf("deleted %s\n", extra.ID())
					}
				}
			}
		}()
	}
	<-t.Context().Done()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCrash kills a process that writes, again and again, and finds everything
// that it was told to be stored.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	var answered []string
	for round := range 10 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), crashDir+"="+dir, fmt.Sprintf("%s_ROUND=%d", crashDir, round))
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewReader(out)
		first, err := lines.ReadString('\n') // it writes by now
		must(t, err)
		time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, func() { cmd.Process.Kill() })
		rest, _ := io.ReadAll(lines)
		cmd.Wait()
		for line := range strings.Lines(first + string(rest)) {
			if strings.HasSuffix(line, "\n") {
				answered = append(answered, strings.TrimSpace(line))
			}
		}
		checkCrashed(t, dir, answered)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d writes were answered", len(answered))
}

func checkCrashed(t *testing.T, dir string, answered []string) {
	r, err := Open(dir, Options{SegmentSize: 4000})
	must(t, err)
	defer r.Close()
	d, err := r.Datasets().Open(t.Context(), "d")
	must(t, err)
	k, err := r.KeyValueStores().Open(t.Context(), "k")
	must(t, err)
	q, err := r.RequestQueues().Open(t.Context(), "q")
	must(t, err)

	appended := map[string]int{}
	items := 0
	for raw, err := range d.Items(t.Context(), 0, -1, false) {
		must(t, err)
		var item struct {
			Append string
			Part   int
		}
		must(t, json.Unmarshal(raw, &item))
		if item.Part != items%3 || item.Part != appended[item.Append] {
			t.Errorf("item %d is part %d of %s, of which there were %d", items, item.Part, item.Append, appended[item.Append])
		}
		appended[item.Append]++
		items++
	}
	info, err := d.Info(t.Context())
	must(t, err)
	if info.ItemCount != items || items%3 != 0 {
		t.Errorf("the dataset says %d items and gives %d", info.ItemCount, items)
	}
	records := map[string]int{}
	page, err := k.Keys(t.Context(), store.KeysOptions{})
	must(t, err)
	for _, i := range page.Items {
		record, err := k.Get(t.Context(), i.Key)
		must(t, err)
		value, err := io.ReadAll(record.Body)
		record.Body.Close()
		must(t, err)
		n, _ := strconv.Atoi(string(value[:max(0, bytes.IndexByte(value, ' '))]))
		if string(value) != crashRecord(n) || i.Size != int64(len(value)) {
			t.Errorf("record %s has %d bytes that nobody wrote", i.Key, len(value))
		}
		records[i.Key] = n
	}
	requests := map[string]store.Request{}
	all, err := q.Requests(t.Context(), "", 0, store.RequestsFilter{})
	must(t, err)
	handled := 0
	for _, request := range all.Items {
		requests[request.UniqueKey] = request
		if request.HandledAt != nil {
			handled++
		}
	}
	info, err = q.Info(t.Context())
	must(t, err)
	if info.TotalRequests != len(requests) || info.HandledRequests != handled {
		t.Errorf("the queue says %d requests, %d handled, and has %d and %d", info.TotalRequests, info.HandledRequests, len(requests), handled)
	}
	log, err := r.Logs().Open(t.Context(), "log", 0)
	must(t, err)
	text, err := io.ReadAll(log)
	log.Close()
	must(t, err)
	logged := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		logged[strings.TrimSpace(line)] = true
	}
	for _, line := range answered {
		what, rest, _ := strings.Cut(line, " ")
		found := true
		switch what {
		case "dataset":
			found = appended[rest] == 3
		case "record":
			key, number, _ := strings.Cut(rest, " ")
			n, _ := strconv.Atoi(number)
			found = records[key] >= n
			if _, ok := records[key]; !ok {
				found = false
			}
		case "request":
			_, found = requests[rest]
		case "handled":
			found = requests[rest].HandledAt != nil
		case "run":
			_, err := r.Runs().Get(t.Context(), rest)
			found = err == nil
		case "log":
			found = logged[rest]
		case "deleted":
			_, err := r.KeyValueStores().Open(t.Context(), rest)
			found = err != nil
		}
		if !found {
			t.Errorf("answered and lost: %s", line)
		}
	}
}

// TestNothingIsLeftBehind lets the next process clear away what the one before
// deleted or never finished.
func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	r.reaper.stop() // as if the process died before it came to that
	k, _, err := r.KeyValueStores().Create(t.Context(), store.CreateOptions{Name: "k"})
	must(t, err)
	d, _, err := r.Datasets().Create(t.Context(), store.CreateOptions{Name: "d"})
	must(t, err)
	must(t, d.Append(t.Context(), []json.RawMessage{[]byte(`{}`)}))
	for n := range 3 {
		_, err = k.Put(t.Context(), fmt.Sprint("K", n), "a/b", strings.NewReader(strings.Repeat("x", 2*smallRecord)))
		must(t, err)
	}
	_, err = k.Put(t.Context(), "K0", "a/b", strings.NewReader("small"))
	must(t, err)
	orphan, err := r.content.Write(t.Context(), strings.NewReader(strings.Repeat("x", 2*smallRecord)), smallRecord)
	must(t, err)
	folder := ItemsFolder(r.dir, 1)
	if d.ID() == "" || len(contents(t, r)) != 4 {
		t.Fatalf("contents %v", contents(t, r))
	}
	must(t, d.Delete(t.Context()))
	// Not closed in order: the directory stays marked as in use.
	must(t, r.db.Close())
	must(t, r.lock.Release())

	r = open(t, dir, Options{})
	deadline := time.Now().Add(20 * time.Second)
	for {
		left := contents(t, r)
		var storages int
		must(t, r.db.Get(t.Context(), "SELECT count(*) FROM storage", nil, &storages))
		if len(left) == 2 && storages == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("left: %v, %d storages; the orphan is %s", left, storages, orphan.ID)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, path := range []string{folder, ItemsFolder(r.dir, 2)} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	k, err = r.KeyValueStores().Open(t.Context(), "k")
	must(t, err)
	must(t, k.Delete(t.Context()))
	for len(contents(t, r)) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("after deleting the store: %v", contents(t, r))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// contents lists the content files.
func contents(t *testing.T, r *Root) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, ContentName, "??", "*"))
	must(t, err)
	return files
}
