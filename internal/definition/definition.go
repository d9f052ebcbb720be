// Package definition reads what describes an Actor in its directory:
// .actor/actor.json, the schemas it links, and the legacy files. No network.
package definition

import (
	"encoding/json"

	"github.com/greenroom-dev/greenroom/internal/schema/dataset"
	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
	"github.com/greenroom-dev/greenroom/internal/schema/keyvalue"
	"github.com/greenroom-dev/greenroom/internal/schema/memory"
	"github.com/greenroom-dev/greenroom/internal/schema/output"
	"github.com/greenroom-dev/greenroom/internal/schema/webserver"
)

// Defaults for what a definition leaves out.
const (
	DefaultVersion  = "0.0"
	DefaultBuildTag = "latest"
)

// Actor is an Actor's definition. All paths are absolute.
type Actor struct {
	// Root is the Actor's directory; File is what was read: .actor/actor.json,
	// or apify.json when Legacy.
	Root   string
	File   string
	Legacy bool

	Name        string
	Version     string // MAJOR.MINOR, "0.0" when absent
	BuildTag    string // "latest" when absent
	Title       string
	Description string

	// Dockerfile is "" when there is none; ContextDir is the build context.
	Dockerfile string
	ContextDir string

	// Environment holds environmentVariables as written: values may be @names
	// of secrets. ResolveEnvironment replaces them.
	Environment map[string]string

	UsesStandbyMode bool
	// Memory in megabytes, 0 when absent.
	DefaultMemoryMbytes, MinMemoryMbytes, MaxMemoryMbytes int
	// DefaultMemory is defaultMemoryMbytes as an expression, nil when it is a
	// number or absent.
	DefaultMemory *memory.Expression
	// RunScript is scripts.run, the command for running without a container.
	RunScript string

	// Readme and Changelog are "" when there are none.
	Readme, Changelog string
	// Template names what the project was made from, as written.
	Template string
	// Meta is the field of that name, nil when absent.
	Meta json.RawMessage
	// Document is the whole definition as standard JSON, every linked schema in
	// the place of its link, unknown fields kept: the API's actorDefinition.
	Document json.RawMessage

	// Input is nil when the Actor has no input schema. InputFile is where it
	// was read from (File itself when inlined).
	Input     *inputschema.Schema
	InputFile string

	// The other schemas, nil where the Actor has none. Datasets are by alias;
	// "default" is the dataset that every run has.
	Output        *output.Schema
	Datasets      map[string]*dataset.Schema
	KeyValueStore *keyvalue.Schema
	WebServer     *webserver.Schema
	// WebServerMCPPath is where the web server speaks MCP, "" when it does not.
	WebServerMCPPath string

	// Warnings are for people: unknown fields, things that have no effect.
	Warnings []string
}
