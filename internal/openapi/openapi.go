// Package openapi describes the HTTP API of an Actor as an OpenAPI 3.1 document,
// made from the Actor's definition: how to start it, with which input, and what
// comes back.
//
// The layout, the operation ids and the names of the components are those of the
// documents that the platform makes, so that tools made for those read these.
package openapi

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// PlatformURL is the origin of the platform's own API.
const PlatformURL = "https://api.apify.com"

// outputKey names the record that run-sync answers with.
const outputKey = "OUTPUT"

// Options say what a definition does not.
type Options struct {
	// BaseURL is the API's origin, without /v2; PlatformURL when empty.
	BaseURL string
	// Actor is how the API names the Actor: "user~name" or an id. Empty means
	// the Actor of that name of whoever asks, "~name".
	Actor string
	// BuildID and BuildNumber are of the build that the document is about, ""
	// when it is about no build.
	BuildID, BuildNumber string
	// StandbyURL is where the Actor's web server answers, "" when it has none.
	StandbyURL string
}

// Generate makes the document. It fails with fault.InvalidInput for an Actor
// without a name, when the options give none either.
func Generate(a *definition.Actor, opts Options) (json.RawMessage, error) {
	actor := opts.Actor
	if actor == "" {
		if a.Name == "" {
			return nil, fault.New(fault.InvalidInput, "the Actor has no name").WithHint(`add "name" to %s`, a.File)
		}
		actor = "~" + a.Name
	}
	g := &generator{actor: a, ref: strings.ReplaceAll(actor, "/", "~")}
	schemas, err := g.schemas()
	if err != nil {
		return nil, err
	}
	info := object{{"title", cmp.Or(a.Title, a.Name, actor)}}
	if a.Description != "" {
		info = info.with("description", a.Description)
	}
	info = info.with("version", cmp.Or(opts.BuildNumber, a.Version))
	if opts.BuildID != "" {
		info = info.with("x-build-id", opts.BuildID)
	}
	document := object{
		{"openapi", "3.1.0"},
		{"info", info},
		{"servers", []object{{{"url", strings.TrimRight(cmp.Or(opts.BaseURL, PlatformURL), "/") + "/v2"}}}},
		{"security", []object{{{"httpBearer", []string{}}}, {{"apiKey", []string{}}}}},
		{"paths", g.paths()},
		{"components", object{
			{"schemas", schemas},
			{"parameters", g.parameters()},
			{"responses", failures},
			{"securitySchemes", securitySchemes},
		}},
	}
	if a.WebServer != nil {
		server := object{{"title", a.WebServer.Title()}}
		if opts.StandbyURL != "" {
			server = server.with("url", opts.StandbyURL)
		}
		if a.WebServerMCPPath != "" {
			server = server.with("mcpPath", a.WebServerMCPPath)
		}
		// Its own document stays apart: names of components would meet.
		document = document.with("x-web-server", server)
	}
	return marshal(document)
}

type generator struct {
	actor *definition.Actor
	// ref is the Actor as paths name it.
	ref string
}

// home gives the place of a schema among the components.
func home(name string) string { return "#/components/schemas/" + name }

func reference(name string) object { return object{{"$ref", home(name)}} }

// schemas makes the components: the input, what comes back, and the run.
func (g *generator) schemas() (object, error) {
	out := object{}
	add := func(name string, schema json.RawMessage) error {
		converted, err := convert(name, home(name), schema)
		if err != nil {
			return err
		}
		out = out.with(name, converted)
		return nil
	}
	if g.actor.Input != nil {
		if err := add("inputSchema", g.actor.Input.JSON()); err != nil {
			return nil, err
		}
	}
	items := json.RawMessage(`{"type":"object"}`)
	if dataset := g.actor.Datasets["default"]; dataset != nil && dataset.HasFields() {
		items = dataset.Fields()
	}
	if err := add("datasetItem", items); err != nil {
		return nil, err
	}
	if record := g.outputRecord(); record != nil {
		if err := add("outputRecord", record); err != nil {
			return nil, err
		}
	}
	run, err := g.run()
	if err != nil {
		return nil, err
	}
	return out.with("runsResponseSchema", run).with("errorResponse", errorResponse), nil
}

// outputRecord is the schema of the record that run-sync answers with, nil when
// the Actor says nothing about it.
func (g *generator) outputRecord() json.RawMessage {
	if g.actor.KeyValueStore == nil {
		return nil
	}
	doc, err := jsonc.Parse("key-value store", g.actor.KeyValueStore.JSON())
	if err != nil {
		return nil
	}
	for _, m := range doc.Root.Get("collections").Unique() {
		key, schema := m.Value.Get("key"), m.Value.Get("jsonSchema")
		if key.Is(jsonc.String) && key.Text == outputKey && schema.Is(jsonc.Object) {
			return schema.JSON()
		}
	}
	return nil
}

// run is the run object, with the links of the output schema.
func (g *generator) run() (object, error) {
	properties := slices.Clone(runProperties)
	if g.actor.Output != nil {
		doc, err := jsonc.Parse("output", g.actor.Output.JSON())
		if err != nil {
			return nil, err
		}
		links := object{}
		for _, m := range doc.Root.Get("properties").Unique() {
			link := object{{"type", "string"}}
			for _, name := range []string{"title", "description"} {
				if v := m.Value.Get(name); v.Is(jsonc.String) {
					link = link.with(name, v.Text)
				}
			}
			links = links.with(m.Name, link)
		}
		properties = properties.with("output", object{{"type", "object"}, {"description", "Where the output of the run is"}, {"properties", links}})
	}
	return object{{"type", "object"}, {"properties", object{{"data", object{{"type", "object"}, {"properties", properties}}}}}}, nil
}

var notPartOfAnID = regexp.MustCompile(`[^A-Za-z0-9]+`)

// paths makes the operations.
func (g *generator) paths() object {
	suffix := "-" + strings.Trim(notPartOfAnID.ReplaceAllString(g.ref, "-"), "-")
	at := "/acts/" + g.ref
	record := any(object{})
	if g.outputRecord() != nil {
		record = reference("outputRecord")
	}
	text := object{{"schema", object{{"type", "string"}}}}
	return object{
		{at + "/run-sync-get-dataset-items", object{{"post", g.operation(
			"run-sync-get-dataset-items"+suffix,
			"Executes an Actor, waits for its completion, and returns the items of its dataset",
			slices.Concat(runParameters, itemsParameters),
			object{{"description", "The items of the run's default dataset"}, {"content", object{
				{"application/json", object{{"schema", object{{"type", "array"}, {"items", reference("datasetItem")}}}}},
				{"application/jsonl", text}, {"text/csv", text}, {"application/xml", text}, {"text/html", text}, {"application/rss+xml", text},
				{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", object{}},
			}}},
		)}}},
		{at + "/runs", object{{"post", g.operation(
			"runs-sync"+suffix,
			"Executes an Actor and returns information about the run at once",
			slices.Concat(runParameters, []string{"waitForFinish"}),
			object{{"description", "The run that was started"}, {"content", object{
				{"application/json", object{{"schema", reference("runsResponseSchema")}}},
			}}},
		)}}},
		{at + "/run-sync", object{{"post", g.operation(
			"run-sync"+suffix,
			"Executes an Actor, waits for its completion, and returns the "+outputKey+" record of its key-value store",
			slices.Concat(runParameters, []string{"outputRecordKey"}),
			object{{"description", "The record, in the content type that it was stored with"}, {"content", object{
				{"application/json", object{{"schema", record}}},
				{"*/*", object{}},
			}}},
		)}}},
	}
}

// operation makes a POST operation that starts the Actor.
func (g *generator) operation(id, summary string, parameters []string, created object) object {
	out := object{
		{"operationId", id},
		{"x-openai-isConsequential", false},
		{"summary", summary},
		{"tags", []string{"Run Actor"}},
	}
	var refs []object
	for _, name := range parameters {
		refs = append(refs, object{{"$ref", "#/components/parameters/" + name}})
	}
	responses := object{{"201", created}}
	for _, status := range []string{"400", "401", "402", "403", "404", "408", "413", "415", "429"} {
		if name := failureNames[status]; status != "408" || strings.HasPrefix(id, "run-sync") {
			responses = responses.with(status, object{{"$ref", "#/components/responses/" + name}})
		}
	}
	return out.with("parameters", refs).with("requestBody", g.requestBody()).with("responses", responses)
}

// requestBody is the input: JSON of the input schema, or anything at all for an
// Actor that has none.
func (g *generator) requestBody() object {
	if g.actor.Input == nil {
		return object{{"description", "The input of the Actor, which has no schema"}, {"required", false}, {"content", object{
			{"application/json", object{{"schema", object{}}}}, {"*/*", object{}},
		}}}
	}
	media := object{{"schema", reference("inputSchema")}}
	if example := g.actor.Input.Prefilled(); len(example) > len("{}") {
		media = media.with("example", example)
	}
	required := false
	if doc, err := jsonc.Parse("input", g.actor.Input.JSON()); err == nil {
		list := doc.Root.Get("required")
		required = list.Is(jsonc.Array) && len(list.Items) > 0
	}
	return object{{"description", "The input of the Actor"}, {"required", required}, {"content", object{{"application/json", media}}}}
}
