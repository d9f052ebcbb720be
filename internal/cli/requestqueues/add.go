package requestqueues

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/storages"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// draft is a request that the command line describes.
type draft struct {
	method, uniqueKey, payload, userData string
	headers                              []string
}

func newAdd(g *storages.Group) *cobra.Command {
	var d draft
	var output jq.Output
	forefront := false
	cmd := &cobra.Command{
		Use:   "add QUEUE [URL …|-]",
		Short: "Add requests to a queue",
		Long: `Adds a request for each URL, or those that standard input gives: an array of
requests as JSON, or one a line, each a URL or a request as JSON. A request is the
API's object, such as {"url": "https://example.com", "userData": {"depth": 1}}.

A request is added once: one whose unique key is in the queue already changes
nothing. Without a unique key of its own a request has its URL for one.

Nothing is added when something is wrong with one of the requests. Standard error
says how many were new.` + storages.Named + `

Exit codes: 0 all are in the queue, 250 there is no such queue, 5 something is no
request, 1 anything else.`,
		Example: `  apify request-queues add pages https://example.com https://example.org
  apify request-queues add pages https://example.com/api --method POST --payload '{"q": 1}' \
    --header 'Content-Type: application/json'
  apify request-queues add pages < urls.txt`,
		Args: cmdkit.Args(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := output.Prepare(); err != nil {
				return err
			}
			urls := args[1:]
			stdin := len(urls) == 0 || len(urls) == 1 && urls[0] == "-"
			switch {
			case stdin && len(urls) == 0 && !g.IO.Piped():
				return cmdkit.UsageError(cmd.CommandPath(), "there are no requests: give URLs, or pipe them in")
			case stdin && d.describes(cmd):
				return cmdkit.UsageError(cmd.CommandPath(), "--method, --unique-key, --payload, --header and --user-data describe a URL that is given, not standard input")
			case len(urls) > 1 && d.uniqueKey != "":
				return cmdkit.UsageError(cmd.CommandPath(), "--unique-key belongs to a single URL")
			}
			var requests []json.RawMessage
			var err error
			if stdin {
				requests, err = read(g.IO.In)
			} else {
				requests, err = d.requests(urls, cmd.Flags().Changed("payload"))
			}
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			c, found, err := g.Find(ctx, args[0])
			if err != nil {
				return err
			}
			added, err := c.RequestQueue(found.ID).Add(ctx, requests, forefront)
			if err != nil {
				if n := len(added.ProcessedRequests); n > 0 {
					return fault.Wrap(fault.CodeOf(err), storages.Reached(err), "after %d requests that were added", n)
				}
				return storages.Reached(err)
			}
			if output.Wanted() {
				if err := output.Print(ctx, g.IO, added); err != nil {
					return err
				}
			}
			return report(g, found, added)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&forefront, "forefront", false, "add to the front of the queue, to be visited next")
	flags.StringVarP(&d.method, "method", "X", "GET", "HTTP `method`")
	flags.StringVar(&d.uniqueKey, "unique-key", "", "`key` that tells the request from others (default: its URL)")
	flags.StringVar(&d.payload, "payload", "", "body of the request as `text`")
	flags.StringArrayVarP(&d.headers, "header", "H", nil, "header as `name:value`; may be repeated")
	flags.StringVar(&d.userData, "user-data", "", "what the crawler gets with the request, as a `JSON` object")
	output.AddFlags(flags)
	return cmd
}

func report(g *storages.Group, queue storages.Storage, added api.BatchAddResult) error {
	present := 0
	for _, r := range added.ProcessedRequests {
		if r.WasAlreadyPresent {
			present++
		}
	}
	g.Note("added %d requests to request queue %s; %d were there already", len(added.ProcessedRequests)-present, queue.Label(), present)
	if n := len(added.UnprocessedRequests); n > 0 {
		return fault.New(fault.Unavailable, "the API has not processed %d requests, such as %s", n, cmdkit.Printable(added.UnprocessedRequests[0].UniqueKey)).
			WithHint("run the same command again: what is in the queue is not added twice")
	}
	return nil
}

// describes tells whether a flag says something of a request.
func (d *draft) describes(cmd *cobra.Command) bool {
	for _, name := range []string{"method", "unique-key", "payload", "header", "user-data"} {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// requests makes a request of each URL.
func (d *draft) requests(urls []string, withPayload bool) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for _, u := range urls {
		if err := checkURL(u); err != nil {
			return nil, fault.New(fault.InvalidInput, "%w", err)
		}
		request := map[string]any{"url": u, "method": strings.ToUpper(d.method), "uniqueKey": u}
		if d.uniqueKey != "" {
			request["uniqueKey"] = d.uniqueKey
		}
		if withPayload {
			request["payload"] = d.payload
		}
		if len(d.headers) > 0 {
			headers := map[string]string{}
			for _, header := range d.headers {
				name, value, ok := strings.Cut(header, ":")
				if name = strings.TrimSpace(name); !ok || name == "" {
					return nil, fault.New(fault.Usage, "--header %q is not of the form name:value", header)
				}
				headers[name] = strings.TrimSpace(value)
			}
			request["headers"] = headers
		}
		if d.userData != "" {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(d.userData), &fields); err != nil || fields == nil {
				return nil, fault.New(fault.InvalidInput, "--user-data must be a JSON object, got %.60q", d.userData)
			}
			request["userData"] = json.RawMessage(d.userData)
		}
		text, err := json.Marshal(request)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "encode the request")
		}
		out = append(out, text)
	}
	return out, nil
}
