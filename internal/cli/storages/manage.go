package storages

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// fill writes the kind into a text: NOUN and COMMAND stand for its names.
func (g *Group) fill(text string) string {
	return strings.NewReplacer("NOUN", g.Noun, "COMMAND", g.Command).Replace(text)
}

func (g *Group) newCreate() *cobra.Command {
	var output jq.Output
	cmd := &cobra.Command{
		Use:   "create [NAME]",
		Short: g.fill("Create a NOUN"),
		Long: g.fill(`Creates a NOUN and prints its id. One that has the name already is found
instead. Without a NAME it is unnamed, and an API may delete it after some time.

Exit codes: 0 created or found, 5 the --jq expression cannot be applied, 1
anything else.`),
		Example: g.fill("  apify COMMAND create results\n  id=$(apify COMMAND create)"),
		Args:    cmdkit.Args(0, 1),
		RunE: run(&output, func(ctx context.Context, args []string) error {
			name := ""
			if len(args) == 1 {
				if name = args[0]; name == "" {
					return fault.New(fault.Usage, "the name is empty").WithHint("leave it out to create an unnamed %s", g.Noun)
				}
			}
			c, err := g.Client()
			if err != nil {
				return err
			}
			raw, err := c.Storages(g.API).Create(ctx, name)
			if err != nil {
				return Reached(err)
			}
			return g.report(ctx, &output, raw)
		}),
	}
	output.AddFlags(cmd.Flags())
	return cmd
}

// report prints a storage that was made or changed: its id, or all of it as JSON.
func (g *Group) report(ctx context.Context, output *jq.Output, raw json.RawMessage) error {
	if output.Wanted() {
		return output.Print(ctx, g.IO, raw)
	}
	made, err := decode(raw)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(g.IO.Out, cmdkit.Printable(made.ID))
	return err
}

func (g *Group) newList() *cobra.Command {
	var output jq.Output
	var options client.ListOptions
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   g.fill("List the NOUNs"),
		Long: g.fill(`Lists the NOUNs of the token's user, the oldest first, those with a name only
unless --unnamed is given. --json prints the page as the API sends it, whose
items are in "items".

Exit codes: 0 listed, 5 the --jq expression cannot be applied, 1 anything else.`),
		Example: g.fill("  apify COMMAND ls --unnamed --desc --limit 5\n  apify COMMAND ls --jq '.items[] | select(.name != null) | .id'"),
		Args:    cmdkit.Args(0, 0),
		RunE: run(&output, func(ctx context.Context, _ []string) error {
			if options.Offset < 0 || options.Limit < 1 {
				return fault.New(fault.Usage, "--offset must be at least 0 and --limit at least 1")
			}
			c, err := g.Client()
			if err != nil {
				return err
			}
			page, err := c.Storages(g.API).List(ctx, options)
			if err != nil {
				return Reached(err)
			}
			if output.Wanted() {
				return output.Print(ctx, g.IO, page)
			}
			if len(page.Items) == 0 {
				if page.Total == 0 {
					fmt.Fprintf(g.IO.Err, "there are no %ss", g.Noun)
				} else {
					fmt.Fprintf(g.IO.Err, "%d %ss are there, and none of them on this page", page.Total, g.Noun)
				}
				if !options.Unnamed {
					fmt.Fprint(g.IO.Err, "; --unnamed shows those without a name too")
				}
				fmt.Fprintln(g.IO.Err)
				return nil
			}
			header := []string{"ID", "NAME"}
			for _, column := range g.Columns {
				header = append(header, strings.ToUpper(column.Title))
			}
			var rows [][]string
			for _, raw := range page.Items {
				meta, err := metadata(raw)
				if err != nil {
					return err
				}
				row := []string{show(meta["id"]), show(meta["name"])}
				for _, column := range g.Columns {
					row = append(row, show(meta[column.Name]))
				}
				rows = append(rows, row)
			}
			if err := g.IO.Table(header, rows); err != nil {
				return err
			}
			if last := page.Offset + len(page.Items); last < page.Total {
				fmt.Fprintf(g.IO.Err, "%d to %d of %d; --offset %d shows the next ones\n", page.Offset+1, last, page.Total, last)
			}
			return nil
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&options.Offset, "offset", 0, "`number` of storages to leave out at the start")
	flags.IntVar(&options.Limit, "limit", 20, "`number` of storages to list at most")
	flags.BoolVar(&options.Desc, "desc", false, "list the newest first")
	flags.BoolVar(&options.Unnamed, "unnamed", false, "list those without a name too")
	output.AddFlags(flags)
	return cmd
}

func (g *Group) newInfo() *cobra.Command {
	var output jq.Output
	cmd := &cobra.Command{
		Use:   "info STORAGE",
		Short: g.fill("Describe a NOUN"),
		Long: g.fill(`Describes a NOUN.` + Named + `

Exit codes: 0 described, 250 there is no such NOUN, 5 the --jq expression
cannot be applied, 1 anything else.`),
		Example: g.fill("  apify COMMAND info results\n  apify COMMAND info results --jq .modifiedAt"),
		Args:    cmdkit.Args(1, 1),
		RunE: run(&output, func(ctx context.Context, args []string) error {
			_, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			if output.Wanted() {
				return output.Print(ctx, g.IO, found.Raw)
			}
			meta, err := metadata(found.Raw)
			if err != nil {
				return err
			}
			pairs := [][2]string{{"id", found.ID}, {"name", found.Name}}
			for _, field := range g.Fields {
				pairs = append(pairs, [2]string{field.Title, show(meta[field.Name])})
			}
			return g.IO.Fields(pairs)
		}),
	}
	output.AddFlags(cmd.Flags())
	return cmd
}

func metadata(raw json.RawMessage) (meta map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(raw, &meta); err != nil {
		return nil, fault.New(fault.Unavailable, "the API's answer does not describe a storage: %w", err)
	}
	return meta, nil
}

// show gives a field for people: texts as they are, null and what is missing as
// nothing, anything else as JSON.
func show(value json.RawMessage) string {
	var text *string
	if len(value) > 0 && json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	if text == nil {
		return ""
	}
	return *text
}

func (g *Group) newRename() *cobra.Command {
	var unname bool
	var output jq.Output
	cmd := &cobra.Command{
		Use:   "rename STORAGE [NEWNAME]",
		Short: g.fill("Give a NOUN another name, or none"),
		Long: g.fill(`Gives a NOUN another name, or takes its name away with --unname. An unnamed
one may be deleted by the API after some time. Prints its id.` + Named + `

Exit codes: 0 renamed, 250 there is no such NOUN, 5 the --jq expression cannot
be applied, 1 the name is taken, or anything else.`),
		Example: g.fill("  apify COMMAND rename results results-2026\n  apify COMMAND rename results --unname"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case unname && len(args) == 2:
				return cmdkit.UsageError(cmd.CommandPath(), "--unname and the new name %q exclude each other", args[1])
			case !unname && (len(args) == 1 || args[1] == ""):
				return cmdkit.UsageError(cmd.CommandPath(), "the new name is missing: give one, or --unname to take the name away")
			}
			if err := output.Prepare(); err != nil {
				return err
			}
			ctx, name := cmd.Context(), ""
			if !unname {
				name = args[1]
			}
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			raw, err := c.Storages(g.API).Rename(ctx, found.ID, name)
			if err != nil {
				return Reached(err)
			}
			return g.report(ctx, &output, raw)
		},
		Args: cmdkit.Args(1, 2),
	}
	cmd.Flags().BoolVar(&unname, "unname", false, "take the name away")
	output.AddFlags(cmd.Flags())
	return cmd
}

func (g *Group) newRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "rm STORAGE",
		Aliases: []string{"remove"},
		Short:   g.fill("Delete a NOUN with all that it holds"),
		Long: g.fill(`Deletes a NOUN with all that it holds, for good. On a terminal it asks first;
elsewhere it needs --yes.` + Named + `

Exit codes: 0 deleted, 250 there is no such NOUN, 3 the answer was no, 1 nobody
could be asked, or anything else.`),
		Example: g.fill("  apify COMMAND rm results\n  apify COMMAND rm results --yes"),
		Args:    cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			if !yes {
				if err := g.IO.Confirm(g.question(found)); err != nil {
					return err
				}
			}
			if err := c.Storages(g.API).Delete(ctx, found.ID); err != nil {
				return Reached(err)
			}
			fmt.Fprintf(g.IO.Err, "deleted %s %s\n", g.Noun, cmdkit.Printable(found.Label()))
			return nil
		},
	}
	AddYes(cmd, &yes)
	return cmd
}

func (g *Group) question(found Storage) string {
	var meta struct {
		Items *int `json:"itemCount"`
	}
	holding := ""
	if json.Unmarshal(found.Raw, &meta) == nil && meta.Items != nil {
		holding = " with its " + strconv.Itoa(*meta.Items) + " items"
	}
	return fmt.Sprintf("Delete %s %s%s?", g.Noun, found.Label(), holding)
}

// AddYes adds the flag that answers the question before something is deleted.
func AddYes(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}
