package definition

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// docker finds the Dockerfile and the build context: as the fields say, else by
// convention.
func (r *reader) docker(dockerfile, contextDir *jsonc.Value) {
	a := r.actor
	if contextDir != nil {
		// In a monorepo the context is an ancestor: it may reach up to the
		// repository's root and no further.
		if dir, ok := r.link(contextDir, "dockerContextDir", repositoryRoot(a.Root), "the repository that the Actor is part of"); ok &&
			r.mustBe(contextDir, "dockerContextDir", dir, isDirectory, "directory") {
			a.ContextDir = dir
		}
	}
	if dockerfile != nil {
		// Several Actors of a monorepo may share a Dockerfile in their context.
		limit, limitName := a.Root, "the Actor's directory"
		if a.ContextDir != a.Root && within(a.ContextDir, a.Root) {
			limit, limitName = a.ContextDir, "the build context"
		}
		if file, ok := r.link(dockerfile, "dockerfile", limit, limitName); ok &&
			r.mustBe(dockerfile, "dockerfile", file, isFile, "file") {
			a.Dockerfile = file
		}
		return
	}
	for _, file := range []string{filepath.Join(a.Root, ".actor", "Dockerfile"), filepath.Join(a.Root, "Dockerfile")} {
		if isFile(file) {
			a.Dockerfile = file
			return
		}
	}
}

// link resolves a path written in the definition. Paths are relative to the
// definition's directory, whatever the system's separator, and must stay inside
// limit, symbolic links included.
func (r *reader) link(v *jsonc.Value, field, limit, limitName string) (string, bool) {
	switch {
	case v.Kind != jsonc.String:
		r.wrongType(v, field, "a path")
		return "", false
	case v.Text == "":
		r.fault(v, "%s must not be empty", field)
		return "", false
	case strings.Contains(v.Text, "\x00"):
		r.fault(v, "%s contains a NUL character", field)
		return "", false
	case filepath.IsAbs(filepath.FromSlash(v.Text)) || strings.HasPrefix(v.Text, "/") || filepath.VolumeName(filepath.FromSlash(v.Text)) != "":
		r.fault(v, "%s must be a path relative to %s, found %q", field, filepath.Dir(r.actor.File), v.Text)
		return "", false
	}
	path := filepath.Join(filepath.Dir(r.actor.File), filepath.FromSlash(v.Text))
	if !within(limit, path) || !within(resolved(limit), resolved(path)) {
		r.fault(v, "%s leads to %s, outside of %s (%s)", field, path, limitName, limit)
		return "", false
	}
	return path, true
}

// mustBe reports a linked path that is not there or of the wrong sort.
func (r *reader) mustBe(v *jsonc.Value, field, path string, is func(string) bool, noun string) bool {
	if is(path) {
		return true
	}
	if _, err := os.Stat(path); err == nil {
		r.fault(v, "%s must name a %s, found something else at %s", field, noun, path)
	} else {
		r.fault(v, "%s names the %s %s, which does not exist", field, noun, path)
	}
	return false
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
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// repositoryRoot gives the nearest directory from dir upwards that holds .git,
// or dir itself when none does.
func repositoryRoot(dir string) string {
	for at := dir; ; {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		parent := filepath.Dir(at)
		if parent == at {
			return dir
		}
		at = parent
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// isNotDirectory holds when a path leads through a file.
func isNotDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
