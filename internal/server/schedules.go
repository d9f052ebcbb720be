package server

import (
	"context"
	"net/http"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Schedules is what the API needs of schedules. Missing ones are fault.NotFound.
type Schedules interface {
	Create(ctx context.Context, u api.ScheduleUpdate) (api.Schedule, error)
	Schedule(ctx context.Context, id string) (api.Schedule, error)
	Update(ctx context.Context, id string, u api.ScheduleUpdate) (api.Schedule, error)
	Delete(ctx context.Context, id string) error
	Schedules(ctx context.Context, q store.Query) (store.Page[api.Schedule], error)
	// Log gives what a schedule did, the oldest first.
	Log(ctx context.Context, id string) ([]api.ScheduleLogEntry, error)
}

func (s *server) scheduleRoutes() []route {
	const schedule = "/v2/schedules/{scheduleId}"
	return only([]route{
		{"GET", "/v2/schedules", s.listSchedules},
		{"POST", "/v2/schedules", s.createSchedule},
		{"GET", schedule, s.getSchedule},
		{"PUT", schedule, s.updateSchedule},
		{"DELETE", schedule, s.deleteSchedule},
		{"GET", schedule + "/log", s.scheduleLog},
	}, func() bool { return s.Schedules != nil })
}

func (s *server) listSchedules(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	found, err := s.Schedules.Schedules(c.ctx(), p.of(store.Query{}))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, foundPage(p, found, api.Schedule.Short))
}

func (s *server) createSchedule(c *call) error {
	u, err := sent[api.ScheduleUpdate](c)
	if err != nil {
		return err
	}
	schedule, err := s.Schedules.Create(c.writeCtx(), u)
	if err != nil {
		return err
	}
	c.Header().Set("Location", c.url("v2", "schedules", schedule.ID))
	return c.data(http.StatusCreated, schedule)
}

func (s *server) getSchedule(c *call) error {
	schedule, err := s.Schedules.Schedule(c.ctx(), c.param("scheduleId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, schedule)
}

func (s *server) updateSchedule(c *call) error {
	u, err := sent[api.ScheduleUpdate](c)
	if err != nil {
		return err
	}
	schedule, err := s.Schedules.Update(c.writeCtx(), c.param("scheduleId"), u)
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, schedule)
}

func (s *server) deleteSchedule(c *call) error {
	if err := s.Schedules.Delete(c.writeCtx(), c.param("scheduleId")); err != nil {
		return err
	}
	return c.noContent()
}

func (s *server) scheduleLog(c *call) error {
	entries, err := s.Schedules.Log(c.ctx(), c.param("scheduleId"))
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, entries)
}
