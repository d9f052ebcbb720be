package serve

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const fsckLong = `Reads everything in the data directory of a server that is not running, and tells
what is wrong with it: items of datasets that are damaged, by the id of their
dataset, their file and the byte at which the damage begins; records of key-value
stores whose content is gone; counts that are wrong; and damage to the database.

--repair repairs what can be repaired. In the place of each item that cannot be
read comes an empty one, {}, so that the others keep their numbers; the file as it
was is kept beside the new one under a name that ends in .damaged. A record
without its content is removed, contents without a record are, counts and indexes
are made again, and what a killed server has left unfinished is cut off. Make a
copy of the directory first when what is in it matters.

--json prints {"dataDir", "problems": [{"what", "kind", "storageId", "file",
"offset", "repaired"}]}; kind, storageId, file and offset are there when they are
known.

Exit codes: 0 nothing is wrong or all of it was repaired, 5 something is wrong and
was not repaired, 250 there is no server's data in the directory, 1 anything else,
such as a server that is using it.`

type fsckOptions struct {
	factory *cmdkit.Factory
	keeper  cmdkit.DataKeeper
	dataDir string
	repair  bool
	output  jq.Output
}

// problem is one thing that is wrong, as JSON has it.
type problem struct {
	What     string `json:"what"`
	Kind     string `json:"kind,omitempty"`
	Storage  string `json:"storageId,omitempty"`
	File     string `json:"file,omitempty"`
	Offset   *int64 `json:"offset,omitempty"`
	Repaired bool   `json:"repaired"`
}

func newFsck(f *cmdkit.Factory, keeper cmdkit.DataKeeper) *cobra.Command {
	o := &fsckOptions{factory: f, keeper: keeper}
	cmd := &cobra.Command{
		Use:     "fsck",
		Short:   "Check the data directory of a server, and repair it",
		Long:    fsckLong,
		Example: "  apify serve fsck\n  apify serve fsck --data-dir ./data --repair",
		Args:    cmdkit.Args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.dataDir, "data-dir", "", "`directory` to check (default: greenroom in the user's data directory)")
	flags.BoolVar(&o.repair, "repair", false, "repair what can be repaired")
	o.output.AddFlags(flags)
	return cmd
}

func (o *fsckOptions) run(ctx context.Context) error {
	if err := o.output.Prepare(); err != nil {
		return err
	}
	dir, err := cmdkit.DataDir(o.dataDir, o.factory.Getenv)
	if err != nil {
		return err
	}
	found, err := o.keeper.Check(ctx, dir, o.repair)
	if err != nil {
		return err
	}
	left := 0
	problems := make([]problem, len(found))
	for i, p := range found {
		problems[i] = problem{What: p.What, Kind: p.Kind, Storage: p.Storage, File: p.File, Repaired: p.Repaired}
		if p.File != "" {
			problems[i].Offset = &p.Offset
		}
		if !p.Repaired {
			left++
		}
	}
	if err := o.print(ctx, dir, problems); err != nil {
		return err
	}
	switch {
	case left == 0:
		return nil
	case o.repair:
		return fault.New(fault.InvalidInput, "%s of %d in %s could not be repaired", count(left), len(found), dir).
			WithHint("what can be read stays readable; restore a backup with apify restore for the rest")
	}
	return fault.New(fault.InvalidInput, "%s in %s", count(left), dir).
		WithHint("apify serve fsck --repair repairs what can be repaired")
}

func (o *fsckOptions) print(ctx context.Context, dir string, problems []problem) error {
	if o.output.Wanted() {
		return o.output.Print(ctx, o.factory.IO, map[string]any{"dataDir": dir, "problems": problems})
	}
	if len(problems) == 0 {
		fmt.Fprintf(o.factory.IO.Err, "apify: nothing is wrong in %s\n", dir)
		return nil
	}
	for _, p := range problems {
		line := p.What
		if p.Repaired {
			line = "repaired: " + line
		}
		if _, err := fmt.Fprintln(o.factory.IO.Out, cmdkit.Printable(line)); err != nil {
			return err
		}
	}
	return nil
}

func count(n int) string {
	if n == 1 {
		return "1 problem"
	}
	return fmt.Sprintf("%d problems", n)
}
