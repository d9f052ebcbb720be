package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/greenroom-dev/greenroom/internal/export"
	datasetschema "github.com/greenroom-dev/greenroom/internal/schema/dataset"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s *server) datasetRoutes(base string, open opener[store.Dataset]) []route {
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
	}
	return c.created(c.url("v2", "datasets", dataset.ID(), "items"))
}

// decodeItems reads the body of a push: an object, or an array of objects of
// which some may be given as strings that hold one.
func decodeItems(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(body)
	if !json.Valid(body) {
		return nil, errInvalidJSON(body)
	}
	switch export.Kind(body) {
	case "an object":
		return []json.RawMessage{body}, nil
	case "an array":
	default:
		return nil, fault.New(fault.InvalidRequest, "the request body must be a JSON object or an array of them, got %s", export.Kind(body))
	}
	items, err := export.Elements(body)
	if err != nil {
		return nil, err
	}
	for i, item := range items {
		switch export.Kind(item) {
		case "an object":
			continue
		case "a string":
			var text string
			if err := json.Unmarshal(item, &text); err == nil {
				inner := bytes.TrimSpace([]byte(text))
				if export.Kind(inner) == "an object" && json.Valid(inner) {
					items[i] = inner
					continue
				}
			}
			return nil, fault.New(fault.InvalidRequest, "item %d is a string that does not hold a JSON object; nothing was stored", i)
		}
		return nil, fault.New(fault.InvalidRequest, "item %d is %s: every item must be a JSON object; nothing was stored", i, export.Kind(item))
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

// unlimited is the limit that answers name when the caller gave none.
const unlimited = 999999999999

// writeItems answers with a dataset's items. The pagination headers count
// stored items, before any are unwound or dropped.
func (s *server) writeItems(c *call, dataset store.Dataset, status int) error {
	view, err := s.transformation(c, dataset)
	if err != nil {
		return err
	}
	o, err := c.exportOptions(view)
	if err != nil {
		return err
	}
	offset, limit, desc, err := c.itemRange(view)
	if err != nil {
		return err
	}
	info, err := dataset.Info(c.ctx())
	if err != nil {
		return err
	}
	count := max(0, info.ItemCount-offset)
	shown := unlimited
	if limit >= 0 {
		count = min(count, limit)
		shown = limit
	}
	h := c.Header()
	h["Content-Type"] = []string{o.Format.ContentType()}
	h["X-Apify-Pagination-Total"] = []string{strconv.Itoa(info.ItemCount)}
	h["X-Apify-Pagination-Offset"] = []string{strconv.Itoa(offset)}
	h["X-Apify-Pagination-Limit"] = []string{strconv.Itoa(shown)}
	h["X-Apify-Pagination-Count"] = []string{strconv.Itoa(count)}
	h["X-Apify-Pagination-Desc"] = []string{strconv.FormatBool(desc)}
	attachment, err := c.boolean("attachment")
	if err != nil {
		return err
	}
	if attachment {
		h.Set("Content-Disposition", attachmentName("dataset_"+info.ID+"."+string(o.Format)))
	}
	if c.r.Method == http.MethodHead {
		c.WriteHeader(status)
		return nil
	}
	return export.Write(&delayedStatus{c, status}, dataset.Items(c.ctx(), offset, limit, desc), o)
}

// exportOptions reads what the caller wants to see of the items. A view stands
// for the parameters that are not given.
func (c *call) exportOptions(view datasetschema.Transformation) (export.Options, error) {
	q := c.query()
	format, err := export.ParseFormat(q.Get("format"))
	if err != nil {
		return export.Options{}, err
	}
	list := func(name string, otherwise []string) []string {
		if given := c.list(name); len(given) > 0 {
			return given
		}
		return otherwise
	}
	o := export.Options{
		Format: format, Fields: list("fields", view.Fields), OutputFields: c.list("outputFields"),
		Omit: list("omit", view.Omit), Unwind: list("unwind", view.Unwind), Flatten: list("flatten", view.Flatten),
		SkipHidden: view.SkipHidden, SkipEmpty: view.SkipEmpty,
		Delimiter: q.Get("delimiter"),
	}
	clean, simplified := view.Clean, false
	for name, into := range map[string]*bool{
		"clean": &clean, "skipHidden": &o.SkipHidden, "skipEmpty": &o.SkipEmpty,
		"skipFailedPages": &o.SkipFailed, "skipHeaderRow": &o.SkipHeaderRow, "simplified": &simplified,
	} {
		if !q.Has(name) {
			continue
		}
		if *into, err = c.boolean(name); err != nil {
			return o, err
		}
	}
	if o.BOM, err = c.optionalBoolean("bom"); err != nil {
		return o, err
	}
	if clean {
		o.SkipHidden, o.SkipEmpty = true, true
	}
	if simplified { // what the first crawlers of the platform produced
		o.Fields = []string{"url", "pageFunctionResult", "errorInfo"}
		o.Unwind = []string{"pageFunctionResult"}
	}
	return o, o.Validate()
}

// itemRange reads which stored items are meant; a limit of -1 is none, and so
// is the 0 that the Python client sends for it. A view stands for the parameters
// that are not given.
func (c *call) itemRange(view datasetschema.Transformation) (offset, limit int, desc bool, err error) {
	if offset, err = c.integer("offset", 0); err != nil {
		return 0, 0, false, err
	}
	if limit, err = c.integer("limit", view.Limit); err != nil {
		return 0, 0, false, err
	}
	if limit == 0 {
		limit = -1
	}
	if c.query().Get("desc") == "" {
		return offset, limit, view.Desc, nil
	}
	desc, err = c.boolean("desc")
	return offset, limit, desc, err
}

// delayedStatus sends a status with the first byte, so that an error before it
// can still be answered.
type delayedStatus struct {
	c      *call
	status int
}

func (w *delayedStatus) Write(p []byte) (int, error) {
	if !w.c.wroteHeader {
		w.c.WriteHeader(w.status)
	}
	return w.c.Write(p)
}
