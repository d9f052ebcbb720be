package definition

import (
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// legacyFields are the fields of apify.json, which came before .actor/actor.json,
// in both shapes it had: with name, version, buildTag and env; and the older one,
// in which version is an object.
var legacyFields = []string{"name", "version", "buildTag", "env", "template", "actId", "$schema"}

// versionFields are those of the older shape's version object. Some say where
// the platform takes the source from, which is nothing to whoever has it.
var versionFields = []string{
	"versionNumber", "buildTag", "envVars",
	"sourceType", "sourceCode", "baseDockerImage", "tarballUrl", "gitRepoUrl", "sourceFiles",
}

// legacy reads apify.json.
func (r *reader) legacy(root *jsonc.Value) {
	a := r.actor
	a.Legacy = true
	d := r.diagnostic(root, "legacy", "apify.json is the old form of an Actor's definition; run 'apify init' to make "+folder+"/"+fileName+" of it")
	d.Line, d.Column = 0, 0 // the file as a whole is meant
	r.add(useless, d)
	f := r.fieldsOf(root, useless, legacyFields)
	r.actorName(f.value("name"))
	r.text(f.value("template"), &a.Template)
	r.legacyTag(f.value("buildTag"))
	if version := f.value("version"); version.Is(jsonc.Object) {
		r.oldestVersion(version)
	} else {
		r.version(version)
	}
	if env := f.value("env"); env != nil && env.Kind != jsonc.Null {
		r.environment(env)
	}
	r.docker(nil, nil)
	r.documentation(nil, nil)
	if file := r.findInput(); file != "" {
		r.input(r.schemaFile(KindInput, file))
	}
	doc := migrated(root)
	if r.inputRoot != nil {
		doc.set("input", r.inputRoot.JSON())
	}
	a.Document = doc.json()
}

// legacyTag reads a build tag; null means that there is none.
func (r *reader) legacyTag(v *jsonc.Value) {
	if v != nil && v.Kind != jsonc.Null {
		r.buildTag(v)
	}
}

// oldestVersion reads the version object of the older shape.
func (r *reader) oldestVersion(version *jsonc.Value) {
	f := r.fieldsOf(version, useless, versionFields)
	r.version(f.value("versionNumber"))
	r.legacyTag(f.value("buildTag"))
	variables := f["envVars"]
	switch {
	case variables.Value == nil || variables.Value.Kind == jsonc.Null:
		return
	case variables.Value.Kind != jsonc.Array:
		r.wrongType(variables.Value, "an array of objects with name and value")
		return
	}
	for _, item := range variables.Value.Items {
		name, value := item.Get("name"), item.Get("value")
		if !name.Is(jsonc.String) || value == nil {
			r.wrongType(item, "an object with name and value")
			continue
		}
		r.variable(jsonc.Member{Name: name.Text, At: name.Start, Value: name}, name.Text, value)
	}
}
