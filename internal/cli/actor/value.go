package actor

import (
	"context"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func newGetInput(f *cmdkit.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "get-input",
		Short: "Print the run's input",
		Long: `Prints the input as it was stored, byte for byte, but for its secret fields,
which are decrypted; "actor get-value INPUT" prints them encrypted. Standard
input is not read.

Exit codes: 0 printed, 250 there is no input, 1 anything else.`,
		Example: "  actor get-input\n  actor get-input | jq -r .startUrl",
		Args:    cmdkit.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(cmd.Context(), f, func(ctx context.Context, a *actor.Actor) error {
				record, err := a.OpenInput(ctx)
				if err != nil {
					return err
				}
				return show(f.IO.Out, record)
			})
		},
	}
}

func newGetValue(f *cmdkit.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "get-value KEY",
		Short: "Print a value of the default key-value store",
		Long: `Prints the value under KEY as it was stored, byte for byte, however large it is.
Standard input is not read.

Exit codes: 0 printed, 250 there is no such key, 1 anything else.`,
		Example: "  actor get-value state | jq .page\n  actor get-value screenshot.png > screenshot.png",
		Args:    cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd.Context(), f, func(ctx context.Context, a *actor.Actor) error {
				record, err := a.KeyValueStore().Open(ctx, args[0])
				if err != nil {
					return err
				}
				return show(f.IO.Out, record)
			})
		},
	}
}

func show(out io.Writer, record *actor.Record) error {
	defer record.Body.Close()
	if _, err := io.Copy(out, record.Body); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the value was not printed to its end")
	}
	return nil
}

func newGetPublicURL(f *cmdkit.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "get-public-url KEY",
		Short: "Print the address of a value",
		Long: `Prints the address under which anybody can read the value under KEY. In a run
the value may be stored later. Outside a run it is the file:// address of the
value's file, which must exist.

Exit codes: 0 printed, 250 there is no such key (outside a run), 1 anything else.`,
		Example: "  actor get-public-url screenshot.png",
		Args:    cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd.Context(), f, func(ctx context.Context, a *actor.Actor) error {
				address, err := a.KeyValueStore().PublicURL(ctx, args[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(f.IO.Out, address)
				return err
			})
		},
	}
}

type setValueOptions struct {
	key         string
	value       *string // nil: standard input
	contentType string
}

func newSetValue(f *cmdkit.Factory) *cobra.Command {
	var o setValueOptions
	cmd := &cobra.Command{
		Use:   "set-value KEY [VALUE|-]",
		Short: "Store a value in the default key-value store",
		Long: `Stores VALUE, or what standard input gives until its end, under KEY. Values of
any size and any bytes are stored as they are, in one step: a failure leaves what
was there. With a VALUE, standard input is not read.

Without --content-type, JSON is stored as application/json, other text as
text/plain, and anything else as application/octet-stream. With --content-type
application/json the value must be JSON.

The key is removed when VALUE is null, or when there is neither a VALUE nor
anything on standard input: a terminal or /dev/null. A pipe or a file that turns
out to be empty stores an empty value.

Exit codes: 0 stored or removed, 5 not JSON, 1 anything else.`,
		Example: `  actor set-value state '{"page": 7}'
  actor set-value greeting "hello world"
  curl -s https://example.com/logo.png | actor set-value logo.png -c image/png
  actor set-value state null`,
		Args: cmdkit.Args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("content-type") && !validType(o.contentType) {
				return cmdkit.UsageError(cmd.CommandPath(), "%q is not a content type", o.contentType)
			}
			o.key, o.value = args[0], nil
			if len(args) == 2 && args[1] != "-" {
				o.value = &args[1]
			}
			// A terminal that was asked for by name is read, as cat does.
			nothing := len(args) == 1 && !f.IO.Piped()
			return with(cmd.Context(), f, func(ctx context.Context, a *actor.Actor) error {
				return o.run(ctx, a.KeyValueStore(), f.IO.In, nothing)
			})
		},
	}
	cmd.Flags().StringVarP(&o.contentType, "content-type", "c", "", "content `type` of the value")
	return cmd
}

func (o *setValueOptions) run(ctx context.Context, s *actor.KeyValueStore, in io.Reader, nothing bool) error {
	switch {
	case nothing, o.value != nil && *o.value == "null" && o.contentType == "":
		return s.Delete(ctx, o.key)
	case o.value != nil:
		in = strings.NewReader(*o.value)
	}
	if o.contentType != "" && !isJSON(o.contentType) {
		return s.Put(ctx, o.key, o.contentType, in)
	}
	value, err := spool(in)
	if err != nil {
		return err
	}
	defer value.Close()
	contentType := o.contentType
	switch {
	case contentType == "":
		contentType = value.contentType()
	case !value.json:
		return fault.New(fault.InvalidInput, "value %s is not JSON: nothing was stored", o.key).
			WithHint("give --content-type text/plain to store it as text")
	}
	return s.Put(ctx, o.key, contentType, value)
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

func validType(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && strings.Contains(media, "/")
}
