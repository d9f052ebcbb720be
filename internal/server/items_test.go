package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/greenroom-dev/greenroom/internal/export"
	datasetschema "github.com/greenroom-dev/greenroom/internal/schema/dataset"
	"github.com/greenroom-dev/greenroom/internal/store"
)

// shop makes a dataset of four items, and gives its id and the path of the items.
func shop(p *platform) (id, items string) {
	p.t.Helper()
	id = p.do("POST", "/v2/datasets?name=shop", nil).want(201).str("data", "id")
	items = "/v2/datasets/" + id + "/items"
	p.do("POST", items, `[
		{"name":"a <b>","price":1.50,"#note":1,"offers":[{"n":1},{"n":2}]},
		{"name":"é","size":{"cm":{"w":3}}},
		{},
		{"name":"last","price":2}]`).want(201)
	return id, items
}

func TestItemsInEveryFormat(t *testing.T) {
	p := newPlatform(t)
	id, items := shop(p)
	const rss = `"http://search.yahoo.com/mrss/"><channel>` + "\n"
	for _, test := range []struct{ query, contentType, want string }{
		{"format=json&fields=price", "application/json", `[{"price":1.50},{},{},{"price":2}]`},
		{"format=jsonl&bom=1&limit=1&fields=name", "application/jsonl", "\ufeff" + `{"name":"a <b>"}` + "\n"},
		{"format=jsonl&desc=1&skipEmpty=1&fields=name,price&outputFields=n,p", "application/jsonl", "{\"n\":\"last\",\"p\":2}\n{\"n\":\"é\"}\n{\"n\":\"a <b>\",\"p\":1.50}\n"},
		{"format=csv&clean=1&fields=price,name", "text/csv", "\ufeffprice,name\n1.50,a <b>\n,é\n2,last\n"},
		{"format=csv&bom=0&delimiter=%09&skipHeaderRow=1&unwind=offers&fields=name,n&limit=1", "text/csv", "a <b>\t1\na <b>\t2\n"},
		{"format=csv&bom=false&flatten=size&omit=offers,%23note&offset=1&limit=1", "text/csv", "name,size.cm.w\né,3\n"},
		{"format=html&fields=name,size&offset=1&desc=1&limit=2", "text/html", "<table><tr><th>name</th><th>size/cm/w</th></tr>\n<tr><td></td><td></td></tr>\n<tr><td>é</td><td>3</td></tr></table>\n"},
		{"format=xml&xmlRoot=shop&xmlRow=thing&fields=name,size,%23note&skipHidden=true&skipEmpty=true", "application/xml",
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<shop>\n<thing><name>a &lt;b&gt;</name></thing>\n<thing><name>é</name><size><cm><w>3</w></cm></size></thing>\n<thing><name>last</name></thing>\n</shop>\n"},
		{"format=rss&fields=name&limit=1", "application/rss+xml", rss + "<title>Dataset shop</title>\n<link>" + p.URL + items + "</link>\n<description>Items in dataset with id &#34;" + id +
			"&#34;.</description>\n<item><name>a &lt;b&gt;</name></item>\n</channel></rss>\n"},
		{"format=rss&feedTitle=T%26t&feedDescription=D&offset=9&bom=1", "application/rss+xml", rss + "<title>T&amp;t</title>\n<link>" + p.URL + items + "</link>\n<description>D</description>\n</channel></rss>\n"},
		{"format=json&simplified=1&limit=1", "application/json", `[{}]`},
	} {
		got := p.do("GET", items+"?"+test.query, nil).want(200)
		if text := string(got.body); text != test.want && (!strings.HasPrefix(test.want, rss) || !strings.HasSuffix(text, test.want)) {
			t.Errorf("%s:\ngot  %q\nwant %q", test.query, text, test.want)
		}
		head := p.do("HEAD", items+"?"+test.query+"&attachment=1", nil).want(200)
		for _, a := range []answer{got, head} {
			if kind := a.header.Get("Content-Type"); kind != test.contentType+"; charset=utf-8" {
				t.Errorf("%s: content type %q", test.query, kind)
			}
		}
		if head.header.Get("Etag") != got.header.Get("Etag") || len(head.body) > 0 {
			t.Errorf("%s: HEAD differs from GET", test.query)
		}
		format, _, _ := strings.Cut(strings.TrimPrefix(test.query, "format="), "&")
		if name := head.header.Get("Content-Disposition"); name != "attachment; filename*=UTF-8''dataset_"+id+"."+format {
			t.Errorf("%s: %q", test.query, name)
		}
	}
	got := p.do("GET", items+"?format=xlsx&clean=1&fields=name,price", nil).want(200)
	if kind := got.header.Get("Content-Type"); kind != export.XLSX.ContentType() {
		t.Errorf("workbook: content type %q", kind)
	}
	book, err := excelize.OpenReader(bytes.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if rows, err := book.GetRows("Data"); err != nil || fmt.Sprint(rows) != "[[name price] [a <b> 1.5] [é] [last 2]]" {
		t.Errorf("workbook: %v, %v", rows, err)
	}
}

func TestItemsThatAreNotGiven(t *testing.T) {
	p := newPlatform(t)
	_, items := shop(p)
	wide := map[string]int{}
	for i := range 2001 {
		wide[fmt.Sprint("column", i)] = i
	}
	for query, typ := range map[string]string{
		"format=yaml": "invalid-value", "format=JSON": "invalid-value",
		"fields=name&outputFields=a,b": "invalid-value", "outputFields=a": "invalid-value",
		"format=csv&delimiter=ab": "invalid-value", "format=csv&delimiter=%22": "invalid-value", "format=csv&delimiter=%00": "invalid-value",
		"format=xml&xmlRoot=%3Cscript%3E": "invalid-value", "format=xml&xmlRow=1st": "invalid-value",
		"offset=-1": "invalid-parameter", "limit=x": "invalid-parameter", "limit=1.5": "invalid-parameter",
		"desc=perhaps": "invalid-parameter", "clean=2": "invalid-parameter", "skipHidden=x": "invalid-parameter", "skipEmpty=x": "invalid-parameter",
		"simplified=x": "invalid-parameter", "skipFailedPages=x": "invalid-parameter", "bom=x": "invalid-parameter",
		"attachment=x": "invalid-parameter", "skipHeaderRow=x": "invalid-parameter",
		"view=none": "dataset-does-not-have-schema",
	} {
		got := p.do("GET", items+"?"+query, nil).fails(400, typ)
		if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
			t.Errorf("%s: content type %q", query, kind)
		}
		p.do("HEAD", items+"?"+query, nil).want(400)
	}
	p.do("POST", items, wide).want(201)
	for _, format := range []string{"csv", "html", "xlsx"} {
		got := p.do("GET", items+"?attachment=1&format="+format, nil).fails(400, "invalid-request")
		for _, name := range []string{"Etag", "Last-Modified", "Content-Disposition", "Accept-Ranges"} {
			if value := got.header.Get(name); value != "" {
				t.Errorf("the refusal of %s has %s: %s", format, name, value)
			}
		}
		p.do("GET", items+"?format="+format+"&fields=column1", nil).want(200)
		p.do("GET", items+"?format="+format, nil, "Range", "bytes=0-5").fails(400, "invalid-request")
	}
	// What belongs to other formats is not looked at.
	p.do("GET", items+"?limit=1&format=json&delimiter=abc&xmlRoot=1&xmlRow=%3C", nil).want(200)
}

func TestItemsOnCondition(t *testing.T) {
	p := newPlatform(t)
	_, items := shop(p)
	tag := func(query string) string { return p.do("HEAD", items+query, nil).want(200).header.Get("Etag") }
	first := tag("")
	tags := map[string]string{first: ""}
	for _, query := range []string{"?limit=1", "?offset=1", "?desc=1", "?format=csv", "?format=csv&bom=0", "?fields=name", "?omit=name", "?clean=1", "?unwind=a", "?flatten=a", "?format=xml&xmlRow=a"} {
		if other, ok := tags[tag(query)]; ok {
			t.Errorf("%q and %q have one tag", query, other)
		}
		tags[tag(query)] = query
	}
	for _, known := range []string{first, "W/" + first, `"x", ` + first, "*"} {
		got := p.do("GET", items, nil, "If-None-Match", known).want(304)
		if len(got.body) > 0 || got.header.Get("Etag") != first || got.header.Get("X-Apify-Pagination-Total") != "4" {
			t.Errorf("%s: %s, %v", known, got.body, got.header)
		}
		p.do("HEAD", items, nil, "If-None-Match", known).want(304)
	}
	p.do("GET", items, nil, "If-None-Match", `"x"`).want(200)
	time.Sleep(1100 * time.Millisecond)
	at := p.do("GET", items, nil).want(200).header.Get("Last-Modified")
	p.do("GET", items, nil, "If-Modified-Since", at).want(304)
	p.do("GET", items, nil, "If-Modified-Since", at, "If-None-Match", `"x"`).want(200)
	p.do("GET", items, nil, "If-Modified-Since", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)).want(200)

	p.do("POST", items, `{"new":1}`).want(201)
	p.do("GET", items, nil, "If-None-Match", first).want(200)
	p.do("GET", items, nil, "If-Modified-Since", at).want(200)

	for { // until all of it happens within one second
		second := time.Now().Unix()
		p.do("POST", items, `{"newer":1}`).want(201)
		at := p.do("GET", items, nil).header.Get("Last-Modified")
		got := p.do("GET", items, nil, "If-Modified-Since", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		if time.Now().Unix() != second {
			continue
		}
		if at != "" || got.status != 200 {
			t.Errorf("what changed a moment ago may change again, but has the time %q (status %d)", at, got.status)
		}
		break
	}
}

func TestItemsInRanges(t *testing.T) {
	p := newPlatform(t)
	_, items := shop(p)
	var many []json.RawMessage
	for i := range 400 {
		many = append(many, json.RawMessage(fmt.Sprintf(`{"i":%d,"text":"%060d"}`, i, i)))
	}
	p.do("POST", items, many).want(201)
	for _, format := range []string{"json", "jsonl", "csv", "html", "xlsx", "xml", "rss"} {
		path := items + "?format=" + format + "&fields=i,text,name"
		whole := p.do("GET", path, nil).want(200)
		tag, n := whole.header.Get("Etag"), len(whole.body)
		if whole.header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s: ranges are not offered", format)
		}
		for asked, want := range map[string][2]int{
			"bytes=0-0": {0, 1}, "bytes=10-99": {10, 100}, "bytes=-7": {n - 7, n}, fmt.Sprintf("bytes=%d-", n/2): {n / 2, n}, fmt.Sprintf("bytes=%d-999999999", n-1): {n - 1, n},
		} {
			got := p.do("GET", path, nil, "Range", asked, "If-Range", tag).want(206)
			if !bytes.Equal(got.body, whole.body[want[0]:want[1]]) {
				t.Errorf("%s: %s gave %d bytes, want %d", format, asked, len(got.body), want[1]-want[0])
			}
			if r := got.header.Get("Content-Range"); r != fmt.Sprintf("bytes %d-%d/%d", want[0], want[1]-1, n) {
				t.Errorf("%s: %s gave the range %s", format, asked, r)
			}
			if got.header.Get("Content-Type") != whole.header.Get("Content-Type") || got.header.Get("Etag") != tag {
				t.Errorf("%s: a part is described as %v", format, got.header)
			}
		}
		if got := p.do("GET", path, nil, "Range", "bytes=5-9", "If-Range", `"old"`).want(200); !bytes.Equal(got.body, whole.body) {
			t.Errorf("%s: a part of something else", format)
		}
		p.do("GET", path, nil, "Range", fmt.Sprintf("bytes=%d-", n)).want(416)
		p.do("GET", path, nil, "Range", "bytes=5-9", "If-None-Match", tag).want(304)
		if got := p.do("GET", path, nil, "Range", "bytes=0-1,5-9").want(206); !bytes.Contains(got.body, whole.body[5:10]) {
			t.Errorf("%s: two parts: %q", format, got.body)
		}
	}
}

// TestItemsOfAMoment reads a page twice, as tables do, with items added between.
func TestItemsOfAMoment(t *testing.T) {
	p := newPlatform(t)
	id, items := shop(p)
	dataset, err := p.server.datasets.all.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []itemPage{{dataset, 4, 0, 4, false}, {dataset, 4, 1, 3, true}, {dataset, 4, 0, 4, true}} {
		read := func() (texts []string) {
			for item, err := range page.items(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, string(item))
			}
			return texts
		}
		info, err := dataset.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		page.total = info.ItemCount
		before := read()
		p.do("POST", items, `{"later":true}`).want(201)
		if after := read(); fmt.Sprint(before) != fmt.Sprint(after) || len(before) != page.count {
			t.Errorf("first %s, then %s", before, after)
		}
	}
}

// TestItemsThatBreakOff damages an item that is read when the answer is under way.
func TestItemsThatBreakOff(t *testing.T) {
	p := newPlatform(t)
	id, items := shop(p)
	p.do("POST", items, []any{map[string]string{"text": strings.Repeat("x", 100_000)}, map[string]int{"last": 1}}).want(201)
	files, err := filepath.Glob(filepath.Join(p.storage, "datasets", "*", "000000006.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files of dataset %s: %v, %v", id, files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"cut`), 0o644); err != nil {
		t.Fatal(err)
	}
	get := func(query, part string) (status int, err error) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+items+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+ownerToken)
		if part != "" {
			r.Header.Set("Range", part)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	for _, query := range []string{"", "?format=xml", "?format=jsonl"} {
		if status, err := get(query, ""); err == nil || status != 200 {
			t.Errorf("%q: an incomplete answer looks complete (status %d)", query, status)
		}
	}
	// Where the items are gone through before the first byte, that is no 200.
	for _, asked := range [][2]string{{"?format=csv", ""}, {"?format=xlsx", ""}, {"", "bytes=0-9"}} {
		if status, err := get(asked[0], asked[1]); err != nil || status != 500 {
			t.Errorf("%q: status %d, %v", asked, status, err)
		}
	}
	p.log.Reset()
}

func TestItemsOfARunInEveryFormat(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the Actor of this test needs curl")
	}
	p := newPlatform(t)
	p.actor(`curl -fsS -o /dev/null -X POST -H "Authorization: Bearer $APIFY_TOKEN" -H 'Content-Type: application/json' \
		-d '[{"a":1},{"a":"<"}]' "$APIFY_API_BASE_URL/v2/datasets/$ACTOR_DEFAULT_DATASET_ID/items"`)
	run := "/v2/actors/~scripted/run-sync-get-dataset-items"
	for query, want := range map[string]string{
		"format=csv":                "\ufeffa\n1\n<\n",
		"format=html&limit=1":       "<table><tr><th>a</th></tr>\n<tr><td>1</td></tr></table>\n",
		"format=xml&desc=1&limit=1": "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<items>\n<item><a>&lt;</a></item>\n</items>\n",
	} {
		got := p.do("POST", run+"?"+query, nil, "Range", "bytes=0-1", "If-None-Match", "*").want(201)
		if string(got.body) != want || got.header.Get("X-Apify-Pagination-Total") != "2" || got.header.Get("Etag") != "" {
			t.Errorf("%s: %q, %v", query, got.body, got.header)
		}
	}
	before := p.do("GET", "/v2/actor-runs", nil).want(200).get("data", "total")
	for query, typ := range map[string]string{"format=xml&xmlRoot=a+b": "invalid-value", "attachment=x": "invalid-parameter"} {
		p.do("POST", run+"?"+query, nil).fails(400, typ)
	}
	p.do("GET", "/v2/actor-runs", nil).is(before, "data", "total")
}

func TestJavaScriptDownloads(t *testing.T) {
	fromEnvironment(t, "GREENROOM_TEST_NODE_MODULES")
	runClient(t, newPlatform(t), exec.Command("node", filepath.Join("testdata", "items.cjs")))
}

// FuzzItemsQuery reads parameters and exports items with whatever they ask for.
func FuzzItemsQuery(f *testing.F) {
	for _, seed := range []string{
		"format=xml&xmlRoot=a&xmlRow=b:c&unwind=a&flatten=b,c", "format=rss&feedTitle=%00&feedDescription=%ff", "format=xlsx&fields=a,,b&outputFields=x,y",
		"format=csv&delimiter=%e2%82%ac&skipHeaderRow=1&bom=0", "format=html&simplified=true&skipFailedPages=1", "clean=1&omit=%23h&desc=1&offset=1e3&limit=0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		c := callOf("GET", "/v2/datasets/d/items", nil)
		c.r.URL = &url.URL{Path: "/v2/datasets/d/items", RawQuery: query}
		c.r.Host = "localhost"
		o, err := c.exportOptions(datasetschema.Transformation{})
		if err != nil {
			return
		}
		c.feed(&o, store.Info{ID: "d"})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		items := func(yield func(json.RawMessage, error) bool) {
			_ = yield(json.RawMessage(`{"a":[1,{"b":{"c":2}}],"#h":null,"b c":"<é"}`), nil) && yield(json.RawMessage(`{}`), nil)
		}
		var out bytes.Buffer
		if err := export.Write(ctx, &out, items, o); err != nil {
			t.Fatalf("%q: %v", query, err)
		}
	})
}
