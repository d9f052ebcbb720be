package definition

import (
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// legacy reads apify.json, which came before .actor/actor.json, in both shapes
// it had: with name, version, buildTag and env; and the older one, in which
// version is an object that holds versionNumber, buildTag and envVars.
func (r *reader) legacy(root *jsonc.Value) {
	r.actor.Legacy = true
	r.warn(0, "apify.json is the old form of an Actor's definition; move name, version and buildTag to .actor/actor.json, "+
		`env to "environmentVariables" there, and add "actorSpecification": 1`)
	for _, m := range root.Unique() {
		switch v := m.Value; m.Name {
		case "name":
			r.name(v)
		case "version":
			if v.Kind == jsonc.Object {
				r.oldestVersion(v)
				continue
			}
			r.version(v, "version")
		case "buildTag":
			// Both shapes write null for "no tag of its own".
			if v.Kind != jsonc.Null {
				r.buildTag(v, "buildTag")
			}
		case "env":
			if v.Kind != jsonc.Null {
				r.environment(v, "env")
			}
		case "template", "actId", "$schema":
		default:
			r.warn(m.At, "the field %q is not known and has no effect", m.Name)
		}
	}
	r.docker(nil, nil)
	r.input(nil, "")
}

// oldestVersion reads the version object of the older shape.
func (r *reader) oldestVersion(version *jsonc.Value) {
	for _, m := range version.Unique() {
		switch v := m.Value; m.Name {
		case "versionNumber":
			r.version(v, "version.versionNumber")
		case "buildTag":
			if v.Kind != jsonc.Null {
				r.buildTag(v, "version.buildTag")
			}
		case "envVars":
			if v.Kind == jsonc.Null {
				continue
			}
			if v.Kind != jsonc.Array {
				r.wrongType(v, "version.envVars", "an array of objects with name and value")
				continue
			}
			for _, item := range v.Items {
				name, value := item.Get("name"), item.Get("value")
				if !name.Is(jsonc.String) || value == nil {
					r.wrongType(item, "version.envVars", "an array of objects with name and value")
					continue
				}
				r.variable(name.Text, name.Start, value, "version.envVars."+name.Text)
			}
		case "sourceType", "sourceCode", "baseDockerImage", "tarballUrl", "gitRepoUrl", "sourceFiles":
		default:
			r.warn(m.At, "the field %q is not known and has no effect", "version."+m.Name)
		}
	}
}
