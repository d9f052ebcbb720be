package definition

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// The platform's limits for an Actor's memory, in megabytes.
const (
	minMemory = 128
	maxMemory = 32768
)

// maxNameLength and minNameLength bound an Actor's name.
const (
	minNameLength = 3
	maxNameLength = 63
)

var (
	namePattern    = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$`)
	versionPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+(?:\.[0-9]+)?$`)
)

// laterFields are fields of the specification that running does not need. They
// are known, so nobody is warned about them.
var laterFields = map[string]bool{
	"$schema": true, "actorSpecification": true, "meta": true, "readme": true, "changelog": true,
	"output": true, "outputSchema": true, "storages": true, "minMemoryMbytes": true, "maxMemoryMbytes": true,
	"webServerSchema": true, "webServerMcpPath": true, "template": true, "id": true,
}

// reader fills an Actor from a document and remembers everything that is wrong.
type reader struct {
	doc    *jsonc.Document
	actor  *Actor
	faults []string
	// schemaErrs are faults of the input schema, which bring their positions.
	schemaErrs []error
}

func (r *reader) fault(at *jsonc.Value, format string, args ...any) {
	r.faults = append(r.faults, r.doc.Position(at.Start)+": "+fmt.Sprintf(format, args...))
}

func (r *reader) warn(offset int, format string, args ...any) {
	r.actor.Warnings = append(r.actor.Warnings, r.doc.Position(offset)+": "+fmt.Sprintf(format, args...))
}

// wrongType says what was found at path and what is allowed there.
func (r *reader) wrongType(v *jsonc.Value, path, allowed string) {
	if path == "" {
		path = "the file"
	}
	r.fault(v, "%s must be %s, found %s", path, allowed, describe(v))
}

// describe says what a value is, in few words. Strings are not repeated: they
// may be secrets.
func describe(v *jsonc.Value) string {
	switch v.Kind {
	case jsonc.Null:
		return "null"
	case jsonc.Boolean:
		return v.Text
	case jsonc.Number:
		return "the number " + v.Text
	case jsonc.Array:
		return "an array"
	case jsonc.Object:
		return "an object"
	default:
		return "a string"
	}
}

// err gives everything found wrong as one error, or nil.
func (r *reader) err() error {
	list := r.faults
	for _, err := range r.schemaErrs {
		list = append(list, err.Error())
	}
	switch {
	case len(list) == 0:
		return nil
	case len(list) == 1 && len(r.schemaErrs) == 1:
		return r.schemaErrs[0]
	case len(list) == 1:
		return fault.New(fault.InvalidInput, "%s", list[0])
	default:
		return fault.New(fault.InvalidInput, "the Actor's definition has %d faults:\n  %s", len(list), strings.Join(list, "\n  "))
	}
}

// text reads a string field into to.
func (r *reader) text(v *jsonc.Value, path string, to *string) {
	if v.Kind != jsonc.String {
		r.wrongType(v, path, "a string")
		return
	}
	*to = v.Text
}

// current reads .actor/actor.json.
func (r *reader) current(root *jsonc.Value) {
	a := r.actor
	var dockerfile, contextDir, input *jsonc.Value
	inputField := ""
	for _, m := range root.Unique() {
		switch v := m.Value; m.Name {
		case "name":
			r.name(v)
		case "version":
			r.version(v, "version")
		case "buildTag":
			r.buildTag(v, "buildTag")
		case "title":
			r.text(v, "title", &a.Title)
		case "description":
			r.text(v, "description", &a.Description)
		case "dockerfile":
			dockerfile = v
		case "dockerContextDir":
			contextDir = v
		case "input", "inputSchema":
			if input != nil {
				r.warn(m.At, "%s has no effect beside %s: they are two names of one field", m.Name, inputField)
				continue
			}
			input, inputField = v, m.Name
		case "environmentVariables":
			r.environment(v, "environmentVariables")
		case "usesStandbyMode":
			if v.Kind != jsonc.Boolean {
				r.wrongType(v, "usesStandbyMode", "true or false")
				continue
			}
			a.UsesStandbyMode = v.True()
		case "defaultMemoryMbytes":
			r.memory(v)
		case "scripts":
			r.scripts(v)
		case "actorSpecification":
			if n, err := strconv.Atoi(v.Text); v.Kind != jsonc.Number || err != nil || n != 1 {
				r.wrongType(v, "actorSpecification", "1")
			}
		default:
			if !laterFields[m.Name] {
				r.warn(m.At, "the field %q is not known and has no effect", m.Name)
			}
		}
	}
	r.docker(dockerfile, contextDir)
	r.input(input, inputField)
}

func (r *reader) name(v *jsonc.Value) {
	r.text(v, "name", &r.actor.Name)
	if name := v.Text; v.Kind == jsonc.String && (len(name) < minNameLength || len(name) > maxNameLength || !namePattern.MatchString(name)) {
		r.warn(v.Start, "the name %q runs here but not on the platform: it must have %d to %d letters, digits and hyphens, with no hyphen at either end",
			name, minNameLength, maxNameLength)
	}
}

func (r *reader) version(v *jsonc.Value, path string) {
	r.text(v, path, &r.actor.Version)
	if v.Kind == jsonc.String && !versionPattern.MatchString(v.Text) {
		r.fault(v, "%s must be MAJOR.MINOR such as \"0.1\", found %q", path, v.Text)
	}
}

func (r *reader) buildTag(v *jsonc.Value, path string) {
	if v.Kind == jsonc.String && v.Text == "" {
		r.fault(v, "%s must not be empty", path)
		return
	}
	r.text(v, path, &r.actor.BuildTag)
}

func (r *reader) environment(v *jsonc.Value, path string) {
	if v.Kind != jsonc.Object {
		r.wrongType(v, path, "an object of strings")
		return
	}
	for _, m := range v.Unique() {
		r.variable(m.Name, m.At, m.Value, path+"."+m.Name)
	}
}

// variable records one environment variable.
func (r *reader) variable(name string, at int, v *jsonc.Value, path string) {
	switch {
	case v.Kind != jsonc.String:
		r.wrongType(v, path, "a string")
	case name == "" || strings.ContainsAny(name, "=\x00"):
		r.faults = append(r.faults, fmt.Sprintf("%s: %q cannot be the name of an environment variable", r.doc.Position(at), name))
	case strings.Contains(v.Text, "\x00"):
		r.fault(v, "%s contains a NUL character, which no environment variable can hold", path)
	default:
		if strings.HasPrefix(name, "ACTOR_") || strings.HasPrefix(name, "APIFY_") {
			r.warn(at, "the variable %s has a name that is reserved for the platform; it replaces what the platform sets", name)
		}
		r.actor.Environment[name] = v.Text
	}
}

func (r *reader) memory(v *jsonc.Value) {
	switch v.Kind {
	case jsonc.String:
		r.warn(v.Start, "defaultMemoryMbytes is an expression; running with the default memory")
	case jsonc.Number:
		n, err := strconv.Atoi(v.Text)
		if err != nil || n < minMemory || n > maxMemory {
			r.fault(v, "defaultMemoryMbytes must be a whole number from %d to %d, found %s", minMemory, maxMemory, v.Text)
			return
		}
		r.actor.DefaultMemoryMbytes = n
	default:
		r.wrongType(v, "defaultMemoryMbytes", fmt.Sprintf("a whole number from %d to %d", minMemory, maxMemory))
	}
}

func (r *reader) scripts(v *jsonc.Value) {
	if v.Kind != jsonc.Object {
		r.wrongType(v, "scripts", "an object")
		return
	}
	for _, m := range v.Unique() {
		if m.Name != "run" {
			r.warn(m.At, "the field %q is not known and has no effect", "scripts."+m.Name)
			continue
		}
		r.text(m.Value, "scripts.run", &r.actor.RunScript)
	}
}

// input reads the input schema: linked or inlined by field, else at one of the
// conventional places.
func (r *reader) input(v *jsonc.Value, field string) {
	switch {
	case v == nil:
		for _, name := range []string{".actor/INPUT_SCHEMA.json", "INPUT_SCHEMA.json", ".actor/input_schema.json", "input_schema.json"} {
			file := filepath.Join(r.actor.Root, filepath.FromSlash(name))
			if isFile(file) {
				r.inputFile(file)
				return
			}
		}
	case v.Kind == jsonc.Object:
		in, err := inputschema.FromDocument(r.doc, v)
		if err != nil {
			r.schemaErrs = append(r.schemaErrs, err)
			return
		}
		r.actor.Input, r.actor.InputFile = in, r.actor.File
	case v.Kind == jsonc.String:
		if file, ok := r.link(v, field, r.actor.Root, "the Actor's directory"); ok && r.mustBe(v, field, file, isFile, "file") {
			r.inputFile(file)
		}
	default:
		r.wrongType(v, field, "a path or an object")
	}
}

func (r *reader) inputFile(file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		r.schemaErrs = append(r.schemaErrs, fault.Wrap(fault.InvalidInput, err, "cannot read the input schema"))
		return
	}
	in, err := inputschema.Parse(data, file)
	if err != nil {
		r.schemaErrs = append(r.schemaErrs, err)
		return
	}
	r.actor.Input, r.actor.InputFile = in, file
}
