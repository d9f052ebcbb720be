package server

import (
	"net/http"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Limits of what stands before a body. The platform's are lower, and those of
// the proxies that people put in front of servers too; these keep one request
// from costing much more than another. They are below the limit of net/http,
// whose answer is no API error.
const (
	maxPathBytes    = 8 << 10
	maxQueryBytes   = 64 << 10
	maxQueryParams  = 1000
	maxHeaderBytes  = 64 << 10
	maxHeaderFields = 200
)

// checkLimits refuses requests whose head is out of proportion, before anything
// of it is parsed.
func (c *call) checkLimits() error {
	u := c.r.URL
	if n := max(len(u.Path), len(u.RawPath)); n > maxPathBytes {
		return fault.New(fault.InvalidRequest, "the path of the request is too long (limit: %d bytes, actual length: %d bytes)", maxPathBytes, n).
			WithType("invalid-parameter")
	}
	if n := len(u.RawQuery); n > maxQueryBytes {
		return fault.New(fault.InvalidRequest, "the query parameters are too long (limit: %d bytes, actual length: %d bytes)", maxQueryBytes, n).
			WithType("invalid-parameter")
	}
	if n := strings.Count(u.RawQuery, "&"); n >= maxQueryParams {
		return fault.New(fault.InvalidRequest, "there are too many query parameters (limit: %d, actual: %d)", maxQueryParams, n+1).
			WithType("too-many-values")
	}
	return checkHeader(c.r.Header)
}

func checkHeader(header http.Header) error {
	fields, size := 0, 0
	for name, values := range header {
		for _, value := range values {
			fields++
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	if size > maxHeaderBytes {
		return fault.New(fault.InvalidRequest, "the headers of the request are too long (limit: %d bytes, actual length: %d bytes)", maxHeaderBytes, size).
			WithType("invalid-header")
	}
	if fields > maxHeaderFields {
		return fault.New(fault.InvalidRequest, "the request has too many headers (limit: %d, actual: %d)", maxHeaderFields, fields).
			WithType("invalid-header")
	}
	return nil
}
