package definition

import (
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/memory"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// maxVersionPart is the largest number in a version that the platform takes.
const maxVersionPart = 99

var versionPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+(?:\.[0-9]+)?$`)

// actorFields are the fields of actor.json: those of the platform's
// documentation, those that its tools write ("id", "template"), and those of the
// Actor whitepaper ("labels", "scripts").
var actorFields = []string{
	"$schema", "actorSpecification", "name", "title", "description", "version", "buildTag", "environmentVariables",
	"usesStandbyMode", "meta", "labels", "minMemoryMbytes", "maxMemoryMbytes", "defaultMemoryMbytes",
	"dockerfile", "dockerContextDir", "readme", "changelog", "webServerMcpPath", "scripts", "template", "id",
}

// schemaFields are those that hold or link schemas, in the whitepaper's
// spellings too.
var schemaFields = []string{
	"input", "inputSchema", "output", "outputSchema", "webServerSchema", "webServerOpenapi",
	"storages", "datasetSchema", "dataset", "keyValueStoreSchema", "keyValueStore",
}

// current reads .actor/actor.json.
func (r *reader) current(root *jsonc.Value) {
	a := r.actor
	f := r.fieldsOf(root, useless, slices.Concat(actorFields, schemaFields))
	for _, field := range []struct{ name, example string }{{"actorSpecification", `1`}, {"name", `"my-actor"`}, {"version", `"0.0"`}} {
		if f.value(field.name) == nil {
			r.add(required, r.diagnostic(root, "missing-field", fmt.Sprintf("%s is missing, and the platform insists on it: add %q: %s", field.name, field.name, field.example)))
		}
	}
	if v := f.value("actorSpecification"); v != nil {
		if n, ok := integer(v); !ok || n != 1 {
			r.wrongType(v, "1")
		}
	}
	r.actorName(f.value("name"))
	r.version(f.value("version"))
	r.buildTag(f.value("buildTag"))
	r.text(f.value("title"), &a.Title)
	r.text(f.value("description"), &a.Description)
	r.text(f.value("template"), &a.Template)
	for _, name := range []string{"$schema", "id"} {
		var ignored string
		r.text(f.value(name), &ignored)
	}
	r.environment(f.value("environmentVariables"))
	if meta := f.value("meta"); r.object(meta, "an object") {
		a.Meta = meta.JSON()
	}
	if labels := f.value("labels"); r.object(labels, "an object of strings") {
		for _, m := range labels.Unique() {
			if m.Value.Kind != jsonc.String {
				r.wrongType(m.Value, "a string")
			}
		}
	}
	r.memory(f.value("defaultMemoryMbytes"), f.value("minMemoryMbytes"), f.value("maxMemoryMbytes"))
	r.scripts(f.value("scripts"))
	r.docker(f.value("dockerfile"), f.value("dockerContextDir"))
	r.documentation(f.value("readme"), f.value("changelog"))
	r.schemasOf(root, f)
	r.standby(f.value("usesStandbyMode"), f.value("webServerMcpPath"))
}

func (r *reader) actorName(v *jsonc.Value) {
	if !r.text(v, &r.actor.Name) {
		return
	}
	if !ValidName(v.Text) {
		r.add(refused, r.diagnostic(v, "name", fmt.Sprintf(
			"the name %s runs here but not on the platform: it must have %s", shape.Quote(v.Text), NameRule)))
	}
}

func (r *reader) version(v *jsonc.Value) {
	if !r.text(v, &r.actor.Version) {
		return
	}
	if !versionPattern.MatchString(v.Text) {
		r.tell(broken, v, "version", `must be MAJOR.MINOR such as "0.1", found %s`, shape.Quote(v.Text))
		return
	}
	parts := strings.Split(v.Text, ".")
	if len(parts) > 2 {
		r.tell(advice, v, "version", "should be MAJOR.MINOR, found %s: the platform adds the third number with every build", shape.Quote(v.Text))
	}
	for _, part := range parts[:2] {
		if n, err := strconv.Atoi(part); err != nil || n > maxVersionPart {
			r.tell(advice, v, "version", "should have numbers from 0 to %d, found %s: the platform takes no larger ones", maxVersionPart, shape.Quote(v.Text))
			return
		}
	}
}

func (r *reader) buildTag(v *jsonc.Value) {
	if v.Is(jsonc.String) && v.Text == "" {
		r.tell(broken, v, "empty", "must not be empty")
		return
	}
	r.text(v, &r.actor.BuildTag)
}

func (r *reader) environment(v *jsonc.Value) {
	if !r.object(v, "an object of strings") {
		return
	}
	for _, m := range v.Unique() {
		r.variable(m, m.Name, m.Value)
	}
}

// variable records one environment variable; m is the member that names it.
func (r *reader) variable(m jsonc.Member, name string, v *jsonc.Value) {
	switch {
	case v.Kind != jsonc.String:
		r.wrongType(v, "a string")
	case name == "" || strings.ContainsAny(name, "=\x00"):
		r.tellMember(broken, m, "environment-variable", "%q cannot be the name of an environment variable", name)
	case strings.Contains(v.Text, "\x00"):
		r.tell(broken, v, "environment-variable", "contains a NUL character, which no environment variable can hold")
	case v.Text == "@":
		r.tell(broken, v, "environment-variable", `names no secret: a secret is written as "@name"`)
	default:
		if strings.HasPrefix(name, "ACTOR_") || strings.HasPrefix(name, "APIFY_") {
			r.tellMember(useless, m, "reserved-variable", "the variable %s has a name that is reserved for the platform; it replaces what the platform sets", name)
		}
		r.actor.Environment[name] = v.Text
		r.variables[name] = v
	}
}

// integer reads a number without a fraction, however it is written.
func integer(v *jsonc.Value) (int, bool) {
	if v.Kind != jsonc.Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || f != float64(int32(f)) {
		return 0, false
	}
	return int(f), true
}

// megabytes reads an amount of memory, which may be absent, into to.
func (r *reader) megabytes(v *jsonc.Value, to *int) bool {
	if v == nil {
		return false
	}
	n, ok := integer(v)
	switch {
	case v.Kind != jsonc.Number:
		r.wrongType(v, fmt.Sprintf("a whole number from %d to %d", memory.MinMbytes, memory.MaxMbytes))
		return false
	case !ok || n < memory.MinMbytes || n > memory.MaxMbytes:
		r.tell(broken, v, "memory", "must be a whole number from %d to %d, found %s", memory.MinMbytes, memory.MaxMbytes, strings.TrimPrefix(describe(v), "the number "))
		return false
	}
	*to = n
	return true
}

// memory reads the three fields about memory and compares them.
func (r *reader) memory(initial, least, most *jsonc.Value) {
	a := r.actor
	bounded := r.megabytes(least, &a.MinMemoryMbytes)
	if r.megabytes(most, &a.MaxMemoryMbytes) && bounded && a.MinMemoryMbytes > a.MaxMemoryMbytes {
		r.tell(broken, least, "memory", "must not be larger than maxMemoryMbytes (%d), found %d", a.MaxMemoryMbytes, a.MinMemoryMbytes)
		a.MinMemoryMbytes, a.MaxMemoryMbytes = 0, 0 // nothing else is judged by them
	}
	if initial.Is(jsonc.String) {
		expression, err := memory.Parse(initial.Text)
		if err != nil {
			hint := ""
			if strings.Contains(initial.Text, "${") {
				hint = "; variables are written {{input.name}}" // as in the whitepaper, once
			}
			r.tell(broken, initial, "memory-expression", "is no expression that can be evaluated: %s%s", err, hint)
			return
		}
		if unknown := expression.Unknown(); unknown != nil {
			r.tell(useless, initial, "memory-expression",
				"uses %s, which means nothing there: an expression has input, runOptions and the functions of the platform's documentation",
				strings.Join(unknown, ", "))
		}
		a.DefaultMemory = expression
		return
	}
	if !r.megabytes(initial, &a.DefaultMemoryMbytes) {
		return
	}
	n := a.DefaultMemoryMbytes
	if clamped := memory.Clamp(n, a.MinMemoryMbytes, a.MaxMemoryMbytes); clamped != n {
		r.tell(useless, initial, "memory", "is outside of minMemoryMbytes and maxMemoryMbytes, found %d; runs get %d", n, clamped)
	} else if bits.OnesCount(uint(n)) != 1 {
		r.tell(advice, initial, "memory", "should be a power of two, found %d: the platform's runs have 128, 256, 512 MB and so on", n)
	}
}

func (r *reader) scripts(v *jsonc.Value) {
	if !r.object(v, "an object") {
		return
	}
	// The whitepaper once had post-create; whoever has it still means well.
	f := r.fieldsOf(v, useless, []string{"run", "post-create"})
	r.text(f.value("run"), &r.actor.RunScript)
	if v := f.value("run"); v.Is(jsonc.String) && strings.TrimSpace(v.Text) == "" {
		r.tell(useless, v, "empty", "is empty: it starts nothing, and has no effect")
	}
}

// standby reads what says that the Actor is a server.
func (r *reader) standby(uses, mcp *jsonc.Value) {
	if uses.Is(jsonc.Boolean) {
		r.actor.UsesStandbyMode = uses.True()
	} else if uses != nil {
		r.wrongType(uses, "true or false")
	}
	if !r.text(mcp, &r.actor.WebServerMCPPath) {
		return
	}
	switch {
	case mcp.Text == "":
		r.tell(broken, mcp, "empty", "must not be empty; leave it out when there is no MCP server")
	case !strings.HasPrefix(mcp.Text, "/"):
		r.tell(useless, mcp, "mcp-path", `should be a path on the Actor's web server such as "/mcp", found %s`, shape.Quote(mcp.Text))
	case !r.actor.UsesStandbyMode:
		r.tell(advice, mcp, "mcp-path", `has no effect without "usesStandbyMode": true: nobody can reach the MCP server`)
	}
}
