package runs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// unfinished are the states of what top shows.
const unfinished = "READY,RUNNING,TIMING-OUT,ABORTING"

// Escape sequences of a terminal: of the screen that top draws on, and of what
// it draws. Every line is cleared behind its end, so that nothing flickers.
const (
	otherScreen = "\x1b[?1049h\x1b[?25l"
	ownScreen   = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	endOfLine   = "\x1b[K\r\n"
	restBelow   = "\x1b[J"
)

type top struct {
	*session.Session
	client   *client.Client
	names    map[string]string // of Actors, by id
	interval time.Duration
	limit    int
}

func newTop(s *session.Session) *cobra.Command {
	var output jq.Output
	t := &top{Session: s, names: map[string]string{}}
	var once bool
	cmd := &cobra.Command{
		Use: "top", Short: "Watch what runs, with its CPU and memory", Args: cmdkit.Args(0, 0),
		Long: `Shows the runs that have not ended, the newest first, with what each of them uses
of CPU (100 % is one core) and memory, and how long it has been running. On a
terminal the table is drawn anew every --interval until Ctrl-C or q; elsewhere, and
with --once, it is printed once. --json and --jq print a list of the run objects:
once, or with --watch as one line every --interval.

Exit codes: 0 shown, 1 anything else.`,
		Example: "  apify runs top\n  apify runs top --once\n  apify runs top --watch --jq 'map(.stats.memCurrentBytes) | add'",
	}
	var watch bool
	cmd.RunE = s.Do(&output, func(ctx context.Context, c *client.Client, _ []string) error {
		if t.interval < 100*time.Millisecond {
			return fault.New(fault.Usage, "--interval must be at least 100ms, got %s", t.interval)
		}
		if t.limit < 1 {
			return fault.New(fault.Usage, "--limit must be at least 1")
		}
		t.client = c
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		switch {
		case output.Wanted():
			return t.lines(ctx, &output, watch)
		case once || !s.IO.OutTTY:
			runs, total, err := t.read(ctx)
			if err != nil {
				return err
			}
			return t.table(s.IO, runs, total)
		}
		return t.draw(ctx)
	})
	flags := cmd.Flags()
	flags.DurationVar(&t.interval, "interval", 2*time.Second, "`time` between two looks")
	flags.IntVar(&t.limit, "limit", 50, "`number` of runs to show at most")
	flags.BoolVar(&once, "once", false, "print the table once, also on a terminal")
	flags.BoolVar(&watch, "watch", false, "with --json or --jq: go on until Ctrl-C")
	output.AddFlags(flags)
	return cmd
}

// read gives the runs that have not ended, and how many there are.
func (t *top) read(ctx context.Context) ([]client.Answer[api.Run], int, error) {
	page, err := t.client.Runs().List(ctx, client.ListOptions{Status: unfinished, Desc: true, Limit: t.limit})
	if err != nil {
		return nil, 0, err
	}
	runs := make([]client.Answer[api.Run], len(page.Items))
	var group errgroup.Group
	group.SetLimit(8)
	for i, item := range page.Items {
		group.Go(func() error {
			run, err := t.client.Run(item.Value.ID).Get(ctx, 0)
			runs[i] = run
			if fault.Is(err, fault.NotFound) {
				return nil // deleted since it was listed
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, err
	}
	there := runs[:0]
	for _, run := range runs {
		if run.Value.ID == "" || run.Value.Status.Terminal() {
			continue
		}
		there = append(there, run)
		t.name(ctx, run.Value.ActorID)
	}
	return there, page.Total, nil
}

// name remembers what an Actor is called; one that cannot be read keeps its id.
func (t *top) name(ctx context.Context, id string) {
	if t.names[id] != "" {
		return
	}
	t.names[id] = id
	if actor, err := t.client.Actor(id).Get(ctx); err == nil {
		t.names[id] = actor.Value.Username + "/" + actor.Value.Name
	}
}

func (t *top) table(to *cmdkit.IO, runs []client.Answer[api.Run], total int) error {
	if len(runs) == 0 {
		_, err := fmt.Fprintln(to.Err, "nothing is running")
		return err
	}
	var rows [][]string
	for _, answer := range runs {
		r := answer.Value
		limit := ""
		if r.Options.MemoryMbytes > 0 {
			limit = fmt.Sprintf("%.0f %%", 100*float64(r.Stats.MemCurrentBytes)/float64(int64(r.Options.MemoryMbytes)<<20))
		}
		rows = append(rows, []string{
			r.ID, t.names[r.ActorID], string(r.Status), session.Took(r.StartedAt, nil),
			fmt.Sprintf("%.0f %%", r.Stats.CPUCurrentUsage), session.Size(r.Stats.MemCurrentBytes), limit, session.Text(r.StatusMessage),
		})
	}
	if err := to.Table([]string{"ID", "ACTOR", "STATUS", "TIME", "CPU", "MEMORY", "OF LIMIT", "MESSAGE"}, rows); err != nil {
		return err
	}
	if total <= t.limit {
		return nil
	}
	_, err := fmt.Fprintf(to.Err, "%d more are running; --limit shows them\n", total-t.limit)
	return err
}

// lines prints lists of runs, a line each when it goes on.
func (t *top) lines(ctx context.Context, output *jq.Output, watch bool) error {
	for {
		runs, _, err := t.read(ctx)
		if err != nil {
			return ended(ctx, err)
		}
		if !watch || output.Expression != "" {
			err = output.Print(ctx, t.IO, runs)
		} else {
			err = t.IO.PrintLine(runs)
		}
		if err != nil || !watch {
			return err
		}
		if !sleep(ctx, t.interval) {
			return nil
		}
	}
}

// draw draws the table on the terminal again and again. What goes wrong later on
// is shown in its place: a server that restarts comes back.
func (t *top) draw(ctx context.Context) error {
	runs, total, err := t.read(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	defer t.keys(quit)()
	if _, err := fmt.Fprint(t.IO.Out, otherScreen); err != nil {
		return err
	}
	defer fmt.Fprint(t.IO.Out, ownScreen)
	for {
		if err := t.frame(runs, total, err); err != nil {
			return err
		}
		if !sleep(ctx, t.interval) {
			return nil
		}
		if runs, total, err = t.read(ctx); ctx.Err() != nil {
			return nil
		}
	}
}

func (t *top) frame(runs []client.Answer[api.Run], total int, problem error) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s  %s, every %s; q ends\n\n", time.Now().Format(time.TimeOnly), t.client.BaseURL(), t.interval)
	if problem != nil {
		fmt.Fprintln(&text, cmdkit.Printable(problem.Error()))
	} else if err := t.table(&cmdkit.IO{Out: &text, Err: &text}, runs, total); err != nil {
		return err
	}
	width, height := 200, 50
	if file, ok := t.IO.Out.(*os.File); ok {
		if w, h, err := term.GetSize(int(file.Fd())); err == nil && w > 0 && h > 0 {
			width, height = w, h
		}
	}
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	lines = lines[:min(len(lines), max(height-1, 1))]
	var out strings.Builder
	out.WriteString(home)
	for _, line := range lines {
		if runes := []rune(line); len(runes) > width {
			line = string(runes[:width])
		}
		out.WriteString(line + endOfLine)
	}
	out.WriteString(restBelow)
	_, err := fmt.Fprint(t.IO.Out, out.String())
	return err
}

// keys ends the drawing on q and Ctrl-C, which a raw terminal gives as a
// character. What it returns puts the terminal back.
func (t *top) keys(quit func()) func() {
	file, ok := t.IO.In.(*os.File)
	if !ok || !t.IO.InTTY {
		return func() {}
	}
	before, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return func() {}
	}
	go func() {
		var key [1]byte
		for {
			if n, err := file.Read(key[:]); n == 0 || err != nil || key[0] == 'q' || key[0] == 'Q' || key[0] == 3 {
				quit()
				return
			}
		}
	}()
	return func() { _ = term.Restore(int(file.Fd()), before) }
}

// ended makes an interrupt an end like any other.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// sleep tells whether the time has passed; not so when the context has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
