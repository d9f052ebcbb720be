package engine

import (
	"fmt"
	"math/bits"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/internal/schema/memory"
)

// startMemory gives what a run gets when its caller does not say: what the
// Actor's expression makes of the run's input and options, else its fixed
// default, within its bounds. An expression that fails is worth a complaint, a
// line for the run's log, and no more. Source: the platform's documentation of
// dynamic Actor memory.
func startMemory(p *Program, req StartRequest, build string, in *Input) (mbytes int, complaint string) {
	d := p.Definition
	fixed := DefaultMemory(d)
	if d.DefaultMemoryMbytes == 0 && p.Actor.DefaultRunOptions.MemoryMbytes > 0 {
		fixed = bounded(d, p.Actor.DefaultRunOptions.MemoryMbytes)
	}
	if d.DefaultMemory == nil || req.MemoryMbytes != nil {
		return fixed, ""
	}
	vars := memory.Variables{Options: memory.RunOptions{
		Build: build, TimeoutSecs: req.TimeoutSecs, MaxItems: req.MaxItems, MaxTotalChargeUSD: req.MaxTotalUSD,
	}}
	if in != nil && isJSONType(in.ContentType) {
		vars.Input = in.Body
	}
	mbytes, err := d.DefaultMemory.Evaluate(vars)
	if err != nil {
		return fixed, fmt.Sprintf("ACTOR: The run gets %d MB of memory, because the Actor's defaultMemoryMbytes cannot be calculated: %v", fixed, err)
	}
	return bounded(d, mbytes), ""
}

// DefaultMemory is what runs of the Actor get when nothing else is known.
func DefaultMemory(d *definition.Actor) int {
	if d.DefaultMemoryMbytes > 0 {
		return d.DefaultMemoryMbytes
	}
	return bounded(d, run.DefaultMemoryMbytes)
}

// bounded keeps memory within the Actor's bounds. A run's memory is a power of
// two, bounds may be anything: the nearest one within them counts.
func bounded(d *definition.Actor, mbytes int) int {
	minimum, maximum := d.MinMemoryMbytes, d.MaxMemoryMbytes
	if minimum > 0 {
		minimum = min(1<<bits.Len(uint(minimum-1)), run.MaxMemoryMbytes)
	}
	if maximum > 0 {
		maximum = max(1<<(bits.Len(uint(maximum))-1), run.MinMemoryMbytes)
	}
	return memory.Clamp(mbytes, minimum, maximum)
}
