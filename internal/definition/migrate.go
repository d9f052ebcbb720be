package definition

import (
	"bytes"
	"encoding/json"
	"path"
	"path/filepath"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Migrate gives what .actor/actor.json must say for an Actor that has the legacy
// apify.json: indented JSON with a line break at its end. Nothing is written.
//
// Fields that apify.json does not know are kept as they are, their paths made
// relative to .actor; what only the oldest shape had is kept in meta. A directory
// without apify.json is fault.NotFound, an apify.json with errors
// fault.InvalidInput.
func Migrate(dir string) ([]byte, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot find the directory %s", dir)
	}
	file := filepath.Join(root, legacyName)
	data, err := readFile(file)
	if missing(err) {
		return nil, fault.New(fault.NotFound, "there is no %s to migrate in %s", legacyName, root)
	}
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "cannot read the Actor's definition")
	}
	r := read(root, file, data, (*reader).legacy)
	// What is wrong with the schemas beside it is not for the migration to say.
	r.found = slices.DeleteFunc(r.found, func(f finding) bool { return f.File != file })
	if err := r.diagnostics(running).Err("the Actor's definition"); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, migrated(r.doc.Root).json(), "", "  "); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot write the definition")
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// migrated makes an actor.json of an apify.json that has no faults.
func migrated(root *jsonc.Value) *object {
	doc := &object{}
	version, tag, env := root.Get("version"), root.Get("buildTag"), environmentOf(root.Get("env"))
	var rest object // of the older version object
	if version.Is(jsonc.Object) {
		if tag == nil || tag.Kind == jsonc.Null {
			tag = version.Get("buildTag")
		}
		if env == nil {
			env = variablesOf(version.Get("envVars"))
		}
		for _, m := range version.Unique() {
			if m.Value.Kind != jsonc.Null && !slices.Contains(versionFields[:3], m.Name) {
				rest.set(m.Name, m.Value.JSON())
			}
		}
		version = version.Get("versionNumber")
	}
	doc.set("actorSpecification", []byte("1"))
	if name := root.Get("name"); name != nil {
		doc.set("name", name.JSON())
	}
	if version != nil {
		doc.set("version", version.JSON())
	} else {
		doc.set("version", []byte(`"`+DefaultVersion+`"`))
	}
	if tag != nil && tag.Kind != jsonc.Null {
		doc.set("buildTag", tag.JSON())
	}
	if env != nil {
		doc.set("environmentVariables", env)
	}
	meta := root.Get("meta")
	for _, m := range root.Unique() {
		switch m.Name {
		case "actorSpecification", "name", "version", "buildTag", "env", "$schema":
			continue
		case "environmentVariables":
			if env != nil {
				continue
			}
		case "actId":
			if m.Value.Kind == jsonc.Null || root.Get("id") != nil {
				continue
			}
			doc.set("id", m.Value.JSON())
			continue
		case "meta":
			if len(rest) > 0 && meta.Kind == jsonc.Object {
				var both object
				for _, inner := range meta.Unique() {
					both.set(inner.Name, inner.Value.JSON())
				}
				if meta.Get("version") == nil {
					both.set("version", rest.json())
				}
				doc.set("meta", both.json())
				continue
			}
		}
		doc.set(m.Name, moved(m))
	}
	if len(rest) > 0 && meta == nil {
		var m object
		m.set("version", rest.json())
		doc.set("meta", m.json())
	}
	return doc
}

// moved gives a member's value for a file one directory further down: paths lead
// one directory up first.
func moved(m jsonc.Member) []byte {
	switch m.Name {
	case "dockerfile", "dockerContextDir", "readme", "changelog",
		"input", "inputSchema", "output", "outputSchema", "webServerSchema", "dataset", "keyValueStore":
		if v := m.Value; v.Is(jsonc.String) && v.Text != "" && !absolutePath.MatchString(v.Text) {
			return quote(path.Join("..", v.Text))
		}
	case "storages", "datasets":
		if m.Value.Kind != jsonc.Object {
			break
		}
		var links object
		for _, inner := range m.Value.Unique() {
			value := moved(inner)
			if m.Name == "datasets" { // whatever the alias is called
				value = moved(jsonc.Member{Name: "dataset", Value: inner.Value})
			}
			links.set(inner.Name, value)
		}
		return links.json()
	}
	return m.Value.JSON()
}

// environmentOf gives an object of variables, nil when there is none.
func environmentOf(env *jsonc.Value) json.RawMessage {
	if !env.Is(jsonc.Object) {
		return nil
	}
	return env.JSON()
}

// variablesOf makes an object of the older shape's array of names and values.
func variablesOf(list *jsonc.Value) json.RawMessage {
	if !list.Is(jsonc.Array) {
		return nil
	}
	var env object
	for i, item := range list.Items {
		name, value := item.Get("name"), item.Get("value")
		later := slices.ContainsFunc(list.Items[i+1:], func(other *jsonc.Value) bool {
			return name.Is(jsonc.String) && other.Get("name").Is(jsonc.String) && other.Get("name").Text == name.Text
		})
		if name.Is(jsonc.String) && value != nil && !later {
			env.set(name.Text, value.JSON())
		}
	}
	return env.json()
}
