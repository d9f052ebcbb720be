package actor

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Dataset is an append-only list of JSON objects.
type Dataset struct {
	name string // for messages
	// In a run one of them, outside the other; both only when first used.
	remote func(ctx context.Context) (client.Dataset, error)
	local  func(ctx context.Context, create bool) (store.Dataset, error)
}

// Dataset is the run's default dataset.
func (a *Actor) Dataset() *Dataset {
	d := &Dataset{name: a.config.DefaultDatasetID}
	if a.config.AtHome {
		d.remote = func(context.Context) (client.Dataset, error) {
			c, err := a.api()
			if err != nil {
				return client.Dataset{}, err
			}
			return c.Dataset(d.name), nil
		}
		return d
	}
	d.local = a.localDataset(d.name)
	return d
}

// OpenDataset opens a dataset by id or name, creating a missing one of that
// name. "user/name" is one of another user, or of the program's own. What looks
// like an id must exist: it is fault.NotFound otherwise. A path (with ./, ../
// or / before it) is a folder of item files, in a run too. An empty name and
// "default" mean the default dataset.
func (a *Actor) OpenDataset(ctx context.Context, idOrName string) (*Dataset, error) {
	switch {
	case idOrName == "", idOrName == "default":
		return a.Dataset(), nil
	case isPath(idOrName):
		return openFolder(idOrName)
	case a.config.AtHome:
		c, err := a.api()
		if err != nil {
			return nil, err
		}
		id, err := find(ctx, c, idOrName, "dataset",
			func(name string) (string, error) { meta, err := c.Dataset(name).Get(ctx); return meta.ID, err },
			func(name string) (string, error) { meta, err := c.CreateDataset(ctx, name); return meta.ID, err })
		if err != nil {
			return nil, err
		}
		remote := c.Dataset(id)
		return &Dataset{name: idOrName, remote: func(context.Context) (client.Dataset, error) { return remote, nil }}, nil
	}
	name := ownName(idOrName)
	open := a.localDataset(name)
	if _, err := open(ctx, !looksLikeID(name)); err != nil {
		return nil, err
	}
	return &Dataset{name: idOrName, local: open}, nil
}

func (a *Actor) localDataset(name string) func(context.Context, bool) (store.Dataset, error) {
	return func(ctx context.Context, create bool) (store.Dataset, error) {
		root, err := a.local()
		if err != nil {
			return nil, err
		}
		return openLocal(ctx, root.Datasets(), name, create)
	}
}

// openLocal finds a storage, or makes it.
func openLocal[S any](ctx context.Context, all store.Collection[S], name string, create bool) (S, error) {
	found, err := all.Open(ctx, name)
	if create && fault.Is(err, fault.NotFound) {
		found, _, err = all.Create(ctx, store.CreateOptions{Name: name})
	}
	return found, err
}

// find resolves an id or a name at the API, creating what has that name and is
// the caller's to create.
func find(ctx context.Context, c *client.Client, idOrName, noun string, get, create func(string) (string, error)) (string, error) {
	id, err := get(idOrName)
	if !fault.Is(err, fault.NotFound) {
		return id, within(err, "%s %s", noun, idOrName)
	}
	if looksLikeID(idOrName) {
		return "", fault.New(fault.NotFound, "there is no %s with the id %s", noun, idOrName)
	}
	name := ownName(idOrName)
	if name != idOrName {
		user := strings.TrimRight(strings.TrimSuffix(idOrName, name), "/~")
		account, err := c.Me(ctx)
		if err != nil {
			return "", err
		}
		me := account.Value
		if !strings.EqualFold(user, me.Username) && user != me.ID && user != "" {
			return "", fault.New(fault.NotFound, "there is no %s %s", noun, idOrName).
				WithHint("only one of your own, %s/%s, can be created by naming it", me.Username, name)
		}
	}
	id, err = create(name)
	return id, within(err, "%s %s", noun, idOrName)
}

// ownName drops the user from "user/name" and "user~name".
func ownName(idOrName string) string {
	if _, name, ok := strings.Cut(strings.Replace(idOrName, "/", "~", 1), "~"); ok {
		return name
	}
	return idOrName
}

// looksLikeID tells an id from a name: 17 letters and digits. Names that people
// give are seldom of both cases, ids are in all but 1 of 5,000.
func looksLikeID(s string) bool {
	if len(s) != 17 {
		return false
	}
	var lower, upper bool
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= 'A' && c <= 'Z':
			upper = true
		case c < '0' || c > '9':
			return false
		}
	}
	return lower && upper
}

func isPath(s string) bool {
	slashed := filepath.ToSlash(s)
	return s == "." || s == ".." || strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") ||
		strings.HasPrefix(slashed, "/") || filepath.IsAbs(s)
}

// Push appends items in order, each of which must have a JSON object as its
// JSON form. When one has not, nothing is pushed. In a run they must match the
// dataset's schema too: those that do not are fault.InvalidInput, whose message
// says which items and fields are wrong.
func (d *Dataset) Push(ctx context.Context, items ...any) error {
	raw := make([]json.RawMessage, len(items))
	for i, item := range items {
		text, err := encode(item)
		if err != nil {
			return within(err, "item %d", i+1)
		}
		if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
			return fault.New(fault.InvalidInput, "item %d is not a JSON object: %.60s", i+1, text)
		}
		raw[i] = text
	}
	_, err := d.Append(ctx, raw)
	return err
}

// Append appends items that are JSON text already, each one object, and keeps
// that text. It counts those that are stored for good: all of them, or, when
// the API had to be asked more than once, those before the failure.
func (d *Dataset) Append(ctx context.Context, items []json.RawMessage) (pushed int, err error) {
	if len(items) == 0 {
		return 0, nil
	}
	if d.remote != nil {
		remote, err := d.remote(ctx)
		if err != nil {
			return 0, err
		}
		pushed, err = remote.Push(ctx, items)
		return pushed, within(err, "dataset %s", d.name)
	}
	local, err := d.local(ctx, true)
	if err != nil {
		return 0, err
	}
	if err := local.Append(ctx, items); err != nil {
		return 0, err
	}
	return len(items), nil
}

// Items yields the items in order. The bytes are valid until the next step.
func (d *Dataset) Items(ctx context.Context) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		var items iter.Seq2[json.RawMessage, error]
		if d.remote != nil {
			remote, err := d.remote(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			items = remote.Each(ctx, client.ItemsOptions{})
		} else {
			local, err := d.local(ctx, false)
			if fault.Is(err, fault.NotFound) {
				return // nobody has pushed anything yet
			}
			if err != nil {
				yield(nil, err)
				return
			}
			items = local.Items(ctx, 0, -1, false)
		}
		items(yield)
	}
}
