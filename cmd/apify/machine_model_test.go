//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/run"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// kind is a sort of code: how much it writes, how fast, and how it ends.
type kind struct {
	name  string
	lines int
	pause string // between lines, for sleep; "" writes without notes about lines
	code  int
	trait string // a variable of main.sh
}

// endless code does not come to its end by itself.
func (k kind) endless() bool { return k.lines > 100_000 }

var kinds = []kind{
	{name: "quick", lines: 3, pause: "0.01"},
	{name: "failing", lines: 2, code: 7},
	{name: "chatty", lines: 3000},
	{name: "steady", lines: 30, pause: "0.05"},
	{name: "lasting", lines: 1 << 30, pause: "0.1"},
	{name: "polite", lines: 1 << 30, pause: "0.1", code: 3, trait: "POLITE"},
	{name: "deaf", lines: 1 << 30, pause: "0.5", trait: "DEAF"},
}

func kindNamed(name string) kind {
	return kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })]
}

// certainty is what is known about something that was asked for.
type certainty int

const (
	never certainty = iota
	perhaps
	certainly
)

// modelled is what must be true of one run, by what was asked of it and answered.
type modelled struct {
	id      string
	actors  map[string]string // names of kinds by the ids of Actors
	limited bool              // it has a time limit that endless code comes to
	restart bool              // restartOnError

	last    api.Run // as it was seen last
	deleted certainty

	// Of the present life, which begins with the start or a resurrection.
	aborted, killed certainty
	exits           []int // codes that it was asked to exit with
	exited          bool  // one of them certainly
	replaced        bool  // its code, perhaps, by other code or the same
	pinned          string
	pinnedFor       bool // the message is certain to stay

	// Of all lives.
	reboots, metamorphs, resurrections        int // asked for
	metamorphsAnswered, resurrectionsAnswered int
	attempts, before                          int // that belong to earlier lives, and will once it is resurrected
}

// anew begins the model of another life of the run.
func (m *modelled) anew() {
	m.aborted, m.killed, m.exits, m.exited, m.replaced, m.pinned, m.pinnedFor = never, never, nil, false, false, "", false
}

// reachable reports whether a run can come from one status to another in any
// number of steps. The only way out of a terminal one is a resurrection.
func reachable(from, to api.Status, resurrected bool) bool {
	seen := []api.Status{from}
	for i := 0; i < len(seen); i++ {
		if seen[i] == to {
			return true
		}
		if seen[i].Terminal() && !resurrected {
			continue
		}
		for _, next := range statuses {
			if run.CanMove(seen[i], next) && !slices.Contains(seen, next) {
				seen = append(seen, next)
			}
		}
	}
	return false
}

var statuses = []api.Status{
	api.StatusReady, api.StatusRunning, api.StatusSucceeded, api.StatusFailed,
	api.StatusTimingOut, api.StatusTimedOut, api.StatusAborting, api.StatusAborted,
}

// see compares a record of the run with the one seen before it.
func (m *modelled) see(r api.Run) error {
	before := m.last
	m.last = r
	if before.ID == "" {
		before = r
		before.Status = api.StatusReady
	}
	revived := r.Stats.ResurrectCount > before.Stats.ResurrectCount
	switch {
	case r.ID != m.id:
		return fmt.Errorf("it has the id %s", r.ID)
	case !reachable(before.Status, r.Status, revived):
		return fmt.Errorf("it went from %s to %s", before.Status, r.Status)
	case r.Status.Terminal() != (r.FinishedAt != nil):
		return fmt.Errorf("it is %s and has finished at %v", r.Status, r.FinishedAt)
	case before.Status.Terminal() && !revived && (!before.FinishedAt.Equal(r.FinishedAt.Time) || showCode(before.ExitCode) != showCode(r.ExitCode)):
		return fmt.Errorf("it ended twice: %s at %v with %s, and at %v with %s", r.Status,
			before.FinishedAt, showCode(before.ExitCode), r.FinishedAt, showCode(r.ExitCode))
	case r.Stats.ResurrectCount < m.resurrectionsAnswered || r.Stats.ResurrectCount > m.resurrections:
		return fmt.Errorf("it was resurrected %d times, asked for %d, answered %d", r.Stats.ResurrectCount, m.resurrections, m.resurrectionsAnswered)
	case len(r.Metamorphs) < m.metamorphsAnswered || len(r.Metamorphs) > m.metamorphs || r.Stats.Metamorph != len(r.Metamorphs):
		return fmt.Errorf("it has become another Actor's %d times (counted %d), asked for %d, answered %d",
			len(r.Metamorphs), r.Stats.Metamorph, m.metamorphs, m.metamorphsAnswered)
	case r.Stats.RebootCount > m.reboots:
		return fmt.Errorf("it was rebooted %d times, asked for %d", r.Stats.RebootCount, m.reboots)
	case r.Status.Terminal():
		return m.judge(r)
	}
	return nil
}

// judge says what is wrong with the end of the present life.
func (m *modelled) judge(r api.Run) error {
	k, message := m.kindOf(r), ""
	if r.StatusMessage != nil {
		message = *r.StatusMessage
	}
	wrong := func(why string) error {
		return fmt.Errorf("a %s run is %s with %s, %q, but %s (aborted %d, killed %d, exits %v %v)", k.name, r.Status, showCode(r.ExitCode), message, why,
			m.aborted, m.killed, m.exits, m.exited)
	}
	if m.aborted == certainly && r.Status != api.StatusAborted {
		return wrong("it was aborted")
	}
	if m.pinnedFor && m.killed == never && len(m.exits) == 0 && message != m.pinned {
		return wrong(fmt.Sprintf("its last message was %q", m.pinned))
	}
	byItself := !k.endless() || k.trait == "POLITE" && m.aborted > never
	code := -1
	if r.ExitCode != nil {
		code = *r.ExitCode
	}
	switch r.Status {
	case api.StatusAborted:
		if m.aborted == never {
			return wrong("nobody aborted it")
		}
	case api.StatusTimedOut:
		if !m.limited {
			return wrong("it has no time limit")
		}
	case api.StatusSucceeded:
		if m.exited && slices.Contains(m.exits, 0) && code == 0 {
			return nil
		}
		if code != 0 || !(byItself && k.code == 0 || slices.Contains(m.exits, 0)) {
			return wrong("nothing lets it succeed")
		}
	case api.StatusFailed:
		switch {
		case strings.Contains(message, "lost") || strings.Contains(message, "could not be started"):
			return wrong("nobody took its code away")
		case slices.Contains(m.exits, code):
		case m.killed > never && code == 137:
		case byItself && code == k.code && code != 0:
		default:
			return wrong("nothing lets it fail so")
		}
	}
	if m.exited && m.aborted == never && m.killed == never && !slices.Contains(m.exits, code) && !byItself {
		return wrong(fmt.Sprintf("it was told to exit with %v", m.exits))
	}
	return nil
}

// kindOf is the kind of code that the run has become.
func (m *modelled) kindOf(r api.Run) kind {
	actor := r.ActorID
	if n := len(r.Metamorphs); n > 0 {
		actor = r.Metamorphs[n-1].ActorID
	}
	return kindNamed(m.actors[actor])
}

func showCode(code *int) string {
	if code == nil {
		return "no exit code"
	}
	return "exit code " + strconv.Itoa(*code)
}

// attempt is one process of a run's code, by its own notes.
type attempt struct {
	life  string
	pid   int
	kind  string
	lines int // noted
	ended bool
}

func readNotes(text []byte) (attempts []attempt, err error) {
	at := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 3 {
			return nil, fmt.Errorf("the note %q", lines.Text())
		}
		n, _ := strconv.Atoi(f[2])
		i, known := at[f[1]]
		switch {
		case f[0] == "start" && !known:
			at[f[1]] = len(attempts)
			attempts = append(attempts, attempt{life: f[1], pid: n, kind: f[3]})
		case !known:
			return nil, fmt.Errorf("the note %q of a life that has not begun", lines.Text())
		case i != len(attempts)-1:
			return nil, fmt.Errorf("the note %q of a life after which another one began: two ran at once", lines.Text())
		default:
			attempts[i].lines = max(attempts[i].lines, n)
			attempts[i].ended = attempts[i].ended || f[0] == "end"
		}
	}
	return attempts, nil
}

// mostAttempts is how often the code of a run can have been started, at most.
func mostAttempts(r api.Run) int {
	return 1 + r.Stats.RebootCount + r.Stats.RestartCount + r.Stats.Metamorph + r.Stats.ResurrectCount
}

var logged = regexp.MustCompile(`(?m)(line|asked) ([0-9a-f]{12})(?: (\d+))?$`)

// checkLog compares what the code has written since the last resurrection with
// the log: every line is there once, in order, and nothing else is.
func checkLog(attempts []attempt, log []byte) error {
	lines := map[string]int{}
	var order []string
	for _, match := range logged.FindAllSubmatch(log, -1) {
		if string(match[1]) == "asked" {
			continue
		}
		life := string(match[2])
		n, _ := strconv.Atoi(string(match[3]))
		if lines[life] == 0 {
			order = append(order, life)
		}
		if n != lines[life]+1 || order[len(order)-1] != life {
			return fmt.Errorf("line %d of %s follows line %d", n, life, lines[life])
		}
		lines[life] = n
	}
	next := 0
	for _, a := range attempts {
		got := lines[a.life]
		switch {
		case got < a.lines:
			return fmt.Errorf("%s wrote %d lines, the log has %d", a.life, a.lines, got)
		case a.ended && got != a.lines:
			return fmt.Errorf("%s wrote %d lines in all, the log has %d", a.life, a.lines, got)
		case got > 0 && (next >= len(order) || order[next] != a.life):
			return fmt.Errorf("the log has %v, in another order than they lived", order)
		}
		if got > 0 {
			next++
		}
	}
	if next != len(order) {
		return fmt.Errorf("the log has lines of %v, more than lived", order)
	}
	return nil
}
