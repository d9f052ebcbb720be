// Package rawapi is the `apify api` command: any operation of an API.
package rawapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/jq"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

type options struct {
	*session.Session
	output jq.Output

	method, body, params string
	headers              []string
	list                 bool
	search, describe     string
	document             string
}

// New makes the command.
func New(f *cmdkit.Factory) *cobra.Command {
	o := &options{Session: session.New(f)}
	cmd := &cobra.Command{
		Use: "api [METHOD] PATH", Short: "Call any operation of the API", Args: cmdkit.Args(0, 2),
		Long: `Calls an operation of the API with your token and prints the answer: JSON indented,
anything else as it is. The status goes to standard error. PATH may begin with /v2/
or leave it out.

--list-endpoints, --search and --describe read the API's OpenAPI document, from
--openapi or the address of the official documentation.

Exit codes: 0 the API answered with a success, 1 with anything else, or not at all,
5 the body, the parameters or the --jq expression are wrong.`,
		Example: `  apify api users/me
  apify api GET /v2/actor-runs --params '{"limit": 1, "desc": true}'
  apify api POST actors -d @actor.json
  apify api -X PUT actor-tasks/TASK -d '{"title": "Daily"}' --jq .data.title`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.output.Prepare(); err != nil {
				return err
			}
			if o.list || o.search != "" || o.describe != "" {
				return o.reference(cmd.Context(), args)
			}
			request, err := o.request(cmd, args)
			if err != nil {
				return err
			}
			c, err := o.Client()
			if err != nil {
				return err
			}
			return session.Reached(o.call(cmd.Context(), c, request))
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.method, "method", "X", "", "`method` of the request (default GET, or POST with a body)")
	flags.StringVarP(&o.body, "body", "d", "", "body as JSON `text`; @FILE for a file, - for standard input")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "header as `name:value`, or a JSON object with several; may be repeated")
	flags.StringVarP(&o.params, "params", "p", "", "query parameters as a JSON `object`")
	flags.BoolVarP(&o.list, "list-endpoints", "l", false, "list the operations that there are")
	flags.StringVarP(&o.search, "search", "s", "", "list those only that all `words` are found in")
	flags.StringVar(&o.describe, "describe", "", "describe the operations of a `path`")
	flags.StringVar(&o.document, "openapi", "", "`file` or address of the OpenAPI document (default "+officialDocument+")")
	o.output.AddExpression(flags)
	return o.Alone(cmd)
}

// request makes the request that the command line asks for.
func (o *options) request(cmd *cobra.Command, args []string) (client.Request, error) {
	request, path := client.Request{Method: strings.ToUpper(o.method)}, cmd.CommandPath()
	if len(args) > 0 && slices.Contains(methods, strings.ToUpper(args[0])) {
		if request.Method != "" && request.Method != strings.ToUpper(args[0]) {
			return request, cmdkit.UsageError(path, "the method is given twice: %s and %s", args[0], o.method)
		}
		request.Method, args = strings.ToUpper(args[0]), args[1:]
	}
	switch {
	case len(args) == 0:
		return request, cmdkit.UsageError(path, "there is no path to call")
	case len(args) == 2:
		return request, cmdkit.UsageError(path, "%q is no method: use one of %s", args[0], strings.Join(methods, ", "))
	case request.Method != "" && !slices.Contains(methods, request.Method):
		return request, cmdkit.UsageError(path, "--method must be one of %s, got %q", strings.Join(methods, ", "), o.method)
	}
	var err error
	if request.Path, request.Query, err = target(args[0]); err != nil {
		return request, err
	}
	if err := o.parameters(request.Query); err != nil {
		return request, err
	}
	if request.Header, err = headers(o.headers); err != nil {
		return request, err
	}
	if !cmd.Flags().Changed("body") {
		if request.Method == "" {
			request.Method = http.MethodGet
		}
		return request, nil
	}
	if request.Method == http.MethodGet {
		return request, cmdkit.UsageError(path, "a GET has no body")
	}
	if request.Method == "" {
		request.Method = http.MethodPost
	}
	if request.Body, err = o.content(); err != nil {
		return request, err
	}
	if request.Header.Get("Content-Type") == "" {
		if !json.Valid(request.Body) {
			return request, fault.New(fault.InvalidInput, "the body is not JSON").WithHint("say what it is with --header Content-Type:…")
		}
		request.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return request, nil
}

// target takes a path apart, which may begin with the address and the version.
func target(text string) (string, url.Values, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host != "" {
		return "", nil, fault.New(fault.Usage, "%q is not a path of the API", text).WithHint("give a path such as users/me; --api-url says which API")
	}
	path := "/" + strings.TrimLeft(parsed.EscapedPath(), "/")
	if rest, is := strings.CutPrefix(path, "/v2/"); is {
		path = "/" + rest
	}
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return "", nil, fault.New(fault.Usage, "the query of %q is wrong: %w", text, err)
	}
	return path, query, nil
}

func (o *options) parameters(query url.Values) error {
	if o.params == "" {
		return nil
	}
	var params map[string]json.RawMessage
	if err := json.Unmarshal([]byte(o.params), &params); err != nil || params == nil {
		return fault.New(fault.InvalidInput, "--params is no JSON object").WithHint(`it looks like {"limit": 1}`)
	}
	for name, value := range params {
		text := string(value)
		if strings.HasPrefix(text, `"`) {
			if err := json.Unmarshal(value, &text); err != nil {
				return fault.Wrap(fault.InvalidInput, err, "--params")
			}
		}
		switch text[:min(1, len(text))] {
		case "{", "[":
			if value[0] != '"' {
				return fault.New(fault.InvalidInput, "--params: %s must be a text, a number or a boolean", name)
			}
		}
		if string(value) != "null" {
			query.Set(name, text)
		}
	}
	return nil
}

func headers(given []string) (http.Header, error) {
	header := http.Header{}
	for _, text := range given {
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			var object map[string]string
			if err := json.Unmarshal([]byte(text), &object); err != nil {
				return nil, fault.New(fault.InvalidInput, "--header: no JSON object of texts: %w", err)
			}
			for name, value := range object {
				header.Set(name, value)
			}
			continue
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, fault.New(fault.Usage, "--header %q must have the form name:value", text)
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return header, nil
}

func (o *options) content() ([]byte, error) {
	switch file, named := strings.CutPrefix(o.body, "@"); {
	case o.body == "-":
		body, err := io.ReadAll(o.IO.In)
		return body, fault.Wrap(fault.Internal, err, "reading the body from standard input")
	case named:
		body, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fault.New(fault.InvalidInput, "there is no file %s", file)
		}
		return body, fault.Wrap(fault.InvalidInput, err, "reading the body")
	}
	return []byte(o.body), nil
}

func (o *options) call(ctx context.Context, c *client.Client, request client.Request) error {
	resp, err := c.Do(ctx, request)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Fprintf(o.IO.Err, "apify: %s %s: %s\n", request.Method, cmdkit.Printable(request.Path), resp.Status)
	if err := o.print(ctx, resp); err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return &cmdkit.ExitError{Status: 1}
	}
	return nil
}

// print writes an answer: JSON indented, anything else as it comes.
func (o *options) print(ctx context.Context, resp *http.Response) error {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(kind) != "application/json" {
		if o.output.Expression != "" {
			return fault.New(fault.InvalidInput, "the answer is not JSON but %q: --jq cannot be applied", kind)
		}
		_, err := io.Copy(o.IO.Out, resp.Body)
		return fault.Wrap(fault.Unavailable, err, "reading the answer")
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "reading the answer")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if resp.StatusCode >= 300 {
		return (&jq.Output{JSON: true}).Print(ctx, o.IO, json.RawMessage(body))
	}
	return (&jq.Output{JSON: true, Expression: o.output.Expression}).Print(ctx, o.IO, json.RawMessage(body))
}
