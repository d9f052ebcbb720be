package datasets

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// patience is how long tail --follow bears an API that cannot be reached.
const patience = time.Minute

type tailer struct {
	io       *cmdkit.IO
	dataset  client.Dataset
	query    *jq.Query
	follow   bool
	interval time.Duration
	next     int // the offset of the first item that was not printed
}

func newTail(g *storages.Group) *cobra.Command {
	t := &tailer{io: g.IO}
	var output jq.Output
	last := 0
	cmd := &cobra.Command{
		Use:   "tail DATASET",
		Short: "Print the last items of a dataset, and those that come",
		Long: `Prints the last items of a dataset as JSON lines. With --follow it goes on with
those that are pushed, until it is interrupted; when the dataset is emptied, it
starts anew, and for a minute it bears an API that does not answer. --jq takes
the items one by one.` + storages.Named + `

Exit codes: 0 printed, 250 there is no such dataset or, with --follow, no more, 5
the --jq expression cannot be applied, 1 anything else.`,
		Example: "  apify datasets tail results\n  apify datasets tail results -n 0 --follow --jq .url",
		Args:    cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if last < 0 || t.interval <= 0 {
				return cmdkit.UsageError(cmd.CommandPath(), "-n must be at least 0 and --interval more than 0")
			}
			if err := output.Prepare(); err != nil {
				return err
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			t.dataset, t.query = c.Dataset(found.ID), output.Query()
			return t.run(ctx, last)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVarP(&last, "lines", "n", 10, "`number` of items to begin with")
	flags.BoolVarP(&t.follow, "follow", "f", false, "go on with items that are pushed")
	flags.DurationVar(&t.interval, "interval", time.Second, "`time` between looks at the dataset")
	output.AddExpression(flags)
	return cmd
}

func (t *tailer) run(ctx context.Context, last int) error {
	// How many there are is asked of the items: the metadata may lag behind.
	probe, err := t.dataset.Download(ctx, client.ItemsOptions{Limit: 1, Format: "jsonl"})
	if err != nil {
		return storages.Reached(err)
	}
	total := probe.Total
	_ = probe.Body.Close() // nothing of it is wanted
	if total < 0 {
		return fault.New(fault.Unavailable, "the API does not say how many items there are")
	}
	t.next = max(0, total-last)
	if last == 0 && !t.follow {
		return nil
	}
	reached := time.Now()
	for {
		err := t.print(ctx)
		switch {
		case err == nil:
			reached = time.Now()
		case !t.follow || !fault.Is(err, fault.Unavailable) || time.Since(reached) > patience:
			return storages.Reached(err)
		}
		if !t.follow {
			return nil
		}
		select {
		case <-time.After(t.interval):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// print prints what there is from the next item on.
func (t *tailer) print(ctx context.Context) error {
	download, err := t.dataset.Download(ctx, client.ItemsOptions{Offset: t.next, Format: "jsonl"})
	if err != nil {
		return err
	}
	defer download.Body.Close()
	if download.Total >= 0 && download.Total < t.next {
		fmt.Fprintln(t.io.Err, "note: the dataset was emptied; starting at its first item")
		t.next = 0
		return t.print(ctx)
	}
	lines := bufio.NewReaderSize(download.Body, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return cut(ctx, err) // part of an item is none
		}
		if item := bytes.TrimSpace(line); len(item) > 0 {
			if err := t.item(ctx, item); err != nil {
				return err
			}
			t.next++
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (t *tailer) item(ctx context.Context, item []byte) error {
	if t.query == nil {
		_, err := t.io.Out.Write(append(bytes.Clone(item), '\n'))
		return err
	}
	if err := t.query.Write(ctx, t.io.Out, item); fault.Is(err, fault.InvalidInput) {
		return fault.Wrap(fault.InvalidInput, err, "item %d", t.next+1)
	} else if err != nil {
		return err
	}
	return nil
}
