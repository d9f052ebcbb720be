// Package tasks is the `apify task` commands: Actors with an input and options
// that are kept.
package tasks

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
)

// New makes the group.
func New(f *cmdkit.Factory) *cobra.Command {
	s := session.New(f)
	kind := session.Kind[api.Task]{
		Session: s, Noun: "task", Group: "task", Find: s.Task,
		Resource: func(c *client.Client, id string) client.Resource[api.Task] { return c.Task(id).Resource },
		ID:       func(t api.Task) string { return t.ID },
		Label:    func(t api.Task) string { return t.Name + " (" + t.ID + ")" },
		Fields:   fields,
	}
	return s.Group(&cobra.Command{
		Use: "task", Aliases: []string{"tasks"}, Short: "Keep inputs of Actors as tasks, and run them",
	},
		newList(s), kind.Info(), newCreate(s, kind),
		kind.Update("  apify task update daily title='Every day' options:='{\"memoryMbytes\": 1024}'"),
		newInput(s), newRun(s), newStart(s), kind.Remove(),
		kind.Set("publish", "Show a task to everybody", "isPublic", true),
		kind.Set("unpublish", "Show a published task to nobody else any more", "isPublic", false),
	)
}

func fields(t api.Task) [][2]string {
	list := [][2]string{
		{"id", t.ID}, {"name", t.Name}, {"title", session.Text(t.Title)}, {"actor", t.ActorID},
		{"created", session.Moment(&t.CreatedAt)}, {"modified", session.Moment(&t.ModifiedAt)}, {"runs", strconv.Itoa(t.Stats.TotalRuns)},
	}
	if t.Options != nil {
		if text, err := json.Marshal(t.Options); err == nil && string(text) != "{}" {
			list = append(list, [2]string{"options", string(text)})
		}
	}
	if len(t.Input) > 0 && string(t.Input) != "null" {
		list = append(list, [2]string{"input", string(t.Input)})
	}
	return list
}

func newList(s *session.Session) *cobra.Command {
	return session.NewList(s, session.List[api.TaskShort]{
		Use: "ls", Short: "List tasks", Noun: "tasks", Limit: 20, Long: "Lists your tasks, the oldest first.",
		Page: func(ctx context.Context, c *client.Client, _ []string, opts client.ListOptions) (api.Page[client.Answer[api.TaskShort]], error) {
			return c.Tasks().List(ctx, opts)
		},
		Columns: func() []session.Column[api.TaskShort] {
			return []session.Column[api.TaskShort]{
				{Title: "id", Cell: func(t api.TaskShort) string { return t.ID }},
				{Title: "name", Cell: func(t api.TaskShort) string { return t.Name }},
				{Title: "actor", Cell: func(t api.TaskShort) string {
					if t.ActorName == "" {
						return t.ActorID
					}
					return t.ActorUsername + "/" + t.ActorName
				}},
				{Title: "runs", Cell: func(t api.TaskShort) string { return strconv.Itoa(t.Stats.TotalRuns) }},
				{Title: "modified", Cell: func(t api.TaskShort) string { return session.Moment(&t.ModifiedAt) }},
			}
		},
	})
}

func newCreate(s *session.Session, kind session.Kind[api.Task]) *cobra.Command {
	var output jq.Output
	var title string
	var start session.Start
	cmd := &cobra.Command{
		Use: "create NAME ACTOR [key=value …]", Short: "Keep an input for an Actor as a task", Args: cmdkit.Args(2, -1),
		Long: `Makes a task: an Actor with an input and options that all its runs get.` + session.InputHelp + `

Exit codes: 0 made, 5 the input is no JSON object, 250 there is no such Actor, 1 the
name is taken, or anything else.`,
		Example: "  apify task create daily my-actor maxPages=10 --memory 1024",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return s.Do(&output, func(ctx context.Context, c *client.Client, _ []string) error {
			ref, err := start.Take(cmd, args[1:])
			if err != nil {
				return err
			}
			options, err := start.Options(ctx, s, false)
			if err != nil {
				return err
			}
			actor, err := s.ActorHere(ctx, c, []string{ref})
			if err != nil {
				return err
			}
			body := map[string]any{"actId": actor.Value.ID, "name": args[0]}
			if title != "" {
				body["title"] = title
			}
			if options.Input != nil {
				body["input"] = json.RawMessage(options.Input)
			}
			body["options"] = taskOptions(options)
			made, err := c.Tasks().Create(ctx, body)
			if err != nil {
				return err
			}
			return kind.Print(ctx, &output, made)
		})(cmd, args)
	}
	cmd.Flags().StringVar(&title, "title", "", "`title` for people")
	start.AddFlags(cmd)
	output.AddFlags(cmd.Flags())
	return cmd
}

func taskOptions(o client.StartOptions) api.TaskOptions {
	options := api.TaskOptions{
		TimeoutSecs: o.TimeoutSecs, MemoryMbytes: o.MemoryMbytes, MaxItems: o.MaxItems,
		MaxTotalChargeUSD: o.MaxTotalChargeUSD, RestartOnError: o.RestartOnError,
	}
	if o.Build != "" {
		options.Build = &o.Build
	}
	return options
}

func newInput(s *session.Session) *cobra.Command {
	var output jq.Output
	var given cmdkit.Input
	cmd := &cobra.Command{
		Use: "input TASK", Short: "Print the input that a task keeps, or give it another one", Args: cmdkit.Args(1, 1),
		Long: `Prints the input that a task keeps. --input and --input-file give it another one,
which replaces all of it.

Exit codes: 0 printed or replaced, 5 the input is no JSON object, 250 there is no
such task, 1 anything else.`,
		Example: "  apify task input daily > input.json\n  apify task input daily --input-file input.json",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		given.Given = cmd.Flags().Changed("input")
		if err := given.Once(cmd.CommandPath()); err != nil {
			return err
		}
		return s.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			task, err := s.Task(ctx, c, args[0])
			if err != nil {
				return err
			}
			if given.Given || given.File != "" {
				input, err := given.Read(ctx, s.IO, nil)
				if err != nil {
					return err
				}
				return c.Task(task.Value.ID).SetInput(ctx, input)
			}
			input, err := c.Task(task.Value.ID).Input(ctx)
			if err != nil {
				return err
			}
			output.JSON = output.JSON || !output.Wanted()
			return output.Print(ctx, s.IO, input)
		})(cmd, args)
	}
	cmd.Flags().StringVarP(&given.Text, "input", "i", "", "another input as JSON `text`")
	cmd.Flags().StringVarP(&given.File, "input-file", "f", "", "`file` with another input; - for standard input")
	output.AddFlags(cmd.Flags())
	return cmd
}

const laid = `

What is given as input is laid over the input that the task keeps, field by field.`

// begin starts the run that the command line asks for.
func begin(ctx context.Context, s *session.Session, c *client.Client, cmd *cobra.Command, start *session.Start, args []string) (api.Run, *session.Thing, error) {
	_, err := start.Take(cmd, args[1:])
	if err != nil {
		return api.Run{}, nil, err
	}
	options, err := start.Options(ctx, s, false)
	if err != nil {
		return api.Run{}, nil, err
	}
	task, err := s.Task(ctx, c, args[0])
	if err != nil {
		return api.Run{}, nil, err
	}
	run, err := c.Task(task.Value.ID).Start(ctx, options)
	return run.Value, &session.Thing{ID: task.Value.ID, URL: s.Link(c, "actors/tasks/"+task.Value.ID, "actor-tasks/"+task.Value.ID)}, err
}

func newRun(s *session.Session) *cobra.Command {
	return s.Calling(&cobra.Command{
		Use: "run TASK [key=value …]", Aliases: []string{"call"}, Short: "Run a task and wait for its results", Args: cmdkit.Args(1, -1),
		Long: `Starts a run of a task, shows its log on standard error until it has ended, and
prints what came of it, as apify call does.` + laid + session.InputHelp + session.CallHelp,
		Example: "  apify task run daily\n  apify task run daily maxPages=1 --output-dataset | jq length",
	}, "task run", func(ctx context.Context, c *client.Client, cmd *cobra.Command, start *session.Start, args []string) (api.Run, *session.Thing, error) {
		return begin(ctx, s, c, cmd, start, args)
	})
}

func newStart(s *session.Session) *cobra.Command {
	var output jq.Output
	var start session.Start
	cmd := &cobra.Command{
		Use: "start TASK [key=value …]", Short: "Start a task and leave it running", Args: cmdkit.Args(1, -1),
		Long: `Starts a run of a task, and ends as soon as it is started.` + laid + session.InputHelp + `

Exit codes: 0 started, 5 the input is invalid, 250 there is no such task, 1 anything
else.`,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return s.Do(&output, func(ctx context.Context, c *client.Client, _ []string) error {
			run, task, err := begin(ctx, s, c, cmd, &start, args)
			if err != nil {
				return err
			}
			result := s.RunResult(c, "task start", run)
			result.Task = task
			return s.End(ctx, &output, result)
		})(cmd, args)
	}
	cmd.Flags().SortFlags = false
	start.AddFlags(cmd)
	output.AddFlags(cmd.Flags())
	return cmd
}
