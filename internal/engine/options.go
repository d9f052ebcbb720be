package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine/charging"
	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// options gives the limits of a new run: what was asked for, else the Actor's
// defaults, else the platform's. A complaint is a line for the run's log.
func (e *Engine) options(p *Program, req StartRequest, in *Input) (o api.RunOptions, complaint string, err error) {
	defaults := p.Actor.DefaultRunOptions
	req.TimeoutSecs = cmp.Or(req.TimeoutSecs, defaults.TimeoutSecs)
	req.MaxItems = cmp.Or(req.MaxItems, defaults.MaxItems)
	build := cmp.Or(req.Build, defaults.Build, p.Definition.BuildTag)
	memory, complaint := startMemory(p, req, build, in)
	if o, err = run.Options(build, req.TimeoutSecs, req.MemoryMbytes, memory); err != nil {
		return o, "", err
	}
	o.MaxItems, o.MaxTotalChargeUSD = req.MaxItems, req.MaxTotalUSD
	restart := cmp.Or(req.RestartOnError, defaults.RestartOnError, p.Actor.RestartOnError)
	o.RestartOnError = restart != nil && *restart
	return o, complaint, e.checkOptions(p, o, req.MemoryMbytes != nil)
}

// checkOptions reports what is wrong with a run's options. Bounds of the Actor
// hold for memory that was asked for.
func (e *Engine) checkOptions(p *Program, o api.RunOptions, asked bool) error {
	if o.MaxItems != nil && *o.MaxItems <= 0 {
		return fault.New(fault.InvalidInput, "maxItems must be greater than zero, got %d", *o.MaxItems).
			WithType("max-items-must-be-greater-than-zero")
	}
	pricing, err := charging.Parse(currentPricing(p))
	if err != nil {
		return err
	}
	if err := pricing.CheckLimit(o.MaxTotalChargeUSD); err != nil {
		return err
	}
	d := p.Definition
	switch {
	case asked && d.MinMemoryMbytes > 0 && o.MemoryMbytes < d.MinMemoryMbytes:
		return fault.New(fault.InvalidInput, "the Actor needs at least %d MB of memory, got %d", d.MinMemoryMbytes, o.MemoryMbytes).
			WithType("invalid-value")
	case asked && d.MaxMemoryMbytes > 0 && o.MemoryMbytes > d.MaxMemoryMbytes:
		return fault.New(fault.InvalidInput, "the Actor takes at most %d MB of memory, got %d", d.MaxMemoryMbytes, o.MemoryMbytes).
			WithType("invalid-value")
	case !e.queue.Fits(o.MemoryMbytes):
		return fault.New(fault.OverLimit, "a run with %d MB of memory does not fit into the %d MB that runs may use here", o.MemoryMbytes, e.queue.Total()).
			WithType("actor-memory-limit-exceeded").
			WithHint("start it with less memory, or the server with a higher --total-memory")
	}
	return nil
}

// permission gives the level that a run's token has.
func permission(p *Program, forced string) (string, error) {
	if forced != "" && !slices.Contains([]string{api.LimitedPermissions, api.FullPermissions}, forced) {
		return "", fault.New(fault.InvalidInput, "forcePermissionLevel must be %s or %s, got %q", api.LimitedPermissions, api.FullPermissions, forced).
			WithType("invalid-value")
	}
	return cmp.Or(forced, p.Actor.DefaultRunOptions.ForcePermissionLevel, p.Actor.PermissionLevel, api.FullPermissions), nil
}

// currentPricing is the pricing that runs which start now get; nil for none.
func currentPricing(p *Program) []byte {
	return charging.Current(p.Actor.PricingInfos, time.Now())
}
