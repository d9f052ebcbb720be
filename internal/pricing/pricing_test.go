package pricing_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/pricing"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// priced gives a price of a model with everything that all have, and more fields.
func priced(model, more string) string {
	text := `"apifyMarginPercentage":0.2,"createdAt":"2026-01-02T03:04:05.000Z","startedAt":"2026-01-02T03:04:05.000Z","pricingModel":"` + model + `"`
	if more != "" {
		text += "," + more
	}
	return "{" + text + "}"
}

func events(event string) string {
	return priced("PAY_PER_EVENT", `"pricingPerEvent":{"actorChargeEvents":{"page":`+event+`}}`)
}

func TestPrices(t *testing.T) {
	for name, test := range map[string]struct{ price, refused string }{
		"free":                   {priced("FREE", ""), ""},
		"no model":               {priced("", ""), "pricingModel must be"},
		"unknown model":          {priced("PAY_PER_SMILE", ""), `got "PAY_PER_SMILE"`},
		"no object":              {`[1]`, "cannot be a JSON array"},
		"type of a field":        {priced("FREE", `"trialMinutes":"x"`), "trialMinutes cannot be a JSON string"},
		"no margin":              {strings.Replace(priced("FREE", ""), "apifyMargin", "no", 1), "apifyMarginPercentage"},
		"margin above 1":         {strings.Replace(priced("FREE", ""), "0.2", "20", 1), "from 0 to 1"},
		"negative margin":        {strings.Replace(priced("FREE", ""), "0.2", "-0.1", 1), "from 0 to 1"},
		"no start":               {strings.Replace(priced("FREE", ""), "startedAt", "begunAt", 1), "createdAt and startedAt"},
		"month":                  {priced("FLAT_PRICE_PER_MONTH", `"trialMinutes":0,"pricePerUnitUsd":30`), ""},
		"month without trial":    {priced("FLAT_PRICE_PER_MONTH", `"pricePerUnitUsd":30`), "trialMinutes"},
		"month that pays":        {priced("FLAT_PRICE_PER_MONTH", `"trialMinutes":0,"pricePerUnitUsd":-30`), "pricePerUnitUsd"},
		"items":                  {priced("PRICE_PER_DATASET_ITEM", `"unitName":"page","pricePerUnitUsd":0.1`), ""},
		"items in tiers":         {priced("PRICE_PER_DATASET_ITEM", `"unitName":"page","tieredPricing":{"FREE":{"tieredPricePerUnitUsd":0},"DIAMOND":{"tieredPricePerUnitUsd":1}}`), ""},
		"items without unit":     {priced("PRICE_PER_DATASET_ITEM", `"pricePerUnitUsd":0.1`), "unitName"},
		"items without price":    {priced("PRICE_PER_DATASET_ITEM", `"unitName":"page"`), "and not both"},
		"items with both":        {priced("PRICE_PER_DATASET_ITEM", `"unitName":"page","pricePerUnitUsd":0.1,"tieredPricing":{}`), "and not both"},
		"unknown tier":           {priced("PRICE_PER_DATASET_ITEM", `"unitName":"page","tieredPricing":{"WOOD":{"tieredPricePerUnitUsd":0}}`), `"WOOD" is not one of the tiers`},
		"tier of the other kind": {priced("PRICE_PER_DATASET_ITEM", `"unitName":"page","tieredPricing":{"GOLD":{"tieredEventPriceUsd":1}}`), "GOLD has no price"},
		"event":                  {events(`{"eventTitle":"a","eventDescription":"b","eventPriceUsd":0}`), ""},
		"event in tiers":         {events(`{"eventTitle":"a","eventDescription":"b","eventTieredPricingUsd":{"GOLD":{"tieredEventPriceUsd":1}}}`), ""},
		"event without title":    {events(`{"eventDescription":"b","eventPriceUsd":1}`), `"page" needs eventTitle`},
		"event without price":    {events(`{"eventTitle":"a","eventDescription":"b"}`), `"page" needs either`},
		"event that pays":        {events(`{"eventTitle":"a","eventDescription":"b","eventPriceUsd":-1}`), "no negative one"},
		"events without events":  {priced("PAY_PER_EVENT", ""), "pricingPerEvent"},
		"negative least charge":  {priced("PAY_PER_EVENT", `"pricingPerEvent":{},"minimalMaxTotalChargeUsd":-1`), "minimalMaxTotalChargeUsd"},
	} {
		t.Run(name, func(t *testing.T) {
			err := pricing.Check(json.RawMessage(test.price))
			switch {
			case test.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.refused == "":
			case !fault.Is(err, fault.InvalidRequest) || !strings.Contains(err.Error(), test.refused):
				t.Errorf("got %v, want an error about %s", err, test.refused)
			}
		})
	}
}
