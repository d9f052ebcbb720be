package api

import "encoding/json"

// Status is the state of a run or a build. The legal transitions live in
// internal/run.
type Status string

// The states of a run or a build.
const (
	StatusReady     Status = "READY"
	StatusRunning   Status = "RUNNING"
	StatusSucceeded Status = "SUCCEEDED"
	StatusFailed    Status = "FAILED"
	StatusTimingOut Status = "TIMING-OUT"
	StatusTimedOut  Status = "TIMED-OUT"
	StatusAborting  Status = "ABORTING"
	StatusAborted   Status = "ABORTED"
)

// Terminal reports whether nothing follows s but a resurrection.
func (s Status) Terminal() bool {
	switch s {
	case StatusSucceeded, StatusFailed, StatusTimedOut, StatusAborted:
		return true
	}
	return false
}

// Run is one execution of an Actor.
type Run struct {
	ID                       string             `json:"id"`
	ActorID                  string             `json:"actId"`
	UserID                   string             `json:"userId"`
	ActorTaskID              *string            `json:"actorTaskId,omitempty"`
	StartedAt                Time               `json:"startedAt"`
	FinishedAt               *Time              `json:"finishedAt"`
	Status                   Status             `json:"status"`
	StatusMessage            *string            `json:"statusMessage"`
	IsStatusMessageTerminal  *bool              `json:"isStatusMessageTerminal"`
	Meta                     RunMeta            `json:"meta"`
	Stats                    RunStats           `json:"stats"`
	Options                  RunOptions         `json:"options"`
	BuildID                  string             `json:"buildId"`
	BuildNumber              *string            `json:"buildNumber"`
	ExitCode                 *int               `json:"exitCode"`
	GeneralAccess            string             `json:"generalAccess"`
	DefaultKeyValueStoreID   string             `json:"defaultKeyValueStoreId"`
	DefaultDatasetID         string             `json:"defaultDatasetId"`
	DefaultRequestQueueID    string             `json:"defaultRequestQueueId"`
	StorageIDs               StorageIDs         `json:"storageIds"`
	ContainerURL             string             `json:"containerUrl,omitempty"`
	IsContainerServerReady   *bool              `json:"isContainerServerReady,omitempty"`
	Output                   json.RawMessage    `json:"output,omitempty"` // made from the Actor's output schema when the run starts
	Usage                    map[string]float64 `json:"usage,omitempty"`
	UsageTotalUSD            float64            `json:"usageTotalUsd"`
	ChargedEventCounts       map[string]int     `json:"chargedEventCounts,omitempty"`
	PlatformUsageBillingMode string             `json:"platformUsageBillingModel,omitempty"`
}

// RunMeta says where a run came from.
type RunMeta struct {
	Origin    string `json:"origin"`
	ClientIP  string `json:"clientIp,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
}

// RunOptions are the limits a run was started with. Memory and disk are in
// mebibytes; a TimeoutSecs of 0 means no limit.
type RunOptions struct {
	Build             string   `json:"build"`
	TimeoutSecs       int      `json:"timeoutSecs"`
	MemoryMbytes      int      `json:"memoryMbytes"`
	DiskMbytes        int      `json:"diskMbytes"`
	MaxItems          *int     `json:"maxItems,omitempty"`
	MaxTotalChargeUSD *float64 `json:"maxTotalChargeUsd,omitempty"`
}

// RunStats counts what a run has used. CPU figures are percent of one core.
type RunStats struct {
	InputBodyLen    int     `json:"inputBodyLen"`
	MigrationCount  int     `json:"migrationCount"`
	RebootCount     int     `json:"rebootCount"`
	RestartCount    int     `json:"restartCount"`
	ResurrectCount  int     `json:"resurrectCount"`
	MemAvgBytes     float64 `json:"memAvgBytes"`
	MemMaxBytes     int64   `json:"memMaxBytes"`
	MemCurrentBytes int64   `json:"memCurrentBytes"`
	CPUAvgUsage     float64 `json:"cpuAvgUsage"`
	CPUMaxUsage     float64 `json:"cpuMaxUsage"`
	CPUCurrentUsage float64 `json:"cpuCurrentUsage"`
	NetRxBytes      int64   `json:"netRxBytes"`
	NetTxBytes      int64   `json:"netTxBytes"`
	DurationMillis  int64   `json:"durationMillis"`
	RunTimeSecs     float64 `json:"runTimeSecs"`
	Metamorph       int     `json:"metamorph"`
	ComputeUnits    float64 `json:"computeUnits"`
}

// StorageIDs maps aliases ("default" always among them) to storage ids.
type StorageIDs struct {
	Datasets       map[string]string `json:"datasets"`
	KeyValueStores map[string]string `json:"keyValueStores"`
	RequestQueues  map[string]string `json:"requestQueues"`
}

// RunUpdate is the body of PUT /actor-runs/{id}. Absent fields stay as they are.
type RunUpdate struct {
	RunID                   string  `json:"runId,omitempty"`
	StatusMessage           *string `json:"statusMessage,omitempty"`
	IsStatusMessageTerminal *bool   `json:"isStatusMessageTerminal,omitempty"`
	Level                   string  `json:"level,omitempty"`
	GeneralAccess           string  `json:"generalAccess,omitempty"`
}

// RunExit is the body of POST /actor-runs/{id}/exit, an endpoint of Greenroom's
// own: it ends the run from inside with the exit code and the final message.
type RunExit struct {
	ExitCode      int    `json:"exitCode"`
	StatusMessage string `json:"statusMessage,omitempty"`
}

// Build is one conversion of an Actor's source into something that runs.
type Build struct {
	ID          string     `json:"id"`
	ActorID     string     `json:"actId"`
	UserID      string     `json:"userId"`
	StartedAt   Time       `json:"startedAt"`
	FinishedAt  *Time      `json:"finishedAt"`
	Status      Status     `json:"status"`
	Meta        RunMeta    `json:"meta"`
	BuildNumber string     `json:"buildNumber"`
	Stats       BuildStats `json:"stats"`
}

// BuildStats counts what a build has used.
type BuildStats struct {
	DurationMillis int64   `json:"durationMillis"`
	RunTimeSecs    float64 `json:"runTimeSecs"`
	ComputeUnits   float64 `json:"computeUnits"`
	ImageSizeBytes int64   `json:"imageSizeBytes,omitempty"`
}

// Actor is a program known to the platform.
type Actor struct {
	ID                string                 `json:"id"`
	UserID            string                 `json:"userId"`
	Name              string                 `json:"name"`
	Username          string                 `json:"username"`
	Title             *string                `json:"title,omitempty"`
	Description       *string                `json:"description,omitempty"`
	IsPublic          bool                   `json:"isPublic"`
	CreatedAt         Time                   `json:"createdAt"`
	ModifiedAt        Time                   `json:"modifiedAt"`
	Stats             ActorStats             `json:"stats"`
	Versions          []ActorVersion         `json:"versions"`
	DefaultRunOptions RunOptions             `json:"defaultRunOptions"`
	TaggedBuilds      map[string]TaggedBuild `json:"taggedBuilds,omitempty"`
}

// ActorStats counts what happened to an Actor.
type ActorStats struct {
	TotalBuilds      int   `json:"totalBuilds"`
	TotalRuns        int   `json:"totalRuns"`
	TotalUsers       int   `json:"totalUsers"`
	LastRunStartedAt *Time `json:"lastRunStartedAt,omitempty"`
}

// ActorVersion is one version of an Actor's source.
type ActorVersion struct {
	VersionNumber string `json:"versionNumber"`
	SourceType    string `json:"sourceType"`
	BuildTag      string `json:"buildTag,omitempty"`
}

// TaggedBuild is the build a tag points to.
type TaggedBuild struct {
	BuildID     string `json:"buildId"`
	BuildNumber string `json:"buildNumber"`
	FinishedAt  *Time  `json:"finishedAt,omitempty"`
}

// Event is one frame of the events WebSocket. Data is left out when nil: the
// Python SDK rejects a null.
type Event struct {
	Name      string `json:"name"`
	CreatedAt Time   `json:"createdAt"`
	Data      any    `json:"data,omitempty"`
}

// SystemInfo is the data of the systemInfo event. The Python SDK needs every
// field. CPU figures are percent of one core.
type SystemInfo struct {
	MemAvgBytes     float64 `json:"memAvgBytes"`
	MemCurrentBytes int64   `json:"memCurrentBytes"`
	MemMaxBytes     int64   `json:"memMaxBytes"`
	CPUAvgUsage     float64 `json:"cpuAvgUsage"`
	CPUMaxUsage     float64 `json:"cpuMaxUsage"`
	CPUCurrentUsage float64 `json:"cpuCurrentUsage"`
	IsCPUOverloaded bool    `json:"isCpuOverloaded"`
	CreatedAt       Time    `json:"createdAt"`
}
