// Package backup is the `apify backup` and `apify restore` commands: all that a
// server keeps in one file, and back.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Writes all that a server keeps into one file: storages, runs and builds with their
logs, API tokens, and the keys of secret inputs. The server may be running and goes
on working meanwhile: everything that was answered before the backup began is in
it. apify restore makes a data directory of it. What builds have made, images of
the container engine and prepared directories, is not in it: Actors are built again
after a restore.

The file is a tar archive; its last member, backup.json, holds a SHA-256 checksum
of every other one, and the backup is checked against it before it gets its name.
It holds the owner's token and is as secret as that: only you may read it.
- as FILE writes it to standard output.

--json prints {"file", "dataDir", "files", "bytes"}; bytes are those of all files
together.

Exit codes: 0 written, 250 there is no server's data in the directory, 1 anything
else. A backup that fails leaves no file.`

const example = `  apify backup greenroom-$(date +%F).tar
  apify backup - | zstd >greenroom.tar.zst
  apify backup --data-dir ./data data.tar --force`

// options are what both commands take.
type options struct {
	factory *cmdkit.Factory
	keeper  cmdkit.DataKeeper
	dataDir string
	force   bool
	output  jq.Output
}

func (o *options) addFlags(flags *pflag.FlagSet, dir string) {
	flags.SortFlags = false
	flags.StringVar(&o.dataDir, "data-dir", "", "`directory` "+dir+" (default: greenroom in the user's data directory)")
}

// result is what the commands print as JSON.
type result struct {
	File    string `json:"file"`
	DataDir string `json:"dataDir"`
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
}

// New makes the command `backup`.
func New(f *cmdkit.Factory, keeper cmdkit.DataKeeper) *cobra.Command {
	o := &options{factory: f, keeper: keeper}
	cmd := &cobra.Command{
		Use:     "backup FILE",
		Short:   "Write all that a server keeps into one file",
		Long:    long,
		Example: example,
		Args:    cmdkit.Args(1, 1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.backup(cmd, args[0]) },
	}
	o.addFlags(cmd.Flags(), "in which the server keeps its data")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace FILE when it is there already")
	o.output.AddFlags(cmd.Flags())
	return cmd
}

func (o *options) backup(cmd *cobra.Command, file string) error {
	ctx, stdout := cmd.Context(), file == "-"
	if err := o.output.Prepare(); err != nil {
		return err
	}
	switch {
	case stdout && o.output.Wanted():
		return cmdkit.UsageError(cmd.CommandPath(), "the backup itself goes to standard output, which leaves no place for --json")
	case stdout && o.factory.IO.OutTTY:
		return cmdkit.UsageError(cmd.CommandPath(), "a backup is not for terminals: name a file")
	}
	dir, err := cmdkit.DataDir(o.dataDir, o.factory.Getenv)
	if err != nil {
		return err
	}
	var s cmdkit.BackupSummary
	if stdout {
		s, err = o.checked(ctx, dir, o.factory.IO.Out)
	} else {
		s, err = o.toFile(ctx, dir, file)
	}
	if err != nil {
		return err
	}
	if o.output.Wanted() {
		return o.output.Print(ctx, o.factory.IO, result{file, dir, s.Files, s.Bytes})
	}
	if !stdout {
		fmt.Fprintf(o.factory.IO.Err, "apify: backed up %s to %s: %s\n", dir, file, describe(s))
	}
	return nil
}

// checked writes a backup to w and reads what it writes as a restore would.
func (o *options) checked(ctx context.Context, dir string, w io.Writer) (s cmdkit.BackupSummary, err error) {
	r, tee := io.Pipe()
	verified := make(chan error, 1)
	go func() {
		var err error
		s, err = o.keeper.Verify(ctx, r)
		_, _ = io.Copy(io.Discard, r) // what fails first is told, by whoever it is
		verified <- err
	}()
	err = o.keeper.Backup(ctx, dir, io.MultiWriter(w, tee))
	_ = tee.Close() // never fails
	if wrong := <-verified; err == nil {
		err = wrong
	}
	return s, err
}

// toFile writes a backup to a file, which is there as a whole or not at all.
func (o *options) toFile(ctx context.Context, dir, file string) (s cmdkit.BackupSummary, err error) {
	if _, err := os.Lstat(file); err == nil && !o.force {
		return s, fault.New(fault.Conflict, "%s is there already", file).WithHint("name another file, or give --force to replace it")
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fault.Wrap(fault.Unavailable, err, "write the backup")
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // with mode 0600
	if err != nil {
		return s, fault.Wrap(fault.Unavailable, err, "write the backup")
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}()
	s, err = o.checked(ctx, dir, temporary)
	if err == nil {
		err = fault.Wrap(fault.Unavailable, temporary.Sync(), "write the backup")
	}
	if closing := temporary.Close(); err == nil {
		err = fault.Wrap(fault.Unavailable, closing, "write the backup")
	}
	if err == nil {
		err = fault.Wrap(fault.Unavailable, os.Rename(temporary.Name(), file), "write the backup")
	}
	return s, err
}

func describe(s cmdkit.BackupSummary) string {
	return fmt.Sprintf("%d files, %.1f MB", s.Files, float64(s.Bytes)/1e6)
}
