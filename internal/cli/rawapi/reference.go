package rawapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// officialDocument is the OpenAPI document of the platform's documentation.
const officialDocument = "https://docs.apify.com/api/openapi.json"

// maxDocument bounds what is read of a document; the official one has 1.4 MB.
const maxDocument = 64 << 20

type document struct {
	Paths map[string]map[string]json.RawMessage `json:"paths"`
}

// operation is one line of the reference.
type operation struct{ method, path, summary string }

// reference prints what the OpenAPI document says.
func (o *options) reference(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return fault.New(fault.Usage, "unexpected argument %q: --list-endpoints, --search and --describe call nothing", args[0])
	}
	read, err := o.readDocument(ctx)
	if err != nil {
		return err
	}
	all := read.operations()
	if o.describe != "" {
		return o.describePath(read, all)
	}
	words := strings.Fields(strings.ToLower(o.search))
	var rows [][]string
	for _, op := range all {
		text := strings.ToLower(op.method + " " + op.path + " " + op.summary)
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			rows = append(rows, []string{op.method, op.path, op.summary})
		}
	}
	if len(rows) == 0 {
		return fault.New(fault.NotFound, "no operation has all of: %s", o.search)
	}
	return o.IO.Table([]string{"METHOD", "PATH", "SUMMARY"}, rows)
}

func (o *options) readDocument(ctx context.Context) (*document, error) {
	from := o.document
	if from == "" {
		from = officialDocument
	}
	text, err := load(ctx, from)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the OpenAPI document %s cannot be read: %w", from, err).
			WithHint("name another one with --openapi")
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil || len(d.Paths) == 0 {
		return nil, fault.New(fault.InvalidInput, "%s is no OpenAPI document in JSON", from)
	}
	return &d, nil
}

func load(ctx context.Context, from string) ([]byte, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		return os.ReadFile(from)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxDocument))
}

func (d *document) operations() []operation {
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range methods {
			raw, ok := d.Paths[path][strings.ToLower(method)]
			if !ok {
				continue
			}
			var about struct {
				Summary string `json:"summary"`
			}
			_ = json.Unmarshal(raw, &about) // one without a summary has none
			all = append(all, operation{method, path, about.Summary})
		}
	}
	return all
}

// describePath prints the operations of one path with their parameters.
func (o *options) describePath(d *document, all []operation) error {
	want := normal(o.describe)
	for path, item := range d.Paths {
		if normal(path) != want {
			continue
		}
		fmt.Fprintln(o.IO.Out, cmdkit.Printable(path))
		for _, op := range all {
			if op.path != path {
				continue
			}
			fmt.Fprintf(o.IO.Out, "\n%s  %s\n", op.method, cmdkit.Printable(op.summary))
			var about struct {
				Description string `json:"description"`
			}
			if json.Unmarshal(item[strings.ToLower(op.method)], &about) == nil && about.Description != "" {
				for line := range strings.Lines(about.Description) {
					fmt.Fprintln(o.IO.Out, "  "+cmdkit.Printable(strings.TrimRight(line, "\r\n")))
				}
			}
		}
		return nil
	}
	return fault.New(fault.NotFound, "there is no path %q", o.describe).WithHint("apify api --list-endpoints lists them")
}

// normal makes paths comparable: without slashes at the ends and the version.
func normal(path string) string {
	path = strings.Trim(path, "/")
	if rest, is := strings.CutPrefix(path, "v2/"); is {
		return rest
	}
	return path
}
