package engine

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/definition"
	outputschema "github.com/greenroom-dev/greenroom/internal/schema/output"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// defaultAlias is the alias of the storages that every run has.
const defaultAlias = "default"

// openStorages makes the run's storages with the schemas of the Actor's
// definition: the default ones, which are the Root's own for the first run of a
// local engine and new unnamed ones otherwise, and a dataset for each alias. Given
// storages are taken as they are, with the schemas they have.
func (e *Engine) openStorages(ctx context.Context, p *Program, r *api.Run, given Given, local bool) error {
	d := p.Definition
	opts := store.CreateOptions{ActorID: r.ActorID, RunID: r.ID}
	if local {
		opts.Name = defaultAlias
	}
	s := e.cfg.Store
	if err := e.checkGiven(ctx, given); err != nil {
		return err
	}
	dataset, err := openGiven(ctx, s.Datasets(), given.Dataset, opts, datasetSchema(d, defaultAlias))
	if err != nil {
		return err
	}
	kvs, err := openGiven(ctx, s.KeyValueStores(), given.KeyValueStore, opts, keyValueSchema(d))
	if err != nil {
		return err
	}
	queue, err := openGiven(ctx, s.RequestQueues(), given.RequestQueue, opts, nil)
	if err != nil {
		return err
	}
	r.DefaultDatasetID, r.DefaultKeyValueStoreID, r.DefaultRequestQueueID = dataset.ID(), kvs.ID(), queue.ID()
	r.StorageIDs = api.StorageIDs{
		Datasets:       map[string]string{defaultAlias: r.DefaultDatasetID},
		KeyValueStores: map[string]string{defaultAlias: r.DefaultKeyValueStoreID},
		RequestQueues:  map[string]string{defaultAlias: r.DefaultRequestQueueID},
	}
	opts.Name = ""
	for _, alias := range slices.Sorted(maps.Keys(d.Datasets)) {
		if alias == defaultAlias {
			continue
		}
		if r.StorageIDs.Datasets[alias], err = e.openAliased(ctx, d, r, opts, alias, local); err != nil {
			return err
		}
	}
	return nil
}

// checkGiven looks for all given storages before any new one is made.
func (e *Engine) checkGiven(ctx context.Context, given Given) error {
	s := e.cfg.Store
	for _, open := range []func() error{
		func() error { return there(ctx, s.Datasets(), given.Dataset) },
		func() error { return there(ctx, s.KeyValueStores(), given.KeyValueStore) },
		func() error { return there(ctx, s.RequestQueues(), given.RequestQueue) },
	} {
		if err := open(); err != nil {
			return err
		}
	}
	return nil
}

func there[S store.Storage](ctx context.Context, all store.Collection[S], ref string) error {
	if ref == "" {
		return nil
	}
	_, err := all.Open(ctx, ref)
	return err
}

// openGiven opens the storage that the caller has named, or makes one.
func openGiven[S store.Storage](ctx context.Context, all store.Collection[S], ref string, opts store.CreateOptions, schema json.RawMessage) (S, error) {
	if ref != "" {
		return all.Open(ctx, ref)
	}
	return openWith(ctx, all, opts, schema)
}

// openAliased makes the dataset of an alias and gives its id. For the first run
// of a local engine it is the one whose folder is called by the alias, where the
// SDKs look for it when there is no API. A dataset that somebody has given that
// name is not the run's.
func (e *Engine) openAliased(ctx context.Context, d *definition.Actor, r *api.Run, opts store.CreateOptions, alias string, local bool) (string, error) {
	all, schema := e.cfg.Store.Datasets(), datasetSchema(d, alias)
	if local {
		opts := opts
		opts.ID = alias
		dataset, _, err := all.Create(ctx, opts)
		if err != nil {
			return "", err
		}
		info, err := dataset.Info(ctx)
		if err != nil {
			return "", err
		}
		// Folders do not differ by case alone, aliases may.
		taken := slices.Contains(slices.Collect(maps.Values(r.StorageIDs.Datasets)), dataset.ID())
		if info.Name == "" && !taken {
			return dataset.ID(), dataset.SetSchema(ctx, schema)
		}
	}
	dataset, err := openWith(ctx, all, opts, schema)
	if err != nil {
		return "", err
	}
	return dataset.ID(), nil
}

// openWith makes a storage with a schema. One that was there before, because it
// outlives the runs, gets the present schema, or none.
func openWith[S store.Storage](ctx context.Context, all store.Collection[S], opts store.CreateOptions, schema json.RawMessage) (S, error) {
	opts.Schema = schema
	s, created, err := all.Create(ctx, opts)
	if err == nil && !created {
		err = s.SetSchema(ctx, schema)
	}
	return s, err
}

func datasetSchema(d *definition.Actor, alias string) json.RawMessage {
	if schema := d.Datasets[alias]; schema != nil {
		return schema.JSON()
	}
	return nil
}

func keyValueSchema(d *definition.Actor) json.RawMessage {
	if d.KeyValueStore != nil {
		return d.KeyValueStore.JSON()
	}
	return nil
}

// output gives the output that a run's Actor promises, nil when it promises none.
func (e *Engine) output(r api.Run, p *Program, in *Input) (json.RawMessage, error) {
	d := p.Definition
	if d.Output == nil {
		return nil, nil
	}
	vars := outputschema.Variables{Run: r, Input: withoutSecrets(d, in)}
	if e.cfg.PublicURL != nil {
		vars.Origin = e.cfg.PublicURL()
	}
	return d.Output.Generate(vars)
}

// withoutSecrets gives an input without its secret fields: who may read a run
// need not be allowed to read those.
func withoutSecrets(d *definition.Actor, in *Input) json.RawMessage {
	if in == nil || !isJSONType(in.ContentType) {
		return nil
	}
	if d.Input == nil {
		return in.Body
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(in.Body, &fields) != nil {
		return nil
	}
	for _, name := range d.Input.Secrets() {
		delete(fields, name)
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return nil
	}
	return body
}
