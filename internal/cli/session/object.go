package session

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Kind is a kind of objects that are made, described, changed and deleted alike:
// tasks, schedules and webhooks.
type Kind[T any] struct {
	Session *Session
	// Noun and Group are what one is called, and the command of all of them.
	Noun, Group string
	// Find gives the object that a word on the command line names.
	Find func(ctx context.Context, c *client.Client, ref string) (client.Answer[T], error)
	// Resource is the object with an id; ID and Label are what it is known by.
	Resource func(c *client.Client, id string) client.Resource[T]
	ID       func(T) string
	Label    func(T) string
	Fields   func(T) [][2]string
}

// ByID makes Find for a kind that has ids only.
func (k Kind[T]) ByID() Kind[T] {
	k.Find = func(ctx context.Context, c *client.Client, ref string) (client.Answer[T], error) {
		answer, err := k.Resource(c, ref).Get(ctx)
		return answer, Named(c, err, k.Noun, ref, k.Group)
	}
	return k
}

// Print shows one object.
func (k Kind[T]) Print(ctx context.Context, output *jq.Output, answer client.Answer[T]) error {
	if output.Wanted() {
		return output.Print(ctx, k.Session.IO, answer)
	}
	return k.Session.IO.Fields(k.Fields(answer.Value))
}

// Info makes the command that describes one.
func (k Kind[T]) Info() *cobra.Command {
	var output jq.Output
	cmd := &cobra.Command{
		Use: "info " + strings.ToUpper(k.Noun), Short: "Describe a " + k.Noun, Args: cmdkit.Args(1, 1),
		Long: fmt.Sprintf("Describes a %s.\n\nExit codes: 0 described, 250 there is no such %s, 1 anything else.", k.Noun, k.Noun),
		RunE: k.Session.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			answer, err := k.Find(ctx, c, args[0])
			if err != nil {
				return err
			}
			return k.Print(ctx, &output, answer)
		}),
	}
	output.AddFlags(cmd.Flags())
	return cmd
}

// Update makes the command that changes fields of one.
func (k Kind[T]) Update(example string) *cobra.Command {
	var output jq.Output
	cmd := &cobra.Command{
		Use: "update " + strings.ToUpper(k.Noun) + " field=value …", Short: "Change a " + k.Noun, Args: cmdkit.Args(2, -1), Example: example,
		Long: fmt.Sprintf(`Changes fields of a %s, by the names that the API and --json give them.
field=value takes numbers, booleans and null as such and everything else as text;
field:=JSON takes any JSON. Other fields stay as they are.

Exit codes: 0 changed, 5 a field is not of one of these forms, 250 there is no such
%s, 1 anything else.`, k.Noun, k.Noun),
		RunE: k.Session.Do(&output, func(ctx context.Context, c *client.Client, args []string) error {
			fields, err := cmdkit.ParsePairs(args[1:])
			if err != nil {
				return fault.Wrap(fault.InvalidInput, err, "fields")
			}
			found, err := k.Find(ctx, c, args[0])
			if err != nil {
				return err
			}
			answer, err := k.Resource(c, k.ID(found.Value)).Update(ctx, json.RawMessage(fields))
			if err != nil {
				return err
			}
			return k.Print(ctx, &output, answer)
		}),
	}
	output.AddFlags(cmd.Flags())
	return cmd
}

// Set makes a command that gives one field of one a certain value.
func (k Kind[T]) Set(verb, short, field string, value any) *cobra.Command {
	return &cobra.Command{
		Use: verb + " " + strings.ToUpper(k.Noun), Short: short, Args: cmdkit.Args(1, 1),
		Long: fmt.Sprintf("%s.\n\nExit codes: 0 done, 250 there is no such %s, 1 anything else.", short, k.Noun),
		RunE: k.Session.Do(nil, func(ctx context.Context, c *client.Client, args []string) error {
			found, err := k.Find(ctx, c, args[0])
			if err != nil {
				return err
			}
			if _, err := k.Resource(c, k.ID(found.Value)).Update(ctx, map[string]any{field: value}); err != nil {
				return err
			}
			k.Session.Note("%s %s: %s is %v", k.Noun, k.Label(found.Value), field, value)
			return nil
		}),
	}
}

// Remove makes the command that deletes one.
func (k Kind[T]) Remove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "rm " + strings.ToUpper(k.Noun), Aliases: []string{"remove"}, Short: "Delete a " + k.Noun, Args: cmdkit.Args(1, 1),
		Long: fmt.Sprintf(`Deletes a %s, for good. On a terminal it asks first; elsewhere it needs --yes.

Exit codes: 0 deleted, 250 there is no such %s, 3 the answer was no, 1 nobody could
be asked, or anything else.`, k.Noun, k.Noun),
		RunE: k.Session.Do(nil, func(ctx context.Context, c *client.Client, args []string) error {
			found, err := k.Find(ctx, c, args[0])
			if err != nil {
				return err
			}
			if !yes {
				if err := k.Session.IO.Confirm(fmt.Sprintf("Delete %s %s?", k.Noun, k.Label(found.Value))); err != nil {
					return err
				}
			}
			if err := k.Resource(c, k.ID(found.Value)).Delete(ctx); err != nil {
				return err
			}
			k.Session.Note("deleted %s %s", k.Noun, k.Label(found.Value))
			return nil
		}),
	}
	AddYes(cmd, &yes)
	return cmd
}
