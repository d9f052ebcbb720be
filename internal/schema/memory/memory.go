// Package memory reads and evaluates defaultMemoryMbytes expressions: how much
// memory a run gets, as a formula over its input and options.
//
// Grammar, functions, rounding and messages are those of the platform's own
// evaluator. Source: the platform's documentation of dynamic Actor memory, and
// the verdicts of its published package.
package memory

import "encoding/json"

// Limits of a run's memory on the platform, in megabytes.
const (
	MinMbytes = 128
	MaxMbytes = 32768
)

// RunOptions are the options of a run that an expression may use. What is nil or
// empty is not defined there.
type RunOptions struct {
	Build             string   `json:"build,omitempty"`
	TimeoutSecs       *int     `json:"timeoutSecs,omitempty"`
	MemoryMbytes      *int     `json:"memoryMbytes,omitempty"`
	DiskMbytes        *int     `json:"diskMbytes,omitempty"`
	MaxItems          *int     `json:"maxItems,omitempty"`
	MaxTotalChargeUSD *float64 `json:"maxTotalChargeUsd,omitempty"`
	RestartOnError    *bool    `json:"restartOnError,omitempty"`
}

// Variables are what an expression is evaluated with. A nil Input is undefined.
type Variables struct {
	Input   json.RawMessage
	Options RunOptions
}

// Clamp puts mbytes between an Actor's own bounds; 0 means that there is none.
func Clamp(mbytes, minimum, maximum int) int {
	if maximum > 0 {
		mbytes = min(mbytes, maximum)
	}
	return max(mbytes, minimum)
}
