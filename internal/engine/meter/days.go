package meter

import (
	"context"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// day is what was used on a day.
type day struct {
	Day   api.Time           `json:"day"` // its midnight, UTC
	Usage map[string]float64 `json:"usage"`
}

var dayKind = store.Kind[day]{Name: "usage-day", Index: func(d day) store.Index { return store.Index{At: d.Day.Time} }}

// Days add up usage by the day. A sum stays when the runs that it came from are
// deleted, and costs the same to read however many they were.
type Days struct{ records store.Records[day] }

// NewDays gives the days that root keeps.
func NewDays(root store.Root) *Days { return &Days{store.RecordsOf(root, dayKind)} }

// Midnight is when the day of a moment began, UTC.
func Midnight(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

// Book adds usage to the day of a moment.
func (d *Days) Book(ctx context.Context, at time.Time, used map[string]float64) error {
	began := Midnight(at)
	id := began.Format(time.DateOnly)
	for {
		_, err := d.records.Update(ctx, id, func(d *day) error {
			if d.Usage == nil {
				d.Usage = map[string]float64{}
			}
			for name, n := range used {
				d.Usage[name] += n
			}
			return nil
		})
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		err = d.records.Create(ctx, id, day{Day: api.TimeOf(began), Usage: used})
		if !fault.Is(err, fault.Conflict) {
			return err // else somebody has made it just then: add to theirs
		}
	}
}

// Between gives the days from one moment to another, by their midnights.
func (d *Days) Between(ctx context.Context, from, to time.Time) (map[time.Time]map[string]float64, error) {
	days, err := d.records.Page(ctx, store.Query{After: Midnight(from), Before: to})
	used := map[time.Time]map[string]float64{}
	for _, d := range days.Items {
		used[d.Day.UTC()] = d.Usage
	}
	return used, err
}
