package server

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// query gives the query parameters, parsed once. Parts that are malformed are
// dropped, as unknown parameters are.
func (c *call) query() url.Values {
	if c.queryValues == nil {
		c.queryValues = url.Values{}
		if c.r.URL.RawQuery != "" {
			c.queryValues = c.r.URL.Query()
		}
	}
	return c.queryValues
}

func errParameter(name, value, want string) error {
	return fault.New(fault.InvalidRequest, "query parameter %s must be %s, got %q", name, want, value).
		WithType("invalid-parameter")
}

// boolean reads true, 1, false and 0 in any case; absent and empty mean false.
func (c *call) boolean(name string) (bool, error) {
	text := strings.TrimSpace(c.query().Get(name))
	if text == "" {
		return false, nil
	}
	value, ok := parseBoolean(text)
	if !ok {
		return false, errParameter(name, text, "true or false (1 or 0)")
	}
	return value, nil
}

// optionalBoolean is nil when the parameter is absent.
func (c *call) optionalBoolean(name string) (*bool, error) {
	if c.query().Get(name) == "" {
		return nil, nil
	}
	value, err := c.boolean(name)
	return &value, err
}

func parseBoolean(text string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

// integer reads a whole number that is not negative; absent and empty give
// fallback.
func (c *call) integer(name string, fallback int) (int, error) {
	value, err := c.optionalInteger(name)
	if value == nil || err != nil {
		return fallback, err
	}
	return *value, nil
}

// optionalInteger is nil when the parameter is absent or empty. Values beyond
// the range of int are cut to it: the JavaScript SDK sends timeouts in
// milliseconds where seconds are meant.
func (c *call) optionalInteger(name string) (*int, error) {
	text := strings.TrimSpace(c.query().Get(name))
	if text == "" {
		return nil, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || value != value || value < 0 {
		return nil, errParameter(name, text, "a whole number of at least 0")
	}
	if value != float64(int64(value)) && value < 1<<53 {
		return nil, errParameter(name, text, "a whole number of at least 0")
	}
	const most = 1<<31 - 1
	n := int(min(value, most))
	return &n, nil
}

// optionalAmount reads an amount of money.
func (c *call) optionalAmount(name string) (*float64, error) {
	text := strings.TrimSpace(c.query().Get(name))
	if text == "" {
		return nil, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || value != value || value < 0 || value > 1e15 {
		return nil, errParameter(name, text, "an amount of at least 0")
	}
	return &value, nil
}

// list reads values separated by commas; absent gives nil.
func (c *call) list(name string) []string {
	var values []string
	for _, text := range c.query()[name] {
		for value := range strings.SplitSeq(text, ",") {
			if value = strings.TrimSpace(value); value != "" {
				values = append(values, value)
			}
		}
	}
	return values
}

// moment reads a time; absent gives the zero time.
func (c *call) moment(name string) (time.Time, error) {
	text := c.query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := api.ParseTime(text)
	if err != nil {
		return time.Time{}, errParameter(name, text, "an ISO 8601 time such as 2026-01-31T12:00:00.000Z")
	}
	return t, nil
}

// maxPage is the largest page of lists.
const maxPage = 1000

// page is what selects a page of a list.
type page struct {
	offset, limit int
	desc          bool
}

// page reads offset, limit and desc. A limit of 0 asks for the largest page: the
// Python client sends it for "no limit" and needs at least 1 in the answer.
func (c *call) page() (page, error) {
	offset, err := c.integer("offset", 0)
	if err != nil {
		return page{}, err
	}
	limit, err := c.integer("limit", maxPage)
	if err != nil {
		return page{}, err
	}
	if limit == 0 || limit > maxPage {
		limit = maxPage
	}
	desc, err := c.boolean("desc")
	return page{offset, limit, desc}, err
}

// pageOf cuts a page out of all items, which are in ascending order.
func pageOf[T, U any](p page, all []T, view func(T) U) api.Page[U] {
	items := make([]U, 0, min(p.limit, len(all)))
	for i := p.offset; i < len(all) && len(items) < p.limit; i++ {
		at := i
		if p.desc {
			at = len(all) - 1 - i
		}
		items = append(items, view(all[at]))
	}
	return api.Page[U]{
		Total: len(all), Offset: p.offset, Limit: p.limit, Desc: p.desc, Count: len(items), Items: items,
	}
}

// of gives the query that selects the page of q.
func (p page) of(q store.Query) store.Query {
	q.Offset, q.Limit, q.Desc = p.offset, p.limit, p.desc
	return q
}

// foundPage is the page that a store has found for a query of p.
func foundPage[T, U any](p page, found store.Page[T], view func(T) U) api.Page[U] {
	items := make([]U, len(found.Items))
	for i, item := range found.Items {
		items[i] = view(item)
	}
	return api.Page[U]{
		Total: found.Total, Offset: p.offset, Limit: p.limit, Desc: p.desc, Count: len(items), Items: items,
	}
}

func unescapePath(path string) (string, error) {
	if !strings.Contains(path, "%") {
		return path, nil
	}
	return url.PathUnescape(path)
}
