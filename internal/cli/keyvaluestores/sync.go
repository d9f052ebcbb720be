package keyvaluestores

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// change is something that a sync does.
type change struct {
	Action string `json:"action"` // add, replace or delete
	Key    string `json:"key"`
	Size   int64  `json:"size"` // of what is copied, in bytes
}

// sync makes one side like the other.
type sync struct {
	g         *storages.Group
	store     client.KeyValueStore
	dir       string
	root      *os.Root
	dry, quit bool
	delete    bool
	changes   []change
}

func newSync(g *storages.Group) *cobra.Command {
	var push, pull bool
	var output jq.Output
	s := &sync{g: g}
	cmd := &cobra.Command{
		Use:   "sync STORE DIR --push|--pull",
		Short: "Make a store like a directory, or a directory like a store",
		Long: `Copies files to records with --push, and records to files with --pull. A file's
name is its record's key. What is the same on both sides is left alone; what is
only on the side that is copied to stays, unless --delete is given.

The content type of a record comes from the file's extension; a file without one
that is known replaces a record without changing its type. Directories in DIR and
what is no regular file are passed over. When a file's name is no key, or a key no
file's name, nothing is copied at all.` + storages.Named + `

Exit codes: 0 both sides are alike, 250 there is no such store or directory, 5 a
name cannot be copied or the --jq expression cannot be applied, 1 anything else.`,
		Example: `  apify key-value-stores sync files ./folder --push --dry-run
  apify kvs sync files ./folder --pull --delete`,
		Args: cmdkit.Args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if push == pull {
				return cmdkit.UsageError(cmd.CommandPath(), "say which side is copied: --push (files to records) or --pull (records to files)")
			}
			if err := output.Prepare(); err != nil {
				return err
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			s.store, s.dir, s.quit, s.changes = c.KeyValueStore(found.ID), args[1], output.Wanted(), []change{}
			if err := s.open(pull); err != nil {
				return err
			}
			if s.root != nil { // a dry run into a directory that is not there has none
				defer s.root.Close()
			}
			if push {
				err = s.push(ctx)
			} else {
				err = s.pull(ctx)
			}
			if err != nil {
				return storages.Reached(err)
			}
			if output.Wanted() {
				return output.Print(ctx, g.IO, map[string]any{"changes": s.changes})
			}
			if len(s.changes) == 0 {
				g.Note("nothing to do: both sides are alike")
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&push, "push", false, "copy files to records")
	flags.BoolVar(&pull, "pull", false, "copy records to files")
	flags.BoolVar(&s.delete, "delete", false, "delete what is only on the side that is copied to")
	flags.BoolVar(&s.dry, "dry-run", false, "only say what would be done")
	output.AddFlags(flags)
	return cmd
}

// open opens the directory; one that is pulled into is made. Everything happens
// inside it, whatever symbolic links and keys say.
func (s *sync) open(pull bool) error {
	if pull && !s.dry {
		if err := os.MkdirAll(s.dir, 0o777); err != nil {
			return fault.Wrap(fault.Usage, err, "make the directory")
		}
	}
	root, err := os.OpenRoot(s.dir)
	if os.IsNotExist(err) {
		if pull {
			return nil
		}
		return fault.New(fault.NotFound, "the directory %s is not there", s.dir)
	}
	if err != nil {
		return fault.Wrap(fault.Usage, err, "open the directory")
	}
	s.root = root
	return nil
}

// files lists the regular files by name. Our own that are not complete do not
// count.
func (s *sync) files() (map[string]int64, error) {
	found := map[string]int64{}
	if s.root == nil {
		return found, nil
	}
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "list the directory")
	}
	for _, entry := range entries {
		switch {
		case isTemporary(entry.Name()):
		case !entry.Type().IsRegular():
			s.g.Note("passed over %s: it is no regular file", entry.Name())
		default:
			info, err := entry.Info()
			if err != nil {
				return nil, fault.Wrap(fault.Unavailable, err, "list the directory")
			}
			found[entry.Name()] = info.Size()
		}
	}
	return found, nil
}

// records lists the records' sizes by key.
func (s *sync) records(ctx context.Context) (map[string]int64, error) {
	found := map[string]int64{}
	options := client.KeysOptions{Limit: 1000}
	for {
		page, err := s.store.Keys(ctx, options)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			found[item.Key] = item.Size
		}
		next := page.NextExclusiveStartKey
		if next == nil || *next <= options.ExclusiveStartKey {
			return found, nil
		}
		options.ExclusiveStartKey = *next
	}
}

// tell notes a change that was made, or would be.
func (s *sync) tell(action, key string, size int64) {
	s.changes = append(s.changes, change{action, key, size})
	if s.quit {
		return
	}
	if s.dry {
		action = "would " + action
	}
	s.g.Note("%s %s", action, key)
}

// extras are the names that only the second side has.
func extras(from, to map[string]int64) (names []string) {
	for name := range to {
		if _, both := from[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// refused is the error of names that cannot be copied.
func refused(names []string, what string) error {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	text := fmt.Sprintf("%q", names[0])
	if len(names) > 1 {
		text = fmt.Sprintf("%q and %d more", names[0], len(names)-1)
	}
	return fault.New(fault.InvalidInput, "%s %s; nothing was copied", text, what)
}
