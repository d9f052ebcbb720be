// Package webhooks is the `apify webhooks` commands: who is told when something
// happens to runs and builds.
package webhooks

import (
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// New makes the group.
func New(f *cmdkit.Factory) *cobra.Command {
	s := session.New(f)
	kind := session.Kind[api.Webhook]{
		Session: s, Noun: "webhook", Group: "webhooks",
		Resource: func(c *client.Client, id string) client.Resource[api.Webhook] { return c.Webhook(id).Resource },
		ID:       func(w api.Webhook) string { return w.ID },
		Label:    func(w api.Webhook) string { return w.ID + " to " + w.RequestURL },
		Fields:   fields,
	}.ByID()
	dispatch := session.Kind[api.WebhookDispatch]{
		Session: s, Noun: "dispatch", Group: "webhooks dispatches",
		Resource: func(c *client.Client, id string) client.Resource[api.WebhookDispatch] { return c.Dispatch(id) },
		Fields:   dispatchFields,
	}.ByID()
	info := dispatch.Info()
	info.Use, info.Short = "dispatch DISPATCH", "Describe a dispatch with its attempts"
	return s.Group(&cobra.Command{
		Use: "webhooks", Aliases: []string{"webhook"}, Short: "Tell others when something happens to runs and builds",
	},
		newList(s), kind.Info(), newCreate(s, kind),
		kind.Update("  apify webhooks update WEBHOOK requestUrl=https://example.com/hook doNotRetry=true"),
		newTest(s, dispatch), newDispatches(s), info, kind.Remove(),
	)
}

func fields(w api.Webhook) [][2]string {
	list := [][2]string{
		{"id", w.ID}, {"url", w.RequestURL}, {"events", strings.Join(w.EventTypes, ", ")}, {"of", condition(w.Condition)},
		{"description", session.Text(w.Description)}, {"payload", session.Text(w.PayloadTemplate)}, {"headers", session.Text(w.HeadersTemplate)},
		{"created", session.Moment(&w.CreatedAt)}, {"dispatches", strconv.Itoa(w.Stats.TotalDispatches)},
	}
	if w.LastDispatch != nil {
		list = append(list, [2]string{"last dispatch", strings.TrimSpace(w.LastDispatch.Status + " " + session.Moment(w.LastDispatch.FinishedAt))})
	}
	return list
}

func condition(c api.WebhookCondition) string {
	switch {
	case c.ActorRunID != "":
		return "run " + c.ActorRunID
	case c.ActorTaskID != "":
		return "task " + c.ActorTaskID
	case c.ActorID != "":
		return "Actor " + c.ActorID
	}
	return ""
}

func dispatchFields(d api.WebhookDispatch) [][2]string {
	list := [][2]string{
		{"id", d.ID}, {"webhook", d.WebhookID}, {"event", d.EventType}, {"status", d.Status}, {"created", session.Moment(&d.CreatedAt)},
	}
	for _, call := range d.Calls {
		text := session.Moment(&call.StartedAt)
		if call.ResponseStatus != nil {
			text += " HTTP " + strconv.Itoa(*call.ResponseStatus)
		}
		if message := session.Text(call.ErrorMessage); message != "" {
			text += " " + message
		}
		list = append(list, [2]string{"attempt", text})
	}
	return list
}

func newList(s *session.Session) *cobra.Command {
	var actor, task string
	return session.NewList(s, session.List[api.Webhook]{
		Use: "ls", Short: "List webhooks", Noun: "webhooks", Limit: 20,
		Long: "Lists your webhooks, or those of an Actor or a task, the oldest first.",
		Flags: func(flags *pflag.FlagSet) {
			flags.StringVar(&actor, "actor", "", "list those of this `Actor`")
			flags.StringVar(&task, "task", "", "list those of this `task`")
		},
		Page: func(ctx context.Context, c *client.Client, _ []string, opts client.ListOptions) (page api.Page[client.Answer[api.Webhook]], err error) {
			switch {
			case actor != "" && task != "":
				return page, fault.New(fault.Usage, "--actor and --task exclude each other")
			case actor != "":
				found, err := s.Actor(ctx, c, actor)
				if err != nil {
					return page, err
				}
				return c.Actor(found.Value.ID).Webhooks().List(ctx, opts)
			case task != "":
				found, err := s.Task(ctx, c, task)
				if err != nil {
					return page, err
				}
				return c.Task(found.Value.ID).Webhooks().List(ctx, opts)
			}
			return c.Webhooks().List(ctx, opts)
		},
		Columns: func() []session.Column[api.Webhook] {
			return []session.Column[api.Webhook]{
				{Title: "id", Cell: func(w api.Webhook) string { return w.ID }},
				{Title: "of", Cell: func(w api.Webhook) string { return condition(w.Condition) }},
				{Title: "events", Cell: func(w api.Webhook) string { return strings.Join(w.EventTypes, ",") }},
				{Title: "url", Cell: func(w api.Webhook) string { return w.RequestURL }},
				{Title: "last", Cell: func(w api.Webhook) string {
					if w.LastDispatch == nil {
						return ""
					}
					return w.LastDispatch.Status
				}},
			}
		},
	})
}

func newCreate(s *session.Session, kind session.Kind[api.Webhook]) *cobra.Command {
	var output jq.Output
	var events []string
	var actor, task, run, payload, headers, description, key string
	var interpolate, noRetry, anyCertificate bool
	cmd := &cobra.Command{
		Use: "create URL", Short: "Tell a URL when something happens", Args: cmdkit.Args(1, 1),
		Long: `Makes a webhook: a POST to a URL for every event of an Actor, a task or a run.

Events are ACTOR.RUN.CREATED, ACTOR.RUN.SUCCEEDED, ACTOR.RUN.FAILED,
ACTOR.RUN.ABORTED, ACTOR.RUN.TIMED_OUT, ACTOR.RUN.RESURRECTED, and
ACTOR.BUILD.CREATED, .SUCCEEDED, .FAILED, .ABORTED and .TIMED_OUT.

Exit codes: 0 made, 250 there is no such Actor, task or run, 1 anything else.`,
		Example: "  apify webhooks create https://example.com/hook --actor my-actor --event ACTOR.RUN.SUCCEEDED --event ACTOR.RUN.FAILED\n" +
			"  apify webhooks create http://127.0.0.1:8000/ --task daily --payload-template @payload.json",
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			condition, err := conditionOf(ctx, s, c, actor, task, run)
			if err != nil {
				return err
			}
			fields := map[string]any{
				"requestUrl": args[0], "eventTypes": events, "condition": condition,
				"shouldInterpolateStrings": interpolate, "doNotRetry": noRetry, "ignoreSslErrors": anyCertificate,
			}
			for name, text := range map[string]string{
				"payloadTemplate": payload, "headersTemplate": headers, "description": description, "idempotencyKey": key,
			} {
				if file, is := strings.CutPrefix(text, "@"); is && strings.HasSuffix(name, "Template") {
					content, err := os.ReadFile(file)
					if err != nil {
						return fault.Wrap(fault.InvalidInput, err, "reading the template")
					}
					text = string(content)
				}
				if text != "" {
					fields[name] = text
				}
			}
			made, err := c.Webhooks().Create(ctx, fields)
			if err != nil {
				return err
			}
			return kind.Print(ctx, &output, made)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&actor, "actor", "", "events of this `Actor`")
	flags.StringVar(&task, "task", "", "events of this `task`")
	flags.StringVar(&run, "run", "", "events of this `run`")
	flags.StringArrayVarP(&events, "event", "e", []string{"ACTOR.RUN.SUCCEEDED"}, "`event` to tell about; may be repeated")
	flags.StringVar(&payload, "payload-template", "", "`template` of the body; @FILE for a file")
	flags.StringVar(&headers, "headers-template", "", "`template` of a JSON object with headers; @FILE for a file")
	flags.StringVar(&description, "description", "", "`text` for people")
	flags.StringVar(&key, "idempotency-key", "", "`key` with which a webhook is made once only")
	flags.BoolVar(&interpolate, "interpolate-strings", false, "fill in variables within texts of the templates too")
	flags.BoolVar(&noRetry, "no-retry", false, "try once only")
	flags.BoolVar(&anyCertificate, "ignore-ssl-errors", false, "accept any certificate of the URL")
	output.AddFlags(flags)
	return cmd
}

func conditionOf(ctx context.Context, s *session.Session, c *client.Client, actor, task, run string) (api.WebhookCondition, error) {
	given := 0
	for _, ref := range []string{actor, task, run} {
		if ref != "" {
			given++
		}
	}
	if given != 1 {
		return api.WebhookCondition{}, fault.New(fault.Usage, "name what to listen to with one of --actor, --task and --run")
	}
	switch {
	case actor != "":
		found, err := s.Actor(ctx, c, actor)
		return api.WebhookCondition{ActorID: found.Value.ID}, err
	case task != "":
		found, err := s.Task(ctx, c, task)
		return api.WebhookCondition{ActorTaskID: found.Value.ID}, err
	}
	found, err := c.Run(run).Get(ctx, 0)
	return api.WebhookCondition{ActorRunID: found.Value.ID}, session.Named(c, err, "run", run, "runs")
}

func newTest(s *session.Session, kind session.Kind[api.WebhookDispatch]) *cobra.Command {
	var output jq.Output
	cmd := &cobra.Command{
		Use: "test WEBHOOK", Short: "Let a webhook tell about a test event", Args: cmdkit.Args(1, 1),
		Long: `Lets a webhook tell about an event that did not happen, and describes the dispatch.

Exit codes: 0 it is on its way, 250 there is no such webhook, 1 anything else.`,
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			dispatch, err := c.Webhook(args[0]).Test(ctx)
			if err != nil {
				return session.Named(c, err, "webhook", args[0], "webhooks")
			}
			return kind.Print(ctx, &output, dispatch)
		}),
	}
	output.AddFlags(cmd.Flags())
	return cmd
}

func newDispatches(s *session.Session) *cobra.Command {
	return session.NewList(s, session.List[api.WebhookDispatch]{
		Use: "dispatches [WEBHOOK]", Short: "List what webhooks have told", Noun: "dispatches", Limit: 20, Args: cmdkit.Args(0, 1),
		Long: "Lists what a webhook, or all of them, told or try to tell, the oldest first.",
		Page: func(ctx context.Context, c *client.Client, args []string, opts client.ListOptions) (api.Page[client.Answer[api.WebhookDispatch]], error) {
			if len(args) == 0 {
				return c.Dispatches().List(ctx, opts)
			}
			page, err := c.Webhook(args[0]).Dispatches().List(ctx, opts)
			return page, session.Named(c, err, "webhook", args[0], "webhooks")
		},
		Columns: func() []session.Column[api.WebhookDispatch] {
			return []session.Column[api.WebhookDispatch]{
				{Title: "id", Cell: func(d api.WebhookDispatch) string { return d.ID }},
				{Title: "webhook", Cell: func(d api.WebhookDispatch) string { return d.WebhookID }},
				{Title: "event", Cell: func(d api.WebhookDispatch) string { return d.EventType }},
				{Title: "status", Cell: func(d api.WebhookDispatch) string { return d.Status }},
				{Title: "attempts", Cell: func(d api.WebhookDispatch) string { return strconv.Itoa(len(d.Calls)) }},
				{Title: "created", Cell: func(d api.WebhookDispatch) string { return session.Moment(&d.CreatedAt) }},
			}
		},
	})
}
