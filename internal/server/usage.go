package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine/meter"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// operations are what reads and writes of a kind of storage are called.
var operations = map[string]struct{ read, write string }{
	"dataset":         {meter.DatasetReads, meter.DatasetWrites},
	"key-value-store": {meter.KeyValueReads, meter.KeyValueWrites},
	"request-queue":   {meter.RequestQueueReads, meter.RequestQueueWrites},
}

// meter counts what the code of a run does with storages. Source: the platform
// counts reads and writes of each kind, and listings of keys.
func (c *call) meter(pattern string) {
	if c.caller.runID == "" {
		return
	}
	below := strings.TrimPrefix(pattern, "/v2/")
	if rest, ok := strings.CutPrefix(below, "actor-runs/{runId}/"); ok {
		below = rest
	}
	kind, rest, found := strings.Cut(below, "/")
	kind = strings.TrimSuffix(kind, "s")
	names, known := operations[kind]
	if !found || !known {
		return
	}
	name := names.write
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		name = names.read
		if kind == "key-value-store" && strings.HasSuffix(rest, "keys") {
			name = meter.KeyValueLists
		}
	}
	c.s.Engine.Count(c.caller.runID, name, 1)
}

// unfinished are the statuses of runs that have not ended.
var unfinished = []string{
	string(api.StatusReady), string(api.StatusRunning), string(api.StatusTimingOut), string(api.StatusAborting),
}

// boundless is what an account may have of what this machine sets no limit to.
const boundless = 1_000_000

// cycle is the calendar month that a moment belongs to.
func cycle(at time.Time) (start, end time.Time) {
	start = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	return start, start.AddDate(0, 1, 0).Add(-time.Millisecond)
}

func cycleObject(start, end time.Time) map[string]any {
	return map[string]any{"startAt": api.TimeOf(start), "endAt": api.TimeOf(end)}
}

// limits answers with what there is of this machine, and what is used of it.
func (s *server) limits(c *call) error {
	runs, err := s.Engine.Runs(c.ctx(), store.Query{Where: map[string][]string{store.ByStatus: unfinished}, Limit: 1})
	if err != nil {
		return err
	}
	actors, err := s.Actors.Actors(c.ctx())
	if err != nil {
		return err
	}
	tasks, schedules, err := s.automations(c)
	if err != nil {
		return err
	}
	start, end := cycle(time.Now().UTC())
	used, err := s.Engine.Usage(c.ctx(), start, end)
	if err != nil {
		return err
	}
	load := s.Engine.Load()
	memory, jobs := float64(load.TotalMbytes)/1024, load.MaxRuns
	if memory == 0 {
		memory = boundless
	}
	if jobs == 0 {
		jobs = boundless
	}
	usage, total := sum(used)
	return c.data(http.StatusOK, map[string]any{
		"monthlyUsageCycle": cycleObject(start, end),
		"limits": map[string]any{
			"maxMonthlyUsageUsd": boundless, "maxMonthlyActorComputeUnits": boundless,
			"maxMonthlyExternalDataTransferGbytes": boundless, "maxMonthlyProxySerps": 0,
			"maxMonthlyResidentialProxyGbytes": 0, "maxActorMemoryGbytes": memory,
			"maxActorCount": boundless, "maxActorTaskCount": boundless, "maxConcurrentActorJobs": jobs,
			"maxTeamAccountSeatCount": 1, "dataRetentionDays": boundless, "maxScheduleCount": boundless,
		},
		"current": map[string]any{
			"monthlyUsageUsd": total, "monthlyActorComputeUnits": usage[meter.ComputeUnits],
			"monthlyExternalDataTransferGbytes": usage[meter.ExternalTransfer],
			"monthlyProxySerps":                 0, "monthlyResidentialProxyGbytes": 0,
			"actorMemoryGbytes": float64(load.UsedMbytes) / 1024,
			"actorCount":        len(actors), "actorTaskCount": tasks, "activeActorJobCount": runs.Total,
			"teamAccountSeatCount": 1, "scheduleCount": schedules,
		},
	})
}

// automations counts tasks and schedules.
func (s *server) automations(c *call) (tasks, schedules int, err error) {
	one := store.Query{Limit: 1}
	if s.Tasks != nil {
		page, err := s.Tasks.Tasks(c.ctx(), one)
		if err != nil {
			return 0, 0, err
		}
		tasks = page.Total
	}
	if s.Schedules != nil {
		page, err := s.Schedules.Schedules(c.ctx(), one)
		if err != nil {
			return 0, 0, err
		}
		schedules = page.Total
	}
	return tasks, schedules, nil
}

// monthlyUsage answers with what the runs that ended in a month have used, by
// day, and what that would cost on the platform.
func (s *server) monthlyUsage(c *call) error {
	at := time.Now().UTC()
	if text := c.query().Get("date"); text != "" {
		var err error
		if at, err = time.Parse(time.DateOnly, text[:min(len(text), len(time.DateOnly))]); err != nil {
			return errParameter("date", text, "a day such as 2026-11-28")
		}
	}
	start, end := cycle(at)
	used, err := s.Engine.Usage(c.ctx(), start, end)
	if err != nil {
		return err
	}
	days := make([]map[string]any, 0, len(used))
	for _, day := range slices.SortedFunc(maps.Keys(used), time.Time.Compare) {
		usage := used[day]
		_, total := meter.Cost(usage)
		days = append(days, map[string]any{
			"date": api.TimeOf(day), "serviceUsage": services(usage), "totalUsageCreditsUsd": total,
		})
	}
	usage, total := sum(used)
	return c.data(http.StatusOK, map[string]any{
		"usageCycle": cycleObject(start, end), "monthlyServiceUsage": services(usage), "dailyServiceUsages": days,
		"totalUsageCreditsUsdBeforeVolumeDiscount": total, "totalUsageCreditsUsdAfterVolumeDiscount": total,
	})
}

func services(usage map[string]float64) map[string]any {
	cost, _ := meter.Cost(usage)
	items := map[string]any{}
	for name, quantity := range usage {
		items[name] = map[string]any{
			"quantity": quantity, "baseAmountUsd": cost[name], "baseUnitPriceUsd": meter.Prices[name],
			"amountAfterVolumeDiscountUsd": cost[name], "priceTiers": []any{},
		}
	}
	return items
}

// sum adds up what was used on several days.
func sum(days map[time.Time]map[string]float64) (usage map[string]float64, totalUSD float64) {
	usage = map[string]float64{}
	for _, day := range days {
		for name, quantity := range day {
			usage[name] += quantity
		}
	}
	_, totalUSD = meter.Cost(usage)
	return usage, totalUSD
}
