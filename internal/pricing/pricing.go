// Package pricing checks the prices of Actors as the platform's API has them.
package pricing

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// pricing is what all prices of Actors have, and what each model adds.
type pricing struct {
	Model     string    `json:"pricingModel"`
	Margin    *float64  `json:"apifyMarginPercentage"`
	CreatedAt *api.Time `json:"createdAt"`
	StartedAt *api.Time `json:"startedAt"`

	TrialMinutes    *int            `json:"trialMinutes"`
	PricePerUnitUSD *float64        `json:"pricePerUnitUsd"`
	TieredPricing   map[string]tier `json:"tieredPricing"`
	UnitName        *string         `json:"unitName"`
	PricingPerEvent *struct {
		Events map[string]chargeEvent `json:"actorChargeEvents"`
	} `json:"pricingPerEvent"`
	MinimalMaxTotalChargeUSD *float64 `json:"minimalMaxTotalChargeUsd"`
}

type tier struct {
	PerUnit  *float64 `json:"tieredPricePerUnitUsd"`
	PerEvent *float64 `json:"tieredEventPriceUsd"`
}

type chargeEvent struct {
	Title       *string         `json:"eventTitle"`
	Description *string         `json:"eventDescription"`
	PriceUSD    *float64        `json:"eventPriceUsd"`
	Tiered      map[string]tier `json:"eventTieredPricingUsd"`
}

// tiers are the platform's classes of customers.
var tiers = []string{"FREE", "BRONZE", "SILVER", "GOLD", "PLATINUM", "DIAMOND"}

// Check refuses what is no entry of an Actor's pricingInfos with
// fault.InvalidRequest. Source: the schema ActorRunPricingInfo of the API's
// document.
func Check(text json.RawMessage) error {
	refuse := func(format string, args ...any) error {
		return fault.New(fault.InvalidRequest, format, args...).WithType("invalid-value")
	}
	var p pricing
	if err := json.Unmarshal(text, &p); err != nil {
		return refuse("%v", jsontext.Problem(err))
	}
	switch {
	case p.Margin == nil || *p.Margin < 0 || *p.Margin > 1:
		return refuse("apifyMarginPercentage must be a number from 0 to 1")
	case p.CreatedAt == nil || p.StartedAt == nil:
		return refuse("createdAt and startedAt must be there")
	}
	switch p.Model {
	case "FREE":
	case "FLAT_PRICE_PER_MONTH":
		if p.TrialMinutes == nil || *p.TrialMinutes < 0 || !price(p.PricePerUnitUSD) {
			return refuse("a monthly price needs trialMinutes and pricePerUnitUsd")
		}
	case "PRICE_PER_DATASET_ITEM":
		if p.UnitName == nil {
			return refuse("a price for items needs unitName")
		}
		if err := eitherPrice(p.PricePerUnitUSD, p.TieredPricing, func(t tier) *float64 { return t.PerUnit }); err != "" {
			return refuse("a price for items needs either pricePerUnitUsd or tieredPricing%s", err)
		}
	case "PAY_PER_EVENT":
		if p.PricingPerEvent == nil {
			return refuse("a price for events needs pricingPerEvent")
		}
		if p.MinimalMaxTotalChargeUSD != nil && *p.MinimalMaxTotalChargeUSD < 0 {
			return refuse("minimalMaxTotalChargeUsd must not be negative")
		}
		for _, name := range slices.Sorted(maps.Keys(p.PricingPerEvent.Events)) {
			event := p.PricingPerEvent.Events[name]
			if event.Title == nil || event.Description == nil {
				return refuse("the event %q needs eventTitle and eventDescription", name)
			}
			if err := eitherPrice(event.PriceUSD, event.Tiered, func(t tier) *float64 { return t.PerEvent }); err != "" {
				return refuse("the event %q needs either eventPriceUsd or eventTieredPricingUsd%s", name, err)
			}
		}
	default:
		return refuse("pricingModel must be FREE, FLAT_PRICE_PER_MONTH, PRICE_PER_DATASET_ITEM or PAY_PER_EVENT, got %.40q", p.Model)
	}
	return nil
}

func price(p *float64) bool { return p != nil && *p >= 0 }

// eitherPrice says what is wrong with a price that is flat or tiered.
func eitherPrice(flat *float64, tiered map[string]tier, of func(tier) *float64) string {
	if (flat != nil) == (tiered != nil) {
		return ", and not both"
	}
	if flat != nil {
		if *flat < 0 {
			return ", and no negative one"
		}
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(tiered)) {
		if !slices.Contains(tiers, name) {
			return fmt.Sprintf(", and %.40q is not one of the tiers %s", name, strings.Join(tiers, ", "))
		}
		if !price(of(tiered[name])) {
			return fmt.Sprintf(", and the tier %s has no price", name)
		}
	}
	return ""
}
