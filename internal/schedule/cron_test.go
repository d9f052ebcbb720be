package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func mustParse(t *testing.T, expression, zone string) *Cron {
	t.Helper()
	c, err := ParseCron(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ expression, zone, after, want string }{
		{"* * * * *", "UTC", "2026-01-31T12:00:00Z", "2026-01-31T12:01:00Z"},
		{"* * * * * *", "UTC", "2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z"},
		{"30 0 8 * * *", "", "2026-01-31T12:00:00Z", "2026-02-01T08:00:30Z"},
		{"@hourly", "Asia/Kathmandu", "2026-01-31T12:00:00Z", "2026-01-31T12:15:00Z"},
		{"@daily", "UTC", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"},
		{"@weekly", "UTC", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"}, // a Sunday
		{"@monthly", "UTC", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"},
		{"@yearly", "America/New_York", "2026-01-31T12:00:00Z", "2027-01-01T05:00:00Z"},
		{"0 9 * * 7", "UTC", "2026-01-26T09:00:00Z", "2026-02-01T09:00:00Z"},
		{"0 9 * * 5-7", "UTC", "2026-01-31T09:00:00Z", "2026-02-01T09:00:00Z"},
		{"0 9 * * 1-7/3", "UTC", "2026-01-31T09:00:00Z", "2026-02-01T09:00:00Z"}, // 1, 4 and 7
		{"0 0 13 * 5", "UTC", "2026-01-31T00:00:00Z", "2026-02-06T00:00:00Z"},    // the 13th or a Friday
		{"0 0 29 2 *", "UTC", "2026-01-31T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"0 0 31 4,6,8 *", "UTC", "2026-01-31T00:00:00Z", "2026-08-31T00:00:00Z"},
		// Prague, 29 March 2026: two o'clock is three o'clock.
		{"30 2 * * *", "Europe/Prague", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"*/10 2 * * *", "Europe/Prague", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		{"*/10 2 * * *", "Europe/Prague", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
		{"30 * * * *", "Europe/Prague", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
		// Prague, 25 October 2026: three o'clock is two o'clock again.
		{"30 2 * * *", "Europe/Prague", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		{"30 2 * * *", "Europe/Prague", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"30 * * * *", "Europe/Prague", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"0 3 * * *", "Europe/Prague", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"},
		// The last day of a leap year that no table of zones has.
		{"0 12 * * *", "Europe/Prague", "2040-12-31T12:00:00Z", "2041-01-01T11:00:00Z"},
		{"30 * * * *", "Europe/Prague", "2040-12-31T22:45:00Z", "2040-12-31T23:30:00Z"},
		// Half an hour only, and a day that was left out.
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"},
		{"0 12 * * *", "Pacific/Apia", "2011-12-29T22:30:00Z", "2011-12-30T10:00:00Z"},
	} {
		got, ok := mustParse(t, c.expression, c.zone).Next(at(t, c.after))
		if !ok || got.Format(time.RFC3339) != c.want {
			t.Errorf("%q in %q after %s: %s, want %s", c.expression, c.zone, c.after, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestTicksAreTenSecondsApart(t *testing.T) {
	c := mustParse(t, "*/4 * * * * *", "UTC")
	last := at(t, "2026-01-31T12:00:00Z")
	var got []int
	for range 6 {
		next, _ := c.NextTick(last, last)
		got = append(got, int(next.Sub(last).Seconds()))
		last = next
	}
	if want := []int{12, 12, 12, 12, 12, 12}; !slices.Equal(got, want) {
		t.Errorf("ticks after %v seconds, want %v", got, want)
	}
	c, last = mustParse(t, "0,10 * * * * *", "UTC"), at(t, "2026-01-31T12:00:00Z")
	if next, _ := c.NextTick(last, last); next.Sub(last) != 10*time.Second {
		t.Errorf("ten seconds are enough, got %v", next.Sub(last))
	}
	if next, _ := c.NextTick(last.Add(time.Hour), last); !next.Equal(last.Add(time.Hour + 10*time.Second)) {
		t.Errorf("the next tick after an hour is %v", next)
	}
}

func TestWrongExpressions(t *testing.T) {
	for _, c := range []struct{ expression, zone, typ string }{
		{"", "UTC", "cron-expression-invalid"}, {"* * * *", "UTC", "cron-expression-invalid"}, {"* * * * * * *", "UTC", "cron-expression-invalid"},
		{"60 * * * *", "UTC", "cron-expression-invalid"}, {"* 24 * * *", "UTC", "cron-expression-invalid"}, {"* * 0 * *", "UTC", "cron-expression-invalid"},
		{"* * 32 * *", "UTC", "cron-expression-invalid"}, {"* * * 13 *", "UTC", "cron-expression-invalid"}, {"* * * * 8", "UTC", "cron-expression-invalid"},
		{"* * * * 7-1", "UTC", "cron-expression-invalid"}, {"* * * * 1-7/0", "UTC", "cron-expression-invalid"}, {"* * * * x-7", "UTC", "cron-expression-invalid"},
		{"*/0 * * * *", "UTC", "cron-expression-invalid"}, {"5-1 * * * *", "UTC", "cron-expression-invalid"}, {"@every 1h", "UTC", "cron-expression-invalid"},
		{"@never", "UTC", "cron-expression-invalid"}, {"TZ=UTC * * * * *", "UTC", "cron-expression-invalid"}, {"CRON_TZ=UTC @daily", "UTC", "cron-expression-invalid"},
		{strings.Repeat("1,", 200) + "1 * * * *", "UTC", "cron-expression-invalid"},
		{"0 0 30 2 *", "UTC", "next-runtime-computation-failed"},
		{"* * * * *", "Mars/Base", "invalid-value"}, {"* * * * *", "Local", "invalid-value"}, {"* * * * *", "../../etc/passwd", "invalid-value"},
	} {
		_, err := ParseCron(c.expression, c.zone)
		var e *fault.Error
		if !asFault(err, &e) || e.WireType() != c.typ || e.Code != fault.InvalidRequest {
			t.Errorf("%q in %q: %v, want a %s", c.expression, c.zone, err, c.typ)
		}
	}
}

// TestSameAsLookingAtTheClock compares with the simplest thing that can be
// right: look at the clock on the wall at every second.
func TestSameAsLookingAtTheClock(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	zones := []string{"UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Casablanca"}
	days := []string{"2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2018-11-04", "2018-02-18", "2026-02-28", "2026-12-31"}
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		expression, zone := randomExpression(random), zones[random.IntN(len(zones))]
		c, err := ParseCron(expression, zone)
		if err != nil {
			t.Fatalf("%q: %v", expression, err)
		}
		day := at(t, days[random.IntN(len(days))]+"T00:00:00Z")
		from, to := day.Add(-4*time.Hour), day.Add(30*time.Hour)
		want := look(expression, zone, from, to)
		var got []time.Time
		for next, ok := c.Next(from); ok && next.Before(to); next, ok = c.Next(next) {
			got = append(got, next)
		}
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%q in %s around %s: %d times, want %d%s", expression, zone, day.Format(time.DateOnly), len(got), len(want), firstDifference(got, want))
		}
	}
}

func firstDifference(got, want []time.Time) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf(": missing %s", want[i])
		case i >= len(want):
			return fmt.Sprintf(": too much %s", got[i])
		case !got[i].Equal(want[i]):
			return fmt.Sprintf(": %s, want %s", got[i], want[i])
		}
	}
	return ""
}

// look finds the times after one moment and before another by looking at the
// clock at every second.
func look(expression, zone string, from, to time.Time) (times []time.Time) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	fields := strings.Fields(expression)
	var sets []map[int]bool
	for i, field := range fields {
		sets = append(sets, members(field, []int{0, 0, 0, 1, 1, 0}[i], []int{59, 59, 23, 31, 12, 7}[i]))
	}
	if sets[5][7] {
		sets[5][0] = true
	}
	matches := func(wall time.Time) bool {
		month, week := sets[3][wall.Day()], sets[5][int(wall.Weekday())]
		day := month && week
		if fields[3] != "*" && fields[5] != "*" {
			day = month || week
		}
		return sets[0][wall.Second()] && sets[1][wall.Minute()] && sets[2][wall.Hour()] && sets[4][int(wall.Month())] && day
	}
	hourly := len(sets[2]) == 24
	seen := map[time.Time]bool{}
	start := from.Add(-3 * time.Hour) // what was on the clock before
	for now := start; now.Before(to); now = now.Add(time.Second) {
		wall := onTheWall(now, location)
		rings := matches(wall) && (hourly || !seen[wall])
		seen[wall] = true
		for skipped := onTheWall(now.Add(-time.Second), location).Add(time.Second); !hourly && skipped.Before(wall) && now.After(start); skipped = skipped.Add(time.Second) {
			rings = rings || matches(skipped)
		}
		if rings && now.After(from) {
			times = append(times, now)
		}
	}
	return times
}

// onTheWall is what the clock shows, as if it were UTC.
func onTheWall(now time.Time, location *time.Location) time.Time {
	local := now.In(location)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
}

func members(field string, low, high int) map[int]bool {
	set := map[int]bool{}
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			panic(err)
		}
		return n
	}
	for part := range strings.SplitSeq(field, ",") {
		span, step, stepped := strings.Cut(part, "/")
		from, to, by := low, high, 1
		if first, last, ranged := strings.Cut(span, "-"); ranged {
			from, to = number(first), number(last)
		} else if span != "*" {
			from = number(span)
			if !stepped {
				to = from
			}
		}
		if stepped {
			by = number(step)
		}
		for n := from; n <= to; n += by {
			set[n] = true
		}
	}
	return set
}

func randomExpression(r *rand.Rand) string {
	field := func(low, high int, often string) string {
		n := func(from int) int { return from + r.IntN(high-from+1) }
		switch r.IntN(6) {
		case 0:
			return strconv.Itoa(n(low))
		case 1:
			from := n(low)
			return fmt.Sprintf("%d-%d", from, n(from))
		case 2:
			return fmt.Sprintf("*/%d", 1+r.IntN(high))
		case 3:
			from := n(low)
			return fmt.Sprintf("%d-%d/%d,%d", from, n(from), 1+r.IntN(5), n(low))
		}
		return often
	}
	return strings.Join([]string{
		field(0, 59, "0"), field(0, 59, "*/7"), field(0, 23, []string{"*", "1-3", "2"}[r.IntN(3)]), field(1, 31, "*"), field(1, 12, "*"), field(0, 7, "*"),
	}, " ")
}
