package definition

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
)

// docker finds the Dockerfile and the build context: as the fields say, else by
// convention.
func (r *reader) docker(dockerfile, contextDir *jsonc.Value) {
	a := r.actor
	if contextDir != nil {
		// In a monorepo the context is an ancestor: it may reach up to the
		// repository's root and no further.
		repository, limit := repositoryRoot(a.Root), "the repository that the Actor is part of"
		if repository == "" {
			repository, limit = a.Root, "the Actor's directory, which is part of no Git repository"
		}
		if dir, ok := r.linkWithin(contextDir, repository, limit); ok && r.mustBe(broken, contextDir, dir, isDirectory, "directory") {
			a.ContextDir = dir
		}
	}
	if dockerfile != nil {
		if file, ok := r.link(dockerfile); ok && r.mustBe(broken, dockerfile, file, isFile, "file") {
			a.Dockerfile = file
		}
		return
	}
	a.Dockerfile = r.find(conventional("Dockerfile"))
	if a.Dockerfile == "" {
		r.tellFile(advice, a.File, "no-dockerfile", "there is no Dockerfile, neither in %s nor in the Actor's directory: the platform builds such an Actor as a Node.js project", folder)
	}
}

// documentation finds the files that people read. They may be missing, even where
// they are linked: the platform builds the Actor all the same.
func (r *reader) documentation(readme, changelog *jsonc.Value) {
	for _, field := range []struct {
		v      *jsonc.Value
		to     *string
		places []place
	}{
		{readme, &r.actor.Readme, conventional("README.md", "ACTOR.md")},
		{changelog, &r.actor.Changelog, conventional("CHANGELOG.md")},
	} {
		if field.v == nil {
			*field.to = r.find(field.places)
		} else if file, ok := r.link(field.v); ok && r.mustBe(advice, field.v, file, isFile, "file") {
			*field.to = file
		}
	}
}

// link resolves a path written in the definition. It may lead to anything in the
// Actor's directory, or in the build context when that is an ancestor: Actors of
// a monorepo share files.
func (r *reader) link(v *jsonc.Value) (string, bool) {
	if a := r.actor; a.ContextDir != a.Root && within(a.ContextDir, a.Root) {
		return r.linkWithin(v, a.ContextDir, "the build context")
	}
	return r.linkWithin(v, r.actor.Root, "the Actor's directory")
}

// absolutePath matches what some system takes for a path that is not relative.
var absolutePath = regexp.MustCompile(`^(?:[/\\]|[A-Za-z]:)`)

// linkWithin resolves a path. Paths are relative to the definition's directory,
// whatever the system's separator, and must stay inside limit, symbolic links
// included.
func (r *reader) linkWithin(v *jsonc.Value, limit, limitName string) (string, bool) {
	local := filepath.FromSlash(v.Text)
	switch {
	case v.Kind != jsonc.String:
		r.wrongType(v, "a path")
		return "", false
	case v.Text == "":
		r.tell(broken, v, "empty", "must not be empty")
		return "", false
	case strings.Contains(v.Text, "\x00"):
		r.tell(broken, v, "link", "contains a NUL character")
		return "", false
	case strings.Contains(v.Text, "://"):
		r.tell(broken, v, "link", "must be a path relative to %s, found the URL %s", r.show(filepath.Dir(r.actor.File)), shape.Quote(v.Text))
		return "", false
	case filepath.IsAbs(local) || absolutePath.MatchString(v.Text):
		r.tell(broken, v, "link", "must be a path relative to %s, found %s", r.show(filepath.Dir(r.actor.File)), shape.Quote(v.Text))
		return "", false
	}
	if strings.Contains(v.Text, `\`) {
		r.tell(advice, v, "link", "should have slashes for backslashes, which only Windows takes for separators, found %s", shape.Quote(v.Text))
	}
	path := filepath.Join(filepath.Dir(r.actor.File), local)
	if !within(limit, path) || !within(resolved(limit), resolved(path)) {
		r.tell(broken, v, "link", "leads to %s, outside of %s (%s)", r.show(path), limitName, limit)
		return "", false
	}
	return path, true
}

// mustBe reports a linked path that is not there or of the wrong sort.
func (r *reader) mustBe(w weight, v *jsonc.Value, path string, is func(string) bool, noun string) bool {
	if is(path) {
		return true
	}
	if _, err := os.Stat(path); err == nil {
		r.tell(w, v, "link", "must name a %s, found something else at %s", noun, r.show(path))
		return false
	}
	text, hint := "names the %s %s, which does not exist", ""
	if other := r.similar(path); other != "" {
		hint = "; there is " + r.show(other)
	}
	r.tell(w, v, "link", text+"%s", noun, r.show(path), hint)
	return false
}

// show gives a path as people write it in the Actor's directory.
func (r *reader) show(path string) string {
	if within(r.actor.Root, path) {
		if relative, err := filepath.Rel(r.actor.Root, path); err == nil {
			return filepath.ToSlash(relative)
		}
	}
	return path
}

// resolved follows symbolic links as far as path exists.
func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(resolved(parent), filepath.Base(path))
}

// within reports whether path is dir or below it.
func within(dir, path string) bool {
	relative, err := filepath.Rel(dir, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// repositoryRoot gives the nearest directory from dir upwards that holds .git, ""
// when none does.
func repositoryRoot(dir string) string {
	for at := dir; ; {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		parent := filepath.Dir(at)
		if parent == at {
			return ""
		}
		at = parent
	}
}

// isNotDirectory holds when a path leads through a file.
func isNotDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
