package server

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/signature"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// toolRoutes are those of operations that keep nothing.
func (s *server) toolRoutes() []route {
	routes := []route{
		{"POST", "/v2/tools/encode-and-sign", s.encodeAndSign},
		{"POST", "/v2/tools/decode-and-verify", s.decodeAndVerify},
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		routes = append(routes, route{method, "/v2/browser-info", s.browserInfo})
	}
	return routes
}

func (s *server) encodeAndSign(c *call) error {
	body, err := c.read()
	if err != nil {
		return err
	}
	if !json.Valid(body) {
		return errInvalidJSON(body)
	}
	secret, err := s.secret(c.ctx(), "tools")
	if err != nil {
		return err
	}
	return c.data(http.StatusOK, map[string]string{"encoded": signature.Seal(secret, s.UserID, body)})
}

func (s *server) decodeAndVerify(c *call) error {
	var body struct {
		Encoded string `json:"encoded"`
	}
	if err := c.readJSON(&body); err != nil {
		return err
	}
	if body.Encoded == "" {
		return fault.New(fault.InvalidRequest, "field encoded of the request body is required: what encode-and-sign gave").
			WithType("parameter-required")
	}
	secret, err := s.secret(c.ctx(), "tools")
	if err != nil {
		return err
	}
	payload, userID, verdict, ok := signature.Unseal(secret, body.Encoded)
	if !ok {
		return fault.New(fault.InvalidRequest, "field encoded of the request body is not what encode-and-sign gives").WithType("invalid-value")
	}
	if verdict != signature.Valid {
		return fault.New(fault.InvalidRequest, "the signature of what is encoded is not valid: it was changed, or made by another server").
			WithType("invalid-signature")
	}
	return c.data(http.StatusOK, map[string]any{
		"decoded": payload, "encodedByUserId": userID, "isVerifiedUser": userID == s.UserID,
	})
}

// browserInfo tells a caller what arrived here: it is there to test proxies.
func (s *server) browserInfo(c *call) error {
	skip, err := c.boolean("skipHeaders")
	if err != nil {
		return err
	}
	raw, err := c.boolean("rawHeaders")
	if err != nil {
		return err
	}
	length, err := io.Copy(io.Discard, io.LimitReader(c.r.Body, maxBody+1))
	if err != nil {
		return errBody(err)
	}
	if length > maxBody {
		return errTooLarge(-1)
	}
	answer := map[string]any{"method": c.r.Method, "clientIp": nil, "countryCode": nil, "bodyLength": length}
	if host, _, err := net.SplitHostPort(c.r.RemoteAddr); err == nil {
		answer["clientIp"] = host
	}
	names := []string{"Host"}
	for name := range c.r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	headers, flat := map[string]any{}, []string{}
	for _, name := range names {
		values := c.r.Header[name]
		if name == "Host" { // which is no header to net/http
			values = []string{c.r.Host}
		}
		headers[strings.ToLower(name)] = values[0]
		if len(values) > 1 {
			headers[strings.ToLower(name)] = values
		}
		for _, value := range values {
			flat = append(flat, name, value)
		}
	}
	if !skip {
		answer["headers"] = headers
	}
	if raw {
		answer["rawHeaders"] = flat
	}
	return c.json(http.StatusOK, answer)
}
