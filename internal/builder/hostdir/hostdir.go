// Package hostdir finds how an Actor starts on this machine, without a
// container: from the project's own files, in the order in which people expect
// them to count. Compiled languages are built into the user's cache directory, or
// into that of the Actor where its dependencies are installed, too.
package hostdir

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/builder/dependencies"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Builder finds start commands.
type Builder struct{}

var _ builder.Builder = Builder{}

// New gives a Builder.
func New() Builder { return Builder{} }

// Build finds the start command of req.Actor; see [finder.find] for the order.
// Result.Dir is the Actor's directory, Command[0] an absolute path, or "actor",
// which the executor provides. Result.Env has a whole PATH when the command
// needs more on it than this process has.
// Errors: fault.InvalidInput when there is nothing to start or a choice to be
// made, fault.Unavailable when an interpreter or compiler is not installed,
// fault.RunFailed when the Actor does not compile.
func (Builder) Build(ctx context.Context, req builder.Request) (builder.Result, error) {
	f := &finder{ctx: ctx, actor: req.Actor, root: req.Actor.Root, log: req.Log}
	if f.log == nil {
		f.log = io.Discard
	}
	var p *plan
	var err error
	if req.Install {
		f.own = true
		err = dependencies.Install(ctx, f.root, req.Args, f.log)
	}
	if err == nil {
		p, err = f.choose(req.Entrypoint)
	}
	if err != nil {
		if ctx.Err() != nil {
			return builder.Result{}, fault.New(fault.Aborted, "the build was aborted: %w", context.Cause(ctx))
		}
		return builder.Result{}, err
	}
	env := p.env
	if len(p.path) > 0 {
		env = append(env, "PATH="+strings.Join(append(p.path, os.Getenv("PATH")), string(filepath.ListSeparator)))
	}
	summary := p.summary
	for _, w := range p.warnings {
		summary += "; warning: " + w
	}
	return builder.Result{Dir: f.root, Command: p.argv, Env: env, Cached: !p.built, Summary: summary}, nil
}

// plan is a way to start the Actor.
type plan struct {
	argv     []string
	path     []string // folders to search before those of PATH
	env      []string
	summary  string
	warnings []string
	built    bool // something was compiled for it
}

type finder struct {
	ctx   context.Context
	actor *definition.Actor
	root  string
	log   io.Writer
	// own says that the directory is the builder's, to install and compile into.
	own bool
	// nearly are things that were there but could not be started, for the error
	// when nothing else is found.
	nearly []string
}

func (f *finder) choose(entrypoint string) (*plan, error) {
	if entrypoint != "" {
		return f.entrypoint(entrypoint)
	}
	p, err := f.find()
	if p != nil || err != nil {
		return p, err
	}
	message := fmt.Sprintf("nothing to start found in %s", f.root)
	if len(f.nearly) > 0 {
		message += ": " + strings.Join(f.nearly, "; ")
	}
	return nil, fault.New(fault.InvalidInput, "%s", message).
		WithHint("looked for scripts.run in .actor/actor.json, package.json (start script or main), index or main .js files, a Python package or main.py, go.mod, Cargo.toml and a Dockerfile with CMD or ENTRYPOINT; add one of these, or name the command with --entrypoint")
}

// find looks for a start command in the project's files. The first that is
// there counts: scripts.run of actor.json, a Dockerfile that starts a program
// through actor exec, package.json, a bare JavaScript file, Python, Go, Rust, and
// what the Dockerfile's last stage starts.
func (f *finder) find() (*plan, error) {
	if f.actor.RunScript != "" {
		p, err := f.script(f.actor.RunScript, nil)
		if err != nil {
			return nil, err
		}
		p.summary = "scripts.run of actor.json: " + f.actor.RunScript
		return p, nil
	}
	for _, look := range []func() (*plan, error){f.adapted, f.packageJSON, f.bareJavaScript, f.python, f.golang, f.rust, f.dockerfile} {
		if p, err := look(); p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

func (f *finder) path(names ...string) string {
	return filepath.Join(append([]string{f.root}, names...)...)
}

// relative is a path as people know it: below the Actor, with slashes.
func (f *finder) relative(path string) string {
	if rel, err := filepath.Rel(f.root, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// cacheDir makes and gives a folder of the user's cache that belongs to this
// Actor's directory.
func (f *finder) cacheDir() (string, error) {
	if f.own {
		dir := f.path(".greenroom")
		return dir, fault.Wrap(fault.Unavailable, os.MkdirAll(dir, 0o700), "the directory to compile into cannot be made")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "there is no cache directory to compile into")
	}
	dir := filepath.Join(base, "greenroom", "bin", hashOf(f.root))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the cache directory cannot be made")
	}
	return dir, nil
}

func executableName(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
