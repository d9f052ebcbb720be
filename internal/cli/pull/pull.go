// Package pull is the `apify pull` command: it writes the source that an API has
// of an Actor into a directory.
package pull

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Writes the source of an Actor's version, as the API has it, into a directory.

ACTOR is an id, USERNAME/NAME, or the name of one of yours; its source goes into a
new directory with the Actor's name, or --dir, which must be empty. Without ACTOR,
the one that .actor/actor.json names is meant, and the files of this directory, or
--dir, are replaced; files that the API does not have stay.

Source in files and archives is written byte for byte. Source in a Git repository or
a gist is cloned, for which git must be there. Nothing is written outside of the
directory.

Exit codes: 0 written, 250 there is no such Actor or version, 1 the directory is not
empty, or anything else.`

type options struct {
	*session.Session
	version, dir string
}

// NewIn makes the command for a group whose session it takes.
func NewIn(s *session.Session) *cobra.Command {
	o := &options{Session: s}
	cmd := &cobra.Command{
		Use: "pull [ACTOR]", Short: "Get the source that an API has of an Actor", Long: long, Args: cmdkit.Args(0, 1),
		Example: "  apify pull apify/hello-world\n  apify pull my-actor --version 0.1 --dir old",
		RunE:    s.Do(nil, o.run),
	}
	cmd.Flags().StringVarP(&o.version, "version", "v", "", "`number` of the version (default: the newest)")
	cmd.Flags().StringVar(&o.dir, "dir", "", "`directory` to write to")
	return cmd
}

// New makes the command `apify pull`.
func New(f *cmdkit.Factory) *cobra.Command {
	s := session.New(f)
	return s.Alone(NewIn(s))
}

func (o *options) run(ctx context.Context, c *client.Client, args []string) error {
	actor, err := o.ActorHere(ctx, c, args)
	if err != nil {
		return err
	}
	number, err := o.number(actor.Value)
	if err != nil {
		return err
	}
	version, err := c.Actor(actor.Value.ID).Version(number).Get(ctx)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "actor %s has no version %s", actor.Value.Name, number)
	}
	if err != nil {
		return err
	}
	dir := firstOf(o.dir, ".")
	if len(args) > 0 {
		dir = firstOf(o.dir, actor.Value.Name)
		if err := mustBeEmpty(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(fault.Unavailable, err, "making the directory")
	}
	n, err := o.write(ctx, c, dir, version.Value)
	if err != nil {
		return err
	}
	o.Note("wrote version %s of Actor %s/%s into %s: %d files", number, actor.Value.Username, actor.Value.Name, dir, n)
	return nil
}

func (o *options) number(actor api.Actor) (string, error) {
	if o.version != "" {
		return o.version, nil
	}
	if len(actor.Versions) == 0 {
		return "", fault.New(fault.NotFound, "actor %s has no version", actor.Name)
	}
	newest := slices.MaxFunc(actor.Versions, func(a, b api.ActorVersion) int { return session.CompareVersions(a.VersionNumber, b.VersionNumber) })
	return newest.VersionNumber, nil
}

func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "reading the directory")
	}
	if len(entries) > 0 {
		return fault.New(fault.Conflict, "the directory %s is not empty", dir).WithHint("name another one with --dir")
	}
	return nil
}

// write writes the source of a version and gives the number of files.
func (o *options) write(ctx context.Context, c *client.Client, dir string, version api.ActorVersion) (int, error) {
	switch version.SourceType {
	case api.SourceFiles:
		return writeFiles(dir, version.SourceFiles)
	case api.SourceTarball:
		return o.unpack(ctx, c, dir, version.TarballURL)
	case api.SourceGitRepo:
		return clone(ctx, dir, version.GitRepoURL)
	case api.SourceGitHubGist:
		return clone(ctx, dir, version.GitHubGistURL)
	}
	return 0, fault.New(fault.NotImplemented, "source of the type %s is not known here", version.SourceType)
}

func writeFiles(dir string, files []api.SourceFile) (int, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "opening the directory")
	}
	defer root.Close()
	// What cannot be written is told before anything is.
	contents := make([][]byte, len(files))
	for i, f := range files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return 0, outside(f.Name)
		}
		if f.Content == nil {
			continue
		}
		contents[i] = []byte(*f.Content)
		if strings.EqualFold(f.Format, "BASE64") {
			if contents[i], err = base64.StdEncoding.DecodeString(*f.Content); err != nil {
				return 0, fault.New(fault.InvalidInput, "the file %q of the source is no base64: %w", f.Name, err)
			}
		}
	}
	n := 0
	for i, f := range files {
		if f.Folder {
			err = root.MkdirAll(filepath.FromSlash(f.Name), 0o755)
		} else {
			n, err = n+1, place(root, f.Name, contents[i], 0o644)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func outside(name string) error {
	return fault.New(fault.InvalidInput, "the source has a file %q, which lies outside of its directory: nothing was written", name)
}

// place writes a file below root, whatever links are there.
func place(root *os.Root, name string, content []byte, mode fs.FileMode) error {
	file := filepath.FromSlash(name)
	err := root.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = root.WriteFile(file, content, mode)
	}
	return fault.Wrap(fault.Unavailable, err, "writing %s", name)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
