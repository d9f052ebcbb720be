package openapi

import "cmp"

// runParameters are those of every way to start a run; itemsParameters are about
// the items that come back.
var (
	runParameters   = []string{"timeout", "memory", "maxItems", "maxTotalChargeUsd", "restartOnError", "build", "webhooks"}
	itemsParameters = []string{
		"format", "clean", "offset", "limit", "fields", "outputFields", "omit", "unwind", "flatten", "desc", "view",
		"skipEmpty", "skipHidden", "attachment", "delimiter", "bom", "xmlRoot", "xmlRow", "skipHeaderRow", "feedTitle", "feedDescription",
	}
)

// The platform's limits for the memory of a run, in megabytes.
const (
	minMemory = 128
	maxMemory = 32768
)

// parameters makes the query parameters of all operations.
func (g *generator) parameters() object {
	out := object{}
	query := func(name, description string, schema object) {
		out = out.with(name, object{
			{"name", name}, {"in", "query"}, {"required", false}, {"description", description}, {"schema", schema},
		})
	}
	text, whole, flag := object{{"type", "string"}}, object{{"type", "integer"}, {"minimum", 0}}, object{{"type", "boolean"}}
	memory := object{
		{"type", "integer"},
		{"minimum", cmp.Or(g.actor.MinMemoryMbytes, minMemory)},
		{"maximum", cmp.Or(g.actor.MaxMemoryMbytes, maxMemory)},
	}
	if n := g.actor.DefaultMemoryMbytes; n > 0 {
		memory = memory.with("default", n)
	}
	query("timeout", "Time limit of the run in seconds", object{{"type", "number"}, {"minimum", 0}})
	query("memory", "Memory limit of the run in megabytes, a power of two", memory)
	query("maxItems", "How many items may be charged for, with Actors that are paid per result", whole)
	query("maxTotalChargeUsd", "How much the run may cost in US dollars, with Actors that are paid per event", object{{"type", "number"}, {"minimum", 0}})
	query("restartOnError", "Start the run again when it fails", flag)
	query("build", "Tag or number of the build to run", object{{"type", "string"}, {"default", g.actor.BuildTag}})
	query("webhooks", "Webhooks for this run, as a JSON array in Base64", text)
	query("waitForFinish", "How many seconds to wait for the run to end before answering", object{{"type", "number"}, {"minimum", 0}, {"maximum", 60}})
	query("outputRecordKey", "Key of the record to answer with", object{{"type", "string"}, {"default", outputKey}})
	query("format", "Format of the items", object{{"type", "string"}, {"enum", []string{"json", "jsonl", "csv", "html", "xlsx", "xml", "rss"}}, {"default", "json"}})
	query("clean", "Leave out empty items and hidden fields, whose names begin with #", flag)
	query("offset", "How many items to skip at the start", whole)
	query("limit", "How many items to give at most", whole)
	query("fields", "Fields to give, separated by commas, in this order", text)
	query("outputFields", "New names for the fields, separated by commas, in the order of fields", text)
	query("omit", "Fields to leave out, separated by commas", text)
	query("unwind", "Fields to unwind, separated by commas: each element of an array makes an item, the members of an object join theirs", text)
	query("flatten", "Fields to flatten, separated by commas: members of objects get names with dots", text)
	query("desc", "Give the last item first", flag)
	view := object{{"type", "string"}}
	if dataset := g.actor.Datasets["default"]; dataset != nil && len(dataset.Views()) > 0 {
		names := []string{}
		for _, v := range dataset.Views() {
			names = append(names, v.Name)
		}
		view = view.with("enum", names)
	}
	query("view", "View of the dataset schema to give the items in", view)
	query("skipEmpty", "Leave out empty items", flag)
	query("skipHidden", "Leave out hidden fields, whose names begin with #", flag)
	query("attachment", "Answer with a file to download", flag)
	query("delimiter", "What separates the columns of CSV", object{{"type", "string"}, {"default", ","}})
	query("bom", "Begin with a byte order mark", flag)
	query("xmlRoot", "Name of the root element of XML", object{{"type", "string"}, {"default", "items"}})
	query("xmlRow", "Name of the element of each item in XML", object{{"type", "string"}, {"default", "item"}})
	query("skipHeaderRow", "Leave out the header row of CSV", flag)
	query("feedTitle", "Title of the RSS feed", text)
	query("feedDescription", "Description of the RSS feed", text)
	return out
}

// securitySchemes are the two ways to give a token.
var securitySchemes = object{
	{"httpBearer", object{{"type", "http"}, {"scheme", "bearer"}, {"description", "The API token in the Authorization header"}}},
	{"apiKey", object{{"type", "apiKey"}, {"in", "query"}, {"name", "token"}, {"description", "The API token in the URL, where logs may keep it"}}},
}

var (
	failureNames = map[string]string{
		"400": "badRequest", "401": "unauthorized", "402": "paymentRequired", "403": "forbidden", "404": "notFound",
		"408": "timedOut", "413": "tooLarge", "415": "unsupportedMediaType", "429": "tooManyRequests",
	}
	failures = object{
		{"badRequest", failure("The input does not match the input schema, or an option is wrong")},
		{"unauthorized", failure("There is no token, or one that nobody knows")},
		{"paymentRequired", failure("The account cannot pay for the run")},
		{"forbidden", failure("The token may not start this Actor")},
		{"notFound", failure("There is no such Actor or build")},
		{"timedOut", failure("The run took longer than the answer can wait; it goes on")},
		{"tooLarge", failure("The input is too large")},
		{"unsupportedMediaType", failure("The input is in an encoding that is not supported")},
		{"tooManyRequests", failure("Too many requests were sent; wait and try again")},
	}
	errorResponse = object{{"type", "object"}, {"required", []string{"error"}}, {"properties", object{
		{"error", object{{"type", "object"}, {"required", []string{"type", "message"}}, {"properties", object{
			{"type", object{{"type", "string"}}}, {"message", object{{"type", "string"}}}, {"data", object{{"type", "object"}}},
		}}}},
	}}}
)

func failure(description string) object {
	return object{{"description", description}, {"content", object{{"application/json", object{{"schema", reference("errorResponse")}}}}}}
}

// runProperties are the fields of a run that callers use.
var runProperties = object{
	{"id", id}, {"actId", id}, {"userId", id},
	{"status", object{{"type", "string"}, {"enum", []string{"READY", "RUNNING", "SUCCEEDED", "FAILED", "TIMING-OUT", "TIMED-OUT", "ABORTING", "ABORTED"}}}},
	{"statusMessage", object{{"type", []string{"string", "null"}}}},
	{"startedAt", object{{"type", "string"}, {"format", "date-time"}}},
	{"finishedAt", object{{"type", []string{"string", "null"}}, {"format", "date-time"}}},
	{"exitCode", object{{"type", []string{"integer", "null"}}}},
	{"buildId", id}, {"buildNumber", id},
	{"defaultDatasetId", id}, {"defaultKeyValueStoreId", id}, {"defaultRequestQueueId", id},
	{"containerUrl", object{{"type", "string"}, {"format", "uri"}}},
	{"meta", object{{"type", "object"}, {"properties", object{{"origin", id}, {"userAgent", id}}}}},
	{"options", object{{"type", "object"}, {"properties", object{
		{"build", id}, {"timeoutSecs", object{{"type", "integer"}}}, {"memoryMbytes", object{{"type", "integer"}}}, {"diskMbytes", object{{"type", "integer"}}},
	}}}},
	{"stats", object{{"type", "object"}}},
	{"usage", object{{"type", []string{"object", "null"}}}},
	{"usageTotalUsd", object{{"type", "number"}}},
}

var id = object{{"type", "string"}}
