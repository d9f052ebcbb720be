package actor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/adapter"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

type execOptions struct {
	factory *cmdkit.Factory
	words   []string
	stdin   string
	output  string
	key     string
}

func newExec(f *cmdkit.Factory) *cobra.Command {
	o := execOptions{factory: f}
	cmd := &cobra.Command{
		Use:   "exec [flags] [--] COMMAND [WORD…]",
		Short: "Run a program on the input and keep what it prints",
		Long: `Runs a program that knows nothing of Actors: the input's fields become its
arguments, and what it prints becomes items of the default dataset or a record.
No shell is involved, so no value can be taken for anything but an argument.

In the WORDs these stand for fields of the input:

  --depth={{maxDepth}}          the value of maxDepth; the word is left out when
                                the field is absent, null or empty, and repeated
                                for each item of an array
  {{--verbose verbose}}         --verbose, when the field is true
  {{--color|--no-color color}}  the first when it is true, the second when false
  {{-o format}}                 -o and the value, two words; for each item
  {{--tags... tags}}            --tags once, then all values
  {{@rules}}                    the name of a file that holds the field's text
  {{proxy.url}}                 a field of a field, or of every item of an array
  {{.}}                         the whole input as JSON

--stdin names the field that the program reads as its standard input; "." is the
whole input as JSON, "-" the standard input of this command. Without it the
program's standard input is empty.

--output says what the program prints:

  auto   JSON objects, arrays and lines make items, so do CSV and TSV tables with
         a heading; anything else is one value (this is the default)
  json   JSON objects or arrays of them, one after the other, of any length
  lines  an item {"line": "…"} for each line
  csv    an item for each row, named by the first one; tsv likewise
  value  one value: text, an image, anything; --key names its record
  none   nothing: it goes to the log

Items are pushed while the program runs. Its standard error goes to the log. What
it printed is kept when it fails, too.

Exit codes: the program's own, 128+N when signal N ended it; 1 when it cannot be
started; 5 when the input is no object, or what it printed is not what --output
says.`,
		Example: `  actor exec -- grep --max-count={{limit}} -e {{pattern}} -- {{@text}}
  actor exec --stdin text --output lines -- sort {{-r reverse}}
  actor exec --output csv -- python3 report.py "{{--since since}}" {{files}}`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmdkit.UsageError(cmd.CommandPath(), "there is no COMMAND to run")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(adapter.Formats, adapter.Format(o.output)) {
				return cmdkit.UsageError(cmd.CommandPath(), "--output must be one of %s, got %q", formats(), o.output)
			}
			o.words = args
			return with(cmd.Context(), f, o.run)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.StringVar(&o.stdin, "stdin", "", "`field` of the input that the program reads as standard input")
	flags.StringVar(&o.output, "output", string(adapter.Auto), "what the program prints: `"+formats()+"`")
	flags.StringVar(&o.key, "key", "OUTPUT", "`key` of the record that keeps what is not items")
	return cmd
}

func formats() string {
	names := make([]string, len(adapter.Formats))
	for i, f := range adapter.Formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// largestInput is the most bytes of an input: arguments cannot be larger.
const largestInput = 32 << 20

func (o *execOptions) run(ctx context.Context, a *actor.Actor) error {
	input, err := readInput(ctx, a)
	if err != nil {
		return err
	}
	var dir string // of the files of {{@field}}, made when the first is needed
	defer func() {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}()
	files := 0
	command := adapter.Command{Words: o.words, File: func(text []byte) (string, error) {
		if dir == "" {
			made, err := os.MkdirTemp("", "actor-input-*")
			if err != nil {
				return "", fault.Wrap(fault.Unavailable, err, "make a folder for the program's files")
			}
			dir = made
		}
		files++
		name := filepath.Join(dir, strconv.Itoa(files)+".txt")
		return name, fault.Wrap(fault.Unavailable, os.WriteFile(name, text, 0o600), "keep a field in a file")
	}}
	words, err := command.Expand(input)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return fault.New(fault.InvalidInput, "no COMMAND is left: the fields that it is made of are not in the input")
	}
	child := exec.Command(words[0], words[1:]...)
	child.Stderr = o.factory.IO.Err
	switch o.stdin {
	case "":
	case "-":
		child.Stdin = o.factory.IO.In
	default:
		text, err := adapter.Field(o.stdin, input)
		if err != nil {
			return err
		}
		child.Stdin = bytes.NewReader(text)
	}
	if o.output == string(adapter.None) {
		child.Stdout = o.factory.IO.Out
		return o.supervise(child, func() error { return nil })
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "connect to %s", words[0])
	}
	return o.supervise(child, func() error {
		err := o.keep(ctx, a, out)
		// A program whose output nobody reads does not end.
		_, _ = io.Copy(io.Discard, out)
		return err
	})
}

// readInput gives the run's input; a run without one has no fields.
func readInput(ctx context.Context, a *actor.Actor) ([]byte, error) {
	record, err := a.OpenInput(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer record.Body.Close()
	input, err := io.ReadAll(io.LimitReader(record.Body, largestInput+1))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read the input")
	}
	if len(input) > largestInput {
		return nil, fault.New(fault.InvalidInput, "the input has more than %d bytes, which is too much for arguments", largestInput)
	}
	return input, nil
}

// supervise starts the program, hands signals on to it, and ends as it does.
// What keep says counts when the program succeeded.
func (o *execOptions) supervise(child *exec.Cmd, keep func() error) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return fault.New(fault.Unavailable, "the program cannot be started: %w", err).
			WithHint("it must be in the image, and on the PATH there")
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-signals:
				if s != os.Interrupt || !o.factory.IO.InTTY { // a terminal's Ctrl-C reaches both
					_ = child.Process.Signal(s)
				}
			case <-done:
				return
			}
		}
	}()
	kept := keep()
	err := child.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		if kept != nil {
			cmdkit.Report(o.factory.IO, "actor", kept)
		}
		return &cmdkit.ExitError{Status: exitStatus(exit)}
	case kept != nil:
		return kept
	case err != nil:
		return fault.Wrap(fault.Unavailable, err, "the program's end")
	}
	return nil
}

// exitStatus is the status a shell would give: 128 and the number of the signal
// for a program that one ended.
func exitStatus(exit *exec.ExitError) int {
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return max(exit.ExitCode(), 1)
}

// keep stores what the program prints.
func (o *execOptions) keep(ctx context.Context, a *actor.Actor, out io.Reader) error {
	results, err := adapter.Read(out, adapter.Format(o.output), o.factory.IO.Err)
	switch {
	case err != nil:
		return fault.Wrap(fault.Unavailable, err, "read what the program prints")
	case results.Items != nil:
		defer results.Items.Close()
		from := source{name: "the program's output", in: results.Items, json: true, live: true}
		err := push(ctx, from, func() (*actor.Dataset, error) { return a.OpenDataset(ctx, "") })
		if fault.Is(err, fault.NothingToDo) {
			return nil
		}
		return err
	case results.Value != nil:
		if err := a.KeyValueStore().Put(ctx, o.key, results.ContentType, results.Value); err != nil {
			return err
		}
		fmt.Fprintf(o.factory.IO.Err, "actor: what the program printed is in the record %s (%s)\n", o.key, results.ContentType)
	}
	return nil
}
