package datasets

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func newGetItems(g *storages.Group) *cobra.Command {
	var selected selection
	var output jq.Output
	format := ""
	cmd := &cobra.Command{
		Use:   "get-items DATASET",
		Short: "Print the items of a dataset",
		Long: `Prints the items of a dataset in a format, byte for byte as the API sends them;
a text that does not end in a line's end gets one. The content type goes to
standard error.` + storages.Named + `

With --format json, --jq takes the array of all items at once; with --format
jsonl it takes them one by one as they arrive, however many there are.

Exit codes: 0 printed, 250 there is no such dataset, 5 the --jq expression cannot
be applied, 1 anything else.`,
		Example: `  apify datasets get-items results --limit 10
  apify datasets get-items results --format csv --fields url,title > results.csv
  apify datasets get-items results --format jsonl --jq .title`,
		Args: cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(cmd, format); err != nil {
				return err
			}
			if err := selected.validate(cmd); err != nil {
				return err
			}
			if output.Expression != "" && format != "json" && format != "jsonl" {
				return cmdkit.UsageError(cmd.CommandPath(), "--jq works on --format json and jsonl only, not on %s", format)
			}
			if err := output.Prepare(); err != nil {
				return err
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			dataset, options := c.Dataset(found.ID), selected.options(format)
			if query := output.Query(); query != nil && format == "jsonl" {
				return filterItems(ctx, g.IO.Out, dataset, options, query)
			}
			download, err := dataset.Download(ctx, options)
			if err != nil {
				return storages.Reached(err)
			}
			defer download.Body.Close()
			if output.Query() != nil {
				text, err := io.ReadAll(download.Body)
				if err != nil {
					return cut(ctx, err)
				}
				return output.Print(ctx, g.IO, json.RawMessage(text))
			}
			fmt.Fprintln(g.IO.Err, cmdkit.Printable(download.ContentType))
			return printItems(ctx, g.IO.Out, download.Body, format)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&format, "format", "json", "`format`: json, jsonl, csv, html, rss, xml or xlsx")
	selected.addFlags(flags)
	output.AddExpression(flags)
	return cmd
}

func filterItems(ctx context.Context, out io.Writer, dataset client.Dataset, options client.ItemsOptions, query *jq.Query) error {
	n := options.Offset
	for item, err := range dataset.Each(ctx, options) {
		if err != nil {
			return storages.Reached(err)
		}
		n++
		if err := query.Write(ctx, out, item); err != nil {
			if fault.Is(err, fault.InvalidInput) {
				return fault.Wrap(fault.InvalidInput, err, "item %d", n)
			}
			return err
		}
	}
	return nil
}

func printItems(ctx context.Context, out io.Writer, body io.Reader, format string) error {
	last := &lastByte{w: out}
	if _, err := io.Copy(last, body); err != nil {
		if last.failed {
			return err
		}
		return cut(ctx, err)
	}
	if format == "xlsx" || last.written && last.b == '\n' {
		return nil
	}
	_, err := io.WriteString(out, "\n")
	return err
}

// cut is the error of items that ended before their end.
func cut(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.New(fault.Unavailable, "the items ended early: %w", err).WithHint("apify datasets export takes up where it was cut off")
}

// lastByte remembers how what is written ends, and whether writing failed.
type lastByte struct {
	w               io.Writer
	b               byte
	written, failed bool
}

func (l *lastByte) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	if n > 0 {
		l.written, l.b = true, p[n-1]
	}
	l.failed = l.failed || err != nil
	return n, err
}
