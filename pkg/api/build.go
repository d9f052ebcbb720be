package api

import "encoding/json"

// Build is one conversion of an Actor's source into something that runs.
type Build struct {
	ID            string             `json:"id"`
	ActorID       string             `json:"actId"`
	UserID        string             `json:"userId"`
	StartedAt     Time               `json:"startedAt"`
	FinishedAt    *Time              `json:"finishedAt"`
	Status        Status             `json:"status"`
	Meta          RunMeta            `json:"meta"`
	BuildNumber   string             `json:"buildNumber"` // MAJOR.MINOR.BUILD
	Stats         BuildStats         `json:"stats"`
	Options       *BuildOptions      `json:"options,omitempty"`
	Usage         map[string]float64 `json:"usage,omitempty"`
	UsageUSD      map[string]float64 `json:"usageUsd,omitempty"`
	UsageTotalUSD float64            `json:"usageTotalUsd"`
	// ActorVersion is the version as it was when the build started, without the
	// values of secret variables.
	ActorVersion *ActorVersion `json:"actVersion,omitempty"`
	// ActorDefinition is actor.json with the schemas it links in their places.
	ActorDefinition json.RawMessage `json:"actorDefinition,omitempty"`
	// InputSchema is a schema as text; deprecated, but what clients still read.
	InputSchema *string `json:"inputSchema,omitempty"`
	Readme      *string `json:"readme,omitempty"`
}

// BuildOptions are the limits a build was started with. Memory and disk are in
// mebibytes.
type BuildOptions struct {
	UseCache     bool `json:"useCache"`
	BetaPackages bool `json:"betaPackages"`
	MemoryMbytes int  `json:"memoryMbytes"`
	DiskMbytes   int  `json:"diskMbytes"`
}

// BuildStats counts what a build has used.
type BuildStats struct {
	DurationMillis int64   `json:"durationMillis"`
	RunTimeSecs    float64 `json:"runTimeSecs"`
	ComputeUnits   float64 `json:"computeUnits"`
	ImageSizeBytes int64   `json:"imageSizeBytes,omitempty"`
}
