package datasets

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// portion is how many bytes of items are pushed at once, well below what the API
// takes.
const portion = 4 << 20

func newPushItems(g *storages.Group) *cobra.Command {
	return &cobra.Command{
		Use:   "push-items DATASET [ITEM|-]",
		Short: "Append items to a dataset",
		Long: `Appends ITEM, which is a JSON object or an array of them, or what standard input
gives: an object, an array, or objects one after the other such as JSON lines, of
any number. Fields keep their order and numbers their digits.` + storages.Named + `

Items are sent in portions of 4 MB, each of which is stored whole or not at all.
When something is wrong with an item, the message says how many were stored
before it.

Exit codes: 0 stored, 250 there is no such dataset, 5 something is no JSON object
or the dataset's schema rejects it, 1 anything else.`,
		Example: `  apify datasets push-items results '{"url": "https://example.com"}'
  apify datasets push-items results < items.jsonl`,
		Args: cmdkit.Args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, where := g.IO.In, "standard input"
			switch {
			case len(args) == 2 && args[1] != "-":
				in, where = strings.NewReader(args[1]), "the item"
			case len(args) == 1 && !g.IO.Piped():
				return cmdkit.UsageError(cmd.CommandPath(), "there are no items: give one, or some on standard input")
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			pushed, err := push(ctx, c.Dataset(found.ID), in, where)
			if err != nil {
				return err
			}
			fmt.Fprintf(g.IO.Err, "pushed %s to dataset %s\n", amount(pushed, "item"), cmdkit.Printable(found.Label()))
			return nil
		},
	}
}

func push(ctx context.Context, dataset client.Dataset, in io.Reader, where string) (pushed int, err error) {
	var waiting []json.RawMessage
	size := 0
	flush := func() error {
		n, err := dataset.Push(ctx, waiting)
		pushed += n
		waiting, size = waiting[:0], 0
		return storages.Reached(err)
	}
	for item, err := range itemsOf(in, where) {
		if err == nil && len(waiting) > 0 && size+len(item) > portion {
			err = flush()
		}
		if err != nil {
			return pushed, stored(err, pushed)
		}
		waiting = append(waiting, item)
		size += len(item)
	}
	if err := flush(); err != nil {
		return pushed, stored(err, pushed)
	}
	return pushed, nil
}

// stored adds to an error how much was done before it.
func stored(err error, pushed int) error {
	if pushed == 0 {
		return err
	}
	return fault.Wrap(fault.CodeOf(err), err, "after %s that were stored", amount(pushed, "item"))
}

// itemsOf reads items: an array of objects, or objects one after the other.
// Anything else is fault.InvalidInput, and ends the sequence.
func itemsOf(in io.Reader, where string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		n := 0
		wrong := func(err error) {
			switch {
			case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
				err = errors.New("it ends too early")
			case !isSyntax(err):
				yield(nil, fault.Wrap(fault.Unavailable, err, "read %s", where))
				return
			}
			yield(nil, fault.New(fault.InvalidInput, "%s: item %d is not JSON: %w", where, n+1, err))
		}
		buffered := bufio.NewReaderSize(in, 64<<10)
		first, err := firstByte(buffered)
		if err == io.EOF {
			yield(nil, fault.New(fault.InvalidInput, "%s holds no items", where))
			return
		}
		if err != nil {
			wrong(err)
			return
		}
		dec := json.NewDecoder(buffered)
		if first == '[' {
			if _, err := dec.Token(); err != nil {
				wrong(err)
				return
			}
		}
		for first != '[' || dec.More() {
			var item json.RawMessage
			if err := dec.Decode(&item); err == io.EOF && first != '[' {
				return
			} else if err != nil {
				wrong(err)
				return
			}
			if item[0] != '{' {
				yield(nil, fault.New(fault.InvalidInput, "%s: item %d is no JSON object: %.40s", where, n+1, item))
				return
			}
			if !yield(item, nil) {
				return
			}
			n++
		}
		if _, err := dec.Token(); err != nil { // the array's end
			wrong(err)
			return
		}
		if _, err := dec.Token(); err != io.EOF {
			yield(nil, fault.New(fault.InvalidInput, "%s: something follows the array of items", where))
		}
	}
}

func isSyntax(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax)
}

// firstByte peeks at the first byte that is no white space, and skips the byte
// order mark that some editors write.
func firstByte(r *bufio.Reader) (byte, error) {
	if mark, err := r.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = r.Discard(3) // they are buffered
	}
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case ' ', '\t', '\r', '\n':
		default:
			return b, r.UnreadByte()
		}
	}
}
