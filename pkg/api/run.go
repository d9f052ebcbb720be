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
	ID                      string          `json:"id"`
	ActorID                 string          `json:"actId"`
	UserID                  string          `json:"userId"`
	ActorTaskID             *string         `json:"actorTaskId,omitempty"`
	StartedAt               Time            `json:"startedAt"`
	FinishedAt              *Time           `json:"finishedAt"`
	Status                  Status          `json:"status"`
	StatusMessage           *string         `json:"statusMessage"`
	IsStatusMessageTerminal *bool           `json:"isStatusMessageTerminal"`
	Meta                    RunMeta         `json:"meta"`
	Stats                   RunStats        `json:"stats"`
	Options                 RunOptions      `json:"options"`
	BuildID                 string          `json:"buildId"`
	BuildNumber             *string         `json:"buildNumber"`
	ExitCode                *int            `json:"exitCode"`
	GeneralAccess           string          `json:"generalAccess"`
	DefaultKeyValueStoreID  string          `json:"defaultKeyValueStoreId"`
	DefaultDatasetID        string          `json:"defaultDatasetId"`
	DefaultRequestQueueID   string          `json:"defaultRequestQueueId"`
	StorageIDs              StorageIDs      `json:"storageIds"`
	ContainerURL            string          `json:"containerUrl,omitempty"`
	IsContainerServerReady  *bool           `json:"isContainerServerReady,omitempty"`
	Output                  json.RawMessage `json:"output,omitempty"` // made from the Actor's output schema when the run starts
	// Usage counts what was used by the platform's names of it, such as
	// ACTOR_COMPUTE_UNITS and DATASET_WRITES; UsageUSD is what that would cost.
	Usage                    map[string]float64 `json:"usage,omitempty"`
	UsageUSD                 map[string]float64 `json:"usageUsd,omitempty"`
	UsageTotalUSD            float64            `json:"usageTotalUsd"`
	PricingInfo              json.RawMessage    `json:"pricingInfo,omitempty"` // the Actor's when the run started
	ChargedEventCounts       map[string]int     `json:"chargedEventCounts,omitempty"`
	Metamorphs               []Metamorph        `json:"metamorphs,omitempty"`
	GitBranchName            *string            `json:"gitBranchName,omitempty"`
	PlatformUsageBillingMode string             `json:"platformUsageBillingModel,omitempty"`
}

// RunMeta says where a run or a build came from. The schedule is that of runs
// with the origin SCHEDULER.
type RunMeta struct {
	Origin      string `json:"origin"`
	ClientIP    string `json:"clientIp,omitempty"`
	UserAgent   string `json:"userAgent,omitempty"`
	ScheduleID  string `json:"scheduleId,omitempty"`
	ScheduledAt *Time  `json:"scheduledAt,omitempty"`
}

// Metamorph is one change of a run into another Actor.
type Metamorph struct {
	CreatedAt Time    `json:"createdAt"`
	ActorID   string  `json:"actorId"`
	BuildID   string  `json:"buildId"`
	InputKey  *string `json:"inputKey"`
}

// RunCharge is the body of POST /actor-runs/{id}/charge.
type RunCharge struct {
	EventName string `json:"eventName"`
	Count     int    `json:"count"`
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
	RestartOnError    bool     `json:"restartOnError,omitempty"`
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
