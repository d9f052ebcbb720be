// Package definition reads what describes an Actor in its directory:
// .actor/actor.json, the schemas it links, and the legacy files. No network.
package definition

import (
	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
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

	UsesStandbyMode     bool
	DefaultMemoryMbytes int // 0 when absent
	// RunScript is scripts.run, the command for running without a container.
	RunScript string

	// Input is nil when the Actor has no input schema. InputFile is where it
	// was read from (File itself when inlined).
	Input     *inputschema.Schema
	InputFile string

	// Warnings are for people: unknown fields, things that have no effect.
	Warnings []string
}
