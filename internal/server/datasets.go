package server

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s *server) datasetRoutes(base string, open opener[store.Dataset]) []route {
	open = guarded(open)
	items := func(c *call) error {
		dataset, err := open(c)
		if err != nil {
			return err
		}
		return s.writeItems(c, dataset, http.StatusOK)
	}
	return append(s.datasets.storageRoutes(base, open),
		route{"GET", base + "/items", items},
		route{"HEAD", base + "/items", items},
		route{"GET", base + "/statistics", func(c *call) error { return s.statistics(c, open) }},
		route{"POST", base + "/items", func(c *call) error { return s.pushItems(c, open) }},
	)
}

func (s *server) pushItems(c *call, open opener[store.Dataset]) error {
	dataset, err := open(c)
	if err != nil {
		return err
	}
	body, err := c.read()
	if err != nil {
		return err
	}
	items, err := decodeItems(body)
	if err != nil {
		return err
	}
	schema, err := s.datasetSchemas.of(dataset.Schema())
	if err != nil {
		return err
	}
	if schema != nil {
		if err := schema.CheckItems(items); err != nil {
			return err
		}
	}
	if len(items) > 0 {
		if err := dataset.Append(c.writeCtx(), items); err != nil {
			return err
		}
		if err := s.Engine.Pushed(c.writeCtx(), dataset.ID(), len(items)); err != nil {
			// The items are there: the client must not send them again.
			s.Logger.Error("charging for items", "dataset", dataset.ID(), "error", err)
		}
	}
	return c.created(c.url("v2", "datasets", dataset.ID(), "items"))
}

// decodeItems reads the body of a push: an object, or an array of objects of
// which some may be given as strings that hold one.
func decodeItems(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '[' {
		switch {
		case !jsontext.Valid(body):
			return nil, errInvalidJSON(body)
		case body[0] == '{':
			return []json.RawMessage{body}, nil
		}
		return nil, fault.New(fault.InvalidRequest, "the request body must be a JSON object or an array of them, got %s", jsontext.Kind(body))
	}
	items, ok := jsontext.Elements[json.RawMessage](body)
	if !ok {
		return nil, errInvalidJSON(body)
	}
	for i, item := range items {
		switch jsontext.Kind(item) {
		case "an object":
			continue
		case "a string":
			var text string
			if err := json.Unmarshal(item, &text); err == nil {
				inner := bytes.TrimSpace([]byte(text))
				if jsontext.Kind(inner) == "an object" && json.Valid(inner) {
					items[i] = inner
					continue
				}
			}
			return nil, fault.New(fault.InvalidRequest, "item %d is a string that does not hold a JSON object; nothing was stored", i)
		}
		return nil, fault.New(fault.InvalidRequest, "item %d is %s: every item must be a JSON object; nothing was stored", i, jsontext.Kind(item))
	}
	return items, nil
}

// errInvalidJSON says where a text stops being JSON.
func errInvalidJSON(text []byte) error {
	if len(text) == 0 {
		return fault.New(fault.InvalidRequest, "the request body is empty: send JSON")
	}
	var v json.RawMessage
	return errJSON(json.Unmarshal(text, &v))
}

// statistics tells what is in the fields of the items: in those that the schema
// has, or in all when it has none.
func (s *server) statistics(c *call, open opener[store.Dataset]) error {
	dataset, err := open(c)
	if err != nil {
		return err
	}
	found, err := dataset.Statistics(c.ctx())
	if err != nil {
		return err
	}
	schema, err := s.datasetSchemas.of(dataset.Schema())
	if err != nil {
		return err
	}
	all := map[string]api.FieldStatistics{}
	for _, f := range found.Fields {
		all[f.Name] = api.FieldStatistics{Min: f.Min, Max: f.Max, NullCount: f.Nulls, EmptyCount: f.Empty}
	}
	if schema != nil && schema.HasFields() {
		wanted := map[string]api.FieldStatistics{}
		for _, name := range schema.FieldNames() {
			f, ok := all[name]
			if !ok {
				f.EmptyCount = found.Items
			}
			wanted[name] = f
		}
		all = wanted
	}
	return c.data(http.StatusOK, api.DatasetStatistics{FieldStatistics: all})
}
