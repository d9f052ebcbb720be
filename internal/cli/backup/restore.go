package backup

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const restoreLong = `Makes a data directory for apify serve from a file that apify backup has written.
The directory must be empty or not be there. It is made as a whole or not at all:
a backup that is damaged or not whole is refused and leaves nothing behind.

What a restored server knows is what the other one knew, tokens included: whoever
could call that one can call this one.

- as FILE reads the backup from standard input.

--json prints {"file", "dataDir", "files", "bytes"}.

Exit codes: 0 restored, 5 the file is damaged or no backup, 1 anything else.`

const restoreExample = `  apify restore greenroom-2027-01-31.tar --data-dir ./restored
  zstd -dc greenroom.tar.zst | apify restore -`

// NewRestore makes the command `restore`.
func NewRestore(f *cmdkit.Factory, keeper cmdkit.DataKeeper) *cobra.Command {
	o := &options{factory: f, keeper: keeper}
	cmd := &cobra.Command{
		Use:     "restore FILE",
		Short:   "Make a server's data directory of a backup",
		Long:    restoreLong,
		Example: restoreExample,
		Args:    cmdkit.Args(1, 1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.restore(cmd, args[0]) },
	}
	o.addFlags(cmd.Flags(), "to make")
	o.output.AddFlags(cmd.Flags())
	return cmd
}

func (o *options) restore(cmd *cobra.Command, file string) error {
	if err := o.output.Prepare(); err != nil {
		return err
	}
	dir, err := cmdkit.DataDir(o.dataDir, o.factory.Getenv)
	if err != nil {
		return err
	}
	in := o.factory.IO.In
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "read the backup")
		}
		defer f.Close()
		in = f
	} else if o.factory.IO.InTTY {
		return cmdkit.UsageError(cmd.CommandPath(), "there is no backup on standard input: name a file")
	}
	s, err := o.keeper.Restore(cmd.Context(), in, dir)
	if err != nil {
		return err
	}
	if file == "-" {
		_, _ = io.Copy(io.Discard, in) // the zeros at the end, so that who writes them does not fail
	}
	if o.output.Wanted() {
		return o.output.Print(cmd.Context(), o.factory.IO, result{file, dir, s.Files, s.Bytes})
	}
	fmt.Fprintf(o.factory.IO.Err, "apify: restored %s to %s: %s\n", file, dir, describe(s))
	return nil
}
