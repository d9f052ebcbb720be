package session

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Thing names an object with the address where it is shown.
type Thing struct {
	ID  string `json:"id"`
	URL string `json:"url,omitempty"`
	// Number and Status are those of builds and runs.
	Number string     `json:"number,omitempty"`
	Status api.Status `json:"status,omitempty"`
}

// Result is what --json prints of a command that starts something. Its fields
// are those of the official CLI.
type Result struct {
	OK        bool              `json:"ok"`
	Operation string            `json:"operation"`
	Actor     *Thing            `json:"actor,omitempty"`
	Task      *Thing            `json:"task,omitempty"`
	Run       *Thing            `json:"run,omitempty"`
	Build     *Thing            `json:"build,omitempty"`
	Storage   *Storages         `json:"storage,omitempty"`
	TimedOut  bool              `json:"timedOutWaiting,omitempty"`
	Next      map[string]string `json:"next,omitempty"`
	Error     *Failure          `json:"error,omitempty"`
	ExitCode  int               `json:"exitCode"`
}

// Storages are the default storages of a run.
type Storages struct {
	Dataset       string `json:"defaultDatasetId"`
	KeyValueStore string `json:"defaultKeyValueStoreId"`
	DatasetURL    string `json:"datasetUrl,omitempty"`
}

// Failure says why something ended badly.
type Failure struct {
	Phase   string   `json:"phase,omitempty"`
	Message string   `json:"message"`
	LogTail []string `json:"logTail,omitempty"`
}

// RunResult describes a run.
func (s *Session) RunResult(c *client.Client, operation string, run api.Run) Result {
	status := ExitStatus(run.Status, run.ExitCode)
	result := Result{
		OK: status == 0, Operation: operation, ExitCode: status,
		Actor: &Thing{ID: run.ActorID, URL: s.Link(c, "actors/"+run.ActorID, "actors/"+run.ActorID)},
		Run:   &Thing{ID: run.ID, Status: run.Status, URL: s.Link(c, "actors/"+run.ActorID+"/runs/"+run.ID, "actor-runs/"+run.ID)},
		Storage: &Storages{
			Dataset: run.DefaultDatasetID, KeyValueStore: run.DefaultKeyValueStoreID,
			DatasetURL: s.Link(c, "storage/datasets/"+run.DefaultDatasetID, "datasets/"+run.DefaultDatasetID),
		},
	}
	if status != 0 {
		result.Error = &Failure{Phase: "run", Message: "the run ended as " + string(run.Status)}
		if message := Text(run.StatusMessage); message != "" {
			result.Error.Message += ": " + message
		}
	}
	return result
}

// BuildResult describes a build.
func (s *Session) BuildResult(c *client.Client, operation string, build api.Build) Result {
	status := ExitStatus(build.Status, nil)
	result := Result{
		OK: status == 0, Operation: operation, ExitCode: status,
		Actor: &Thing{ID: build.ActorID, URL: s.Link(c, "actors/"+build.ActorID, "actors/"+build.ActorID)},
		Build: &Thing{
			ID: build.ID, Number: build.BuildNumber, Status: build.Status,
			URL: s.Link(c, "actors/"+build.ActorID+"/builds/"+build.BuildNumber, "actor-builds/"+build.ID),
		},
	}
	if status != 0 {
		result.Error = &Failure{Phase: "build", Message: "the build ended as " + string(build.Status)}
	}
	return result
}

// End prints a result, as JSON or as fields, and gives the error that makes the
// process end with its exit code.
func (s *Session) End(ctx context.Context, output *jq.Output, result Result) error {
	if output.Wanted() {
		if err := output.Print(ctx, s.IO, result); err != nil {
			return err
		}
	} else if err := s.printFields(result); err != nil {
		return err
	}
	if result.ExitCode != 0 {
		return &cmdkit.ExitError{Status: result.ExitCode}
	}
	return nil
}

func (s *Session) printFields(r Result) error {
	var pairs [][2]string
	for _, field := range []struct {
		name  string
		thing *Thing
	}{{"actor", r.Actor}, {"task", r.Task}, {"build", r.Build}, {"run", r.Run}} {
		if t := field.thing; t != nil {
			pairs = append(pairs, [2]string{field.name, t.ID}, [2]string{"number", t.Number}, [2]string{"status", string(t.Status)})
			if field.name != "actor" {
				pairs = append(pairs, [2]string{"url", t.URL})
			}
		}
	}
	if r.Storage != nil {
		pairs = append(pairs, [2]string{"dataset", r.Storage.Dataset}, [2]string{"key-value store", r.Storage.KeyValueStore})
	}
	if r.Error != nil {
		pairs = append(pairs, [2]string{"error", r.Error.Message})
		for _, line := range r.Error.LogTail {
			s.Note("%s", line)
		}
	}
	return s.IO.Fields(pairs)
}

// Call is a command's call of an Actor or a task: the run is started, followed to
// its end, and its results are printed.
type Call struct {
	Silent    bool
	Dataset   bool
	RecordKey string
	output    jq.Output
}

// AddFlags adds the flags of a call.
func (o *Call) AddFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&o.Silent, "silent", "s", false, "do not show the run's log")
	flags.BoolVarP(&o.Dataset, "output-dataset", "o", false, "print the default dataset's items as JSON when the run has ended")
	flags.StringVar(&o.RecordKey, "output-record-key", "", "print the record of this `key` of the default key-value store when the run has ended")
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

// Prepare compiles what is to be printed.
func (o *Call) Prepare() error {
	if o.output.Wanted() && (o.Dataset || o.RecordKey != "") {
		return fault.New(fault.InvalidInput, "--json and --jq print the result of the call, --output-dataset and --output-record-key what the run has produced: choose one")
	}
	return o.output.Prepare()
}

// Finish follows a run that was started, and prints what came of it.
func (o *Call) Finish(ctx context.Context, s *Session, c *client.Client, run api.Run, operation string, task *Thing) error {
	var log io.Writer = s.IO.Err
	if o.Silent {
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
	if result.Error != nil && (o.Dataset || o.RecordKey != "") {
		s.Note("%s", result.Error.Message)
	}
	switch {
	case o.Dataset:
		err = s.printItems(ctx, c, ended.Value.DefaultDatasetID)
	case o.RecordKey != "":
		err = s.printRecord(ctx, c, ended.Value.DefaultKeyValueStoreID, o.RecordKey)
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
