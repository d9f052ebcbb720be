package arch

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

const module = "github.com/greenroom-dev/greenroom"

// A layer says what the packages of a folder may import of this module, besides
// pkg/fault, which everything may. A path that ends in /... means the folder and
// all below it; any other path means that one package. The longest matching
// layer of a package counts, and every package must have one.
type layer struct {
	packages string
	imports  []string
}

var layers = []layer{
	// Main functions say which personality they are and nothing else.
	{"cmd/apify", []string{"internal/app"}},
	{"cmd/actor", []string{"internal/cli/actor"}},
	// The composition root alone knows every implementation.
	{"internal/app", []string{"internal/...", "pkg/..."}},

	// Commands are clients: they never see the engine or a store.
	{"internal/cli/...", []string{"internal/cmdkit", "internal/definition", "internal/diagnostic", "internal/schema/...", "pkg/..."}},
	{"internal/cli/actor", []string{"internal/adapter", "internal/cmdkit", "pkg/..."}},
	{"internal/cli/create", []string{
		"internal/cmdkit", "internal/definition", "internal/schema/...", "internal/template", "internal/cli/create/noquery",
	}},
	{"internal/cli/initialize", []string{
		"internal/cmdkit", "internal/definition", "internal/schema/...", "internal/project", "internal/helptext", "internal/commandline",
	}},
	{"internal/cli/openapi", []string{"internal/cmdkit", "internal/definition", "internal/openapi"}},
	{"internal/cli/secrets", []string{"internal/cmdkit", "internal/secret/userfile"}},
	{"internal/cli/schematypes", []string{"internal/cmdkit", "internal/definition", "internal/schema/...", "internal/typegen"}},
	{"internal/cli/session", []string{"internal/cmdkit", "internal/definition", "internal/jq", "pkg/..."}},
	{"internal/cli/actors", []string{"internal/cmdkit", "internal/jq", "internal/cli/builds", "internal/cli/session", "pkg/..."}},
	{"internal/cli/auth", []string{"internal/cmdkit", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/builds", []string{"internal/cmdkit", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/pull", []string{"internal/cmdkit", "internal/cli/session", "pkg/..."}},
	{"internal/cli/push", []string{"internal/cmdkit", "internal/definition", "internal/filelist", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/rawapi", []string{"internal/cmdkit", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/recordtest", []string{"internal/cmdkit"}},
	{"internal/cli/runs", []string{"internal/cmdkit", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/schedules", []string{"internal/cmdkit", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/tasks", []string{"internal/cmdkit", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/webhooks", []string{"internal/cmdkit", "internal/jq", "internal/cli/session", "pkg/..."}},
	{"internal/cli/storages", []string{"internal/cmdkit", "internal/jq", "pkg/..."}},
	{"internal/cli/datasets", []string{"internal/cmdkit", "internal/jq", "internal/cli/storages", "pkg/..."}},
	{"internal/cli/keyvaluestores", []string{"internal/cmdkit", "internal/jq", "internal/cli/storages", "pkg/..."}},
	{"internal/cli/requestqueues", []string{"internal/cmdkit", "internal/jq", "internal/cli/storages", "pkg/..."}},
	{"internal/cli/serve", []string{"internal/cmdkit", "internal/jq", "internal/service"}},
	{"internal/cli/backup", []string{"internal/cmdkit", "internal/jq"}},
	{"internal/cli/token", []string{"internal/cmdkit", "internal/jq", "internal/token", "pkg/api"}},
	{"internal/cmdkit", []string{"internal/jsontext", "pkg/api", "pkg/client"}},
	{"internal/jq", []string{"internal/cmdkit"}},
	{"internal/filelist", nil},
	{"internal/token", nil},
	{"internal/jsontext", nil},

	// Actors, their sources and their builds.
	{"internal/pricing", []string{"internal/jsontext", "pkg/api"}},
	{"internal/catalog", []string{"internal/jsontext", "internal/pricing", "internal/run", "internal/secret", "internal/store", "pkg/api"}},
	{"internal/checkout", []string{"internal/catalog", "pkg/api"}},
	{"internal/build", []string{
		"internal/builder", "internal/builder/image", "internal/catalog", "internal/checkout", "internal/definition", "internal/engine",
		"internal/executor", "internal/openapi", "internal/runlog", "internal/store", "pkg/api",
	}},

	{"internal/server", []string{
		"internal/build", "internal/catalog", "internal/engine", "internal/store", "internal/export", "internal/schema/...",
		"internal/encoding", "internal/jsontext", "internal/signature", "internal/server/...", "internal/webhook", "pkg/api",
		"internal/engine/meter",
	}},
	{"internal/server/...", []string{"internal/store", "internal/export", "internal/jsontext", "pkg/api"}},
	{"internal/signature", nil},
	{"internal/encoding", []string{"internal/store"}},
	{"internal/engine", []string{
		"internal/executor", "internal/builder", "internal/store", "internal/run",
		"internal/engine/broker", "internal/engine/charging", "internal/engine/meter", "internal/engine/queue", "internal/engine/runtoken", "internal/runlog",
		"internal/schema/...", "internal/secret", "internal/definition", "internal/encoding", "pkg/api",
		"internal/executor/hostport", // which ports are free is a rule of starting, not of an executor
	}},

	{"internal/runlog", []string{"internal/store", "pkg/api"}},
	{"internal/engine/charging", []string{"pkg/api"}},
	{"internal/engine/broker", []string{"pkg/api"}},
	{"internal/engine/meter", []string{"internal/store", "pkg/api"}},
	{"internal/engine/queue", nil},
	{"internal/engine/runtoken", nil},
	{"internal/engine/onedir", []string{
		"internal/engine", "internal/executor", "internal/builder", "internal/store", "internal/definition", "pkg/api",
	}},

	{"internal/service", nil},
	{"internal/retention", []string{"internal/store", "pkg/api"}},

	{"internal/executor", nil},
	{"internal/executor/...", []string{"internal/executor", "internal/executor/hostport", "internal/executor/owner"}},
	{"internal/executor/process", []string{"internal/executor", "internal/executor/owner", "internal/executor/process/..."}},
	{"internal/executor/docker", []string{"internal/executor", "internal/executor/owner", "internal/executor/docker/..."}},
	{"internal/executor/docker/...", []string{"internal/executor", "internal/executor/docker/connect"}},
	{"internal/builder", []string{"internal/definition"}},
	{"internal/builder/...", []string{"internal/builder", "internal/builder/dependencies", "internal/builder/dockerfile", "internal/definition", "internal/project"}},
	{"internal/store", []string{"pkg/api"}},
	{"internal/store/...", []string{"internal/store", "pkg/api"}},
	{"internal/store/localdir", []string{
		"internal/store", "internal/store/summary", "internal/store/localdir/filetype", "internal/store/localdir/metafile", "pkg/api",
	}},
	{"internal/store/embedded/...", []string{"internal/jsontext", "internal/store", "internal/store/summary", "internal/store/embedded/...", "pkg/api"}},

	{"internal/definition", []string{"internal/diagnostic", "internal/schema/...", "internal/secret/userfile"}},
	{"internal/diagnostic", nil},
	{"internal/schema/...", []string{"internal/diagnostic", "internal/schema/...", "internal/secret"}},
	{"internal/schema/shape/shapetest", []string{"internal/diagnostic", "internal/oracletest", "internal/schema/..."}},
	{"internal/schema/output", []string{"internal/diagnostic", "internal/schema/...", "pkg/api"}},
	{"internal/secret", nil},
	{"internal/secret/...", []string{"internal/secret"}},
	// What is made of definitions, and definitions of what.
	{"internal/openapi", []string{"internal/definition", "internal/schema/..."}},
	{"internal/typegen", []string{"internal/definition", "internal/schema/..."}},
	{"internal/template", nil},

	// Programs that know nothing of Actors: what they are, what they take, and
	// how they are run.
	{"internal/project", []string{"internal/builder/dockerfile", "internal/commandline", "internal/source"}},
	{"internal/helptext", []string{"internal/commandline"}},
	{"internal/commandline", nil},
	{"internal/source", []string{"internal/commandline", "internal/helptext"}},
	{"internal/adapter", nil},
	{"internal/run", []string{"pkg/api"}},
	{"internal/automation", []string{"internal/engine", "internal/store", "internal/task", "pkg/api"}},
	{"internal/automation/dispatch", []string{"internal/store", "internal/webhook", "pkg/api"}},
	{"internal/automation/scheduler", []string{"internal/engine", "internal/schedule", "internal/store", "internal/task", "pkg/api"}},
	{"internal/schedule", []string{"internal/run", "internal/store", "internal/task", "pkg/api"}},
	{"internal/task", []string{"internal/run", "internal/store", "pkg/api"}},
	{"internal/webhook", []string{"internal/schema/jsonc", "internal/schema/jsvalue", "pkg/api"}},
	{"internal/export", []string{"internal/export/sheet", "internal/jsontext", "pkg/api"}},
	{"internal/export/sheet", nil},
	{"internal/storytest", nil},
	{"internal/oracletest", nil},
	{"internal/arch", nil},

	// The public packages are for other modules: of what is internal only the
	// SDK needs something, the files that it works on outside a run.
	{"pkg/actor", []string{"internal/secret", "internal/store", "internal/store/localdir", "pkg/api", "pkg/client"}},
	{"pkg/client", []string{"pkg/api"}},
	{"pkg/api", nil},
	{"pkg/fault", nil},

	{"scripts/...", nil},
	{"scripts/bench", []string{"scripts/bench/meter"}},
	// It fills the store of a server as no client could in time.
	{"scripts/bench/seed", []string{"internal/store", "internal/store/embedded", "pkg/api"}},
}

// universal is what every package but itself may import.
const universal = "pkg/fault"

// heavy are packages that the small actor command must not link, because their
// size or initialisation is paid by every line of a shell loop.
var heavy = []string{
	"github.com/docker/docker", "github.com/moby/buildkit", "github.com/moby/moby", "google.golang.org/grpc",
	"github.com/santhosh-tekuri/jsonschema", "modernc.org/sqlite", "github.com/xuri/excelize",
	"github.com/spf13/viper", "github.com/charmbracelet", "github.com/itchyny/gojq", "github.com/fatih/color", "github.com/shirou/gopsutil",
	module + "/internal/engine", module + "/internal/server", module + "/internal/definition", module + "/internal/schema",
}

// bannedNames are names of packages that say nothing.
var bannedNames = []string{"common", "helper", "helpers", "misc", "shared", "util", "utils"}

// Lines that a file, a package and a main function may have, tests not counted.
const (
	maxFileLines    = 500
	maxPackageLines = 1500
	maxMainLines    = 15
)

// An exception says how many lines something may have instead, and why it is not
// divided.
type exception struct {
	lines  int
	reason string
}

// larger lists the exceptions by file or package. One that is no longer needed
// must be taken out.
var larger = map[string]exception{
	"internal/server":         {5700, "every operation of the API, a file a resource; there are no rules here to take elsewhere"},
	"internal/store/localdir": {4800, "one layout of files for three kinds of storage, on three systems"},
	"internal/engine":         {3200, "the supervisor of a run, the commands that it takes and the taking over of it are one state machine"},
	"internal/builder/image":  {2000, "two ways to build from one source"},
	"internal/cli/actor":      {2000, "a file a verb"},
	"pkg/client":              {2000, "every resource of one API, a file a kind; handles are made by each other"},

	"internal/definition":        {2100, "one reader of fields, links, conventions and older forms, so that everything wrong is told at once"},
	"internal/schema/jsonschema": {2700, "keywords, references and what was evaluated share one tree of nodes"},
	"internal/typegen":           {2300, "one reading of schemas, and a printer for each language"},
}

// matches tells whether a package is meant by a path of the table.
func matches(pattern, pkg string) bool {
	if folder, below := strings.CutSuffix(pattern, "/..."); below {
		return pkg == folder || strings.HasPrefix(pkg, folder+"/")
	}
	return pkg == pattern
}

// layerOf gives the layer of a package: an exact one, else that of the longest
// folder.
func layerOf(table []layer, pkg string) (layer, bool) {
	var best layer
	found := false
	for _, l := range table {
		if l.packages == pkg {
			return l, true
		}
		if matches(l.packages, pkg) && (!found || len(l.packages) > len(best.packages)) {
			best, found = l, true
		}
	}
	return best, found
}

// directions reports imports that go the wrong way, packages without a layer,
// and what the table names but the module has not.
func directions(m *sources, table []layer) (faults []string) {
	used := map[string]bool{}
	for _, name := range m.names() {
		l, ok := layerOf(table, name)
		if !ok {
			faults = append(faults, fmt.Sprintf("%s has no place in the table of layers", name))
			continue
		}
		used[l.packages] = true
		for imported, file := range m.packages[name].imports {
			allowed := imported == universal && name != universal ||
				slices.ContainsFunc(l.imports, func(pattern string) bool { return matches(pattern, imported) })
			if !allowed {
				faults = append(faults, fmt.Sprintf("%s: %s must not import %s", file, name, imported))
			}
			if isTest(imported) && !isTest(name) {
				faults = append(faults, fmt.Sprintf("%s: %s imports %s, which is for tests", file, name, imported))
			}
		}
	}
	for _, l := range table {
		if !used[l.packages] {
			faults = append(faults, fmt.Sprintf("the table of layers names %s, which is not there", l.packages))
		}
		for _, pattern := range l.imports {
			if !slices.ContainsFunc(m.names(), func(name string) bool { return matches(pattern, name) }) {
				faults = append(faults, fmt.Sprintf("the layer of %s allows %s, which is not there", l.packages, pattern))
			}
		}
	}
	return faults
}

// isTest tells whether a package exists for tests: a conformance suite or a
// driver of tests.
func isTest(pkg string) bool { return strings.HasSuffix(pkg, "test") }

// comments reports packages that have no package comment, or several, or one
// that does not begin as Go's documentation does.
func comments(m *sources) (faults []string) {
	for _, name := range m.names() {
		var with []string
		for _, f := range m.packages[name].files {
			if f.test || f.comment == "" {
				continue
			}
			with = append(with, f.path)
			want := "Package " + f.packageName + " "
			if f.packageName == "main" {
				want = "Command " + path.Base(name) + " "
			}
			if !strings.HasPrefix(f.comment, want) {
				faults = append(faults, fmt.Sprintf("%s: the package comment must begin with %q", f.path, want))
			}
		}
		if len(with) != 1 {
			faults = append(faults, fmt.Sprintf("%s has %d package comments, want 1 %v", name, len(with), with))
		}
	}
	return faults
}

// names reports packages whose names say nothing or are not those of their
// folders.
func names(m *sources) (faults []string) {
	for _, name := range m.names() {
		for _, element := range strings.Split(name, "/") {
			if slices.Contains(bannedNames, element) {
				faults = append(faults, fmt.Sprintf("%s: %q says nothing; name what it is about", name, element))
			}
		}
		for _, f := range m.packages[name].files {
			own := strings.TrimSuffix(f.packageName, "_test")
			if own != "main" && own != path.Base(name) {
				faults = append(faults, fmt.Sprintf("%s: package %s is in a folder named %s", f.path, f.packageName, path.Base(name)))
			}
		}
	}
	return faults
}

// sizes reports what has more lines than it may, and entries of larger that are
// not needed any more. Suites for tests are tests.
func sizes(m *sources, larger map[string]exception) (faults []string) {
	needed := map[string]bool{}
	check := func(what string, lines, limit int) {
		if lines <= limit {
			return
		}
		needed[what] = true
		if exception, ok := larger[what]; ok {
			limit = exception.lines
		}
		if lines > limit {
			faults = append(faults, fmt.Sprintf("%s has %d lines, at most %d are allowed: divide it", what, lines, limit))
		}
	}
	for _, name := range m.names() {
		total := 0
		for _, f := range m.packages[name].files {
			if f.test || isTest(name) {
				continue
			}
			total += f.lines
			limit := maxFileLines
			if strings.HasPrefix(name, "cmd/") && path.Base(f.path) == "main.go" {
				limit = maxMainLines
			}
			check(f.path, f.lines, limit)
		}
		check(name, total, maxPackageLines)
	}
	for _, what := range slices.Sorted(maps.Keys(larger)) {
		if !needed[what] {
			faults = append(faults, fmt.Sprintf("%s does not need an exception any more", what))
		}
		if larger[what].reason == "" {
			faults = append(faults, fmt.Sprintf("the exception of %s gives no reason", what))
		}
	}
	return faults
}

// weight reports heavy packages among the dependencies of a small command.
func weight(dependencies, heavy []string) (faults []string) {
	for _, d := range dependencies {
		for _, h := range heavy {
			if d == h || strings.HasPrefix(d, h+"/") {
				faults = append(faults, fmt.Sprintf("cmd/actor links %s", d))
			}
		}
	}
	return faults
}
