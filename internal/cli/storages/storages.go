// Package storages is what the commands of datasets, key-value stores and
// request queues have in common: creating, listing, describing, renaming and
// removing them, how one is named, and which API is asked.
package storages

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

// Kind is one kind of storage.
type Kind struct {
	API client.StorageKind
	// Command is the group's name, Noun what one of them is called.
	Command, Noun string
	// Columns are what ls shows after the id and the name, Fields what info
	// shows.
	Columns, Fields []Field
}

// Field is something to show of a storage's metadata.
type Field struct {
	Title string
	// Name is the field of the metadata.
	Name string
}

// Group is the commands of one kind, and what they share while one of them runs.
type Group struct {
	Kind
	*cmdkit.Factory
	connection cmdkit.Connection
	client     *client.Client
}

// Named is the paragraph of long texts that describes how commands take a
// storage.
const Named = `

A storage is named by its id, its name, or as USERNAME/NAME.`

// New makes the group's command with what every kind has; the caller adds the
// rest.
func New(f *cmdkit.Factory, kind Kind, cmd *cobra.Command) (*Group, *cobra.Command) {
	g := &Group{Kind: kind, Factory: f}
	cmd = cmdkit.Group(cmd)
	g.connection.AddFlags(cmd.PersistentFlags())
	cmd.AddCommand(g.newCreate(), g.newList(), g.newInfo(), g.newRename(), g.newRemove())
	return g, cmd
}

// Client is the API that flags and environment name.
func (g *Group) Client() (*client.Client, error) {
	if g.client == nil {
		opened, err := g.connection.Open(g.Factory)
		if err != nil {
			return nil, err
		}
		g.client = opened
	}
	return g.client, nil
}

// Storage is a storage that exists.
type Storage struct {
	ID   string
	Name string // "" for none
	// Raw is the metadata as the API sent it.
	Raw json.RawMessage
}

// Label is how messages name the storage.
func (s Storage) Label() string {
	if s.Name != "" && s.Name != s.ID {
		return s.Name + " (" + s.ID + ")"
	}
	return s.ID
}

// Find asks the API for the storage that ref names; none is fault.NotFound. The
// platform takes a bare name only behind a tilde, a server of ours also without.
func (g *Group) Find(ctx context.Context, ref string) (*client.Client, Storage, error) {
	c, err := g.Client()
	if err != nil {
		return nil, Storage{}, err
	}
	if strings.Trim(ref, "/~") == "" {
		return nil, Storage{}, fault.New(fault.Usage, "%q names no %s", ref, g.Noun)
	}
	raw, err := c.Storages(g.API).Get(ctx, ref)
	if fault.Is(err, fault.NotFound) && !strings.ContainsAny(ref, "/~") {
		raw, err = c.Storages(g.API).Get(ctx, "~"+ref)
	}
	if fault.Is(err, fault.NotFound) {
		return nil, Storage{}, fault.New(fault.NotFound, "%s %q was not found at %s", g.Noun, ref, c.BaseURL()).
			WithHint("apify %s ls --unnamed lists those that are there", g.Command)
	}
	if err != nil {
		return nil, Storage{}, Reached(err)
	}
	found, err := decode(raw)
	return c, found, err
}

func decode(raw json.RawMessage) (Storage, error) {
	var meta struct {
		ID   string  `json:"id"`
		Name *string `json:"name"`
	}
	if err := json.Unmarshal(raw, &meta); err != nil || meta.ID == "" {
		return Storage{}, fault.New(fault.Unavailable, "the API's answer does not describe a storage").
			WithHint("is the address the one of an API?")
	}
	s := Storage{ID: meta.ID, Raw: raw}
	if meta.Name != nil {
		s.Name = *meta.Name
	}
	return s, nil
}

// Reached gives errors about an API that does not answer or does not know the
// caller the hint that fits these commands.
func Reached(err error) error {
	switch fault.CodeOf(err) {
	case fault.Unavailable:
		return fault.New(fault.Unavailable, "%w", err).
			WithHint("check that it runs and that --api-url or APIFY_CLIENT_BASE_URL names it")
	case fault.Unauthenticated:
		return fault.New(fault.Unauthenticated, "%w", err).
			WithHint("give a token that this API knows with --token or APIFY_TOKEN")
	}
	return err
}

// run makes a command's function that compiles the expression of --jq before
// anything else.
func run(output *jq.Output, do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := output.Prepare(); err != nil {
			return err
		}
		return do(cmd.Context(), args)
	}
}

// Note tells people something that is no data.
func (g *Group) Note(format string, args ...any) {
	fmt.Fprintln(g.IO.Err, cmdkit.Printable(fmt.Sprintf(format, args...)))
}
