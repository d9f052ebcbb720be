package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

type pushOptions struct {
	args    []string
	json    string // text, or @file
	dataset string
}

// onlyJSON is what --json means without a value: arguments and standard input
// are JSON, never key=value.
const onlyJSON = "\x00"

func newPushData(f *cmdkit.Factory) *cobra.Command {
	var o pushOptions
	cmd := &cobra.Command{
		Use:   "push-data [ITEM… | key=value … | -]",
		Short: "Append items to a dataset",
		Long: `Appends items to the default dataset, or to the one that --dataset names.

An ITEM is a JSON object, or an array of them. key=value arguments make one item;
numbers, booleans and null count as such, everything else is text, and key:=JSON
takes any JSON. Numbers are stored as they are written.

Without arguments the items are read from standard input: JSON objects or arrays
of objects, one after the other, on one line or several; or lines of key=value
words, one item a line, quoted as in a shell where they hold spaces. Standard
input of any length streams through. When an item is bad, the error names its
line and how many items before it were pushed; of a small input, none are.

--dataset takes a name, an id, user/name, or the path of a folder (./results).
What is missing is created, except for ids. In a run names are those of the
platform, outside one the folders below storage/datasets.

Exit codes: 0 pushed, 4 there was nothing to push, 5 an item is not a JSON object
or not what the dataset's schema wants, 250 there is no dataset with that id,
1 anything else.`,
		Example: `  actor push-data '{"title": "Hello", "pages": 3}'
  actor push-data title=Hello pages=3 tags:='["a","b"]'
  actor push-data --json=@result.json
  jq -c '.results[]' answer.json | actor push-data
  actor push-data --dataset=bob/election-data someResult=123`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.args = args
			in, err := o.source(cmd, f.IO)
			if err != nil {
				return err
			}
			if in.close != nil {
				defer in.close()
			}
			return with(cmd.Context(), f, func(ctx context.Context, a *actor.Actor) error {
				return push(ctx, in, func() (*actor.Dataset, error) { return a.OpenDataset(ctx, o.dataset) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.json, "json", "", "items as JSON `text`, or @file; alone, it says that the input is JSON")
	flags.Lookup("json").NoOptDefVal = onlyJSON
	flags.StringVar(&o.dataset, "dataset", "", "`name`, id or ./folder of the dataset (default: the run's own)")
	return cmd
}

// source is where items come from.
type source struct {
	name  string // for messages, empty for a single argument
	in    io.Reader
	json  bool // never key=value lines
	live  bool // may pause for long: what is there is pushed meanwhile
	close func() error
}

// source decides between the arguments, --json and standard input, which is
// touched only when nothing else is given.
func (o *pushOptions) source(cmd *cobra.Command, streams *cmdkit.IO) (source, error) {
	jsonGiven := cmd.Flags().Changed("json")
	if jsonGiven && o.json == onlyJSON && len(o.args) == 1 && strings.HasPrefix(o.args[0], "@") {
		o.json, o.args = o.args[0], nil // --json @file, with a space
	}
	stdin := source{name: "standard input", in: streams.In, live: true, json: jsonGiven}
	if jsonGiven && o.json != onlyJSON {
		if len(o.args) > 0 {
			return source{}, cmdkit.UsageError(cmd.CommandPath(), "unexpected argument %q: --json gives the items already", o.args[0])
		}
		path, isFile := strings.CutPrefix(o.json, "@")
		switch {
		case path == "-" && isFile:
			return stdin, nil
		case isFile:
			file, err := os.Open(path)
			if err != nil {
				return source{}, fault.New(fault.InvalidInput, "the file of --json cannot be read: %w", err)
			}
			return source{name: path, in: file, json: true, close: file.Close}, nil
		}
		return source{name: "--json", in: strings.NewReader(o.json), json: true}, nil
	}
	switch {
	case len(o.args) == 1 && o.args[0] == "-":
		return stdin, nil
	case len(o.args) == 0:
		if !streams.Piped() {
			return source{}, fault.New(fault.NothingToDo, "there is nothing to push: no item is given, and nothing is piped in").
				WithHint("run '%s --help' for usage", cmd.CommandPath())
		}
		return stdin, nil
	}
	if jsonGiven || looksLikeJSON(o.args[0]) {
		for _, arg := range o.args {
			if !looksLikeJSON(arg) {
				return source{}, fault.New(fault.InvalidInput, "an item must be a JSON object or an array of objects, got %.60q", arg)
			}
		}
		return source{name: "", in: strings.NewReader(strings.Join(o.args, "\n")), json: true}, nil
	}
	item, err := cmdkit.ParsePairs(o.args)
	if err != nil {
		return source{}, fault.Wrap(fault.InvalidInput, err, "an item is given as JSON or as key=value").(*fault.Error).
			WithHint("run '%s --help' for usage", cmd.CommandPath())
	}
	return source{in: strings.NewReader(string(item)), json: true}, nil
}

func looksLikeJSON(arg string) bool {
	arg = strings.TrimLeft(arg, " \t\r\n")
	return strings.HasPrefix(arg, "{") || strings.HasPrefix(arg, "[")
}

// A batch is pushed when it has this many items or bytes, or when a live source
// has been silent for so long.
const (
	batchItems = 10_000
	batchBytes = 4 << 20
	batchPause = time.Second
)

// push moves all items of the source to the dataset, which is opened when the
// first of them are known to be good.
func push(ctx context.Context, from source, open func() (*actor.Dataset, error)) error {
	groups := make(chan group, 4)
	done := make(chan struct{})
	defer close(done)
	go scan(from, groups, done)

	var (
		dataset *actor.Dataset
		batch   []json.RawMessage
		bytes   int
		pushed  int
		seen    bool
		pause   <-chan time.Time
	)
	flush := func() error {
		pause = nil
		if len(batch) == 0 {
			return nil
		}
		if dataset == nil {
			var err error
			if dataset, err = open(); err != nil {
				return err
			}
		}
		n, err := dataset.Append(ctx, batch)
		pushed += n
		batch, bytes = batch[:0], 0
		return err
	}
	// told adds to an error what had happened before it.
	told := func(err error) error {
		if pushed == 0 {
			return err
		}
		return fault.Wrap(fault.CodeOf(err), err, "%s pushed, then", items(pushed))
	}
	for {
		select {
		case g, more := <-groups:
			if !more {
				if err := flush(); err != nil {
					return told(err)
				}
				if !seen {
					return fault.New(fault.NothingToDo, "there is nothing to push: %s is empty", from.name)
				}
				return nil
			}
			if g.err != nil {
				if pushed == 0 {
					return fault.Wrap(fault.CodeOf(g.err), g.err, "nothing was pushed")
				}
				return told(g.err)
			}
			seen = true
			batch = append(batch, g.items...)
			bytes += g.bytes
			if len(batch) >= batchItems || bytes >= batchBytes {
				if err := flush(); err != nil {
					return told(err)
				}
			} else if pause == nil && from.live && len(batch) > 0 {
				pause = time.After(batchPause)
			}
		case <-pause:
			if err := flush(); err != nil {
				return told(err)
			}
		case <-ctx.Done():
			return told(ctx.Err())
		}
	}
}

func items(n int) string {
	if n == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", n)
}
