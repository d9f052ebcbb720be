package session

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Paging is the part of a list that is asked for.
type Paging struct {
	Offset, Limit int
	Desc          bool
}

// AddFlags adds --offset, --limit and --desc.
func (p *Paging) AddFlags(flags *pflag.FlagSet, limit int) {
	flags.IntVar(&p.Offset, "offset", 0, "`number` of entries to leave out at the start")
	flags.IntVar(&p.Limit, "limit", limit, "`number` of entries to list at most")
	flags.BoolVar(&p.Desc, "desc", false, "list the newest first")
}

// Options are what the client is asked for.
func (p *Paging) Options() (client.ListOptions, error) {
	if p.Offset < 0 || p.Limit < 1 {
		return client.ListOptions{}, fault.New(fault.Usage, "--offset must be at least 0 and --limit at least 1")
	}
	return client.ListOptions{Offset: p.Offset, Limit: p.Limit, Desc: p.Desc}, nil
}

// Column is one column of a list.
type Column[T any] struct {
	Title string
	Cell  func(T) string
}

// List is a command that lists things.
type List[T any] struct {
	// Use, Short, Long and Example are the command's; Noun is what several of
	// them are called.
	Use, Short, Long, Example, Noun string
	Limit                           int
	Args                            cobra.PositionalArgs
	// Flags adds flags of its own.
	Flags func(*pflag.FlagSet)
	Page  func(ctx context.Context, c *client.Client, args []string, opts client.ListOptions) (api.Page[client.Answer[T]], error)
	// Columns are asked for after the flags were read.
	Columns func() []Column[T]
}

// NewList makes the command.
func NewList[T any](s *Session, list List[T]) *cobra.Command {
	var output jq.Output
	var paging Paging
	cmd := &cobra.Command{
		Use: list.Use, Aliases: []string{"list"}, Short: list.Short, Example: list.Example, Args: list.Args,
		Long: list.Long + ` --json prints the page as the API sends it, whose items
are in "items".

Exit codes: 0 listed, 5 the --jq expression cannot be applied, 1 anything else.`,
	}
	if cmd.Args == nil {
		cmd.Args = cmdkit.Args(0, 0)
	}
	cmd.RunE = s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
		opts, err := paging.Options()
		if err != nil {
			return err
		}
		page, err := list.Page(ctx, c, args, opts)
		if err != nil {
			return err
		}
		return PrintPage(ctx, s, &output, page, list.Noun, list.Columns())
	})
	cmd.Flags().SortFlags = false
	paging.AddFlags(cmd.Flags(), list.Limit)
	if list.Flags != nil {
		list.Flags(cmd.Flags())
	}
	output.AddFlags(cmd.Flags())
	return cmd
}

// PrintPage prints a page of a list: as JSON, or as a table with what comes next.
func PrintPage[T any](ctx context.Context, s *Session, output *jq.Output, page api.Page[client.Answer[T]], noun string, columns []Column[T]) error {
	if output.Wanted() {
		return output.Print(ctx, s.IO, page)
	}
	if page.Total == 0 {
		s.Note("there are no %s", noun)
		return nil
	}
	if len(page.Items) == 0 {
		s.Note("%d %s are there, and none of them on this page", page.Total, noun)
		return nil
	}
	var header []string
	for _, column := range columns {
		header = append(header, strings.ToUpper(column.Title))
	}
	var rows [][]string
	for _, item := range page.Items {
		var row []string
		for _, column := range columns {
			row = append(row, column.Cell(item.Value))
		}
		rows = append(rows, row)
	}
	if err := s.IO.Table(header, rows); err != nil {
		return err
	}
	if last := page.Offset + len(page.Items); last < page.Total {
		s.Note("%d to %d of %d; --offset %d shows the next ones", page.Offset+1, last, page.Total, last)
	}
	return nil
}

// Moment shows a time to the second; nil and the zero time are nothing.
func Moment(t *api.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// Took shows how long something took, or takes when it has no end yet.
func Took(start api.Time, end *api.Time) string {
	if start.IsZero() {
		return ""
	}
	until := time.Now()
	if end != nil {
		until = end.Time
	}
	return Span(until.Sub(start.Time))
}

// Span shows a time span for people: 0.4s, 12s, 3m05s, 2h04m, 5d03h.
func Span(d time.Duration) string {
	d = max(d, 0)
	secs := int(d.Seconds())
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", secs)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", secs/60, secs%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", secs/3600, secs/60%60)
	}
	return fmt.Sprintf("%dd%02dh", secs/86400, secs/3600%24)
}

// Size shows a number of bytes in powers of 1024.
func Size(n int64) string {
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, unit := float64(n)/(1<<10), 0
	for ; value >= 1000 && unit < 4; unit++ {
		value /= 1 << 10
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[unit])
}

// Text shows what may be missing.
func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
