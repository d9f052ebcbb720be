package jsonschema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// The meta-schemas say what a schema may look like. That of draft-07 is the
// official one; that of 2019-09, which is officially spread over many files,
// says the same in one.
var (
	//go:embed draft-07.json
	draft07 []byte
	//go:embed draft-2019-09.json
	draft201909 []byte
)

// rule names in diagnostics.
const ruleName = "json-schema"

var metaDocuments = map[Draft]func() *jsonc.Value{
	Draft07:     sync.OnceValue(func() *jsonc.Value { return mustParse(draft07) }),
	Draft201909: sync.OnceValue(func() *jsonc.Value { return mustParse(draft201909) }),
}

func mustParse(data []byte) *jsonc.Value {
	doc, err := jsonc.Parse("meta-schema", data)
	if err != nil {
		panic(err) // the file is embedded
	}
	return doc.Root
}

// metaSchemas are the compiled ones, by draft and whether formats count.
var metaSchemas = func() map[Options]func() *Schema {
	out := map[Options]func() *Schema{}
	for _, draft := range []Draft{Draft07, Draft201909} {
		for _, formats := range []bool{false, true} {
			opts := Options{Draft: draft, Formats: formats, AllErrors: true}
			out[opts] = sync.OnceValue(func() *Schema {
				c := newCompiler(&jsonc.Document{}, opts)
				return c.finish(metaDocuments[draft]())
			})
		}
	}
	return out
}()

// metaSchema is the document that an address from outside refers to, nil when
// it is not a meta-schema of the draft.
func (c *compiler) metaSchema(address string) *resource {
	root := metaDocuments[c.opts.Draft]()
	if id := normalizeURI(root.Get("$id").Text); address != id && address != "http://json-schema.org/schema" {
		return nil
	}
	if c.meta == nil {
		c.meta = c.newResource(root)
	}
	return c.meta
}

// maxReports is how many faults of one schema are told; nobody reads more.
const maxReports = 500

// report adds a diagnostic about a place in the schema, once.
func (c *compiler) report(at *jsonc.Value, format string, args ...any) {
	if c.reported[at] || len(c.list) == maxReports {
		return
	}
	c.reported[at] = true
	line, column := c.doc.LineColumn(at.Start)
	c.list = append(c.list, diagnostic.Diagnostic{
		Severity: diagnostic.Error, File: c.doc.File, Line: line, Column: column,
		Path: c.pointerTo(at), Rule: ruleName, Message: fmt.Sprintf(format, args...),
	})
}

// pointerTo finds where in the document a value stands, by its offset.
func (c *compiler) pointerTo(at *jsonc.Value) string {
	var out strings.Builder
	v := c.root
search:
	for v != nil && v != at {
		for i, m := range v.Members {
			if m.Value.Start <= at.Start && at.End <= m.Value.End {
				out.WriteString("/" + jsonc.PointerPart(v.Members[i].Name))
				v = m.Value
				continue search
			}
		}
		for i, item := range v.Items {
			if item.Start <= at.Start && at.End <= item.End {
				fmt.Fprintf(&out, "/%d", i)
				v = item
				continue search
			}
		}
		break
	}
	return out.String()
}

// judge judges the schema by the meta-schema. Of the errors about one value the
// last is left out if it only says that no alternative fits.
func (c *compiler) judge(root *jsonc.Value) {
	meta := metaSchemas[Options{Draft: c.opts.Draft, Formats: c.opts.Formats, AllErrors: true}]()
	var order []*jsonc.Value
	messages := map[*jsonc.Value][]string{}
	for _, e := range meta.Validate(root) {
		if e.Keyword == "anyOf" {
			continue
		}
		if messages[e.Instance] == nil {
			order = append(order, e.Instance)
		}
		messages[e.Instance] = append(messages[e.Instance], e.Message+e.detail())
	}
	for _, v := range order {
		if v.End == 0 && v.Start == 0 && v != root {
			continue
		}
		c.report(v, "%s", strings.Join(messages[v], ", or "))
	}
}

// detail names what the message of an error leaves open.
func (e *Error) detail() string {
	var params struct{ AllowedValues []string }
	if e.Keyword != "enum" || json.Unmarshal(e.Params, &params) != nil {
		return ""
	}
	return ": " + strings.Join(params.AllowedValues, ", ")
}

// loops reports references that lead back to where they started without going
// down into the instance.
func (c *compiler) loops(fns []*function) {
	const (
		fresh = iota
		open
		closed
	)
	state := map[*function]int{}
	var visit func(fn *function)
	visit = func(fn *function) {
		state[fn] = open
		for _, call := range fn.calls {
			switch state[call.to] {
			case fresh:
				visit(call.to)
			case open:
				c.report(call.at, "the reference %s leads back to itself without going into the value", call.at.Text)
			}
		}
		state[fn] = closed
	}
	for _, fn := range fns {
		if state[fn] == fresh {
			visit(fn)
		}
	}
}
