// Package serve is the `apify serve` command: a platform of one's own that keeps
// running and keeps what it is given.
package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Serves the platform's API on this machine and keeps its storages in the data
directory: Actors with their builds, runs, datasets, key-value stores and request
queues that last, for the official clients, CLI and SDKs as they are.

Actors are built into images and run in containers when a container engine
answers. Without one, or with --executor process, a build prepares a directory and
installs the Actor's dependencies there, and runs are processes of this machine.

At every start it prints the two lines that a client needs. The token in them is
the owner's; it is made at the first start and stays the same.

An answered write is on disk, and survives a loss of power. --durability relaxed
answers earlier: such a write survives the death of the server, not that of the
machine.

Runs share --total-memory: one that does not fit waits, READY, until others have
ended, and is started in its turn.

Nothing expires by itself unless --retention says so: with --retention 7d, runs
that ended seven days ago go, with their logs, and so do unnamed storages that
nobody has read or written for seven days. Storages with a name stay, and so do
those of a run for as long as the run itself.

Webhooks may call public addresses and this machine; other private addresses only
where --webhook-allow names them. Webhooks that the code of a run makes may call
this machine with --webhook-allow loopback only, or this server. Those that the
owner makes to start Actors of this server need no token in their URL.

SIGTERM and Ctrl-C end the server when the requests under way are answered, after
--drain at the latest. Runs in containers go on, and the next server takes them
over, also when this one was killed: with their output, time limits and ends. The
data directory serves one server at a time.

Exit codes: 0 ended by a signal, 1 anything else.`

const example = `  apify serve
  apify serve --listen 127.0.0.1:4000 --data-dir ./data
  apify serve --listen 127.0.0.1:0 --ready-file ready && . ./ready`

type options struct {
	factory *cmdkit.Factory
	start   cmdkit.StartServerFunc

	listen, dataDir, durability, readyFile, executor, retention string

	jsonLogs, verbose    bool
	drain                time.Duration
	totalMemory, maxRuns int

	webhookAllow []string
}

// New makes the command and those below it; start is what starts a server,
// keeper looks after its data.
func New(f *cmdkit.Factory, start cmdkit.StartServerFunc, keeper cmdkit.DataKeeper) *cobra.Command {
	o := &options{factory: f, start: start}
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the platform's API on this machine",
		Long:    long,
		Example: example,
		Args:    cmdkit.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			retention, err := o.check(cmd.CommandPath())
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), retention)
		},
	}
	o.addFlags(cmd.Flags())
	cmd.AddCommand(newInstall(f), newUninstall(f), newFsck(f, keeper))
	return cmd
}

// addFlags adds the options of a server.
func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.listen, "listen", "127.0.0.1:3333", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&o.dataDir, "data-dir", "", "`directory` of everything that is kept (default: greenroom in the user's data directory)")
	flags.StringVar(&o.durability, "durability", "full", "when a write is answered: `full` (on disk) or relaxed")
	flags.StringVar(&o.executor, "executor", "auto", "where Actors are built for and run: `auto`, docker or process")
	flags.IntVar(&o.totalMemory, "total-memory", 0, "`MB` of memory that runs share; the others wait, READY (default: that of the machine)")
	flags.IntVar(&o.maxRuns, "max-runs", 0, "how many `runs` may go on at once (default: as many as fit)")
	flags.StringVar(&o.retention, "retention", "off", "`age` at which ended runs and unused unnamed storages expire, such as 7d")
	flags.StringVar(&o.readyFile, "ready-file", "", "`file` to write the two lines to once requests are answered, and to remove at the end")
	flags.StringSliceVar(&o.webhookAllow, "webhook-allow", nil, "private `addresses` that webhooks may call: an address, a network such as 10.0.0.0/8, loopback or any")
	flags.DurationVar(&o.drain, "drain", 10*time.Second, "how long requests under way may take at the end")
	flags.BoolVar(&o.jsonLogs, "json-logs", false, "log as lines of JSON")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "log more")
}

// check looks at the options that were given, and gives the age of --retention.
func (o *options) check(command string) (retention time.Duration, err error) {
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		return 0, cmdkit.UsageError(command, "--listen must be HOST:PORT such as 127.0.0.1:3333, got %q", o.listen)
	}
	if o.durability != "full" && o.durability != "relaxed" {
		return 0, cmdkit.UsageError(command, "--durability must be full or relaxed, got %q", o.durability)
	}
	if !slices.Contains([]string{"auto", "docker", "process"}, o.executor) {
		return 0, cmdkit.UsageError(command, "--executor must be auto, docker or process, got %q", o.executor)
	}
	if o.totalMemory < 0 || o.maxRuns < 0 {
		return 0, cmdkit.UsageError(command, "--total-memory and --max-runs must not be negative")
	}
	if o.drain < 0 {
		return 0, cmdkit.UsageError(command, "--drain must not be negative")
	}
	return o.age(command)
}

// age reads --retention; 0 keeps everything.
func (o *options) age(command string) (time.Duration, error) {
	if o.retention == "" || o.retention == "off" {
		return 0, nil
	}
	age, tooLong, ok := cmdkit.ParseSpan(o.retention)
	if !ok || tooLong {
		return 0, cmdkit.UsageError(command, "--retention must be off or a number with s, m, h, d, w or y such as 7d, got %q", o.retention)
	}
	return age, nil
}

func (o *options) run(ctx context.Context, retention time.Duration) error {
	dir, err := cmdkit.DataDir(o.dataDir, o.factory.Getenv)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	server, err := o.start(ctx, cmdkit.ServerOptions{
		Listen: o.listen, DataDir: dir, Relaxed: o.durability == "relaxed", Retention: retention, Drain: o.drain,
		WebhookAllow: o.webhookAllow, Logger: o.logger(),
		Executor: o.executor, TotalMemory: o.totalMemory, MaxRuns: o.maxRuns, Notice: func(text string) { fmt.Fprintln(o.factory.IO.Err, "apify: "+text) },
	})
	if err != nil {
		return err
	}
	lines := fmt.Sprintf("export APIFY_CLIENT_BASE_URL=%s\nexport APIFY_TOKEN=%s\n", server.BaseURL(), server.Token())
	fmt.Fprintf(o.factory.IO.Err, "apify: serving %s from %s; a client needs\n", server.BaseURL(), dir)
	if _, err := fmt.Fprint(o.factory.IO.Out, lines); err != nil {
		return closing(server, fault.Wrap(fault.Unavailable, err, "what clients need could not be printed"))
	}
	if o.readyFile != "" {
		if err := publish(o.readyFile, lines); err != nil {
			return closing(server, fault.Wrap(fault.Unavailable, err, "the ready file %s cannot be written", o.readyFile))
		}
		defer os.Remove(o.readyFile)
	}
	select {
	case s := <-signals:
		fmt.Fprintf(o.factory.IO.Err, "apify: %v: ending\n", s)
		go func() { // who is in a hurry says so
			<-signals
			os.Exit(1)
		}()
	case <-ctx.Done():
	case err := <-server.Failed():
		return closing(server, err)
	}
	return server.Close()
}

// closing ends a server that cannot go on for the given reason.
func closing(server cmdkit.Server, reason error) error {
	_ = server.Close() // the reason is what counts
	return reason
}

// publish writes a file in one step: whoever waits for it finds it whole. It may
// hold a token, so it is the user's alone.
func publish(file, text string) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err == nil {
		_, err = temporary.WriteString(text)
		if closing := temporary.Close(); err == nil {
			err = closing
		}
		if err == nil {
			err = os.Rename(temporary.Name(), file)
		}
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}
	return err
}

func (o *options) logger() *slog.Logger {
	level := &slog.HandlerOptions{Level: slog.LevelInfo}
	if o.verbose {
		level.Level = slog.LevelDebug
	}
	if o.jsonLogs {
		return slog.New(slog.NewJSONHandler(o.factory.IO.Err, level))
	}
	return slog.New(slog.NewTextHandler(o.factory.IO.Err, level))
}
