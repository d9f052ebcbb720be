// Package executor starts one thing, streams its output, reports its usage and
// says how it ended. docker and process implement it; the suite in executortest
// is what both must pass.
package executor

import (
	"context"
	"io"
	"time"
)

// Executor starts Actors in one kind of place. Safe for concurrent use.
type Executor interface {
	// Name is what --executor calls it: "docker" or "process".
	Name() string
	// Endpoint says how code that runs here reaches a server of ours.
	Endpoint(ctx context.Context) (Endpoint, error)
	// Start starts what spec describes. When it returns an error nothing runs
	// and nothing is left behind. Spec.Stdout and Spec.Stderr are written to by
	// at most one goroutine each, until Wait returns.
	Start(ctx context.Context, spec Spec) (Instance, error)
	// Reap ends and removes everything that an Executor of a process that is
	// gone left behind on this machine, and reports what it ended. What belongs
	// to a living process stays, and so does what is detached.
	Reap(ctx context.Context) ([]Leftover, error)

	// Capabilities says what is enforced here. It may get less once a start has
	// shown that the place cannot do what it was believed to.
	Capabilities(ctx context.Context) (Capabilities, error)

	// Attach takes over what an executor of the same server has started
	// detached, whether it still runs or has ended since. The error is
	// fault.NotFound and wraps a Lost when there is no such thing any more.
	Attach(ctx context.Context, h Handle, t TakeOver) (Instance, error)
	// List tells what there is that was started detached for this server.
	List(ctx context.Context) ([]Detached, error)
	// Remove ends something that was started detached, if it still runs, and
	// removes everything of it, its output included. That there is no such
	// thing, or an empty handle, is success. What List gave as not started is
	// left alone, with fault.Conflict, when it has started since: look again.
	Remove(ctx context.Context, h Handle) error

	// Close gives up what the executor holds. What is detached goes on: Wait
	// gives ErrClosed, and Output is not called any more.
	Close() error
}

// Endpoint tells where to listen so that the executed code, and nothing wider,
// can connect, and under which host name it then sees us.
type Endpoint struct {
	ListenIP string // IP address to bind: "127.0.0.1", or the container network's gateway
	Host     string // host name or address for URLs given to the code
}

// Spec is one thing to start.
type Spec struct {
	RunID string
	// Image is the id of the image to run (docker).
	Image string
	// Dir is the working directory on the host and Command what to run there
	// (process). With docker a non-empty Command overrides the image's own.
	Dir     string
	Command []string
	// Env is the whole environment that the platform adds: NAME=value. The
	// image's (docker) or the host's scrubbed one (process) lies below it.
	Env []string
	// Labels mark a container; run id and owner are added by the executor.
	Labels map[string]string
	// MemoryMbytes limits memory and, at one core per 4096, the CPU share.
	// 0 means no limit. The process executor does not enforce it.
	MemoryMbytes int
	// DiskMbytes limits what the code may write beside its image, where
	// Capabilities says that this can be enforced. 0 means no limit.
	DiskMbytes int
	// WebServerPort is where the code may serve; HostPort is where that is
	// reachable on loopback. 0 publishes nothing.
	WebServerPort int
	HostPort      int
	// ActorBinary is the host path of the actor command, put on the PATH of the
	// code when it has none of that name. "" puts nothing there.
	ActorBinary string

	Stdout, Stderr io.Writer
	// Output, when not nil, gets both streams instead of Stdout and Stderr. It
	// is called by one goroutine at a time, until Wait returns.
	Output Output
}

// Instance is something that was started.
type Instance interface {
	// ID is the container id or the process id, for people and logs.
	ID() string
	// Wait blocks until the thing has ended and all its output has been
	// written, releases what it held (container, group, mounts) and says how it
	// ended. Every call gives the same answer.
	//
	// What is detached keeps its output and its end until Remove, so that Attach
	// can tell them again. An error that wraps a Lost says why the end of it is
	// not known.
	Wait(ctx context.Context) (Exit, error)
	// Signal asks the thing to end: SIGTERM where there are signals.
	Terminate(ctx context.Context) error
	// Kill ends the thing and everything it started, at once. Killing what has
	// ended is not an error.
	Kill(ctx context.Context) error
	// Usage is the present consumption. ok is false when it cannot be told.
	Usage(ctx context.Context) (u Usage, ok bool)
	// Handle is what Attach needs to find the thing again, "" when it ends with
	// us anyway.
	Handle() Handle
}

// Exit says how something ended.
type Exit struct {
	Code      int  // exit status; 128+signal when a signal ended it
	OOMKilled bool // the memory limit ended it
	// Cause is what else ended it, as far as that is known.
	Cause Cause
}

// Cause is what ended something that has not ended on its own, besides its
// memory limit and what was asked of its Instance.
type Cause string

// The causes.
const (
	CauseUnknown    Cause = ""            // its own code, or nobody can tell
	CauseHostMemory Cause = "host-memory" // the machine was out of memory
	CauseEngine     Cause = "engine"      // the container engine was stopped or restarted
	CauseOutside    Cause = "outside"     // somebody else told the container engine to
)

// Usage is what something consumes. CPUTime is the sum over all cores since the
// start; the caller makes percentages of it.
type Usage struct {
	MemoryBytes int64
	CPUTime     time.Duration
	NetRxBytes  int64
	NetTxBytes  int64
}

// Leftover is something Reap ended.
type Leftover struct {
	RunID string
	ID    string // container or process
}

// Await returns nil once done is closed, else ctx's error. An end that has come
// counts even if ctx has ended too, so that every Wait gives the same answer.
func Await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
