// Package charging says what the events of an Actor that is paid per event cost,
// and what it is that a run may be charged.
//
// Source: the platform's documentation of pay-per-event Actors and of their
// synthetic events.
package charging

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// PayPerEvent is the pricing model of Actors that charge for events.
const PayPerEvent = "PAY_PER_EVENT"

// Events that the platform charges itself, where an Actor has a price for them.
const (
	StartEvent = "apify-actor-start"
	ItemEvent  = "apify-default-dataset-item"

	reserved = "apify-"
)

// Pricing is one entry of an Actor's pricing infos, as far as charging needs it.
type Pricing struct {
	Model           string     `json:"pricingModel"`
	StartedAt       *api.Time  `json:"startedAt"`
	MinimalTotalUSD float64    `json:"minimalMaxTotalChargeUsd"`
	PerEvent        eventTable `json:"pricingPerEvent"`
}

type eventTable struct {
	Events map[string]event `json:"actorChargeEvents"`
}

type event struct {
	PriceUSD *float64        `json:"eventPriceUsd"`
	Tiers    map[string]tier `json:"eventTieredPricingUsd"`
	OneTime  bool            `json:"isOneTimeEvent"`
}

type tier struct {
	PriceUSD float64 `json:"tieredEventPriceUsd"`
}

// Current gives the pricing that holds at a moment: of those that have begun,
// the one that began last. It is nil when there is none.
func Current(infos []json.RawMessage, at time.Time) json.RawMessage {
	var current json.RawMessage
	var began time.Time
	for _, text := range infos {
		p, err := Parse(text)
		if err != nil || p.StartedAt != nil && p.StartedAt.After(at) {
			continue
		}
		var start time.Time
		if p.StartedAt != nil {
			start = p.StartedAt.Time
		}
		if current == nil || !start.Before(began) {
			current, began = text, start
		}
	}
	return current
}

// Parse reads a pricing info; nil gives one that charges nothing.
func Parse(text json.RawMessage) (Pricing, error) {
	var p Pricing
	if len(text) == 0 {
		return p, nil
	}
	err := json.Unmarshal(text, &p)
	return p, fault.Wrap(fault.Internal, err, "read the pricing of an Actor")
}

// ByEvent reports whether the Actor charges for events.
func (p Pricing) ByEvent() bool { return p.Model == PayPerEvent }

// price is what an event costs without a plan: tiers begin with the free one.
func (e event) price() float64 {
	switch {
	case e.PriceUSD != nil:
		return *e.PriceUSD
	case e.Tiers != nil:
		return e.Tiers["FREE"].PriceUSD
	}
	return 0
}

// Total is what events cost, in US dollars.
func (p Pricing) Total(counts map[string]int) float64 {
	total := 0.0
	for name, n := range counts {
		total += p.PerEvent.Events[name].price() * float64(n)
	}
	// Prices are decimal numbers; their sums should be too.
	return math.Round(total*1e9) / 1e9
}

// Has reports whether there is a price for an event.
func (p Pricing) Has(name string) bool {
	_, ok := p.PerEvent.Events[name]
	return p.ByEvent() && ok
}

// Admit reports what is wrong with a charge that a run's code asks for.
func (p Pricing) Admit(name string, count int) error {
	switch {
	case !p.ByEvent():
		return fault.New(fault.MethodNotAllowed, "the Actor is not paid per event, so that its runs cannot charge for %q", name).
			WithType("cannot-charge-non-pay-per-event-actor")
	case name == "":
		return fault.New(fault.InvalidRequest, "eventName is missing").WithType("invalid-value")
	case strings.HasPrefix(name, reserved):
		return fault.New(fault.MethodNotAllowed, "the event %q is charged by the platform alone", name).
			WithType("cannot-charge-apify-event")
	case !p.Has(name):
		return fault.New(fault.InvalidRequest, "the Actor has no price for the event %q", name).WithType("invalid-value")
	case count < 1:
		return fault.New(fault.InvalidRequest, "count must be 1 or more, got %d", count).WithType("invalid-value")
	}
	return nil
}

// Charge adds events to counts, which it returns. What is charged once a run is
// not charged again.
func (p Pricing) Charge(counts map[string]int, name string, count int) map[string]int {
	if p.PerEvent.Events[name].OneTime {
		count = min(count, 1-min(1, counts[name]))
	}
	if count <= 0 {
		return counts
	}
	if counts == nil {
		counts = map[string]int{}
	}
	counts[name] += count
	return counts
}

// Starts is how often a start counts: once for every gigabyte that is begun.
func Starts(memoryMbytes int) int { return max(1, (memoryMbytes+1023)/1024) }

// CheckLimit reports what is wrong with the most that a run may cost.
func (p Pricing) CheckLimit(usd *float64) error {
	switch {
	case usd == nil:
		return nil
	case *usd <= 0 || math.IsNaN(*usd) || math.IsInf(*usd, 0):
		return fault.New(fault.InvalidInput, "maxTotalChargeUsd must be greater than zero, got %v", *usd).
			WithType("max-total-charge-usd-must-be-greater-than-zero")
	case *usd < p.MinimalTotalUSD:
		return fault.New(fault.InvalidInput, "maxTotalChargeUsd must be at least %v for this Actor, got %v", p.MinimalTotalUSD, *usd).
			WithType("max-total-charge-usd-below-minimum")
	}
	return nil
}
