package session

import (
	"context"
	"fmt"
	"io"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
	"github.com/spf13/cobra"
)

// call is a command's call of an Actor or a task: the run is started, followed to
// its end, and its results are printed.
type call struct {
	silent    bool
	dataset   bool
	recordKey string
	output    jq.Output
}

// addFlags adds the flags of a call.
func (o *call) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&o.silent, "silent", "s", false, "do not show the run's log")
	flags.BoolVarP(&o.dataset, "output-dataset", "o", false, "print the default dataset's items as JSON when the run has ended")
	flags.StringVar(&o.recordKey, "output-record-key", "", "print the record of this `key` of the default key-value store when the run has ended")
	o.output.AddFlags(flags)
	cmd.MarkFlagsMutuallyExclusive("output-dataset", "output-record-key")
}

// CallHelp is the paragraph of long texts on how a call ends.
const CallHelp = `

The first Ctrl-C aborts the run gracefully: the Actor is told and has 30 seconds.
The second one ends it at once, the third one only leaves.

Exit codes: 0 the run succeeded, N the Actor's own exit code when it failed, 2 it
passed its time limit, 3 it was aborted, 5 the input is invalid, 250 there is no
such Actor or task, 1 anything else.`

// Begin starts the run that a command line asks for. The thing is the task that it
// is one of, nil for none.
type Begin func(ctx context.Context, c *client.Client, cmd *cobra.Command, start *Start, args []string) (api.Run, *Thing, error)

// Calling makes cmd a command that calls what begin starts.
func (s *Session) Calling(cmd *cobra.Command, operation string, begin Begin) *cobra.Command {
	var start Start
	var o call
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.prepare(); err != nil {
			return err
		}
		return s.Do(nil, func(ctx context.Context, c *client.Client, _ []string) error {
			run, task, err := begin(ctx, c, cmd, &start, args)
			if err != nil {
				return err
			}
			return o.finish(ctx, s, c, run, operation, task)
		})(cmd, args)
	}
	cmd.Flags().SortFlags = false
	start.AddFlags(cmd)
	o.addFlags(cmd)
	return cmd
}

// prepare compiles what is to be printed.
func (o *call) prepare() error {
	if o.output.Wanted() && (o.dataset || o.recordKey != "") {
		return fault.New(fault.InvalidInput, "--json and --jq print the result of the call, --output-dataset and --output-record-key what the run has produced: choose one")
	}
	return o.output.Prepare()
}

// finish follows a run that was started, and prints what came of it.
func (o *call) finish(ctx context.Context, s *Session, c *client.Client, run api.Run, operation string, task *Thing) error {
	var log io.Writer = s.IO.Err
	if o.silent {
		log = nil
	} else {
		s.Note("run %s of Actor %s was started: %s", run.ID, run.ActorID, s.Link(c, "actors/"+run.ActorID+"/runs/"+run.ID, "actor-runs/"+run.ID))
	}
	ended, err := s.WatchRun(ctx, c, run.ID, log, 0)
	if err != nil {
		return err
	}
	result := s.RunResult(c, operation, ended.Value)
	result.Task = task
	if result.Error != nil && (o.dataset || o.recordKey != "") {
		s.Note("%s", result.Error.Message)
	}
	switch {
	case o.dataset:
		err = s.printItems(ctx, c, ended.Value.DefaultDatasetID)
	case o.recordKey != "":
		err = s.printRecord(ctx, c, ended.Value.DefaultKeyValueStoreID, o.recordKey)
	default:
		return s.End(ctx, &o.output, result)
	}
	if result.ExitCode != 0 {
		return &cmdkit.ExitError{Status: result.ExitCode}
	}
	return err
}

func (s *Session) printItems(ctx context.Context, c *client.Client, dataset string) error {
	body, err := c.Dataset(dataset).Items(ctx, client.ItemsOptions{Clean: true})
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.Copy(s.IO.Out, body); err != nil {
		return fault.Wrap(fault.Unavailable, err, "reading the items of dataset %s", dataset)
	}
	_, err = fmt.Fprintln(s.IO.Out)
	return err
}

func (s *Session) printRecord(ctx context.Context, c *client.Client, store, key string) error {
	record, err := c.KeyValueStore(store).Record(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "the run has stored no record %q", key).WithHint("apify kvs keys %s lists what it has", store)
	}
	if err != nil {
		return err
	}
	defer record.Body.Close()
	_, err = io.Copy(s.IO.Out, record.Body)
	return err
}
