package server

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const productSchema = `{
	"actorSpecification": 1, "title": "Products",
	"fields": {
		"type": "object", "required": ["name"],
		"properties": {"name": {"type": "string"}, "price": {"type": "number"}, "sizes": {"type": "array"}, "stock": {"type": "object"}}
	},
	"views": {
		"overview": {"title": "Overview", "transformation": {"fields": ["price", "name"], "limit": 2, "desc": true}},
		"sizes": {"title": "Sizes", "transformation": {"unwind": ["sizes"], "fields": ["name", "cm"], "skipEmpty": true}},
		"stock": {"title": "Stock", "transformation": {"flatten": ["stock"], "omit": ["price", "sizes"], "clean": true}},
		"plain": {"title": "Plain", "display": {"component": "table"}}
	}
}`

const fileSchema = `{
	"actorKeyValueStoreSchemaVersion": 1, "title": "Files",
	"collections": {
		"images": {"title": "Images", "keyPrefix": "image-", "contentTypes": ["image/png", "image/jpeg"]},
		"report": {"title": "Report", "key": "REPORT", "contentTypes": ["text/html"]},
		"states": {"title": "States", "keyPrefix": "state-", "contentTypes": ["application/json"],
			"jsonSchema": {"type": "object", "properties": {"page": {"type": "integer"}}, "required": ["page"]}}
	}
}`

// schemaBody is the body that creates a storage with a schema.
func schemaBody(schema string) string { return `{"schema":` + schema + `}` }

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDatasetSchema(t *testing.T) {
	p := newPlatform(t)
	created := p.do("POST", "/v2/datasets?name=products", schemaBody(productSchema)).want(201)
	var schema any
	if err := json.Unmarshal([]byte(productSchema), &schema); err != nil {
		t.Fatal(err)
	}
	created.is(schema, "data", "schema").is([]string{"name", "price", "sizes", "stock"}, "data", "fields")
	base := "/v2/datasets/" + created.str("data", "id")
	p.do("GET", base, nil).want(200).is(schema, "data", "schema").is([]string{"name", "price", "sizes", "stock"}, "data", "fields")

	p.do("POST", base+"/items", `{"name":"a","more":1}`).want(201)
	p.do("POST", base+"/items", `[{"name":"b"},"{\"name\":\"c\"}"]`).want(201)
	got := string(p.do("POST", base+"/items", `[{"name":"d"},{"price":"5"},{"name":"e"},"{\"name\":5}"]`).fails(400, "schema-validation-error").body)
	const want = `{"error":{"type":"schema-validation-error","message":"Schema validation failed","data":{"invalidItems":[` +
		`{"itemPosition":1,"validationErrors":[` +
		`{"instancePath":"","schemaPath":"#/required","keyword":"required","params":{"missingProperty":"name"},"message":"must have required property 'name'"},` +
		`{"instancePath":"/price","schemaPath":"#/properties/price/type","keyword":"type","params":{"type":"number"},"message":"must be number"}]},` +
		`{"itemPosition":3,"validationErrors":[` +
		`{"instancePath":"/name","schemaPath":"#/properties/name/type","keyword":"type","params":{"type":"string"},"message":"must be string"}]}]}}}`
	if got != want+"\n" {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	p.do("POST", base+"/items", `{}`).fails(400, "schema-validation-error").is(0, "error", "data", "invalidItems", 0, "itemPosition")
	p.do("POST", base+"/items", `[5]`).fails(400, "invalid-request")
	// A batch with one wrong item leaves nothing.
	if got := string(p.do("GET", base+"/items", nil).want(200).body); got != `[{"name":"a","more":1},{"name":"b"},{"name":"c"}]` {
		t.Errorf("items: %s", got)
	}
	// Who opens it by name once more cannot change its schema.
	p.do("POST", "/v2/datasets?name=products", `{"schema":{"actorSpecification":1,"views":{}}}`).want(200).is(schema, "data", "schema")
	free := p.do("POST", "/v2/datasets", nil).want(201)
	free.is(nil, "data", "schema").is(nil, "data", "fields")
	p.do("POST", "/v2/datasets/"+free.str("data", "id")+"/items", `{}`).want(201)
}

func TestDatasetViews(t *testing.T) {
	p := newPlatform(t)
	id := p.do("POST", "/v2/datasets", schemaBody(productSchema)).want(201).str("data", "id")
	items := "/v2/datasets/" + id + "/items"
	p.do("POST", items, `[
		{"name":"a","price":1,"sizes":[{"cm":5},{"cm":6}],"#debug":true},
		{"name":"b","price":2,"stock":{"shop":{"n":3}}},
		{"name":"c","price":3,"sizes":[]}]`).want(201)
	for query, want := range map[string]string{
		"?view=overview":                         `[{"price":3,"name":"c"},{"price":2,"name":"b"}]`,
		"?view=overview&desc=0":                  `[{"price":1,"name":"a"},{"price":2,"name":"b"}]`,
		"?view=overview&limit=1":                 `[{"price":3,"name":"c"}]`,
		"?view=overview&offset=1":                `[{"price":2,"name":"b"},{"price":1,"name":"a"}]`,
		"?view=overview&fields=name":             `[{"name":"c"},{"name":"b"}]`,
		"?view=overview&outputFields=cost,title": `[{"cost":3,"title":"c"},{"cost":2,"title":"b"}]`,
		"?view=overview&omit=price":              `[{"name":"c"},{"name":"b"}]`,
		"?view=overview&format=csv&bom=0":        "price,name\n3,c\n2,b\n",
		"?view=sizes":                            `[{"name":"a","cm":5},{"name":"a","cm":6},{"name":"b"}]`,
		"?view=stock":                            `[{"name":"a"},{"name":"b","stock.shop.n":3},{"name":"c"}]`,
		"?view=stock&clean=0&limit=1":            `[{"name":"a","#debug":true}]`,
		"?view=plain&limit=1&fields=name":        `[{"name":"a"}]`,
	} {
		if got := string(p.do("GET", items+query, nil).want(200).body); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
	head := p.do("HEAD", items+"?view=overview", nil).want(200).header
	for name, want := range map[string]string{"Limit": "2", "Desc": "true", "Count": "2", "Total": "3"} {
		if got := head.Get("X-Apify-Pagination-" + name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	p.do("GET", items+"?view=none", nil).fails(400, "requested-dataset-view-does-not-exist").
		is(fmt.Sprintf(`dataset %s has no view "none": it has overview, sizes, stock, plain`, id), "error", "message")
	p.do("GET", items+"?view=overview&outputFields=a", nil).fails(400, "invalid-value")
	p.do("GET", items+"?view=", nil).want(200)
}

func TestStoreSchema(t *testing.T) {
	p := newPlatform(t)
	created := p.do("POST", "/v2/key-value-stores?name=files", schemaBody(fileSchema)).want(201)
	id := created.str("data", "id")
	created.is("Files", "data", "schema", "title")
	base := "/v2/key-value-stores/" + id
	record := base + "/records/"
	for key, contentType := range map[string]string{
		"image-1": "image/png", "image-2": "image/jpeg", "REPORT": "text/html; charset=utf-8", "REPORT-2": "text/plain",
		"INPUT": "application/json", "other": "a/b",
	} {
		p.do("PUT", record+key, "x", "Content-Type", contentType).want(201)
	}
	p.do("PUT", record+"image-3", "x", "Content-Type", "text/plain").fails(400, "schema-validation-failed").
		is(`the record "image-3" cannot have the content type "text/plain": the collection "images" allows image/png, image/jpeg`, "error", "message").
		is("images", "error", "data", "collection")
	p.do("POST", record+"REPORT", "x", "Content-Type", "").fails(400, "schema-validation-failed")
	p.do("PUT", record+"state-1", `{"page":1,"more":[]}`).want(201)
	p.do("PUT", record+"state-2", compressed(t, "gzip", []byte(`{"page":2}`)), "Content-Encoding", "gzip").want(201)
	p.do("PUT", record+"state-3", `{"page":"3"}`).fails(400, "schema-validation-failed").
		is("/page", "error", "data", "validationErrors", 0, "instancePath").
		is(`the record "state-3" does not match the JSON schema of the collection "states": page must be integer`, "error", "message")
	p.do("PUT", record+"state-3", `{"page"`).fails(400, "schema-validation-failed")
	p.do("PUT", record+"state-3", nil).fails(400, "schema-validation-failed")
	p.do("PUT", record+"state-3", compressed(t, "gzip", []byte(`[]`)), "Content-Encoding", "gzip").fails(400, "schema-validation-failed")
	p.do("PUT", record+"state-3", bytes.Repeat([]byte(" "), maxBody+1)).fails(413, "request-too-large")
	p.do("GET", record+"state-3", nil).fails(404, "record-not-found")
	if got := string(p.do("GET", record+"state-2", nil).want(200).body); got != `{"page":2}` {
		t.Errorf("got %s", got)
	}
	// Records that nothing is said about may be of any size.
	p.do("PUT", record+"other", bytes.Repeat([]byte("x"), maxBody+1), "Content-Type", "a/b").want(201)

	for query, want := range map[string]string{
		"?collection=images":                           "image-1 image-2",
		"?collection=report":                           "REPORT",
		"?collection=states&limit=1":                   "state-1",
		"?collection=images&exclusiveStartKey=image-1": "image-2",
		"?collection=report&exclusiveStartKey=REPORT":  "",
		"?collection=report&exclusiveStartKey=R":       "REPORT",
		"?collection=images&prefix=im":                 "image-1 image-2",
		"?collection=images&prefix=image-2":            "image-2",
		"?collection=images&prefix=state":              "",
		"?collection=report&prefix=REP":                "REPORT",
		"?collection=report&prefix=X":                  "",
		"?prefix=REPORT":                               "REPORT REPORT-2",
		"?collection=&limit=2":                         "INPUT REPORT",
	} {
		var keys []string
		page := p.do("GET", base+"/keys"+query, nil).want(200)
		for i := 0; page.get("data", "items", i) != nil; i++ {
			keys = append(keys, page.str("data", "items", i, "key"))
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	p.do("DELETE", record+"REPORT", nil).want(204)
	p.do("GET", base+"/keys?collection=report", nil).want(200).is(0, "data", "count")
	const unknown = ` has no collection "none": it has images, report, states`
	p.do("GET", base+"/keys?collection=none", nil).fails(400, "invalid-collection").is("key-value store "+id+unknown, "error", "message")
	p.do("GET", base+"/records?collection=none", nil).fails(400, "invalid-collection")
	body := p.do("GET", base+"/records?collection=states", nil).want(200).body
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 2 || archive.File[0].Name != "state-1" {
		t.Errorf("%d files", len(archive.File))
	}
}

func TestSchemasThatAreNone(t *testing.T) {
	p := newPlatform(t)
	p.do("POST", "/v2/datasets", `{"schema":{"fields":{"type":"objekt"}}}`).fails(400, "dataset-schema-invalid")
	p.do("POST", "/v2/datasets", `{"schema":[]}`).fails(400, "dataset-schema-invalid")
	p.do("POST", "/v2/datasets", `{"schema":null}`).want(201)
	p.do("POST", "/v2/key-value-stores", `{"schema":{"collections":{"a":{}}}}`).fails(400, "store-schema-invalid")
	p.do("GET", "/v2/datasets?unnamed=1", nil).want(200).is(1, "data", "total")

	// One that another program has left with a storage.
	ctx := t.Context()
	dataset, err := p.server.Store.Datasets().Open(ctx, p.do("POST", "/v2/datasets", nil).want(201).str("data", "id"))
	if err != nil {
		t.Fatal(err)
	}
	if err := dataset.SetSchema(ctx, json.RawMessage(`{"what":1}`)); err != nil {
		t.Fatal(err)
	}
	base := "/v2/datasets/" + dataset.ID()
	p.do("POST", base+"/items", `{}`).fails(400, "dataset-schema-invalid")
	p.do("GET", base+"/items?view=x", nil).fails(400, "dataset-schema-invalid")
	p.do("GET", base+"/items", nil).want(200)
	p.do("GET", base, nil).want(200).is(1, "data", "schema", "what").is(nil, "data", "fields")
	// A request queue has no schema; whatever comes as one is kept.
	p.do("POST", "/v2/request-queues", `{"schema":{"what":1}}`).want(201)
}

func TestSchemasAreCompiledOnce(t *testing.T) {
	k := newDatasetSchemas()
	text := json.RawMessage(compact(t, productSchema))
	first, err := k.of(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := k.of(bytes.Clone(text)); again != first {
		t.Error("the schema was compiled again")
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = k.of(text) }); n > 0 {
		t.Errorf("looking for a schema allocates %v times", n)
	}
	for i := range 3 * maxCompiled {
		if _, err := k.of(json.RawMessage(fmt.Sprintf(`{"actorSpecification":1,"views":{},"title":"%d"}`, i))); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.compiled) > maxCompiled {
		t.Errorf("%d schemas are kept", len(k.compiled))
	}
}

// A run's storages have the schemas of its Actor's definition, and the run tells
// its output from the start.
func TestRunWithSchemas(t *testing.T) {
	p := newPlatform(t)
	actor, dir := p.defined(`"name": "shop", "storages": {
		"datasets": {"default": `+productSchema+`, "errors": {"actorSpecification": 1, "fields": {"type": "object", "required": ["message"]}}},
		"keyValueStore": `+fileSchema+`
	}, "output": {"actorOutputSchemaVersion": 1, "properties": {
		"products": {"type": "string", "template": "{{links.apiDefaultDatasetUrl}}/items?view=overview"},
		"errors": {"type": "string", "template": "{{storages.datasets.errors.apiUrl}}/items"},
		"images": {"type": "string", "template": "{{links.apiDefaultKeyValueStoreUrl}}/keys?collection=images"},
		"site": {"type": "string", "template": "{{run.containerUrl}}"},
		"run": {"type": "string", "template": "{{links.apiRunUrl}}"}
	}}`, `printf '%s\n' "$ACTOR_STORAGES_JSON" > storages.txt; while [ ! -e done ]; do sleep 0.05; done`)
	run := p.do("POST", "/v2/actors/"+actor.ID+"/runs", nil).want(201)
	id, dataset, store := run.str("data", "id"), run.str("data", "defaultDatasetId"), run.str("data", "defaultKeyValueStoreId")
	errors := run.str("data", "storageIds", "datasets", "errors")
	want := map[string]any{
		"products": p.URL + "/v2/datasets/" + dataset + "/items?view=overview",
		"errors":   p.URL + "/v2/datasets/" + errors + "/items",
		"images":   p.URL + "/v2/key-value-stores/" + store + "/keys?collection=images",
		"site":     run.str("data", "containerUrl"),
		"run":      p.URL + "/v2/actor-runs/" + id,
	}
	run.is(want, "data", "output").is(dataset, "data", "storageIds", "datasets", "default")
	if strings.Contains(string(run.body), `\u0026`) || want["site"] == "" {
		t.Errorf("got %s", run.body)
	}
	p.do("GET", "/v2/actor-runs/"+id, nil).want(200).is(want, "data", "output")

	p.do("POST", "/v2/actor-runs/"+id+"/dataset/items", `{"name":1}`).fails(400, "schema-validation-error")
	p.do("POST", "/v2/actor-runs/"+id+"/dataset/items", `{"name":"a"}`).want(201)
	p.do("POST", "/v2/datasets/"+errors+"/items", `{"name":"a"}`).fails(400, "schema-validation-error")
	p.do("POST", "/v2/datasets/"+errors+"/items", `{"message":"a"}`).want(201)
	p.do("PUT", "/v2/actor-runs/"+id+"/key-value-store/records/image-1", "x").fails(400, "schema-validation-failed")
	p.do("GET", "/v2/datasets/"+errors, nil).want(200).is(nil, "data", "name").is(id, "data", "actRunId")
	for name, link := range want {
		if name != "site" {
			p.do("GET", strings.TrimPrefix(link.(string), p.URL), nil).want(200)
		}
	}
	storages := p.waitFile(dir + "/storages.txt")
	var ids struct{ Datasets map[string]string }
	if err := json.Unmarshal([]byte(storages), &ids); err != nil || ids.Datasets["errors"] != errors || ids.Datasets["default"] != dataset {
		t.Errorf("ACTOR_STORAGES_JSON is %s", storages)
	}
	p.do("POST", "/v2/actor-runs/"+id+"/abort", nil).want(200)
}

// The calls that wait for a run's items know the views of its dataset too.
func TestRunSyncWithView(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.defined(`"name": "shop", "storages": {"dataset": `+productSchema+`}`, "exit 0")
	run := "/v2/actors/" + actor.ID + "/run-sync-get-dataset-items"
	got := p.do("POST", run+"?view=overview", nil).want(201)
	if string(got.body) != "[]" || got.header.Get("X-Apify-Pagination-Limit") != "2" || got.header.Get("X-Apify-Pagination-Desc") != "true" {
		t.Errorf("got %s, %v", got.body, got.header)
	}
	p.do("POST", run+"?view=overview&outputFields=a,b", nil).want(201)
	p.do("GET", run+"?view=none", nil).fails(400, "requested-dataset-view-does-not-exist")
	p.do("GET", run+"?view=overview&limit=-5", nil).fails(400, "invalid-parameter")
}
