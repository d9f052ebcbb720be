// Package datasets is the `apify datasets` commands: results, as many as there
// are, to and from any API.
package datasets

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/client"
)

// New makes the commands.
func New(f *cmdkit.Factory) *cobra.Command {
	kind := storages.Kind{
		API: client.Datasets, Command: "datasets", Noun: "dataset",
		Columns: []storages.Field{{Title: "items", Name: "itemCount"}, {Title: "modified", Name: "modifiedAt"}},
		Fields: []storages.Field{
			{Title: "items", Name: "itemCount"}, {Title: "clean items", Name: "cleanItemCount"},
			{Title: "created", Name: "createdAt"}, {Title: "modified", Name: "modifiedAt"}, {Title: "accessed", Name: "accessedAt"},
			{Title: "actor", Name: "actId"}, {Title: "run", Name: "actRunId"}, {Title: "user", Name: "username"},
			{Title: "console", Name: "consoleUrl"},
		},
	}
	g, group := storages.New(f, kind, &cobra.Command{
		Use:   "datasets",
		Short: "Work with datasets",
		Long: `Datasets hold results: JSON objects, one after the other. These commands work
with any API: a server of this program or the platform. Which one, and as whom,
is said by --api-url and --token, by APIFY_CLIENT_BASE_URL and APIFY_TOKEN, or by
~/.apify/auth.json.`,
		Example: `  apify datasets create results
  echo '{"n": 1}' | apify datasets push-items results
  apify datasets export results -o results.csv`,
	})
	group.AddCommand(newGetItems(g), newPushItems(g), newExport(g), newTail(g))
	return group
}

// formats are those that the API writes items in.
var formats = []string{"json", "jsonl", "csv", "html", "rss", "xml", "xlsx"}

func checkFormat(cmd *cobra.Command, format string) error {
	if !slices.Contains(formats, format) {
		return cmdkit.UsageError(cmd.CommandPath(), "unknown format %q: use %s", format, strings.Join(formats, ", "))
	}
	return nil
}

// selection is which items are wanted, and what of them.
type selection struct {
	offset, limit                      int
	desc, clean, skipEmpty, skipHidden bool
	fields, omit, unwind, flatten      []string
	view                               string
}

func (s *selection) addFlags(flags *pflag.FlagSet) {
	flags.IntVar(&s.offset, "offset", 0, "`number` of items to leave out at the start")
	flags.IntVar(&s.limit, "limit", 0, "`number` of items at most; 0 for all")
	flags.BoolVar(&s.desc, "desc", false, "the last item first")
	flags.BoolVar(&s.clean, "clean", false, "leave out empty items and fields whose name begins with #")
	flags.BoolVar(&s.skipEmpty, "skip-empty", false, "leave out empty items")
	flags.BoolVar(&s.skipHidden, "skip-hidden", false, "leave out fields whose name begins with #")
	flags.StringSliceVar(&s.fields, "fields", nil, "`fields` to keep, in this order, with commas between them")
	flags.StringSliceVar(&s.omit, "omit", nil, "`fields` to leave out")
	flags.StringSliceVar(&s.unwind, "unwind", nil, "`fields` to unwind: an item for each element")
	flags.StringSliceVar(&s.flatten, "flatten", nil, "`fields` whose objects become fields such as a.b")
	flags.StringVar(&s.view, "view", "", "`view` of the dataset's schema to take")
}

func (s *selection) validate(cmd *cobra.Command) error {
	if s.offset < 0 || s.limit < 0 {
		return cmdkit.UsageError(cmd.CommandPath(), "--offset and --limit must not be negative")
	}
	return nil
}

func (s *selection) options(format string) client.ItemsOptions {
	o := client.ItemsOptions{Offset: s.offset, Limit: s.limit, Desc: s.desc, Clean: s.clean, Format: format, More: url.Values{}}
	for name, list := range map[string][]string{"fields": s.fields, "omit": s.omit, "unwind": s.unwind, "flatten": s.flatten} {
		if len(list) > 0 {
			o.More.Set(name, strings.Join(list, ","))
		}
	}
	for name, set := range map[string]bool{"skipEmpty": s.skipEmpty, "skipHidden": s.skipHidden} {
		if set {
			o.More.Set(name, "1")
		}
	}
	if s.view != "" {
		o.More.Set("view", s.view)
	}
	return o
}

// stable tells whether every stored item gives one item, at a place that does
// not change when others are pushed.
func (s *selection) stable() bool {
	return !s.desc && !s.clean && !s.skipEmpty && len(s.unwind) == 0 && s.view == ""
}

// amount writes a number of things.
func amount(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
