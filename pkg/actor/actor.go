// Package actor is the Go SDK: what a program imports to be an Actor.
//
// In a run the program's storages, status and input are behind the platform's
// API, which the environment names; outside one they are files under ./storage,
// in the layout that the other SDKs read and write. The program does not notice:
//
//	func main() {
//		actor.Main(func(ctx context.Context, a *actor.Actor) error {
//			var input struct{ URL string }
//			if err := a.Input(ctx, &input); err != nil {
//				return err
//			}
//			if err := a.SetStatusMessage(ctx, "fetching "+input.URL, actor.Status{}); err != nil {
//				return err
//			}
//			return a.PushData(ctx, map[string]any{"url": input.URL, "ok": true})
//		})
//	}
//
// Errors are *fault.Error of pkg/fault: fault.Is(err, fault.NotFound) tells a
// missing key from a platform that cannot be reached.
package actor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Actor is this program's side of its run, or of its storage folder. Any number
// of goroutines may use it.
type Actor struct {
	config Config
	// Connecting and opening wait for the first use, so that a program pays
	// only for what it uses.
	api   func() (*client.Client, error)
	local func() (store.Root, error)

	mu     sync.Mutex
	opened store.Root
}

// New makes an Actor of the configuration; empty fields get their defaults.
// It opens nothing.
func New(config Config) *Actor {
	a := &Actor{config: config.withDefaults()}
	a.api = sync.OnceValues(a.config.connect)
	a.local = sync.OnceValues(func() (store.Root, error) {
		root, err := openRoot(a.config.StorageDir)
		if err == nil {
			a.mu.Lock()
			a.opened = root
			a.mu.Unlock()
		}
		return root, err
	})
	return a
}

// Init makes an Actor of the process's environment.
func Init() *Actor { return New(FromEnv(os.Getenv)) }

// Main runs program as an Actor and ends the process: with status 0 and the
// run's own last message when it returns nil, else with status 1 and the error
// as the run's final status message, printed to stderr too. The context ends on
// SIGINT and SIGTERM, which is how runs are stopped.
func Main(program func(ctx context.Context, a *Actor) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := Init()
	err := program(ctx, a)
	stop()
	status := 0
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		status = 1
		if err := a.message(err.Error()); err != nil {
			fmt.Fprintln(os.Stderr, "error: the status message was not set:", err)
		}
	}
	if err := a.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		status = 1
	}
	os.Exit(status)
}

// message leaves the final words of a program whose context may have ended.
func (a *Actor) message(text string) error {
	if !a.config.AtHome {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return a.SetStatusMessage(ctx, text, Status{Terminal: true})
}

// Config is what the program was told about itself.
func (a *Actor) Config() Config { return a.config }

// InRun tells whether the program is in a run of a platform.
func (a *Actor) InRun() bool { return a.config.AtHome }

// Close releases what was opened. The Actor must not be used afterwards.
func (a *Actor) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.opened == nil {
		return nil
	}
	err := a.opened.Close()
	a.opened = nil
	return err
}

// Value decodes a record of the default key-value store into v.
func (a *Actor) Value(ctx context.Context, key string, v any) error {
	return a.KeyValueStore().Get(ctx, key, v)
}

// SetValue stores v under key in the default key-value store.
func (a *Actor) SetValue(ctx context.Context, key string, v any) error {
	return a.KeyValueStore().Set(ctx, key, v)
}

// PushData appends items to the default dataset.
func (a *Actor) PushData(ctx context.Context, items ...any) error {
	return a.Dataset().Push(ctx, items...)
}

// Status qualifies a status message.
type Status struct {
	// Terminal messages are the run's last: later ones do not replace them.
	Terminal bool
	// Level is DEBUG, INFO, WARNING or ERROR; empty leaves it out.
	Level string
	// RunID names another run than the program's own.
	RunID string
}

// SetStatusMessage tells the run's user what is going on. Outside a run, unless
// status names one, it does nothing.
func (a *Actor) SetStatusMessage(ctx context.Context, message string, status Status) error {
	id := status.RunID
	if id == "" {
		if !a.config.AtHome {
			return nil
		}
		if id = a.config.RunID; id == "" {
			return errNoRun()
		}
	}
	update := api.RunUpdate{RunID: id, StatusMessage: &message, Level: strings.ToUpper(status.Level)}
	if status.Terminal {
		update.IsStatusMessageTerminal = &status.Terminal
	}
	c, err := a.api()
	if err != nil {
		return err
	}
	_, err = c.Run(id).Update(ctx, update)
	return within(err, "run %s", id)
}

func errNoRun() error {
	return fault.New(fault.Usage, "the environment does not say which run this is").
		WithHint("set ACTOR_RUN_ID")
}

// exitPatience is how long Exit waits for the platform to end the process.
const exitPatience = 30 * time.Second

// Exit ends the run with the status and the final message, from wherever in the
// run's processes it is called. In a run on Greenroom it does not return before
// the platform has had 30 s to end this very process. On a platform that cannot
// end runs that way it sets the final message. When it returns nil, and outside
// a run at once, the caller should end its process with the status; the run
// ends so when that is its main process.
func (a *Actor) Exit(ctx context.Context, status int, message string) error {
	if !a.config.AtHome {
		return nil
	}
	if a.config.RunID == "" {
		return errNoRun()
	}
	c, err := a.api()
	if err != nil {
		return err
	}
	err = c.Run(a.config.RunID).Exit(ctx, api.RunExit{ExitCode: status, StatusMessage: message})
	switch fault.CodeOf(err) {
	case "":
		select {
		case <-time.After(exitPatience):
		case <-ctx.Done():
		}
		return nil
	case fault.NotFound, fault.MethodNotAllowed, fault.NotImplemented:
		if message == "" {
			return nil
		}
		return a.SetStatusMessage(ctx, message, Status{Terminal: true})
	}
	return err
}

// Fail is Exit with status 1.
func (a *Actor) Fail(ctx context.Context, message string) error { return a.Exit(ctx, 1, message) }

// within says where an error of the API happened, keeping its code and hint.
func within(err error, format string, args ...any) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Code == fault.Unavailable || e.Code == fault.Unauthenticated {
		return err
	}
	return fault.Wrap(e.Code, err, format, args...)
}

// encode gives the JSON of v without escaping what only HTML would mind.
func encode(v any) (json.RawMessage, error) {
	if raw, ok := v.(json.RawMessage); ok {
		if !json.Valid(raw) {
			return nil, fault.New(fault.InvalidInput, "%.60q is not JSON", raw)
		}
		return raw, nil
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "a value has no JSON form")
	}
	return json.RawMessage(strings.TrimSuffix(text.String(), "\n")), nil
}
