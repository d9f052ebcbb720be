package definition

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// Kind says what a file, or a part of one, describes.
type Kind string

// The kinds.
const (
	KindActor         Kind = "actor"
	KindInput         Kind = "input"
	KindOutput        Kind = "output"
	KindDataset       Kind = "dataset"
	KindKeyValueStore Kind = "keyValueStore"
	KindWebServer     Kind = "webServer"
)

// Title names the kind at the beginning of a sentence: "Input schema".
func (k Kind) Title() string {
	switch k {
	case KindActor:
		return "Actor definition"
	case KindInput:
		return "Input schema"
	case KindOutput:
		return "Output schema"
	case KindDataset:
		return "Dataset schema"
	case KindKeyValueStore:
		return "Key-Value Store schema"
	default:
		return "Web server schema"
	}
}

// kindOf tells what a file describes: by its content, or, where that is not
// decisive or broken (nil), by its name; the official command takes any file for
// an input schema, and so does this one at last.
func kindOf(file string, root *jsonc.Value) Kind {
	name := strings.ToLower(filepath.Base(file))
	has := func(fields ...string) bool {
		return slices.ContainsFunc(fields, func(f string) bool { return root.Get(f) != nil })
	}
	named := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
	}
	switch {
	case has("openapi", "swagger"):
		return KindWebServer
	case has("actorOutputSchemaVersion"):
		return KindOutput
	case has("actorKeyValueStoreSchemaVersion", "collections"):
		return KindKeyValueStore
	case has("actorDatasetSchemaVersion"):
		return KindDataset
	case has("schemaVersion", "actorInputSchemaVersion"):
		return KindInput
	case name == fileName || name == legacyName:
		return KindActor
	case has("fields", "views"):
		return KindDataset
	case has("actorSpecification") && has("name", "version", "storages", "input", "output", "dockerfile"):
		return KindActor
	case named("input"):
		return KindInput
	case named("output"):
		return KindOutput
	case named("dataset"):
		return KindDataset
	case named("key_value", "key-value", "keyvalue", "kvs"):
		return KindKeyValueStore
	case named("openapi", "web_server", "web-server", "webserver"):
		return KindWebServer
	case has("actorSpecification"):
		return KindActor
	default:
		return KindInput
	}
}
