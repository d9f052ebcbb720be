package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/internal/service"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const installLong = `Lets this machine run apify serve by itself, for this user: it writes a unit for
systemd (Linux) or an agent for launchd (macOS) that starts the server with the
options given here, now and at every log-in, and starts it again when it fails.

Nothing is started before the commands are run that are printed; --now runs them.
Doing it again with other options replaces the file.

The two lines that a client needs are in the file client.env of the data directory
for as long as the server runs: . DIR/client.env. Programs that Actors need are
looked for where this shell looks for them (PATH), and containers where
DOCKER_HOST says.

--json prints {"file", "changed", "started", "next"}; next are the commands that are
still to be run, each a list of words.

Exit codes: 0 installed, 255 this system has neither systemd nor launchd, 1
anything else.`

const installExample = `  apify serve install --now
  apify serve install --listen 127.0.0.1:4000 --retention 30d
  . ~/.local/share/greenroom/client.env && apify datasets ls`

const uninstallLong = `Removes what apify serve install has written. The data directory stays.

The server goes on until the commands are run that are printed; --now runs them.
When nothing is installed, there is nothing to do.

--json prints {"file", "changed", "stopped", "next"}; next are the commands that are
still to be run, each a list of words.

Exit codes: 0 nothing is installed any more, 255 this system has neither systemd
nor launchd, 1 anything else.`

type installOptions struct {
	factory *cmdkit.Factory
	serve   *options
	now     bool
	output  jq.Output
}

// newInstall makes the command that takes the options of the server itself.
func newInstall(f *cmdkit.Factory) *cobra.Command {
	o := &installOptions{factory: f, serve: &options{factory: f}}
	cmd := &cobra.Command{
		Use:     "install",
		Short:   "Let this machine run the server at every log-in",
		Long:    installLong,
		Example: installExample,
		Args:    cmdkit.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := o.serve.check(cmd.CommandPath()); err != nil {
				return err
			}
			return o.install(cmd.Context(), cmd.Flags())
		},
	}
	o.serve.addFlags(cmd.Flags())
	o.addFlags(cmd.Flags(), "start the server now")
	return cmd
}

func newUninstall(f *cmdkit.Factory) *cobra.Command {
	o := &installOptions{factory: f}
	cmd := &cobra.Command{
		Use:     "uninstall",
		Short:   "Undo apify serve install",
		Long:    uninstallLong,
		Example: "  apify serve uninstall --now",
		Args:    cmdkit.Args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.uninstall(cmd.Context()) },
	}
	o.addFlags(cmd.Flags(), "stop the server now")
	return cmd
}

func (o *installOptions) addFlags(flags *pflag.FlagSet, now string) {
	flags.BoolVar(&o.now, "now", false, now)
	o.output.AddFlags(flags)
}

// own are the flags of install itself, which the server does not know.
var own = []string{"now", "json", "jq", "help"}

// program is the server as the service is to start it.
func (o *installOptions) program(flags *pflag.FlagSet) (service.Program, string, error) {
	none := func(err error) (service.Program, string, error) { return service.Program{}, "", err }
	dir, err := cmdkit.DataDir(o.serve.dataDir, o.factory.Getenv)
	if err != nil {
		return none(err)
	}
	ready := filepath.Join(dir, "client.env")
	if o.serve.readyFile != "" {
		if ready, err = filepath.Abs(o.serve.readyFile); err != nil {
			return none(fault.Wrap(fault.Internal, err, "find the ready file"))
		}
	}
	self, err := os.Executable()
	if err != nil {
		return none(fault.Wrap(fault.Internal, err, "find this program"))
	}
	p := service.Program{Path: self, Args: []string{"serve", "--data-dir=" + dir, "--ready-file=" + ready}, Stop: o.serve.drain}
	flags.Visit(func(f *pflag.Flag) { // those that were given, by name
		if f.Name != "data-dir" && f.Name != "ready-file" && !slices.Contains(own, f.Name) {
			p.Args = append(p.Args, "--"+f.Name+"="+f.Value.String())
		}
	})
	for _, name := range []string{"PATH", "DOCKER_HOST"} {
		if value := o.factory.Getenv(name); value != "" {
			p.Env = append(p.Env, name+"="+value)
		}
	}
	return p, ready, nil
}

// file is the service's file of this system.
func (o *installOptions) file(p service.Program) (service.File, error) {
	f, err := service.For(runtime.GOOS, service.Home{
		Dir: o.factory.Getenv("HOME"), Config: absolute(o.factory.Getenv("XDG_CONFIG_HOME")), UID: os.Getuid(),
	}, p)
	if err == nil && o.factory.Getenv("HOME") == "" {
		err = fault.New(fault.Usage, "there is no home directory to install a service in").WithHint("set HOME")
	}
	return f, err
}

// absolute ignores relative paths, as the XDG base directory specification does.
func absolute(dir string) string {
	if filepath.IsAbs(dir) {
		return dir
	}
	return ""
}

func (o *installOptions) install(ctx context.Context, flags *pflag.FlagSet) error {
	if err := o.output.Prepare(); err != nil {
		return err
	}
	p, ready, err := o.program(flags)
	if err != nil {
		return err
	}
	f, err := o.file(p)
	if err != nil {
		return err
	}
	old, err := present(f)
	if err != nil {
		return err
	}
	changed := string(old) != f.Text
	if changed {
		if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
			return fault.Wrap(fault.Unavailable, err, "install the service")
		}
		if err := publish(f.Path, f.Text); err != nil {
			return fault.Wrap(fault.Unavailable, err, "install the service")
		}
		o.say("installed " + f.Path)
	} else {
		o.say(f.Path + " is installed already, as it is to be")
	}
	next := f.Start
	if old != nil {
		next = append(slices.Clone(f.Reset), f.Start...)
	}
	if o.now {
		for _, command := range f.Reset {
			_ = exec.CommandContext(ctx, command[0], command[1:]...).Run() // it may have nothing to end
		}
		if err := o.runAll(ctx, f.Start); err != nil {
			return err
		}
		o.say("the server is starting; a client needs what is then in " + ready)
		next = [][]string{}
	}
	if o.output.Wanted() {
		return o.output.Print(ctx, o.factory.IO, map[string]any{"file": f.Path, "changed": changed, "started": o.now, "next": next})
	}
	o.tell(next)
	if !o.now {
		o.say("a client needs what is then in " + ready)
	}
	o.say(f.Note)
	return nil
}

// present reads the file that is there; none is nil. One that somebody else has
// written is fault.Conflict.
func present(f service.File) ([]byte, error) {
	old, err := os.ReadFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "look at the service")
	}
	if !bytes.Contains(old, []byte(service.Marker)) {
		return nil, fault.New(fault.Conflict, "%s was not written by apify serve install", f.Path).
			WithHint("move it away if it is not needed")
	}
	return old, nil
}

func (o *installOptions) uninstall(ctx context.Context) error {
	if err := o.output.Prepare(); err != nil {
		return err
	}
	f, err := o.file(service.Program{})
	if err != nil {
		return err
	}
	old, err := present(f)
	if err != nil {
		return err
	}
	next := [][]string{}
	switch {
	case old == nil:
		o.say("nothing is installed")
	case o.now:
		// While the file is there: the system may look at it.
		if err := o.runAll(ctx, f.Stop); err != nil {
			return err
		}
	default:
		next = f.Stop
	}
	if old != nil {
		for _, path := range append([]string{f.Path}, f.Links...) {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fault.Wrap(fault.Unavailable, err, "remove the service")
			}
		}
		o.say("removed " + f.Path)
	}
	if o.output.Wanted() {
		return o.output.Print(ctx, o.factory.IO, map[string]any{
			"file": f.Path, "changed": old != nil, "stopped": old != nil && o.now, "next": next,
		})
	}
	o.tell(next)
	return nil
}

func (o *installOptions) say(line string) {
	fmt.Fprintln(o.factory.IO.Err, "apify: "+cmdkit.Printable(line))
}

// tell prints the commands that are to be run next.
func (o *installOptions) tell(commands [][]string) {
	if len(commands) == 0 {
		return
	}
	o.say("to go on, run (or give --now):")
	for _, command := range commands {
		fmt.Fprintln(o.factory.IO.Out, strings.Join(command, " "))
	}
}

// runAll runs commands of the system, one after the other.
func (o *installOptions) runAll(ctx context.Context, commands [][]string) error {
	for _, command := range commands {
		line := strings.Join(command, " ")
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		out, err := cmd.CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return fault.New(fault.Unavailable, "there is no %s on this machine, which --now needs", command[0]).
				WithHint("start 'apify serve' by other means")
		}
		if err != nil {
			return fault.New(fault.Unavailable, "%s failed: %w: %s", line, err, bytes.TrimSpace(out))
		}
		o.say("ran " + line)
	}
	return nil
}
