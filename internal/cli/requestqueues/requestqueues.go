// Package requestqueues is the `apify request-queues` commands: what is to be
// visited, and in which order, at any API.
package requestqueues

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
)

// New makes the commands.
func New(f *cmdkit.Factory) *cobra.Command {
	kind := storages.Kind{
		API: client.RequestQueues, Command: "request-queues", Noun: "request queue",
		Columns: []storages.Field{
			{Title: "total", Name: "totalRequestCount"}, {Title: "handled", Name: "handledRequestCount"},
			{Title: "pending", Name: "pendingRequestCount"}, {Title: "modified", Name: "modifiedAt"},
		},
		Fields: []storages.Field{
			{Title: "requests", Name: "totalRequestCount"}, {Title: "handled", Name: "handledRequestCount"},
			{Title: "pending", Name: "pendingRequestCount"}, {Title: "several clients", Name: "hadMultipleClients"},
			{Title: "created", Name: "createdAt"}, {Title: "modified", Name: "modifiedAt"}, {Title: "accessed", Name: "accessedAt"},
			{Title: "actor", Name: "actId"}, {Title: "run", Name: "actRunId"}, {Title: "user", Name: "username"},
			{Title: "console", Name: "consoleUrl"},
		},
	}
	g, group := storages.New(f, kind, &cobra.Command{
		Use:   "request-queues",
		Short: "Work with request queues",
		Long: `Request queues hold what a crawler is to visit, each request once. These commands
work with any API: a server of this program or the platform. Which one, and as
whom, is said by --api-url and --token, by APIFY_CLIENT_BASE_URL and APIFY_TOKEN,
or by ~/.apify/auth.json.`,
		Example: `  apify request-queues create pages
  apify request-queues add pages https://example.com
  apify request-queues head pages`,
	})
	group.AddCommand(newHead(g), newAdd(g))
	return group
}

func newHead(g *storages.Group) *cobra.Command {
	var output jq.Output
	limit := 0
	cmd := &cobra.Command{
		Use:   "head QUEUE",
		Short: "Show the requests that come next",
		Long: `Shows the first requests of a queue that are not handled, in the order in which
they will be; nothing is locked. --json prints the head as the API sends it, whose
requests are in "items".` + storages.Named + `

Exit codes: 0 shown, 250 there is no such queue, 5 the --jq expression cannot be
applied, 1 anything else.`,
		Example: "  apify request-queues head pages --limit 5\n  apify request-queues head pages --jq '.items[].url'",
		Args:    cmdkit.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
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
			head, err := c.RequestQueue(found.ID).Head(ctx, limit)
			if err != nil {
				return storages.Reached(err)
			}
			if output.Wanted() {
				return output.Print(ctx, g.IO, head)
			}
			if len(head.Items) == 0 {
				g.Note("no request is waiting")
				return nil
			}
			var rows [][]string
			for _, item := range head.Items {
				rows = append(rows, []string{item.ID, item.Method, strconv.Itoa(item.RetryCount), item.URL})
			}
			return g.IO.Table([]string{"ID", "METHOD", "RETRIES", "URL"}, rows)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&limit, "limit", 20, "`number` of requests to show at most")
	output.AddFlags(flags)
	return cmd
}
