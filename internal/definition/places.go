package definition

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// place is where a file may be that no field links: a name in a directory, the
// Actor's (".") or that of the definition. Unless exact, any case will do.
type place struct {
	dir, name string
	exact     bool
}

// conventional gives the places of files of those names: .actor first, then the
// Actor's directory, as the platform searches them. ACTOR.md, which the Actor
// whitepaper has instead of README.md, comes after it in either.
func conventional(names ...string) (places []place) {
	for _, dir := range []string{folder, "."} {
		for _, name := range names {
			places = append(places, place{dir: dir, name: name})
		}
	}
	return places
}

// inputPlaces are where the platform and its tools look for an input schema that
// is not linked: the documented name in either directory before any other case
// of it.
var inputPlaces = []place{
	{folder, "INPUT_SCHEMA.json", true},
	{".", "INPUT_SCHEMA.json", true},
	{folder, "INPUT_SCHEMA.json", false},
	{".", "INPUT_SCHEMA.json", false},
}

// findInput gives the input schema that is there by convention, "" when none is.
func (r *reader) findInput() string {
	file := r.find(inputPlaces)
	if file == "" {
		return ""
	}
	if !within(resolved(r.actor.Root), resolved(file)) && !within(resolved(r.actor.ContextDir), resolved(file)) {
		r.tellFile(broken, file, "link", "%s is a link to %s, outside of the Actor's directory (%s)", r.show(file), resolved(file), r.actor.Root)
		return ""
	}
	for _, p := range inputPlaces[:2] {
		other := filepath.Join(r.actor.Root, p.dir, p.name)
		if other != file && filepath.Dir(other) != filepath.Dir(file) && isFile(other) {
			r.tellFile(advice, other, "ambiguous-file", "%s has no effect beside %s", r.show(other), r.show(file))
		}
	}
	return file
}

// find gives the first of several places at which there is a file, "" when there
// is none. Files that differ in case only are warned about.
func (r *reader) find(places []place) string {
	for _, p := range places {
		dir := filepath.Join(r.actor.Root, p.dir)
		var found []string
		for _, name := range r.list(dir) {
			if (name == p.name || !p.exact && strings.EqualFold(name, p.name)) && isFile(filepath.Join(dir, name)) {
				found = append(found, name)
			}
		}
		if len(found) == 0 {
			continue
		}
		// The documented spelling wins, then capitals: they sort first.
		slices.Sort(found)
		if i := slices.Index(found, p.name); i > 0 {
			found[0], found[i] = found[i], found[0]
		}
		taken := filepath.Join(dir, found[0])
		for _, name := range r.list(dir) {
			if name != found[0] && strings.EqualFold(name, p.name) && isFile(filepath.Join(dir, name)) {
				r.tellFile(useless, filepath.Join(dir, name), "ambiguous-file", "%s differs from %s in case only; %s is taken",
					shape.Quote(name), shape.Quote(found[0]), r.show(taken))
			}
		}
		return taken
	}
	return ""
}

// list gives the names in a directory, none when it cannot be read.
func (r *reader) list(dir string) []string {
	if names, ok := r.listings[dir]; ok {
		return names
	}
	var names []string
	if entries, err := os.ReadDir(dir); err == nil {
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
	}
	r.listings[dir] = names
	return names
}

// similar gives a file that somebody who wrote path may have meant, "" when there
// is none: one beside it whose name is nearly the same.
func (r *reader) similar(path string) string {
	dir := filepath.Dir(path)
	if !within(r.actor.Root, dir) {
		return ""
	}
	if name := shape.Closest(filepath.Base(path), r.list(dir)); name != "" {
		return filepath.Join(dir, name)
	}
	return ""
}
