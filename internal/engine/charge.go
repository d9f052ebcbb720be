package engine

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/engine/charging"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// mostKeys is how many idempotency keys of a run are remembered: clients repeat
// a charge within minutes, if they do.
const mostKeys = 256

// chargeStart charges a run for its start, where its Actor has a price for that.
func chargeStart(r *api.Run, kept *state) error {
	pricing, err := charging.Parse(r.PricingInfo)
	if err != nil || !pricing.ByEvent() {
		return err
	}
	r.ChargedEventCounts = map[string]int{}
	if pricing.Has(charging.StartEvent) {
		r.ChargedEventCounts = pricing.Charge(r.ChargedEventCounts, charging.StartEvent, charging.Starts(r.Options.MemoryMbytes))
	}
	kept.Counts = maps.Clone(r.ChargedEventCounts)
	return nil
}

// ChargeRun charges a run for events. A key that was used before makes it the
// same charge, which counts once; "" is no key. Source: the platform counts what
// is charged above the run's limit too, and then ends the run.
func (e *Engine) ChargeRun(ctx context.Context, id string, c api.RunCharge, key string) error {
	a := e.lookup(id)
	if a == nil {
		r, err := e.Run(ctx, id)
		if err != nil {
			return err
		}
		return errNotRunning(r)
	}
	if err := a.pricing.Admit(c.EventName, c.Count); err != nil {
		return err
	}
	return a.charge(ctx, c.EventName, c.Count, key)
}

func (a *active) charge(ctx context.Context, event string, count int, key string) error {
	a.charging.Lock()
	defer a.charging.Unlock()
	// Key and count are one record: a crash between two would count twice, or
	// not at all.
	if key != "" && slices.Contains(a.state().Charges, key) {
		return nil
	}
	err := a.keep(ctx, func(s *state) {
		s.Counts = a.pricing.Charge(maps.Clone(s.Counts), event, count)
		if key != "" {
			s.Charges = append(slices.Clone(s.Charges[max(0, len(s.Charges)-mostKeys+1):]), key)
		}
	})
	if err != nil {
		return err
	}
	r, err := a.engine.update(ctx, a.id, func(r *api.Run) error {
		r.ChargedEventCounts = maps.Clone(a.state().Counts)
		return nil
	})
	if err == nil {
		a.limit(r)
	}
	return err
}

// Pushed tells that items were added to a dataset; runs that are paid by the
// item are charged for those in their default one.
func (e *Engine) Pushed(ctx context.Context, datasetID string, items int) error {
	e.mu.Lock()
	a := e.charged[datasetID]
	e.mu.Unlock()
	if a == nil || items == 0 {
		return nil
	}
	return a.charge(ctx, charging.ItemEvent, items, "")
}

// limit ends a run gracefully that has come to what it may cost.
func (a *active) limit(r api.Run) {
	most := r.Options.MaxTotalChargeUSD
	if most == nil {
		return
	}
	cost := r.UsageTotalUSD
	if a.pricing.ByEvent() {
		cost = a.pricing.Total(r.ChargedEventCounts)
	}
	if cost < *most {
		return
	}
	a.over.Do(func() {
		a.log.Say("ACTOR: The run has come to its maximum cost and is being stopped")
		go func() { // the supervisor may be waiting for whoever tells us
			err := a.send(a.engine.kill, command{kind: abortRun, graceful: true})
			if err != nil && !errors.Is(err, errEnded) && !errors.Is(err, context.Canceled) {
				a.engine.cfg.Logger.Error("ending a run that costs too much", "run", a.id, "error", err)
			}
		}()
	})
}

func errNotRunning(r api.Run) error {
	return fault.New(fault.InvalidRequest, "Actor run %q is not running: its status is %s", r.ID, r.Status).WithType("job-finished")
}
