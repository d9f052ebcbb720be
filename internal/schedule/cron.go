package schedule

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// MinInterval is the shortest time between two ticks of a schedule: an
// expression that asks for more of them loses those in between. Source: the
// platform's documentation of schedules.
const MinInterval = 10 * time.Second

// Cron is a cron expression in a time zone.
type Cron struct {
	spec *cron.SpecSchedule
	zone *time.Location
}

// parser reads the fields. It finds no times: Cron does that itself, because a
// day that begins or ends daylight saving time needs more care.
var parser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// maxExpression is how long an expression may be.
const maxExpression = 256

// ParseCron reads an expression of 5 fields (minute, hour, day of the month,
// month, day of the week with Sunday as 0 and 7), of 6 with seconds before them,
// or one of @yearly, @monthly, @weekly, @daily and @hourly. The zone is a name
// of the IANA database, or "" for UTC. An expression that never comes true is an
// error too.
func ParseCron(expression, zone string) (*Cron, error) {
	if zone == "" {
		zone = "UTC"
	}
	// time.LoadLocation knows the machine's own zone as Local, which is not the
	// same on any other.
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return nil, fault.New(fault.InvalidRequest, "there is no time zone %q", zone).
			WithType("invalid-value").WithHint("use a name of the IANA database, such as UTC or Europe/Prague")
	}
	spec, err := parse(expression)
	if err != nil {
		return nil, fault.New(fault.InvalidRequest, "the cron expression %q is not valid: %w", expression, err).
			WithType("cron-expression-invalid").
			WithHint("write five fields such as \"0 8 * * 1-5\", six with seconds before them, or @daily")
	}
	c := &Cron{spec, location}
	if _, ok := c.Next(time.Now()); !ok {
		return nil, fault.New(fault.InvalidRequest, "the cron expression %q never comes true", expression).
			WithType("next-runtime-computation-failed")
	}
	return c, nil
}

func parse(expression string) (*cron.SpecSchedule, error) {
	if len(expression) > maxExpression {
		return nil, fmt.Errorf("it has more than %d characters", maxExpression)
	}
	if strings.Contains(expression, "=") || strings.HasPrefix(strings.TrimSpace(expression), "@every") {
		return nil, fmt.Errorf("the platform knows nothing like it") // what the library adds of its own
	}
	fields := strings.Fields(expression)
	if n := len(fields); n == 5 || n == 6 {
		day, err := weekdays(fields[n-1])
		if err != nil {
			return nil, err
		}
		fields[n-1] = day
	}
	parsed, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		return nil, err
	}
	return parsed.(*cron.SpecSchedule), nil
}

// weekdays rewrites what has a 7 for Sunday, which the library does not take, as
// a list of days.
func weekdays(field string) (string, error) {
	parts := strings.Split(field, ",")
	for i, part := range parts {
		span, stepText, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(span, "-")
		if first != "7" && last != "7" {
			continue
		}
		from, err := strconv.Atoi(first)
		if err != nil || from < 0 || from > 7 {
			return "", fmt.Errorf("%q is no day of the week", first)
		}
		to, step := 7, 1
		if ranged {
			if to, err = strconv.Atoi(last); err != nil || to < from {
				return "", fmt.Errorf("%q is no range of days of the week", span)
			}
		}
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return "", fmt.Errorf("%q is no step", stepText)
			}
		}
		var days []string
		for day := from; day <= to; day += step {
			days = append(days, strconv.Itoa(day%7))
		}
		slices.Sort(days)
		parts[i] = strings.Join(slices.Compact(days), ",")
	}
	return strings.Join(parts, ","), nil
}

// NextTick gives the first tick after the given moment that is not closer to the
// last one than MinInterval. A zero last is none.
func (c *Cron) NextTick(after, last time.Time) (time.Time, bool) {
	if earliest := last.Add(MinInterval - 1); !last.IsZero() && earliest.After(after) {
		after = earliest
	}
	return c.Next(after)
}

// Next gives the first moment after the given one at which the expression is
// true. ok is false when there is none.
//
// Clocks that are put forward or back: an expression that is true in every hour
// follows the time that passes. Others are about the time of day; what falls
// into the hour that is left out comes true when that ends, once, and what falls
// into the hour that comes twice is true in the first one only.
func (c *Cron) Next(after time.Time) (next time.Time, ok bool) {
	// Clocks count whole seconds; a wall clock's time is kept as if it were UTC.
	from := after.UTC().Truncate(time.Second).Add(time.Second)
	for last := from.Add(horizon); from.Before(last); {
		local := from.In(c.zone)
		start, end := local.ZoneBounds()
		if !end.IsZero() && !end.After(from) {
			// Far in the future, on the last day of leap years, the library gives an
			// end that has passed. Nothing is put forward or back then.
			end = from.Add(time.Hour)
		}
		_, seconds := local.Zone()
		offset := time.Duration(seconds) * time.Second
		wall := from.Add(offset)
		if !c.hourly() && !start.IsZero() {
			_, seconds := start.Add(-1).Zone()
			before := time.Duration(seconds) * time.Second
			if repeated := start.UTC().Add(before); repeated.After(wall) {
				wall = repeated
			}
			if from.Equal(start) && before < offset && c.between(start.UTC().Add(before), start.UTC().Add(offset)) {
				return start.UTC(), true
			}
		}
		limit := last.Add(offset)
		if !end.IsZero() && end.Before(last) {
			limit = end.UTC().Add(offset)
		}
		if found, ok := c.nextWall(wall, limit); ok {
			return found.Add(-offset), true
		}
		if end.IsZero() {
			break
		}
		from = end.UTC()
	}
	return time.Time{}, false
}

// horizon is how far Next looks: the 29th of February can be eight years away,
// and a certain day of the week on it forty.
const horizon = 41 * 366 * 24 * time.Hour

const everyHour = 1<<24 - 1

// hourly tells whether the expression is true in every hour of the days that it
// is about.
func (c *Cron) hourly() bool { return c.spec.Hour&everyHour == everyHour }

// between tells whether the expression is true somewhere between two times of
// the wall clock, the second one excluded.
func (c *Cron) between(from, to time.Time) bool {
	_, ok := c.nextWall(from, to)
	return ok
}

// nextWall finds the first time of the wall clock from one on and before another
// at which the expression is true.
func (c *Cron) nextWall(from, limit time.Time) (time.Time, bool) {
	year, month, day := from.Date()
	hour, minute, second := from.Clock()
	for date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); date.Before(limit); date = date.AddDate(0, 0, 1) {
		if c.spec.Month>>uint(date.Month())&1 == 0 {
			date = time.Date(date.Year(), date.Month()+1, 0, 0, 0, 0, 0, time.UTC) // its last day
		} else if c.day(date) {
			if since, ok := c.clock(hour, minute, second); ok {
				found := date.Add(since)
				return found, found.Before(limit)
			}
		}
		hour, minute, second = 0, 0, 0
	}
	return time.Time{}, false
}

// day tells whether the expression is true on a day: when it names days of the
// month and of the week, one of them is enough.
func (c *Cron) day(date time.Time) bool {
	const star = 1 << 63 // set by the library for a field that is *
	month := c.spec.Dom>>uint(date.Day())&1 == 1
	week := c.spec.Dow>>uint(date.Weekday())&1 == 1
	if c.spec.Dom&star != 0 || c.spec.Dow&star != 0 {
		return month && week
	}
	return month || week
}

// clock gives the first time of a day from one on, as the time since midnight.
func (c *Cron) clock(hour, minute, second int) (since time.Duration, ok bool) {
	at := func(hour, minute, second int) (time.Duration, bool) {
		return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second, true
	}
	firstMinute, _ := first(c.spec.Minute, 0)
	firstSecond, _ := first(c.spec.Second, 0)
	h, ok := first(c.spec.Hour, hour)
	if !ok {
		return 0, false
	}
	if h == hour {
		m, ok := first(c.spec.Minute, minute)
		if ok && m == minute {
			if s, ok := first(c.spec.Second, second); ok {
				return at(h, m, s)
			}
			m, ok = first(c.spec.Minute, minute+1)
		}
		if ok {
			return at(h, m, firstSecond)
		}
		if h, ok = first(c.spec.Hour, hour+1); !ok {
			return 0, false
		}
	}
	return at(h, firstMinute, firstSecond)
}

// first gives the lowest bit that is set from one on.
func first(set uint64, from int) (bit int, ok bool) {
	set = set &^ (1 << 63) >> uint(from) << uint(from)
	return bits.TrailingZeros64(set), set != 0
}
