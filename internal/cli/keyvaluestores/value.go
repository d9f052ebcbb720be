package keyvaluestores

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func newGetValue(g *storages.Group) *cobra.Command {
	var onlyType bool
	var output jq.Output
	cmd := &cobra.Command{
		Use:   "get-value STORE KEY",
		Short: "Print a record",
		Long: `Prints the record under KEY as it was stored, byte for byte, however large it is;
its content type goes to standard error. --json and --jq want a record that is
JSON.` + storages.Named + `

Exit codes: 0 printed, 250 there is no such store or key, 5 the record is no JSON
or the --jq expression cannot be applied to it, 1 anything else.`,
		Example: `  apify key-value-stores get-value files logo.png > logo.png
  apify kvs get-value files state --jq .page
  apify kvs get-value files logo.png --only-content-type`,
		Args: cmdkit.Args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if onlyType && output.Wanted() {
				return cmdkit.UsageError(cmd.CommandPath(), "--only-content-type prints no record for --json or --jq")
			}
			if err := output.Prepare(); err != nil {
				return err
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			record, err := c.KeyValueStore(found.ID).Record(ctx, args[1])
			if fault.Is(err, fault.NotFound) {
				return noRecord(found, args[1])
			}
			if err != nil {
				return storages.Reached(err)
			}
			defer record.Body.Close()
			if onlyType {
				_, err := fmt.Fprintln(g.IO.Out, cmdkit.Printable(record.ContentType))
				return err
			}
			if !output.Wanted() {
				g.Note("%s", record.ContentType)
				return show(ctx, g.IO.Out, record.Body)
			}
			text, err := io.ReadAll(record.Body)
			if err != nil {
				return cut(ctx, err)
			}
			if !json.Valid(text) {
				return fault.New(fault.InvalidInput, "the record %q is not JSON but %s", args[1], cmdkit.Printable(record.ContentType)).
					WithHint("without --json and --jq it is printed as it is")
			}
			return output.Print(ctx, g.IO, json.RawMessage(text))
		},
	}
	cmd.Flags().BoolVar(&onlyType, "only-content-type", false, "print the content type alone")
	output.AddFlags(cmd.Flags())
	return cmd
}

func show(ctx context.Context, out io.Writer, body io.Reader) error {
	source := &reading{r: body}
	_, err := io.Copy(out, source)
	if source.err != nil {
		return cut(ctx, source.err)
	}
	return err
}

func cut(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.New(fault.Unavailable, "the record ended early: %w", err)
}

// reading tells failures of reading from those of writing.
type reading struct {
	r   io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

func newSetValue(g *storages.Group) *cobra.Command {
	contentType := ""
	cmd := &cobra.Command{
		Use:   "set-value STORE KEY [VALUE|-]",
		Short: "Store a record",
		Long: `Stores VALUE, or what standard input gives until its end, under KEY. A record of
any size and any bytes is stored as it is, in one step: a failure leaves what was
there. A record that is said to be JSON must be JSON.` + storages.Named + `

Exit codes: 0 stored, 250 there is no such store, 5 the value is no JSON, 1
anything else.`,
		Example: `  apify key-value-stores set-value files state '{"page": 7}'
  apify kvs set-value files greeting hello --content-type text/plain
  apify kvs set-value files logo.png --content-type image/png < logo.png`,
		Args: cmdkit.Args(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			mediaType, _, err := mime.ParseMediaType(contentType)
			if err != nil || !strings.Contains(mediaType, "/") {
				return cmdkit.UsageError(cmd.CommandPath(), "%q is no content type", contentType)
			}
			in := g.IO.In
			switch {
			case len(args) == 3 && args[2] != "-":
				in = strings.NewReader(args[2])
			case len(args) == 2 && !g.IO.Piped():
				return cmdkit.UsageError(cmd.CommandPath(), "there is no value: give one, or pipe it in")
			}
			ctx, key := cmd.Context(), args[1]
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			if mediaType == "application/json" || strings.HasSuffix(mediaType, "+json") {
				// A record that was announced as JSON and is none makes every
				// reader fail, so it is read before anything is stored.
				text, err := io.ReadAll(in)
				if err != nil {
					return fault.Wrap(fault.Unavailable, err, "read the value")
				}
				if err := checkJSON(text); err != nil {
					return err
				}
				in = bytes.NewReader(text)
			}
			if err := c.KeyValueStore(found.ID).Put(ctx, key, contentType, in); err != nil {
				return storages.Reached(err)
			}
			g.Note("stored %s in key-value store %s", key, found.Label())
			return nil
		},
	}
	cmd.Flags().StringVarP(&contentType, "content-type", "c", "application/json", "content `type` of the record")
	return cmd
}

// checkJSON says where a text stops being JSON.
func checkJSON(text []byte) error {
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	if err == nil {
		return nil
	}
	offset := len(text)
	if syntax, ok := err.(*json.SyntaxError); ok {
		offset = min(max(0, int(syntax.Offset)-1), len(text))
	}
	line := bytes.Count(text[:offset], []byte{'\n'}) + 1
	column := offset - bytes.LastIndexByte(text[:offset], '\n')
	return fault.New(fault.InvalidInput, "the value is not JSON, at line %d, column %d: %w", line, column, err).
		WithHint("say what it is, with --content-type text/plain for text")
}
