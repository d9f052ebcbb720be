package charging

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const perEvent = `{"pricingModel": "PAY_PER_EVENT", "startedAt": "2026-01-01T00:00:00.000Z", "minimalMaxTotalChargeUsd": 0.5,
	"pricingPerEvent": {"actorChargeEvents": {
		"page": {"eventTitle": "Page", "eventPriceUsd": 0.1},
		"once": {"eventTitle": "Once", "eventPriceUsd": 1, "isOneTimeEvent": true},
		"tiered": {"eventTieredPricingUsd": {"FREE": {"tieredEventPriceUsd": 0.3}, "GOLD": {"tieredEventPriceUsd": 0.2}}},
		"apify-actor-start": {"eventPriceUsd": 0.00005}}}}`

func pricing(t *testing.T) Pricing {
	t.Helper()
	p, err := Parse(json.RawMessage(perEvent))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCurrent(t *testing.T) {
	infos := []json.RawMessage{
		json.RawMessage(`{"pricingModel": "FREE", "startedAt": "2025-01-01T00:00:00.000Z"}`),
		json.RawMessage(perEvent),
		json.RawMessage(`{"pricingModel": "FLAT_PRICE_PER_MONTH", "startedAt": "2027-01-01T00:00:00.000Z"}`),
	}
	for at, want := range map[string]string{"2024-06-01": "", "2025-06-01": "FREE", "2026-06-01": "PAY_PER_EVENT", "2027-06-01": "FLAT_PRICE_PER_MONTH"} {
		moment, err := time.Parse(time.DateOnly, at)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(Current(infos, moment))
		if err != nil || p.Model != want {
			t.Errorf("at %s: %q, %v", at, p.Model, err)
		}
	}
}

func TestWhatIsChargedAndWhatItCosts(t *testing.T) {
	p := pricing(t)
	var counts map[string]int
	counts = p.Charge(counts, "page", 3)
	counts = p.Charge(counts, "once", 5)
	counts = p.Charge(counts, "once", 1)
	counts = p.Charge(counts, "tiered", 1)
	counts = p.Charge(counts, "page", 0)
	if counts["page"] != 3 || counts["once"] != 1 || counts["tiered"] != 1 {
		t.Errorf("charged %v", counts)
	}
	if total := p.Total(counts); total != 1.6 {
		t.Errorf("that costs %v", total)
	}
	for mbytes, want := range map[int]int{128: 1, 1024: 1, 2048: 2, 4096: 4} {
		if got := Starts(mbytes); got != want {
			t.Errorf("%d MB start %d times", mbytes, got)
		}
	}
}

func TestRefusedCharges(t *testing.T) {
	p := pricing(t)
	free, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pricing Pricing
		event   string
		count   int
		want    string
	}{
		{p, "page", 1, ""},
		{p, "page", 0, "invalid-value"},
		{p, "", 1, "invalid-value"},
		{p, "unknown", 1, "invalid-value"},
		{p, "apify-actor-start", 1, "cannot-charge-apify-event"},
		{free, "page", 1, "cannot-charge-non-pay-per-event-actor"},
	} {
		err := c.pricing.Admit(c.event, c.count)
		if got := wireType(err); got != c.want {
			t.Errorf("%q, %d: %v", c.event, c.count, err)
		}
	}
	for usd, want := range map[float64]string{1: "", 0.5: "", 0.4: "max-total-charge-usd-below-minimum", 0: "max-total-charge-usd-must-be-greater-than-zero", -1: "max-total-charge-usd-must-be-greater-than-zero"} {
		if got := wireType(p.CheckLimit(&usd)); got != want {
			t.Errorf("at most %v: %q", usd, got)
		}
	}
}

func wireType(err error) string {
	if e, ok := err.(*fault.Error); ok {
		return e.WireType()
	}
	return ""
}
