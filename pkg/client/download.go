package client

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// Download is an open document of items. The caller closes Body.
type Download struct {
	ContentType string
	// Total is how many items the dataset holds, Count how many of them were
	// asked for, before any are dropped or unwound; -1 when the API did not say.
	Total, Count int
	Body         io.ReadCloser
}

// Download opens the items as one document in the chosen format, with what the
// API says of them.
func (d Dataset) Download(ctx context.Context, opts ItemsOptions) (*Download, error) {
	resp, err := d.c.send(ctx, call{method: http.MethodGet, path: d.path("/items"), query: opts.query()})
	if err != nil {
		return nil, err
	}
	return &Download{
		ContentType: resp.Header.Get("Content-Type"), Body: resp.Body,
		Total: counter(resp.Header, "X-Apify-Pagination-Total"), Count: counter(resp.Header, "X-Apify-Pagination-Count"),
	}, nil
}

func (o ItemsOptions) query() url.Values {
	query := url.Values{}
	maps.Copy(query, o.More)
	if o.Offset > 0 {
		query.Set("offset", strconv.Itoa(o.Offset))
	}
	if o.Limit > 0 {
		query.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Desc {
		query.Set("desc", "1")
	}
	if o.Clean {
		query.Set("clean", "1")
	}
	if o.Format != "" {
		query.Set("format", o.Format)
	}
	return query
}

func counter(header http.Header, name string) int {
	if n, err := strconv.Atoi(header.Get(name)); err == nil && n >= 0 {
		return n
	}
	return -1
}
