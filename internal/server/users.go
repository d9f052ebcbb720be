package server

import (
	"net/http"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// platformFeatures are all that a user object must tell about; the ones here
// are those that this server has.
var platformFeatures = map[string]bool{
	"ACTORS": true, "STORAGE": true, "SCHEDULER": false, "PROXY": false,
	"PROXY_EXTERNAL_ACCESS": false, "PROXY_RESIDENTIAL": false, "PROXY_SERPS": false,
	"WEBHOOKS": false, "ACTORS_PUBLIC_ALL": false, "ACTORS_PUBLIC_DEVELOPER": false,
}

func (s *server) me(c *call) error {
	user := api.User{
		ID: s.UserID, Username: s.Username, Profile: api.UserProfile{Name: s.Username},
		Plan: api.UserPlan{
			ID: "LOCAL", Description: "This machine", IsEnabled: true,
			EnabledPlatformFeatures: []string{"ACTORS", "STORAGE"}, AvailableProxyGroups: map[string]int{},
		},
		EffectivePlatformFeatures: map[string]api.PlatformFeature{},
		CreatedAt:                 s.started,
	}
	if s.ProxyPassword != "" && !c.caller.ReadOnly && c.caller.StoragesOf == "" {
		user.Proxy = &api.UserProxy{Password: s.ProxyPassword, Groups: []api.ProxyGroup{}}
	}
	reason, reasonType := "not available on this server", "DISABLED"
	for name, enabled := range platformFeatures {
		if name == "PROXY" {
			enabled = user.Proxy != nil
		}
		feature := api.PlatformFeature{IsEnabled: enabled}
		if !enabled {
			feature.DisabledReason, feature.DisabledReasonType = &reason, &reasonType
		}
		user.EffectivePlatformFeatures[name] = feature
	}
	return c.data(http.StatusOK, user)
}

func (s *server) publicUser(c *call) error {
	id := c.param("userId")
	if id != s.UserID && id != s.Username && id != "~"+s.Username {
		return fault.New(fault.NotFound, "user %q was not found", id)
	}
	return c.data(http.StatusOK, map[string]any{
		"username": s.Username, "profile": api.UserProfile{Name: s.Username},
	})
}

// unfinished are the statuses of runs that have not ended.
var unfinished = []string{
	string(api.StatusReady), string(api.StatusRunning), string(api.StatusTimingOut), string(api.StatusAborting),
}

// monthlyUsage answers for an account that pays for nothing: there is a cycle,
// and nothing on the bill.
func (s *server) monthlyUsage(c *call) error {
	day := time.Now().UTC()
	if text := c.query().Get("date"); text != "" {
		var err error
		if day, err = time.Parse(time.DateOnly, text); err != nil {
			return errParameter("date", text, "a day such as 2026-01-31")
		}
	}
	start, end := monthOf(day)
	return c.data(http.StatusOK, map[string]any{
		"usageCycle":          map[string]any{"startAt": api.TimeOf(start), "endAt": api.TimeOf(end)},
		"monthlyServiceUsage": map[string]any{}, "dailyServiceUsages": []any{},
		"totalUsageCreditsUsdBeforeVolumeDiscount": 0, "totalUsageCreditsUsdAfterVolumeDiscount": 0,
	})
}

// monthOf is the month that a day is in, to its last millisecond.
func monthOf(day time.Time) (start, end time.Time) {
	start = time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	return start, start.AddDate(0, 1, 0).Add(-time.Millisecond)
}

// limits answers with the limits of an account that has none, in the form the
// API gives them.
func (s *server) limits(c *call) error {
	const none = 1_000_000
	runs, err := s.Engine.Runs(c.ctx(), store.Query{Where: map[string][]string{store.ByStatus: unfinished}})
	if err != nil {
		return err
	}
	actors, err := s.Actors.Actors(c.ctx())
	if err != nil {
		return err
	}
	active, memory := runs.Total, 0.0
	for _, run := range runs.Items {
		if run.Status != api.StatusReady { // which waits for its memory
			memory += float64(run.Options.MemoryMbytes) / 1024
		}
	}
	start, end := monthOf(time.Now().UTC())
	return c.data(http.StatusOK, map[string]any{
		"monthlyUsageCycle": map[string]any{
			"startAt": api.TimeOf(start), "endAt": api.TimeOf(end),
		},
		"limits": map[string]any{
			"maxMonthlyUsageUsd": none, "maxMonthlyActorComputeUnits": none,
			"maxMonthlyExternalDataTransferGbytes": none, "maxMonthlyProxySerps": 0,
			"maxMonthlyResidentialProxyGbytes": 0, "maxActorMemoryGbytes": none,
			"maxActorCount": none, "maxActorTaskCount": 0, "maxConcurrentActorJobs": none,
			"maxTeamAccountSeatCount": 1, "dataRetentionDays": none, "maxScheduleCount": 0,
		},
		"current": map[string]any{
			"monthlyUsageUsd": 0, "monthlyActorComputeUnits": 0, "monthlyExternalDataTransferGbytes": 0,
			"monthlyProxySerps": 0, "monthlyResidentialProxyGbytes": 0, "actorMemoryGbytes": memory,
			"actorCount": len(actors), "actorTaskCount": 0, "activeActorJobCount": active,
			"teamAccountSeatCount": 1, "scheduleCount": 0,
		},
	})
}
