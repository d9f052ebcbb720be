// Package keyvaluestores is the `apify key-value-stores` commands: records of
// any size and type, to and from any API.
package keyvaluestores

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// New makes the commands.
func New(f *cmdkit.Factory) *cobra.Command {
	kind := storages.Kind{
		API: client.KeyValueStores, Command: "key-value-stores", Noun: "key-value store",
		Columns: []storages.Field{{Title: "created", Name: "createdAt"}, {Title: "modified", Name: "modifiedAt"}},
		Fields: []storages.Field{
			{Title: "created", Name: "createdAt"}, {Title: "modified", Name: "modifiedAt"}, {Title: "accessed", Name: "accessedAt"},
			{Title: "actor", Name: "actId"}, {Title: "run", Name: "actRunId"}, {Title: "user", Name: "username"},
			{Title: "console", Name: "consoleUrl"},
		},
	}
	g, group := storages.New(f, kind, &cobra.Command{
		Use:     "key-value-stores",
		Aliases: []string{"kvs"},
		Short:   "Work with key-value stores",
		Long: `Key-value stores hold records: bytes of a content type under a key. These
commands work with any API: a server of this program or the platform. Which one,
and as whom, is said by --api-url and --token, by APIFY_CLIENT_BASE_URL and
APIFY_TOKEN, or by ~/.apify/auth.json.`,
		Example: `  apify key-value-stores create files
  apify kvs set-value files logo.png --content-type image/png < logo.png
  apify kvs sync files ./folder --pull`,
	})
	group.AddCommand(newKeys(g), newGetValue(g), newSetValue(g), newDeleteValue(g), newSync(g))
	return group
}

func newKeys(g *storages.Group) *cobra.Command {
	var output jq.Output
	var options client.KeysOptions
	cmd := &cobra.Command{
		Use:   "keys STORE",
		Short: "List the keys of a store",
		Long: `Lists the keys of a key-value store with the sizes of their records in bytes, in
the order of their characters. When there are more, standard error says how to see
them. --json prints the page as the API sends it, whose keys are in "items".` + storages.Named + `

Exit codes: 0 listed, 250 there is no such store, 5 the --jq expression cannot be
applied, 1 anything else.`,
		Example: `  apify key-value-stores keys files --limit 1000
  apify kvs keys files --prefix page- --jq '.items[].key'`,
		Args: cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Limit < 1 {
				return cmdkit.UsageError(cmd.CommandPath(), "--limit must be at least 1")
			}
			if err := output.Prepare(); err != nil {
				return err
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			page, err := c.KeyValueStore(found.ID).Keys(ctx, options)
			if err != nil {
				return storages.Reached(err)
			}
			if output.Wanted() {
				return output.Print(ctx, g.IO, page)
			}
			if len(page.Items) == 0 {
				g.Note("there are no such keys")
				return nil
			}
			var rows [][]string
			for _, item := range page.Items {
				rows = append(rows, []string{item.Key, strconv.FormatInt(item.Size, 10)})
			}
			if err := g.IO.Table([]string{"KEY", "SIZE"}, rows); err != nil {
				return err
			}
			if page.NextExclusiveStartKey != nil {
				g.Note("there are more: --exclusive-start-key %s shows the next ones", *page.NextExclusiveStartKey)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&options.Limit, "limit", 20, "`number` of keys to list at most")
	flags.StringVar(&options.ExclusiveStartKey, "exclusive-start-key", "", "`key` to begin after")
	flags.StringVar(&options.Prefix, "prefix", "", "list only keys that begin with this `text`")
	output.AddFlags(flags)
	return cmd
}

func newDeleteValue(g *storages.Group) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete-value STORE KEY",
		Short: "Delete a record",
		Long: `Deletes the record under KEY, for good. On a terminal it asks first; elsewhere it
needs --yes.` + storages.Named + `

Exit codes: 0 deleted, 250 there is no such store or key, 3 the answer was no, 1
nobody could be asked, or anything else.`,
		Example: "  apify key-value-stores delete-value files logo.png --yes",
		Args:    cmdkit.Args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, key := cmd.Context(), args[1]
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			store := c.KeyValueStore(found.ID)
			exists, err := store.Exists(ctx, key)
			if err != nil {
				return storages.Reached(err)
			}
			if !exists {
				return noRecord(found, key)
			}
			if !yes {
				if err := g.IO.Confirm("Delete " + key + " of key-value store " + found.Label() + "?"); err != nil {
					return err
				}
			}
			if err := store.DeleteRecord(ctx, key); err != nil {
				return storages.Reached(err)
			}
			g.Note("deleted %s of key-value store %s", key, found.Label())
			return nil
		},
	}
	storages.AddYes(cmd, &yes)
	return cmd
}

func noRecord(store storages.Storage, key string) error {
	return fault.New(fault.NotFound, "key-value store %s has no record %q", store.Label(), key).
		WithHint("apify key-value-stores keys %s lists the keys", store.ID)
}
