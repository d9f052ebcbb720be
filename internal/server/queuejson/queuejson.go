// Package queuejson reads requests of queues as clients send them, and writes
// them as clients can read them.
package queuejson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/export"
	"github.com/greenroom-dev/greenroom/internal/jsontext"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Decode reads a request of a queue as clients send it. What is unknown
// is kept. pathID is the id in the request's path, "" for one that is added.
func Decode(text []byte, pathID string) (store.Request, error) {
	if jsontext.Kind(text) != "an object" {
		return store.Request{}, fault.New(fault.InvalidRequest, "a request must be a JSON object, got %s", jsontext.Kind(text))
	}
	members, err := export.Members(text)
	if err != nil {
		return store.Request{}, err
	}
	req := store.Request{Method: "GET"}
	var bodyID string
	for _, m := range members {
		if isNull(m.Value) {
			continue
		}
		switch m.Key {
		case "id":
			bodyID, err = stringField(m)
		case "uniqueKey":
			req.UniqueKey, err = stringField(m)
		case "url":
			req.URL, err = stringField(m)
		case "method":
			req.Method, err = stringField(m)
			req.Method = strings.ToUpper(req.Method)
		case "retryCount":
			req.RetryCount, err = countField(m)
		case "handledAt":
			var moment string
			if moment, err = stringField(m); err == nil {
				at, parseErr := api.ParseTime(moment)
				if parseErr != nil {
					return req, fault.New(fault.InvalidRequest, "field handledAt of a request is no time: %q", moment)
				}
				at = api.TimeOf(at).Time
				req.HandledAt = &at
			}
		}
		if err != nil {
			return req, err
		}
	}
	if req.URL == "" {
		return req, fault.New(fault.InvalidRequest, "a request must have a url")
	}
	if req.UniqueKey == "" {
		req.UniqueKey = req.URL
	}
	req.ID = store.RequestID(req.UniqueKey)
	for _, id := range []string{pathID, bodyID} {
		if id != "" && id != req.ID {
			return req, fault.New(fault.InvalidRequest, "request id %q does not correspond to the unique key %q", id, req.UniqueKey).
				WithType("request-id-invalid")
		}
	}
	req.JSON = requestJSON(req, members, len(text))
	return req, nil
}

// requestJSON gives the request as it is kept: with its id, its unique key and
// its handling time in the API's form.
func requestJSON(req store.Request, members []export.Member, size int) json.RawMessage {
	out := make([]byte, 0, size+len(req.UniqueKey)+64)
	out = append(out, `{"id":`...)
	out = export.AppendString(out, req.ID)
	out = append(out, `,"uniqueKey":`...)
	out = export.AppendString(out, req.UniqueKey)
	for _, m := range members {
		switch m.Key {
		case "id", "uniqueKey":
			continue
		}
		out = append(out, ',')
		out = export.AppendString(out, m.Key)
		out = append(out, ':')
		if m.Key == "handledAt" && req.HandledAt != nil {
			out = export.AppendString(out, api.TimeOf(*req.HandledAt).String())
			continue
		}
		out = append(out, m.Value...)
	}
	return append(out, '}')
}

// Encode gives a request as the clients can read it. Crawlee throws at
// fields that are null, and the Python SDK at five that are absent.
func Encode(req store.Request) (json.RawMessage, error) {
	members, err := export.Members(req.JSON)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "request %s is stored malformed", req.ID)
	}
	out := make([]byte, 0, len(req.JSON)+128)
	out = append(out, `{"id":`...)
	out = export.AppendString(out, req.ID)
	var method, retryCount, headers, userData, noRetry, url, uniqueKey bool
	for _, m := range members {
		value := m.Value
		if isNull(value) {
			continue
		}
		switch m.Key {
		case "id", "handledAt", "lockExpiresAt", "lockByClient":
			continue
		case "loadedUrl":
			if string(value) == `""` {
				continue
			}
		case "uniqueKey":
			uniqueKey = true
		case "url":
			url = true
		case "method":
			method = true
			value = export.AppendString(nil, req.Method)
		case "retryCount":
			retryCount = true
		case "headers":
			headers = true
		case "userData":
			userData = true
		case "noRetry":
			noRetry = true
		}
		out = append(out, ',')
		out = export.AppendString(out, m.Key)
		out = append(out, ':')
		out = append(out, value...)
	}
	field := func(present bool, name string, value []byte) {
		if !present {
			out = append(out, `,"`...)
			out = append(out, name...)
			out = append(out, `":`...)
			out = append(out, value...)
		}
	}
	field(uniqueKey, "uniqueKey", export.AppendString(nil, req.UniqueKey))
	field(url, "url", export.AppendString(nil, req.URL))
	field(method, "method", export.AppendString(nil, MethodOf(req.Method)))
	field(retryCount, "retryCount", strconv.AppendInt(nil, int64(req.RetryCount), 10))
	field(headers, "headers", []byte("{}"))
	field(userData, "userData", []byte("{}"))
	field(noRetry, "noRetry", []byte("false"))
	if req.HandledAt != nil {
		field(false, "handledAt", export.AppendString(nil, api.TimeOf(*req.HandledAt).String()))
	}
	return append(out, '}'), nil
}

// MethodOf is the method of a request that may not say one.
func MethodOf(method string) string {
	if method == "" {
		return "GET"
	}
	return method
}

func isNull(value []byte) bool { return string(value) == "null" }

func stringField(m export.Member) (string, error) {
	var text string
	if jsontext.Kind(m.Value) != "a string" || json.Unmarshal(m.Value, &text) != nil {
		return "", fault.New(fault.InvalidRequest, "field %s of a request must be a string, got %s", m.Key, jsontext.Kind(m.Value))
	}
	return text, nil
}

// countField reads a whole number, also one that is written as 1.0.
func countField(m export.Member) (int, error) {
	number, err := strconv.ParseFloat(string(bytes.TrimSpace(m.Value)), 64)
	if err != nil || number < 0 || number > 1<<31-1 || number != float64(int(number)) {
		return 0, fault.New(fault.InvalidRequest, "field %s of a request must be a whole number of at least 0, got %s", m.Key, m.Value)
	}
	return int(number), nil
}
