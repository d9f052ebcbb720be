// Package schedules is the `apify schedules` commands: what starts by the clock.
package schedules

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
	kind := session.Kind[api.Schedule]{
		Session: s, Noun: "schedule", Group: "schedules",
		Resource: func(c *client.Client, id string) client.Resource[api.Schedule] { return c.Schedule(id).Resource },
		ID:       func(s api.Schedule) string { return s.ID },
		Label:    func(s api.Schedule) string { return s.Name + " (" + s.ID + ")" },
		Fields:   fields,
	}.ByID()
	return s.Group(&cobra.Command{
		Use: "schedules", Aliases: []string{"schedule"}, Short: "Start Actors and tasks by the clock",
	},
		newList(s), kind.Info(), newCreate(s, kind),
		kind.Update("  apify schedules update SCHEDULE cronExpression='0 6 * * *' timezone=Europe/Prague"),
		kind.Set("enable", "Let a schedule start things", "isEnabled", true),
		kind.Set("disable", "Keep a schedule from starting things", "isEnabled", false),
		newLog(s), kind.Remove(),
	)
}

func fields(s api.Schedule) [][2]string {
	list := [][2]string{
		{"id", s.ID}, {"name", s.Name}, {"title", session.Text(s.Title)}, {"description", session.Text(s.Description)},
		{"cron", s.CronExpression}, {"time zone", s.Timezone},
		{"enabled", strconv.FormatBool(s.IsEnabled)}, {"exclusive", strconv.FormatBool(s.IsExclusive)},
		{"next", session.Moment(s.NextRunAt)}, {"last", session.Moment(s.LastRunAt)},
	}
	for _, a := range s.Actions {
		list = append(list, [2]string{"starts", target(a)})
	}
	return list
}

func target(a api.ScheduleAction) string {
	if a.Type == api.RunActorTask {
		return "task " + a.ActorTaskID
	}
	return "Actor " + a.ActorID
}

func newList(s *session.Session) *cobra.Command {
	return session.NewList(s, session.List[api.Schedule]{
		Use: "ls", Short: "List schedules", Noun: "schedules", Limit: 20, Long: "Lists your schedules, the oldest first.",
		Page: func(ctx context.Context, c *client.Client, _ []string, opts client.ListOptions) (api.Page[client.Answer[api.Schedule]], error) {
			return c.Schedules().List(ctx, opts)
		},
		Columns: func() []session.Column[api.Schedule] {
			return []session.Column[api.Schedule]{
				{Title: "id", Cell: func(s api.Schedule) string { return s.ID }},
				{Title: "name", Cell: func(s api.Schedule) string { return s.Name }},
				{Title: "cron", Cell: func(s api.Schedule) string { return s.CronExpression }},
				{Title: "enabled", Cell: func(s api.Schedule) string { return strconv.FormatBool(s.IsEnabled) }},
				{Title: "next", Cell: func(s api.Schedule) string { return session.Moment(s.NextRunAt) }},
				{Title: "last", Cell: func(s api.Schedule) string { return session.Moment(s.LastRunAt) }},
			}
		},
	})
}

func newCreate(s *session.Session, kind session.Kind[api.Schedule]) *cobra.Command {
	var output jq.Output
	var actors, tasks []string
	var input, timezone, title, description string
	var disabled, exclusive bool
	cmd := &cobra.Command{
		Use: "create NAME CRON", Short: "Start Actors and tasks at certain times", Args: cmdkit.Args(2, 2),
		Long: `Makes a schedule that starts Actors and tasks at the times of a cron expression:
five fields for minute, hour, day, month and day of the week, or @hourly, @daily and
their like. What is exclusive is not started while its last run goes on.

Exit codes: 0 made, 5 the input is no JSON object, 250 there is no such Actor or
task, 1 anything else.`,
		Example: "  apify schedules create nightly '0 3 * * *' --task daily --timezone Europe/Prague\n" +
			"  apify schedules create hourly @hourly --actor my-actor --input '{\"maxPages\": 10}'",
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			if len(actors)+len(tasks) == 0 {
				return fault.New(fault.Usage, "there is nothing to start").WithHint("name what to start with --actor or --task")
			}
			body, err := checkInput(ctx, s, input)
			if err != nil {
				return err
			}
			actions, err := actions(ctx, s, c, actors, tasks, body)
			if err != nil {
				return err
			}
			fields := map[string]any{
				"name": args[0], "cronExpression": args[1], "timezone": timezone,
				"isEnabled": !disabled, "isExclusive": exclusive, "actions": actions,
			}
			for name, text := range map[string]string{"title": title, "description": description} {
				if text != "" {
					fields[name] = text
				}
			}
			made, err := c.Schedules().Create(ctx, fields)
			if err != nil {
				return err
			}
			return kind.Print(ctx, &output, made)
		}),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&actors, "actor", nil, "start this `Actor`; may be repeated")
	flags.StringArrayVar(&tasks, "task", nil, "start this `task`; may be repeated")
	flags.StringVarP(&input, "input", "i", "", "input for what is started, as JSON `text`; @FILE for a file")
	flags.StringVar(&timezone, "timezone", "UTC", "time `zone` of the expression, such as Europe/Prague")
	flags.StringVar(&title, "title", "", "`title` for people")
	flags.StringVar(&description, "description", "", "`text` for people")
	flags.BoolVar(&disabled, "disabled", false, "do not start anything yet")
	flags.BoolVar(&exclusive, "exclusive", false, "start nothing while the last run goes on")
	output.AddFlags(flags)
	return cmd
}

func checkInput(ctx context.Context, s *session.Session, text string) (json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	given := cmdkit.Input{Text: text, Given: true}
	return given.Read(ctx, s.IO, nil)
}

func actions(ctx context.Context, s *session.Session, c *client.Client, actors, tasks []string, input json.RawMessage) ([]api.ScheduleAction, error) {
	var list []api.ScheduleAction
	for _, ref := range actors {
		actor, err := s.Actor(ctx, c, ref)
		if err != nil {
			return nil, err
		}
		action := api.ScheduleAction{Type: api.RunActor, ActorID: actor.Value.ID}
		if input != nil {
			body, contentType := string(input), "application/json; charset=utf-8"
			action.RunInput = &api.ScheduleRunInput{Body: &body, ContentType: &contentType}
		}
		list = append(list, action)
	}
	for _, ref := range tasks {
		task, err := s.Task(ctx, c, ref)
		if err != nil {
			return nil, err
		}
		list = append(list, api.ScheduleAction{Type: api.RunActorTask, ActorTaskID: task.Value.ID, Input: input})
	}
	return list, nil
}

func newLog(s *session.Session) *cobra.Command {
	var output jq.Output
	cmd := &cobra.Command{
		Use: "log SCHEDULE", Short: "Print what a schedule did lately", Args: cmdkit.Args(1, 1),
		Long: `Prints what a schedule started and what kept it from it, the oldest first.

Exit codes: 0 printed, 250 there is no such schedule, 1 anything else.`,
		RunE: s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			log, err := c.Schedule(args[0]).Log(ctx)
			if err != nil {
				return session.Named(c, err, "schedule", args[0], "schedules")
			}
			if output.Wanted() {
				return output.Print(ctx, s.IO, log)
			}
			for _, entry := range log {
				if _, err := fmt.Fprintf(s.IO.Out, "%s %-5s %s\n", entry.CreatedAt.Format(time.RFC3339), entry.Level, cmdkit.Printable(strings.TrimSpace(entry.Message))); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	output.AddFlags(cmd.Flags())
	return cmd
}
