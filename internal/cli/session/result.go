package session

import (
	"context"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
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
