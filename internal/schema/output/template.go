package output

import (
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// part is a piece of a template: text as it stands, or the path of a variable.
type part struct {
	text string
	path []string
}

// name is the variable as it is written between the braces.
func (p part) name() string { return strings.Join(p.path, ".") }

// text writes parts down as a template.
func text(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.path == nil {
			b.WriteString(p.text)
		} else {
			b.WriteString("{{" + p.name() + "}}")
		}
	}
	return b.String()
}

// links are the addresses that are made for templates.
var links = []string{
	"links.publicRunUrl", "links.consoleRunUrl", "links.apiRunUrl",
	"links.apiDefaultDatasetUrl", "links.apiDefaultKeyValueStoreUrl",
}

// runFields are the fields of the API's run object, in the order of their use in
// templates.
var runFields = []string{
	"containerUrl", "defaultDatasetId", "defaultKeyValueStoreId", "defaultRequestQueueId", "id", "actId", "userId",
	"actorTaskId", "buildId", "buildNumber", "startedAt", "generalAccess", "isContainerServerReady", "gitBranchName",
	"platformUsageBillingModel", "storageIds", "options", "meta", "pricingInfo",
	"status", "statusMessage", "isStatusMessageTerminal", "finishedAt", "exitCode", "stats", "usage", "usageUsd",
	"usageTotalUsd", "chargedEventCounts", "metamorphs",
}

// objects are the fields of a run that have fields of their own; nil stands for
// any.
var objects = map[string][]string{
	"storageIds": {"datasets", "keyValueStores", "requestQueues"},
	"options":    {"build", "timeoutSecs", "memoryMbytes", "diskMbytes", "maxItems", "maxTotalChargeUsd", "restartOnError"},
	"meta":       {"origin", "clientIp", "userAgent", "scheduleId", "scheduledAt"},
	"stats":      nil, "usage": nil, "usageUsd": nil, "pricingInfo": nil, "chargedEventCounts": nil, "metamorphs": nil,
}

// changing are the fields of a run that say nothing yet when it starts.
var changing = []string{
	"status", "statusMessage", "isStatusMessageTerminal", "finishedAt", "exitCode", "stats", "usage", "usageUsd",
	"usageTotalUsd", "chargedEventCounts", "metamorphs", "isContainerServerReady",
}

// patterns are the variables as they are told to people.
var patterns = append(slices.Clone(links), "run.FIELD", "storages.datasets.ALIAS.apiUrl", "storages.keyValueStores.ALIAS.apiUrl")

var variableName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// template reads the template that stands at a place and reports variables that
// nothing will resolve.
func (r *reader) template(at *jsonc.Value, template string) (parts []part) {
	rest := template
	for rest != "" {
		before, after, ok := strings.Cut(rest, "{{")
		if before != "" {
			parts = append(parts, part{text: before})
		}
		if !ok {
			break
		}
		name, behind, closed := strings.Cut(after, "}}")
		if !closed {
			r.Error(at, `has "{{" without "}}" after it, at %s`, shape.Quote("{{"+after))
			break
		}
		name, rest = strings.TrimSpace(name), behind
		if !variableName.MatchString(name) {
			r.Error(at, "has %s, which is not the name of a variable: %s", shape.Quote("{{"+name+"}}"), allowed())
			continue
		}
		parts = append(parts, r.variable(at, strings.Split(name, "."), behind)...)
	}
	return parts
}

func allowed() string { return "allowed are " + strings.Join(patterns, ", ") }

// variable reads one variable, given what follows it.
func (r *reader) variable(at *jsonc.Value, path []string, behind string) []part {
	switch path[0] {
	case "links", "storages", "run":
		r.check(at, path)
		return []part{{path: path}}
	case "actorRun", "actorInput":
		parts := modern(path, behind)
		if parts[0].path[0] == "input" {
			r.Warn(olderForm, at, "has {{%s}}, which the platform does not know: its templates cannot refer to the input", strings.Join(path, "."))
			return parts
		}
		r.Warn(olderForm, at, "has {{%s}}, an older form that the platform does not know: write %s", strings.Join(path, "."), text(parts))
		if parts[0].path[0] == "run" {
			r.check(at, parts[0].path)
		}
		return parts
	}
	r.unresolved(at, path, patterns, allowed())
	return []part{{path: path}}
}

// modern gives today's spelling of a variable of the whitepaper. Its storage
// URLs are those of the items, the keys or the records, as what follows wants.
func modern(path []string, behind string) []part {
	if path[0] == "actorInput" {
		return []part{{path: append([]string{"input"}, path[1:]...)}}
	}
	switch field := strings.Join(path[1:], "."); {
	case field == "defaultDatasetUrl":
		return []part{{path: []string{"links", "apiDefaultDatasetUrl"}}, {text: "/items"}}
	case field == "defaultKeyValueStoreUrl":
		parts := []part{{path: []string{"links", "apiDefaultKeyValueStoreUrl"}}}
		switch {
		case strings.HasPrefix(behind, "?"):
			parts = append(parts, part{text: "/keys"})
		case strings.HasPrefix(behind, "/"):
			parts = append(parts, part{text: "/records"})
		}
		return parts
	case field == "webServerUrl":
		return []part{{path: []string{"run", "containerUrl"}}}
	case len(path) > 1 && path[1] == "input":
		return []part{{path: path[1:]}}
	}
	return []part{{path: append([]string{"run"}, path[1:]...)}}
}

// check reports a variable that does not exist.
func (r *reader) check(at *jsonc.Value, path []string) {
	switch path[0] {
	case "links":
		if !slices.Contains(links, strings.Join(path, ".")) {
			r.unresolved(at, path, links, "allowed are "+strings.Join(links, ", "))
		}
	case "storages":
		kind := ""
		if len(path) > 1 {
			kind = path[1]
		}
		if len(path) != 4 || kind != "datasets" && kind != "keyValueStores" || path[3] != "apiUrl" {
			r.unresolved(at, path, nil, "allowed are storages.datasets.ALIAS.apiUrl and storages.keyValueStores.ALIAS.apiUrl")
		}
	case "run":
		r.checkRun(at, path)
	}
}

func (r *reader) checkRun(at *jsonc.Value, path []string) {
	prefixed := func(names []string, prefix string) (out []string) {
		for _, name := range names {
			out = append(out, prefix+name)
		}
		return out
	}
	if len(path) == 1 || !slices.Contains(runFields, path[1]) {
		r.unresolved(at, path, prefixed(runFields, "run."), "a run has "+strings.Join(runFields, ", "))
		return
	}
	inner, isObject := objects[path[1]]
	switch {
	case !isObject && len(path) > 2:
		r.unresolved(at, path, nil, "run."+path[1]+" has no fields")
	case isObject && (len(path) == 2 || inner != nil && !slices.Contains(inner, path[2])),
		path[1] == "storageIds" && len(path) != 4:
		text := "run." + path[1] + " has fields of its own"
		if inner != nil {
			text += ": " + strings.Join(inner, ", ")
		}
		if path[1] == "storageIds" {
			text += ", each with the aliases of storages"
		}
		r.unresolved(at, path, prefixed(inner, "run."+path[1]+"."), text)
	case slices.Contains(changing, path[1]):
		r.Warn(variable, at, "has {{%s}}, which changes during the run: the output is made once, when the run starts", strings.Join(path, "."))
	}
}

func (r *reader) unresolved(at *jsonc.Value, path, near []string, allowed string) {
	name := strings.Join(path, ".")
	r.Error(at, "has {{%s}}, which is not a variable: %s%s", name, allowed, shape.Meant(name, near))
}
