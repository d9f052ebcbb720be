package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// repository is what the address of a Git source says: URL#REF:DIRECTORY, the
// last two left out at will.
type repository struct{ url, ref, dir string }

func parseRepository(address string) (repository, error) {
	url, rest, _ := strings.Cut(address, "#")
	ref, dir, _ := strings.Cut(rest, ":")
	r := repository{url: url, ref: ref}
	if strings.HasPrefix(ref, "-") || strings.HasPrefix(url, "-") {
		return r, fault.New(fault.InvalidInput, "the address of the repository is malformed")
	}
	if dir != "" {
		cleaned, err := entryName(strings.Trim(dir, "/"))
		if err != nil {
			return r, fault.New(fault.InvalidInput, "the directory %.200q is not in the repository", dir)
		}
		r.dir = cleaned
	}
	return r, nil
}

// clone clones a repository with its submodules into dir, at the branch, the tag
// or the commit that its address names, and gives the directory that it names.
func clone(ctx context.Context, dir, address string, log io.Writer) (root string, err error) {
	r, err := parseRepository(address)
	if err != nil {
		return "", err
	}
	if _, err := exec.LookPath("git"); err != nil {
		return "", fault.New(fault.Unavailable, "git is needed to clone the source and is not on the PATH of the server").
			WithHint("install git where the server runs")
	}
	fmt.Fprintf(log, "Cloning %s\n", withoutQuery(r.url))
	g := &git{ctx: ctx, dir: dir, log: log}
	shallow := []string{"clone", "--depth=1", "--recurse-submodules", "--shallow-submodules", "--no-tags"}
	if r.ref != "" {
		shallow = append(shallow, "--branch="+r.ref)
	}
	err = g.run(append(shallow, "--", r.url, dir)...)
	if err != nil && ctx.Err() == nil {
		// A commit is neither a branch nor a tag, and is found in a whole clone
		// only; and there are servers that know no other clones.
		if err := emptied(dir); err != nil {
			return "", fault.Wrap(fault.Internal, err, "the source cannot be written")
		}
		err = g.run("clone", "--no-checkout", "--", r.url, dir)
		if err == nil {
			checkout := []string{"-C", dir, "checkout", "--quiet", "--detach"}
			if r.ref != "" {
				checkout = append(checkout, r.ref)
			}
			err = g.run(append(checkout, "--")...)
		}
		if err == nil {
			err = g.run("-C", dir, "submodule", "--quiet", "update", "--init", "--recursive")
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fault.New(fault.InvalidInput, "%s could not be cloned%s: %s", withoutQuery(r.url), at(r.ref), strings.ReplaceAll(err.Error(), r.url, withoutQuery(r.url))).
			WithHint("private repositories need an address with SSH, and a key of the user that the server runs as")
	}
	if commit, err := g.output("-C", dir, "rev-parse", "HEAD"); err == nil {
		fmt.Fprintf(log, "Commit %s\n", commit)
	}
	root = filepath.Join(dir, filepath.FromSlash(r.dir))
	real, err := filepath.EvalSymlinks(root)
	base, baseErr := filepath.EvalSymlinks(dir)
	if err != nil || baseErr != nil {
		return "", fault.New(fault.InvalidInput, "the repository has no directory %q%s", r.dir, at(r.ref))
	}
	if rel, err := filepath.Rel(base, real); err != nil || !filepath.IsLocal(rel) {
		return "", fault.New(fault.InvalidInput, "the directory %q leads out of the repository", r.dir)
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", fault.New(fault.InvalidInput, "%q is not a directory of the repository", path.Clean(r.dir))
	}
	return root, nil
}

func at(ref string) string {
	if ref == "" {
		return ""
	}
	return fmt.Sprintf(" at %q", ref)
}

// emptied takes away what is in a directory.
func emptied(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// git runs the program of that name. It never asks anybody anything, speaks the
// usual protocols only, and runs no hooks.
type git struct {
	ctx context.Context
	dir string
	log io.Writer
}

func (g *git) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(g.ctx, "git", append([]string{"-c", "core.hooksPath=" + os.DevNull, "-c", "advice.detachedHead=false"}, args...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		// Those of a repository that the server was started in.
		return strings.HasPrefix(v, "GIT_DIR=") || strings.HasPrefix(v, "GIT_WORK_TREE=") || strings.HasPrefix(v, "GIT_INDEX_FILE=")
	}), "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:git:ssh:file", "GIT_ASKPASS=", "SSH_ASKPASS=", "LC_ALL=C")
	if os.Getenv("GIT_SSH_COMMAND") == "" {
		cmd.Env = append(cmd.Env, "GIT_SSH_COMMAND=ssh -o BatchMode=yes")
	}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// run runs git; the last line that it says is its error.
func (g *git) run(args ...string) error {
	cmd := g.command(args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		if i := slices.IndexFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, "fatal: ") || strings.HasPrefix(line, "error: ")
		}); i >= 0 {
			return errors.New(lines[i])
		}
		return err
	}
	return nil
}

func (g *git) output(args ...string) (string, error) {
	out, err := g.command(args...).Output()
	return strings.TrimSpace(string(out)), err
}
