package engine

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/encoding"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	inputKey = "INPUT"
	// heldInputKey is where the input lies for code that reads files, when it
	// differs from the stored one: the official CLI uses the same name.
	heldInputKey = "__CLI_INPUT"

	jsonType = "application/json; charset=utf-8"
)

// CheckInput reports what is wrong with an input for a program, and gives it as
// a run would get it, defaults filled in. A nil input stands for the stored
// one, or for none. The result is nil when the run would get no input.
func (e *Engine) CheckInput(ctx context.Context, p *Program, in *Input) (*Input, error) {
	effective, _, err := e.input(ctx, p, in)
	if err == nil {
		_, _, err = e.seal(p, effective, "")
	}
	return effective, err
}

// input gives what a run is to read as its input, and whether that is just what
// is stored already.
func (e *Engine) input(ctx context.Context, p *Program, in *Input) (effective *Input, stored bool, err error) {
	schema := p.Definition.Input
	if in == nil && e.cfg.Local {
		if in, err = e.storedInput(ctx); err != nil {
			return nil, false, err
		}
		stored = in != nil
	}
	if example := p.Actor.ExampleRunInput; in == nil && example != nil && !e.cfg.Local {
		in = &Input{ContentType: example.ContentType, Body: []byte(example.Body)}
	}
	if in == nil {
		if schema == nil {
			return nil, false, nil
		}
		in = &Input{ContentType: jsonType, Body: []byte("{}")}
		if e.cfg.Local {
			in.Body = schema.Prefilled()
		}
	}
	if in.ContentType == "" {
		in = &Input{ContentType: jsonType, Body: in.Body}
	}
	isJSON := isJSONType(in.ContentType)
	if isJSON && !json.Valid(in.Body) {
		return nil, false, fault.New(fault.InvalidInput, "the input is not valid JSON: %w", jsonError(in.Body)).
			WithType("run-input-body-not-valid-json")
	}
	if schema == nil {
		return in, stored, nil
	}
	if !isJSON {
		return nil, false, fault.New(fault.InvalidInput,
			"the input has the content type %q, but the Actor's input schema needs JSON", in.ContentType)
	}
	body, err := schema.WithDefaults(in.Body)
	if err != nil {
		return nil, false, err
	}
	if err := schema.Check(body); err != nil {
		return nil, false, err
	}
	return &Input{ContentType: in.ContentType, Body: body}, stored && string(body) == string(in.Body), nil
}

// storedInput reads the INPUT record of the default store, nil when missing.
func (e *Engine) storedInput(ctx context.Context) (*Input, error) {
	return e.record(ctx, "default", inputKey)
}

// record reads a record of a key-value store as an input, nil when missing.
func (e *Engine) record(ctx context.Context, storeID, key string) (*Input, error) {
	kvs, err := e.cfg.Store.KeyValueStores().Open(ctx, storeID)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	record, err := kvs.Get(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	content, err := encoding.Plain(record)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	body, err := io.ReadAll(content)
	if err != nil {
		return nil, err
	}
	return &Input{ContentType: record.ContentType, Body: body}, nil
}

// placeInput makes the input readable for the run and gives its key. In a store
// that others use too, it has a key of its own: nothing there is written over.
func (e *Engine) placeInput(ctx context.Context, r api.Run, in *Input, stored, shared bool) (key string, err error) {
	if in == nil || stored {
		return inputKey, nil
	}
	if e.cfg.Local && e.cfg.StorageDir == "" && e.cfg.Inputs != nil {
		e.cfg.Inputs.Hold(r.DefaultKeyValueStoreID, inputKey, in.ContentType, in.Body)
		return inputKey, nil
	}
	key = inputKey
	switch {
	case e.cfg.StorageDir != "":
		key = heldInputKey
	case shared:
		key = inputKey + "-" + r.ID
	}
	kvs, err := e.cfg.Store.KeyValueStores().Open(ctx, r.DefaultKeyValueStoreID)
	if err != nil {
		return "", err
	}
	_, err = kvs.Put(ctx, key, in.ContentType, strings.NewReader(string(in.Body)))
	return key, err
}

// removeHeldInput takes back what placeInput wrote for code that reads files.
func (e *Engine) removeHeldInput(ctx context.Context, r api.Run, key string) error {
	if key != heldInputKey {
		return nil
	}
	kvs, err := e.cfg.Store.KeyValueStores().Open(ctx, r.DefaultKeyValueStoreID)
	if err != nil {
		return err
	}
	return kvs.DeleteRecord(ctx, heldInputKey)
}

func isJSONType(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}

func jsonError(body []byte) error {
	var v any
	return json.Unmarshal(body, &v)
}
