package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func newExport(g *storages.Group) *cobra.Command {
	var selected selection
	var format, file string
	restart := false
	cmd := &cobra.Command{
		Use:   "export DATASET -o FILE",
		Short: "Write the items of a dataset to a file",
		Long: `Writes the items of a dataset to FILE, in the format that --format or FILE's
extension says; - is standard output. FILE appears when it is complete: until
then, what has arrived lies beside it under a name that goes on with .part-.` + storages.Named + `

A connection that breaks is made anew. In json lines and CSV the export then goes
on after the last whole row, and so does the same command when it was interrupted
or has given up; --restart makes it begin anew. Other formats, and --clean,
--skip-empty, --unwind, --view and --desc, whose rows do not stand for items one
by one, begin anew, and so does a CSV whose remaining items have other columns.

Exit codes: 0 written, 250 there is no such dataset, 1 anything else.`,
		Example: `  apify datasets export results -o results.csv
  apify datasets export results -o results.jsonl --fields url,title
  apify datasets export results --format json -o - | jq length`,
		Args: cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" {
				return cmdkit.UsageError(cmd.CommandPath(), "-o is missing: the file to write, or - for standard output")
			}
			if format == "" {
				format = strings.TrimPrefix(strings.ToLower(filepath.Ext(file)), ".")
				if file == "-" || format == "" {
					return cmdkit.UsageError(cmd.CommandPath(), "--format is missing: %q has no extension that says it", file)
				}
			}
			if err := checkFormat(cmd, format); err != nil {
				return err
			}
			if err := selected.validate(cmd); err != nil {
				return err
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			dataset, options := c.Dataset(found.ID), selected.options(format)
			if file == "-" {
				download, err := dataset.Download(ctx, options)
				if err != nil {
					return storages.Reached(err)
				}
				defer download.Body.Close()
				return printItems(ctx, g.IO.Out, download.Body, format)
			}
			e := &export{
				io: g.IO, dataset: dataset, options: options, format: format, restart: restart,
				goesOn: selected.stable() && (format == "jsonl" || format == "csv"),
			}
			return e.to(ctx, file, c.BaseURL()+" "+found.ID)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&file, "output", "o", "", "`file` to write; - for standard output")
	flags.StringVar(&format, "format", "", "`format`: json, jsonl, csv, html, rss, xml or xlsx (default: the file's extension)")
	flags.BoolVar(&restart, "restart", false, "begin anew though a part was written before")
	selected.addFlags(flags)
	return cmd
}

// attempts is how often in a row an export may break without getting further.
const attempts = 4

// export takes the items of a dataset into a file.
type export struct {
	io      *cmdkit.IO
	dataset client.Dataset
	options client.ItemsOptions
	format  string
	restart bool
	// goesOn says that rows stand for items, so that an export can go on after
	// the last whole one.
	goesOn bool
	part   *part
	show   *progress
}

// to writes the file; source names the dataset among all there are.
func (e *export) to(ctx context.Context, file, source string) (err error) {
	// A part that was written for something else must not be gone on with.
	sum := sha256.Sum256([]byte(fmt.Sprint(source, e.format, e.options)))
	e.part, err = openPart(file+".part-"+hex.EncodeToString(sum[:4]), e.format == "csv", e.restart || !e.goesOn)
	if err != nil {
		return err
	}
	e.show = newProgress(e.io, e.format == "jsonl" || e.format == "csv")
	err = e.all(ctx)
	e.show.end()
	if err != nil {
		kept := e.goesOn && e.part.rows.items() > 0
		if closing := e.part.close(!kept); closing != nil {
			return errors.Join(err, closing)
		}
		if kept {
			return fault.New(fault.CodeOf(err), "%w", err).
				WithHint("%s are kept; the same command goes on after them", amount(e.part.rows.items(), "item"))
		}
		return err
	}
	if err := e.part.finish(file); err != nil {
		return err
	}
	fmt.Fprintf(e.io.Err, "wrote %s: %s\n", file, e.show.done(e.part))
	return nil
}

// all fetches until nothing is missing.
func (e *export) all(ctx context.Context) error {
	for failures := 0; ; {
		before := e.part.rows.end
		err := e.fetch(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		var broken brokenError
		if !errors.As(err, &broken) {
			return storages.Reached(err)
		}
		if failures++; e.goesOn && e.part.rows.end > before {
			failures = 1
		}
		if failures == attempts {
			return fault.New(fault.Unavailable, "the items ended early: %w", broken.error)
		}
		if !e.goesOn {
			err = e.part.cut(0)
		} else {
			err = e.part.cut(e.part.rows.end)
		}
		if err != nil {
			return err
		}
	}
}

// brokenError is a connection that broke while items were arriving.
type brokenError struct{ error }

func (b brokenError) Unwrap() error { return b.error }

// fetch appends what is missing.
func (e *export) fetch(ctx context.Context) error {
	options, have := e.options, e.part.rows.items()
	options.Offset += have
	if options.Limit > 0 {
		if options.Limit -= have; options.Limit <= 0 {
			return nil
		}
	}
	download, err := e.dataset.Download(ctx, options)
	if err != nil {
		return err
	}
	defer download.Body.Close()
	if have > 0 && download.Total >= 0 && download.Total < options.Offset {
		return e.anew(ctx, "the dataset has fewer items than were written before")
	}
	var body io.Reader = download.Body
	if e.format == "csv" && e.part.rows.count > 0 {
		same, err := e.sameHeader(body)
		if err != nil {
			return err
		}
		if !same {
			return e.anew(ctx, "the remaining items have other columns")
		}
	}
	e.show.begin(have, download.Count, e.part)
	buffer := make([]byte, 128<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if err := e.part.write(buffer[:n]); err != nil {
				return err
			}
			e.show.tick(e.part)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return brokenError{err}
		}
	}
}

// anew throws away what was written and fetches everything.
func (e *export) anew(ctx context.Context, why string) error {
	e.show.end()
	fmt.Fprintf(e.io.Err, "note: %s; beginning anew\n", why)
	if err := e.part.cut(0); err != nil {
		return err
	}
	return e.fetch(ctx)
}

// maxHeader bounds the header of a CSV.
const maxHeader = 4 << 20

// sameHeader reads the header that the rest of a CSV begins with, and tells
// whether it is the one of what was written.
func (e *export) sameHeader(body io.Reader) (bool, error) {
	want, err := e.part.header()
	if err != nil {
		return false, err
	}
	var got []byte
	seen := rows{csv: true}
	for one := make([]byte, 1); seen.count == 0 && len(got) < maxHeader; {
		n, err := body.Read(one)
		_, _ = seen.Write(one[:n]) // it cannot fail
		got = append(got, one[:n]...)
		if err == io.EOF {
			break // no items are left, and no columns either
		}
		if err != nil {
			return false, brokenError{err}
		}
	}
	const mark = "\ufeff"
	return len(got) == 0 || strings.TrimPrefix(string(got), mark) == strings.TrimPrefix(want, mark), nil
}
