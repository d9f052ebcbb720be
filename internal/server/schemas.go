package server

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	datasetschema "github.com/greenroom-dev/greenroom/internal/schema/dataset"
	"github.com/greenroom-dev/greenroom/internal/schema/keyvalue"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxCompiled is how many compiled schemas of a kind are kept. Runs of one Actor
// share theirs.
const maxCompiled = 100

// schemas compiles the schemas of storages, each text once.
type schemas[T any] struct {
	noun    string // "dataset"
	invalid string // the API's error.type for a schema that is not one
	parse   func(data []byte, file string) (*T, error)

	mu       sync.RWMutex
	compiled map[string]*T
}

// of gives a storage's schema, nil when it has none.
func (k *schemas[T]) of(text json.RawMessage) (*T, error) {
	if len(text) == 0 {
		return nil, nil
	}
	k.mu.RLock()
	schema, ok := k.compiled[string(text)]
	k.mu.RUnlock()
	if ok {
		return schema, nil
	}
	schema, err := k.parse(text, "schema")
	if err != nil {
		problem := fault.New(fault.InvalidRequest, "the %s's schema is not valid: %w", k.noun, err).WithType(k.invalid)
		return nil, problem
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.compiled == nil || len(k.compiled) >= maxCompiled {
		k.compiled = map[string]*T{}
	}
	k.compiled[string(text)] = schema
	return schema, nil
}

// check reports a schema that a storage cannot have.
func (k *schemas[T]) check(text json.RawMessage) error {
	_, err := k.of(text)
	return err
}

func newDatasetSchemas() *schemas[datasetschema.Schema] {
	return &schemas[datasetschema.Schema]{noun: "dataset", invalid: "dataset-schema-invalid", parse: datasetschema.Parse}
}

func newStoreSchemas() *schemas[keyvalue.Schema] {
	return &schemas[keyvalue.Schema]{noun: "key-value store", invalid: "store-schema-invalid", parse: keyvalue.Parse}
}

// transformation gives what the view that the caller asks for makes of the
// items, nothing when none is asked for.
func (s *server) transformation(c *call, items store.Dataset) (t datasetschema.Transformation, err error) {
	name := c.query().Get("view")
	if name == "" {
		return t, nil
	}
	schema, err := s.datasetSchemas.of(items.Schema())
	if err != nil {
		return t, err
	}
	if schema == nil {
		return t, fault.New(fault.InvalidRequest, "dataset %s has no schema, and so it has no view %q", items.ID(), name).
			WithType("dataset-does-not-have-schema").WithHint("leave out the parameter view")
	}
	view, ok := schema.View(name)
	if !ok {
		names := []string{}
		for _, v := range schema.Views() {
			names = append(names, v.Name)
		}
		return t, fault.New(fault.InvalidRequest, "dataset %s has no view %q: it has %s", items.ID(), name, oneOf(names)).
			WithType("requested-dataset-view-does-not-exist")
	}
	return view.Transformation, nil
}

// oneOf lists names, or says that there are none.
func oneOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// selection is the part of a store's keys that a caller asks for.
type selection struct {
	prefix string
	key    string // of the only record, when not empty
	none   bool   // the parameters contradict each other
}

// selection reads the parameters prefix and collection.
func (s *server) selection(c *call, kvs store.KeyValueStore) (selection, error) {
	sel := selection{prefix: c.query().Get("prefix")}
	name := c.query().Get("collection")
	if name == "" {
		return sel, nil
	}
	schema, err := s.storeSchemas.of(kvs.Schema())
	if err != nil {
		return sel, err
	}
	if schema == nil {
		return sel, fault.New(fault.InvalidRequest, "key-value store %s has no schema, and so it has no collection %q", kvs.ID(), name).
			WithType("invalid-collection").WithHint("select records with prefix=")
	}
	collection, ok := schema.Collection(name)
	if !ok {
		names := []string{}
		for _, other := range schema.Collections() {
			names = append(names, other.Name)
		}
		return sel, fault.New(fault.InvalidRequest, "key-value store %s has no collection %q: it has %s", kvs.ID(), name, oneOf(names)).
			WithType("invalid-collection")
	}
	switch {
	case collection.Key != "":
		sel.key, sel.none = collection.Key, !strings.HasPrefix(collection.Key, sel.prefix)
	case strings.HasPrefix(collection.KeyPrefix, sel.prefix):
		sel.prefix = collection.KeyPrefix
	default:
		sel.none = !strings.HasPrefix(sel.prefix, collection.KeyPrefix)
	}
	return sel, nil
}

// keys lists a page of what is selected.
func (sel selection) keys(ctx context.Context, kvs store.KeyValueStore, opts store.KeysOptions) (store.KeysPage, error) {
	switch {
	case sel.none:
		return store.KeysPage{}, nil
	case sel.key == "":
		opts.Prefix = sel.prefix
		return kvs.Keys(ctx, opts)
	case sel.key <= opts.ExclusiveStartKey:
		return store.KeysPage{}, nil
	}
	info, err := kvs.Stat(ctx, sel.key)
	if fault.Is(err, fault.NotFound) {
		return store.KeysPage{}, nil
	}
	return store.KeysPage{Items: []store.RecordInfo{info}}, err
}
