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
	// Dir is the Actor's directory; StorageDir where ./storage lies.
	Dir        string
	StorageDir string
	// Executor is "auto", "docker" or "process".
	Executor string
	// Purge empties the default storages (but for the input) before the run.
	Purge bool
	// NoCache and Rebuild: see builder.Request.
	NoCache, Rebuild bool
	Entrypoint       string
	// NotAtHome gives the code files under StorageDir instead of the API.
	NotAtHome bool
	// AllowMissingSecrets leaves out variables whose @secret is unknown.
	AllowMissingSecrets bool
	// Stdout and Stderr get what the Actor writes, byte for byte.
	Stdout, Stderr io.Writer
	// Build gets the output of image builds; Notice is told, line by line, what
	// was chosen and why.
	Build  io.Writer
	Notice func(line string)
}

// Platform is a running engine with its API on loopback.
type Platform interface {
	// BaseURL is the API's origin, without /v2; Token opens it.
	BaseURL() string
	Token() string
	// ActorID is the id of the Actor in PlatformOptions.Dir.
	ActorID() string
	// StoredInput is the input that is used when none is given: the stored
	// INPUT record. ok is false when there is none.
	StoredInput(ctx context.Context) (body []byte, contentType string, ok bool, err error)
	// Close ends what still runs and releases everything.
	Close(ctx context.Context) error
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
