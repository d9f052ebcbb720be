package localdir

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
)

// childTask names, in the environment, what this test binary does instead of
// running tests when it is started as another process.
const childTask = "LOCALDIR_TEST_CHILD"

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		if err := runChild(task, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func startChild(t *testing.T, task, dir, name string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir, name)
	cmd.Env = append(os.Environ(), childTask+"="+task)
	out := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	check(t, cmd.Start())
	return cmd, out
}

func runChild(task, dir, name string) error {
	ctx := context.Background()
	r := Open(dir)
	d, err := r.Datasets().Open(ctx, DefaultFolder)
	if err != nil {
		return err
	}
	k, err := r.KeyValueStores().Open(ctx, DefaultFolder)
	if err != nil {
		return err
	}
	q, err := r.RequestQueues().Open(ctx, DefaultFolder)
	if err != nil {
		return err
	}
	switch task {
	case "push":
		for n := range pushes {
			if err := d.Append(ctx, childItems(name, n)); err != nil {
				return err
			}
		}
		return r.Close()
	case "replace until killed":
		// Nothing else, so that most deaths come in the middle of it.
		for n := 0; ; n++ {
			contentType := childTypes[n%len(childTypes)]
			if _, err := k.Put(ctx, "K", contentType, strings.NewReader(contentType)); err != nil {
				return err
			}
		}
	case "work until killed":
		acknowledged := bufio.NewWriter(os.Stdout)
		for n := 0; ; n++ {
			if err := d.Append(ctx, childItems(name, n)); err != nil {
				return err
			}
			fmt.Fprintf(acknowledged, "d%d\n", n)
			contentType := childTypes[n%len(childTypes)]
			// The content says its own type: a mixture of two writes would show.
			if _, err := k.Put(ctx, "K", contentType, strings.NewReader(contentType)); err != nil {
				return err
			}
			u := fmt.Sprintf("http://%s/%d", name, n)
			if _, err := q.Add(ctx, []store.Request{{UniqueKey: u, URL: u, JSON: []byte(`{"userData":{}}`)}}, n%2 == 0, store.Client{Key: name}); err != nil {
				return err
			}
			fmt.Fprintf(acknowledged, "q%s\n", u)
			if _, err := q.Lock(ctx, 1, time.Minute, store.Client{Key: name}); err != nil {
				return err
			}
			acknowledged.Flush()
		}
	}
	return fmt.Errorf("no task %q", task)
}

const (
	pushes  = 40
	perPush = 5
)

var childTypes = []string{"text/plain; charset=utf-8", "text/plain", "application/json; charset=utf-8", "a/b", "image/png", "c/d"}

func childItems(name string, n int) (items []json.RawMessage) {
	for i := range perPush {
		items = append(items, fmt.Appendf(nil, `{"by":%q,"n":%d}`, name, n*perPush+i))
	}
	return items
}

// checkItems reads a dataset file by file and gives how many items each writer
// has: all files whole, numbers without gaps, each writer's items in order.
func checkItems(t *testing.T, dir string) map[string]int {
	t.Helper()
	files := tree(t, dir+"/datasets/default")
	delete(files, metafile.Name)
	next := map[string]int{}
	for n := range len(files) {
		text, ok := files[itemName(n+1)]
		if !ok {
			t.Fatalf("%s is missing among %d files", itemName(n+1), len(files))
		}
		var item struct {
			By string
			N  int
		}
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatalf("%s is %q: %v", itemName(n+1), text, err)
		}
		if item.N < next[item.By] || item.N > next[item.By] && item.N%perPush != 0 {
			t.Fatalf("%s: item %d of %s, want %d", itemName(n+1), item.N, item.By, next[item.By])
		}
		next[item.By] = item.N + 1
	}
	return next
}

func TestProcessesPushAtOnce(t *testing.T) {
	dir := t.TempDir()
	var children []*exec.Cmd
	names := []string{"a", "b", "c"}
	for _, name := range names {
		cmd, _ := startChild(t, "push", dir, name)
		children = append(children, cmd)
	}
	for _, cmd := range children {
		check(t, cmd.Wait())
	}
	got := checkItems(t, dir)
	for _, name := range names {
		if got[name] != pushes*perPush {
			t.Errorf("%d items of %s, want %d", got[name], name, pushes*perPush)
		}
	}
	// Other programs trust the number in the metadata.
	var meta struct{ ItemCount int }
	check(t, json.Unmarshal([]byte(tree(t, dir)["datasets/default/__metadata__.json"]), &meta))
	if want := len(names) * pushes * perPush; meta.ItemCount != want {
		t.Errorf("metadata say %d items, want %d", meta.ItemCount, want)
	}
}

func TestKilledWriters(t *testing.T) {
	dir := t.TempDir()
	deadline := time.Now().Add(2 * time.Second)
	added := map[string]bool{}
	rounds := 0
	for ; time.Now().Before(deadline); rounds++ {
		names := []string{fmt.Sprintf("a%d", rounds), fmt.Sprintf("b%d", rounds)}
		replacing, _ := startChild(t, "replace until killed", dir, "")
		var outs []*bytes.Buffer
		var cmds []*exec.Cmd
		for _, name := range names {
			cmd, out := startChild(t, "work until killed", dir, name)
			cmds, outs = append(cmds, cmd), append(outs, out)
		}
		time.Sleep(time.Duration(20+rand.IntN(80)) * time.Millisecond)
		for _, cmd := range append(cmds, replacing) {
			cmd.Process.Kill()
		}
		replacing.Wait()
		for i, cmd := range cmds {
			if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() == 1 {
				t.Fatalf("the child ended by itself: %v", err)
			}
			last := -1
			for line := range strings.Lines(outs[i].String()) {
				line, whole := strings.CutSuffix(line, "\n")
				switch {
				case !whole:
				case line[0] == 'd':
					fmt.Sscanf(line, "d%d", &last)
				case line[0] == 'q':
					added[line[1:]] = true
				}
			}
			if got := checkItemsIfAny(t, dir)[names[i]]; got < (last+1)*perPush {
				t.Fatalf("%d items of %s, but %d were acknowledged", got, names[i], (last+1)*perPush)
			}
		}
		checkRecords(t, dir)
	}
	r := Open(dir)
	defer r.Close()
	q := defaultQueue(t, r)
	for u := range added {
		if _, err := q.Request(t.Context(), store.RequestID(u)); err != nil {
			t.Errorf("an acknowledged request is gone: %v", err)
		}
	}
	for name, text := range tree(t, dir+"/request_queues/default") {
		if _, ok := readRequestFile(name, []byte(text)); !ok && name != metafile.Name {
			t.Errorf("%s is %q", name, text)
		}
	}
	// The number of items heals at the next use, and nothing is overwritten.
	before := len(allItems(t, defaultDataset(t, r)))
	check(t, defaultDataset(t, r).Append(t.Context(), childItems("last", 0)))
	check(t, r.Close())
	if got := checkItems(t, dir); got["last"] != perPush {
		t.Errorf("%d items of the last writer", got["last"])
	}
	if after := len(allItems(t, defaultDataset(t, Open(dir)))); after != before+perPush {
		t.Errorf("%d items after %d", after, before)
	}
	if len(added) == 0 || rounds < 2 {
		t.Fatalf("nothing was tested: %d rounds, %d requests", rounds, len(added))
	}
	t.Logf("%d rounds, %d items, %d requests", rounds, before, len(added))
}

// checkItemsIfAny is checkItems for a dataset that may not exist yet.
func checkItemsIfAny(t *testing.T, dir string) map[string]int {
	t.Helper()
	if _, err := os.Stat(dir + "/datasets/default"); err != nil {
		return nil
	}
	return checkItems(t, dir)
}

// checkRecords looks at the key-value store as a new process finds it.
func checkRecords(t *testing.T, dir string) {
	t.Helper()
	r := Open(dir)
	defer r.Close()
	k := defaultStore(t, r)
	page, err := k.Keys(t.Context(), store.KeysOptions{})
	check(t, err)
	if len(page.Items) == 0 {
		return // killed before the first write
	}
	if len(page.Items) != 1 || page.Items[0].Key != "K" {
		t.Fatalf("keys %+v", page.Items)
	}
	rec, err := k.Get(t.Context(), "K")
	check(t, err)
	defer rec.Body.Close()
	content, err := io.ReadAll(rec.Body)
	check(t, err)
	if string(content) != rec.ContentType || page.Items[0].ContentType != rec.ContentType {
		t.Fatalf("content %q as %q, listed as %q", content, rec.ContentType, page.Items[0].ContentType)
	}
}
