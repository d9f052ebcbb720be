package output

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Variables are what templates can refer to.
type Variables struct {
	// Run is the run that starts, storages and container URL included.
	Run api.Run
	// Origin is this server's own, without a slash at its end.
	Origin string
	// Input is the run's input, nil when it has none. Secrets must not be in it.
	Input json.RawMessage
}

// Generate makes the output object of a run: every property with its template
// filled in. What the run or its input does not have gives an empty text; a
// storage that it does not have is fault.InvalidInput.
func (s *Schema) Generate(vars Variables) (json.RawMessage, error) {
	run, err := json.Marshal(vars.Run)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "describe run %q", vars.Run.ID)
	}
	g := &generator{vars: vars}
	if err := json.Unmarshal(run, &g.run); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "describe run %q", vars.Run.ID)
	}
	if len(vars.Input) > 0 {
		_ = json.Unmarshal(vars.Input, &g.input) // an input that is no JSON has no members
	}
	out := []byte{'{'}
	for i, p := range s.properties {
		var value strings.Builder
		for _, piece := range p.parts {
			if piece.path == nil {
				value.WriteString(piece.text)
				continue
			}
			resolved, err := g.resolve(piece.path)
			if err != nil {
				return nil, err
			}
			value.WriteString(resolved)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(out, p.Name)
		out = append(out, ':')
		out = appendText(out, value.String())
	}
	return append(out, '}'), nil
}

// appendText appends a JSON string in which an & stays one: these are URLs.
func appendText(dst []byte, text string) []byte {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can always be encoded
	return append(dst, strings.TrimSuffix(b.String(), "\n")...)
}

type generator struct {
	vars  Variables
	run   any
	input any
}

func (g *generator) resolve(path []string) (string, error) {
	run := g.vars.Run
	switch path[0] {
	case "run":
		return plain(walk(g.run, path[1:])), nil
	case "input":
		return plain(walk(g.input, path[1:])), nil
	case "storages":
		ids, kind := run.StorageIDs.Datasets, "datasets"
		if path[1] == "keyValueStores" {
			ids, kind = run.StorageIDs.KeyValueStores, "key-value-stores"
		}
		id, ok := ids[path[2]]
		if !ok {
			return "", fault.New(fault.InvalidInput, "the output schema names the storage %s.%s, which the run does not have", path[1], path[2])
		}
		return g.url("v2", kind, id), nil
	}
	switch path[1] { // links
	case "publicRunUrl":
		return g.url("view", "runs", run.ID), nil
	case "consoleRunUrl":
		return g.url("actors", "runs", run.ID), nil
	case "apiRunUrl":
		return g.url("v2", "actor-runs", run.ID), nil
	case "apiDefaultDatasetUrl":
		return g.url("v2", "datasets", run.DefaultDatasetID), nil
	default: // apiDefaultKeyValueStoreUrl; Check allows no other
		return g.url("v2", "key-value-stores", run.DefaultKeyValueStoreID), nil
	}
}

func (g *generator) url(elements ...string) string {
	for i, e := range elements {
		elements[i] = url.PathEscape(e)
	}
	return g.vars.Origin + "/" + strings.Join(elements, "/")
}

// walk follows a path into objects, nil when it leads nowhere.
func walk(v any, path []string) any {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// plain gives a value as text, "" for null.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, _ := json.Marshal(v) // it came from JSON
	return string(text)
}

// CheckStorages reports templates that name a storage which the Actor does not
// have, given the aliases of its datasets; "default" always exists.
func (s *Schema) CheckStorages(datasets []string) diagnostic.List {
	r := &reader{Report: shape.Report{Doc: s.doc, Rule: rule}}
	datasets = append([]string{"default"}, datasets...)
	slices.Sort(datasets)
	datasets = slices.Compact(datasets)
	for _, p := range s.properties {
		for _, piece := range p.parts {
			kind, alias, ok := aliased(piece.path)
			if !ok {
				continue
			}
			has := []string{"default"}
			if kind == "datasets" {
				has = datasets
			}
			if !slices.Contains(has, alias) {
				r.unknownStorage(p.at, piece.name(), kind, alias, has)
			}
		}
	}
	return r.List
}

// aliased gives the storage that a variable names by its alias.
func aliased(path []string) (kind, alias string, ok bool) {
	switch {
	case len(path) == 4 && path[0] == "storages":
		return path[1], path[2], true
	case len(path) == 4 && path[0] == "run" && path[1] == "storageIds":
		return path[2], path[3], true
	}
	return "", "", false
}

func (r *reader) unknownStorage(at *jsonc.Value, name, kind, alias string, has []string) {
	r.Error(at, "has {{%s}}, but the Actor has no such storage: its %s are %s%s",
		name, kind, strings.Join(has, ", "), shape.Meant(alias, has))
}
