package localdir

import (
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/filetype"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// tree reads all files below a folder, the private ones excepted.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if err == nil && e.Name() == privateFolder {
				return fs.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// plant writes files below a folder.
func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func defaultDataset(t *testing.T, r *Root) store.Dataset {
	t.Helper()
	d, err := r.Datasets().Open(t.Context(), DefaultFolder)
	check(t, err)
	return d
}

func defaultStore(t *testing.T, r *Root) store.KeyValueStore {
	t.Helper()
	k, err := r.KeyValueStores().Open(t.Context(), DefaultFolder)
	check(t, err)
	return k
}

func defaultQueue(t *testing.T, r *Root) store.RequestQueue {
	t.Helper()
	q, err := r.RequestQueues().Open(t.Context(), DefaultFolder)
	check(t, err)
	return q
}

func allItems(t *testing.T, d store.Dataset) (items []string) {
	t.Helper()
	for raw, err := range d.Items(t.Context(), 0, -1, false) {
		check(t, err)
		items = append(items, strings.Join(strings.Fields(string(raw)), ""))
	}
	return items
}

func value(t *testing.T, k store.KeyValueStore, key string) (content, contentType string) {
	t.Helper()
	r, err := k.Get(t.Context(), key)
	check(t, err)
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	check(t, err)
	return string(data), r.ContentType
}

func TestOpeningCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "storage")
	r := Open(dir)
	if i, err := defaultDataset(t, r).Info(t.Context()); err != nil || i.ItemCount != 0 || len(i.ID) != 17 {
		t.Errorf("%+v, %v", i, err)
	}
	allItems(t, defaultDataset(t, r))
	_, err := defaultStore(t, r).Get(t.Context(), "INPUT")
	if !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	check(t, defaultStore(t, r).DeleteRecord(t.Context(), "INPUT"))
	_, err = defaultQueue(t, r).Lock(t.Context(), 1, time.Minute, store.Client{Key: "c"})
	check(t, err)
	_, err = r.Datasets().List(t.Context(), store.ListOptions{Unnamed: true})
	check(t, err)
	check(t, r.Close())
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%v: %v", err, tree(t, dir))
	}
}

func TestLayout(t *testing.T) {
	dir := t.TempDir()
	r := Open(dir)
	ctx := t.Context()
	check(t, defaultDataset(t, r).Append(ctx, []json.RawMessage{[]byte(`{"a":1,"b":[],"c":{"d":null}}`), []byte(`{}`)}))
	k := defaultStore(t, r)
	for _, put := range [][3]string{
		{"OUTPUT", "application/json; charset=utf-8", "{\n  \"a\":1}"},
		{"text.part", "text/plain; charset=utf-8", "x"},
		{"img.png", "image/png", "png"},
		{"photo", "image/jpeg", "jpeg"},
		{"bare", "application/json", "1"},
		{"own", "text/javascript", "x"},
		{"csv", "text/csv", "x"},
	} {
		_, err := k.Put(ctx, put[0], put[1], strings.NewReader(put[2]))
		check(t, err)
	}
	q := defaultQueue(t, r)
	before := time.Now().UnixMilli()
	_, err := q.Add(ctx, []store.Request{{UniqueKey: "http://example.com", URL: "http://example.com?a&b", Method: "POST", RetryCount: 2,
		JSON: []byte(`{ "uniqueKey": "http://example.com", "url": "http://example.com?a&b" }`)}}, true, store.Client{Key: "c"})
	check(t, err)
	now := time.Now()
	_, err = q.Add(ctx, []store.Request{{UniqueKey: "https://apify.com/?q=1", JSON: []byte(`{"url":"u","handledAt":"2026-01-02T03:04:05.000Z"}`), HandledAt: &now}}, false, store.Client{Key: "c"})
	check(t, err)
	check(t, r.Close())

	got := tree(t, dir)
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{
		"datasets/default/000000001.json", "datasets/default/000000002.json", "datasets/default/__metadata__.json",
		"key_value_stores/default/OUTPUT.json", "key_value_stores/default/__metadata__.json",
		"key_value_stores/default/bare.__metadata__.json", "key_value_stores/default/bare.json",
		"key_value_stores/default/csv", "key_value_stores/default/csv.__metadata__.json",
		"key_value_stores/default/img.png", "key_value_stores/default/img.png.__metadata__.json",
		"key_value_stores/default/own.__metadata__.json", "key_value_stores/default/own.bin",
		"key_value_stores/default/photo.jpeg", "key_value_stores/default/text.part.txt",
		"request_queues/default/8OamqXBCpPHxyH9.json", "request_queues/default/__metadata__.json",
		"request_queues/default/vAXdrpyfS828tBF.json",
	}
	if !slices.Equal(names, want) {
		t.Errorf("files\n %v\nwant\n %v", names, want)
	}
	for name, content := range map[string]string{
		"datasets/default/000000001.json":                "{\n\t\"a\": 1,\n\t\"b\": [],\n\t\"c\": {\n\t\t\"d\": null\n\t}\n}",
		"datasets/default/000000002.json":                "{}",
		"key_value_stores/default/OUTPUT.json":           "{\n  \"a\":1}",
		"key_value_stores/default/own.__metadata__.json": "{\n\t\"key\": \"own\",\n\t\"contentType\": \"text/javascript\",\n\t\"extension\": \"bin\"\n}",
		"request_queues/default/vAXdrpyfS828tBF.json": "{\n\t\"id\": \"vAXdrpyfS828tBF\",\n\t\"json\": " +
			`"{\"url\":\"u\",\"handledAt\":\"2026-01-02T03:04:05.000Z\",\"uniqueKey\":\"https://apify.com/?q=1\",\"id\":\"vAXdrpyfS828tBF\"}"` +
			",\n\t\"method\": \"GET\",\n\t\"orderNo\": null,\n\t\"retryCount\": 0,\n\t\"uniqueKey\": \"https://apify.com/?q=1\",\n\t\"url\": \"\"\n}",
	} {
		if got[name] != content {
			t.Errorf("%s:\n%s\nwant\n%s", name, got[name], content)
		}
	}
	request := regexp.MustCompile(`"orderNo": -(\d+)(\.\d+)?,`)
	match := request.FindStringSubmatch(got["request_queues/default/8OamqXBCpPHxyH9.json"])
	if match == nil {
		t.Fatalf("no place: %s", got["request_queues/default/8OamqXBCpPHxyH9.json"])
	}
	var order int64
	check(t, json.Unmarshal([]byte(match[1]), &order))
	if order < before || order > time.Now().UnixMilli() {
		t.Errorf("orderNo %d is not the present", order)
	}
	var meta map[string]any
	check(t, json.Unmarshal([]byte(got["datasets/default/__metadata__.json"]), &meta))
	if meta["id"] != "default" || meta["name"] != nil || meta["itemCount"] != 2.0 || len(meta["storageId"].(string)) != 17 {
		t.Errorf("metadata %v", meta)
	}
	if id := meta["storageId"].(string); true {
		d, err := Open(dir).Datasets().Open(ctx, id)
		check(t, err)
		if d.ID() != id {
			t.Errorf("id %s, want %s", d.ID(), id)
		}
	}
}

func TestFoldersOfTheJavaScriptSDK(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, map[string]string{
		"datasets/mine/000000001.json":                  "{\n\t\"a\": 1\n}",
		"datasets/mine/000000002.json":                  `{"a":2}`,
		"datasets/mine/000000003.json":                  "\xef\xbb\xbf{\n  \"a\": 3\n}\n",
		"key_value_stores/mine/INPUT.json":              `{"from":"js"}`,
		"key_value_stores/mine/a.b.txt":                 "text",
		"key_value_stores/mine/old.jpg":                 "jpg",
		"key_value_stores/mine/notes.md":                "# md",
		"key_value_stores/mine/run.log":                 "log",
		"key_value_stores/mine/x.parquet":               "par",
		"key_value_stores/mine/bad.json":                `{"bad`,
		"key_value_stores/mine/bare":                    `{"json":true}`,
		"key_value_stores/mine/bare-text":               "hello",
		"key_value_stores/mine/pic.dat":                 "dat",
		"key_value_stores/mine/not a key.md":            "x",
		"key_value_stores/mine/pic.__metadata__.json":   `{"key":"pic","contentType":"image/x-pic","extension":"dat"}`,
		"key_value_stores/mine/twice.__metadata__.json": `"{\"key\":\"twice\",\"contentType\":\"a/b\",\"extension\":\"bin\"}"`,
		"key_value_stores/mine/twice.bin":               "twice",
		"request_queues/mine/8OamqXBCpPHxyH9.json":      "{\n\t\"id\": \"8OamqXBCpPHxyH9\",\n\t\"json\": \"{\\\"url\\\":\\\"http://example.com\\\",\\\"uniqueKey\\\":\\\"http://example.com\\\",\\\"id\\\":\\\"8OamqXBCpPHxyH9\\\"}\",\n\t\"method\": \"GET\",\n\t\"orderNo\": 1700000000001,\n\t\"retryCount\": 0,\n\t\"uniqueKey\": \"http://example.com\",\n\t\"url\": \"http://example.com\"\n}",
		"request_queues/mine/vAXdrpyfS828tBF.json":      `{"id":"vAXdrpyfS828tBF","json":"{\"url\":\"u\",\"uniqueKey\":\"k\"}","method":"GET","orderNo":-1700000000002,"retryCount":0,"uniqueKey":"k","url":"u"}`,
		"request_queues/mine/handledhandled0.json":      `{"id":"handledhandled0","json":"{\"handledAt\":\"2026-01-02T03:04:05.000Z\"}","method":"GET","orderNo":null,"retryCount":0,"uniqueKey":"h","url":"h"}`,
		"request_queues/mine/lockedlocked000.json":      `{"id":"lockedlocked000","json":"{}","method":"GET","orderNo":99999999999999,"retryCount":0,"uniqueKey":"l","url":"l"}`,
		"request_queues/mine/broken.json":               `{`,
		"request_queues/mine/8ac1e9dbd3c1d4a.json":      `{"unique_key":"of the Python SDK"}`,
	})
	check(t, os.Mkdir(filepath.Join(dir, "datasets", "mine", "000000004.json.lock"), 0o777))
	r := Open(dir)
	defer r.Close()
	ctx := t.Context()

	d, err := r.Datasets().Open(ctx, "MINE")
	check(t, err)
	i, err := d.Info(ctx)
	check(t, err)
	if i.Name != "mine" || i.ItemCount != 3 || len(i.ID) != 17 {
		t.Errorf("%+v", i)
	}
	check(t, d.Append(ctx, []json.RawMessage{[]byte(`{"a":4}`)}))
	if got := allItems(t, d); !slices.Equal(got, []string{`{"a":1}`, `{"a":2}`, `{"a":3}`, `{"a":4}`}) {
		t.Error(got)
	}

	k, err := r.KeyValueStores().Open(ctx, "mine")
	check(t, err)
	want := map[string][2]string{
		"INPUT": {`{"from":"js"}`, "application/json; charset=utf-8"}, "a.b": {"text", "text/plain; charset=utf-8"},
		"old": {"jpg", "image/jpeg"}, "notes": {"# md", "text/markdown; charset=utf-8"}, "run": {"log", "text/plain; charset=utf-8"},
		"x": {"par", filetype.OctetStream}, "bad": {`{"bad`, "application/json; charset=utf-8"},
		"bare": {`{"json":true}`, "application/json; charset=utf-8"}, "bare-text": {"hello", "text/plain; charset=utf-8"},
		"pic": {"dat", "image/x-pic"}, "twice": {"twice", "a/b"},
	}
	for key, w := range want {
		if content, contentType := value(t, k, key); content != w[0] || contentType != w[1] {
			t.Errorf("%s: %q as %s", key, content, contentType)
		}
	}
	if content, _ := value(t, k, "old.jpg"); content != "jpg" {
		t.Error("a file cannot be read by its whole name")
	}
	page, err := k.Keys(ctx, store.KeysOptions{})
	check(t, err)
	listed := map[string]string{}
	for _, i := range page.Items {
		listed[i.Key] = i.ContentType
	}
	wanted := map[string]string{}
	for key, w := range want {
		wanted[key] = w[1]
	}
	if !maps.Equal(listed, wanted) {
		t.Errorf("keys %v\nwant %v", listed, wanted)
	}
	// Overwriting leaves no second file of the key.
	for _, key := range []string{"old", "x", "bare", "pic", "twice"} {
		_, err := k.Put(ctx, key, "text/plain; charset=utf-8", strings.NewReader("new"))
		check(t, err)
		if content, _ := value(t, k, key); content != "new" {
			t.Errorf("%s: %q", key, content)
		}
		check(t, k.DeleteRecord(ctx, key))
		if _, err := k.Stat(ctx, key); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s came back: %v", key, err)
		}
	}

	q, err := r.RequestQueues().Open(ctx, "mine")
	check(t, err)
	h, err := q.Lock(ctx, 10, time.Minute, store.Client{Key: "c"})
	check(t, err)
	var ids []string
	for _, i := range h.Items {
		ids = append(ids, i.ID)
	}
	if !slices.Equal(ids, []string{"vAXdrpyfS828tBF", "8OamqXBCpPHxyH9"}) {
		t.Errorf("head %v", ids)
	}
	i, err = q.Info(ctx)
	check(t, err)
	if i.TotalRequests != 4 || i.HandledRequests != 1 {
		t.Errorf("%+v", i)
	}
	done, err := q.Request(ctx, "handledhandled0")
	check(t, err)
	if done.HandledAt == nil || done.HandledAt.Year() != 2026 {
		t.Errorf("%+v", done)
	}
}

func TestFoldersOfThePythonSDK(t *testing.T) {
	dir := t.TempDir()
	const base = `"id": "abcdefghijklmnopq", "name": null, "accessed_at": "2026-11-22 04:13:33.325714+00:00", "created_at": "2026-11-22 04:13:33.325714+00:00", "modified_at": "2026-11-22 04:13:33.325714+00:00"`
	plant(t, dir, map[string]string{
		"datasets/default/__metadata__.json":                    `{` + base + `, "item_count": 2}`,
		"datasets/default/000000001.json":                       "{\n  \"a\": 1\n}",
		"datasets/default/000000002.json":                       "{\n  \"a\": 2\n}",
		"datasets/results/__metadata__.json":                    `{"id":"rrrrrrrrrrrrrrrrr","name":"results","item_count":0,"custom":[1]}`,
		"key_value_stores/default/__metadata__.json":            `{` + base + `}`,
		"key_value_stores/default/OUTPUT":                       `{"a": 1}`,
		"key_value_stores/default/OUTPUT.__metadata__.json":     `{"key": "OUTPUT", "content_type": "application/json; charset=utf-8", "size": 8}`,
		"key_value_stores/default/a%21b":                        "bang",
		"key_value_stores/default/a%21b.__metadata__.json":      `{"key": "a!b", "content_type": "text/x", "size": 4}`,
		"key_value_stores/default/INPUT.json":                   `{"in": 1}`,
		"key_value_stores/default/INPUT.json.__metadata__.json": `{"key": "INPUT.json", "content_type": "application/json", "size": 9}`,
		"request_queues/default/__metadata__.json":              `{` + base + `, "had_multiple_clients": false, "handled_request_count": 0, "pending_request_count": 0, "total_request_count": 0}`,
	})
	r := Open(dir)
	ctx := t.Context()
	d, err := r.Datasets().Open(ctx, "abcdefghijklmnopq")
	check(t, err)
	check(t, d.Append(ctx, []json.RawMessage{[]byte(`{"a":3}`)}))
	if got := allItems(t, d); !slices.Equal(got, []string{`{"a":1}`, `{"a":2}`, `{"a":3}`}) {
		t.Error(got)
	}
	i, err := d.Info(ctx)
	check(t, err)
	if i.CreatedAt.UnixMilli() != time.Date(2026, 11, 22, 4, 13, 33, 325714000, time.UTC).UnixMilli() {
		t.Errorf("created %v", i.CreatedAt)
	}
	named, err := r.Datasets().Open(ctx, "rrrrrrrrrrrrrrrrr")
	check(t, err)
	check(t, named.Append(ctx, []json.RawMessage{[]byte(`{}`)}))
	k := defaultStore(t, r)
	for key, w := range map[string][2]string{
		"OUTPUT": {`{"a": 1}`, "application/json; charset=utf-8"}, "a!b": {"bang", "text/x"},
	} {
		if content, contentType := value(t, k, key); content != w[0] || contentType != w[1] {
			t.Errorf("%s: %q as %s", key, content, contentType)
		}
	}
	if content, contentType := value(t, k, "INPUT"); content != `{"in": 1}` || !strings.HasPrefix(contentType, "application/json") {
		t.Errorf("INPUT: %q as %s", content, contentType)
	}
	page, err := k.Keys(ctx, store.KeysOptions{})
	check(t, err)
	var keys []string
	for _, i := range page.Items {
		keys = append(keys, i.Key)
	}
	if !slices.Equal(keys, []string{"INPUT", "OUTPUT", "a!b"}) {
		t.Errorf("keys %v", keys)
	}
	for _, key := range []string{"OUTPUT", "a!b"} {
		_, err := k.Put(ctx, key, "text/plain; charset=utf-8", strings.NewReader("new"))
		check(t, err)
		if content, contentType := value(t, k, key); content != "new" || contentType != "text/plain; charset=utf-8" {
			t.Errorf("%s: %q as %s", key, content, contentType)
		}
	}
	check(t, r.Close())
	var meta map[string]any
	check(t, json.Unmarshal([]byte(tree(t, dir)["datasets/results/__metadata__.json"]), &meta))
	if meta["itemCount"] != 1.0 || meta["item_count"] != nil || meta["custom"] == nil || meta["name"] != "results" {
		t.Errorf("metadata %v", meta)
	}
}
