// Package cmdkit is what all commands share: their streams, terminal detection,
// printers, argument checks, and the dependencies that the composition root
// hands them. It links nothing heavy: the small actor binary uses it too.
package cmdkit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// IO is where a command reads and writes. Results go to Out, everything else
// to Err.
type IO struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	InTTY, OutTTY, ErrTTY bool
}

// System is the IO of this process.
func System() *IO {
	return &IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
	}
}

// PrintJSON writes v to Out as JSON indented by two spaces.
func (s *IO) PrintJSON(v any) error {
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Factory hands commands what they depend on. Members that cost something are
// functions, so that --help pays for none of them.
type Factory struct {
	IO *IO
	// Version of this binary, for --version and the User-Agent header.
	Version string
	// Getenv reads the environment; tests replace it.
	Getenv func(string) string
	// StartPlatform starts an engine with its API inside this process. It is
	// nil in binaries that link none.
	StartPlatform func(ctx context.Context, opts PlatformOptions) (Platform, error)
}

// PlatformOptions describe the platform that runs the Actor of one directory.
type PlatformOptions struct {
	// Dir is the Actor's directory; StorageDir is where its storages lie, ""
	// for what the environment says or Dir/storage.
	Dir        string
	StorageDir string
	// Executor is "auto", "docker" or "process".
	Executor string
	// NoCache builds every step anew; Rebuild builds though nothing changed.
	NoCache, Rebuild bool
	// Entrypoint is what to start instead of what the project says.
	Entrypoint string
	// NotAtHome gives the code files under StorageDir instead of the API.
	NotAtHome bool
	// AllowMissingSecrets leaves out variables whose @secret is unknown.
	AllowMissingSecrets bool
	// Env is added to the Actor's environment variables.
	Env map[string]string
	// Stdout and Stderr get what the Actor writes, byte for byte.
	Stdout, Stderr io.Writer
	// Build gets the output of image builds; Notice is told, line by line, what
	// was chosen and why; Changed about each change of status or status message.
	Build   io.Writer
	Notice  func(line string)
	Changed func(r api.Run)
}

// Platform is a running engine with its API on loopback.
type Platform interface {
	// BaseURL is the API's origin, without /v2; Token opens it.
	BaseURL() string
	Token() string
	// ActorID is the id of the Actor in PlatformOptions.Dir.
	ActorID() string
	// StorageDir is where the storages lie.
	StorageDir() string
	// CheckInput reports what is wrong with the input a run would get: body,
	// or, when that is nil, the stored one or the schema's defaults.
	CheckInput(ctx context.Context, body []byte, contentType string) error
	// Build prepares the Actor; starting a run does it too, but in silence.
	Build(ctx context.Context) error
	// Purge empties the default storages but for the stored input.
	Purge(ctx context.Context) error
	// Close ends what still runs and releases everything.
	Close() error
}

// ExitError makes the process end with a status of its own and prints nothing:
// whoever returns it has said all there is to say.
type ExitError struct{ Status int }

// Error implements error.
func (e *ExitError) Error() string { return fmt.Sprintf("exit status %d", e.Status) }

// UsageError is a fault.Usage error that points at the command's help.
func UsageError(command, format string, args ...any) error {
	return fault.New(fault.Usage, format, args...).WithHint("run '%s --help' for usage", command)
}

// PrintLine writes v to Out as JSON on one line.
func (s *IO) PrintLine(v any) error {
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
