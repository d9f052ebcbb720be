// Package filelist says which files of an Actor's directory belong to its source:
// all but what git ignores, what .actorignore names, and what is never source.
package filelist

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// never is what is no source, at the top of the directory.
var never = []string{"apify_storage", "node_modules", "storage", "crawlee_storage"}

// File is one file of the source.
type File struct {
	Name string // with slashes, below the directory
	Size int64
	Mode fs.FileMode
	// Changed is when its content was changed last.
	Changed time.Time
}

// List is the files of a source, by name.
type List struct {
	Files []File
	// Skipped says what was left out and is neither ignored nor a file.
	Skipped []string
}

// Size is that of all files together.
func (l *List) Size() (n int64) {
	for _, f := range l.Files {
		n += f.Size
	}
	return n
}

// Newest is when the file that was changed last was changed.
func (l *List) Newest() (t time.Time) {
	for _, f := range l.Files {
		if f.Changed.After(t) {
			t = f.Changed
		}
	}
	return t
}

// Has tells whether a file is among them.
func (l *List) Has(name string) bool {
	return slices.ContainsFunc(l.Files, func(f File) bool { return f.Name == name })
}

// Of lists the files of the Actor in dir.
//
// What git ignores is left out: git is asked, and where there is none, the
// .gitignore files are read. A line of .actorignore, which lies in dir, leaves out
// more; one that begins with ! brings back what git ignores. The files of .actor
// are always there; storages, node_modules and .git never are. A symbolic link is
// the file it leads to, unless that lies outside of dir.
func Of(ctx context.Context, dir string) (*List, error) {
	w := &walker{root: dir, list: &List{}, git: askGit(ctx, dir)}
	if text, err := os.ReadFile(filepath.Join(dir, ".actorignore")); err == nil {
		for _, p := range parseRules("", string(text)).patterns {
			if p.negate {
				p.negate = false
				w.forced.patterns = append(w.forced.patterns, p)
			} else {
				w.ignored.patterns = append(w.ignored.patterns, p)
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.InvalidInput, err, "reading .actorignore")
	}
	if w.git == nil {
		w.nested = ancestors(dir)
	}
	if err := w.walk(".", state{}); err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "listing the files of %s", dir)
	}
	slices.SortFunc(w.list.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return w.list, nil
}

type walker struct {
	root            string
	list            *List
	git             map[string]bool // what git ignores, folders with a slash at the end; nil without git
	nested          []rules         // of .gitignore files, the innermost last
	ignored, forced rules
}

// state is what holds of all that is below a folder.
type state struct{ git, ignored, forced bool }

func (w *walker) walk(folder string, above state) error {
	entries, err := os.ReadDir(filepath.Join(w.root, filepath.FromSlash(folder)))
	if err != nil {
		return err
	}
	if w.git == nil {
		base := folder
		if base == "." {
			base = ""
		}
		if text, err := os.ReadFile(filepath.Join(w.root, filepath.FromSlash(folder), ".gitignore")); err == nil {
			before := len(w.nested)
			w.nested = append(w.nested, parseRules(base, string(text)))
			defer func() { w.nested = w.nested[:before] }()
		}
	}
	for _, entry := range entries {
		name := path.Join(folder, entry.Name())
		if entry.Name() == ".git" || folder == "." && slices.Contains(never, entry.Name()) {
			continue
		}
		if err := w.entry(name, entry, above); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(name string, entry fs.DirEntry, above state) error {
	definition := name == ".actor" || strings.HasPrefix(name, ".actor/")
	is := state{
		git:     above.git || w.gitIgnores(name, entry.IsDir()),
		ignored: above.ignored || matches(w.ignored, name, entry.IsDir()),
		forced:  above.forced || matches(w.forced, name, entry.IsDir()),
	}
	if entry.IsDir() {
		if !definition && (is.ignored || is.git && !is.forced && len(w.forced.patterns) == 0) {
			return nil // nothing below it can come back
		}
		return w.walk(name, is)
	}
	if !definition && (is.ignored || is.git && !is.forced) {
		return nil
	}
	return w.add(name, entry)
}

func matches(r rules, name string, dir bool) bool {
	ignored, _ := r.decide(name, dir)
	return ignored
}

func (w *walker) gitIgnores(name string, dir bool) bool {
	if w.git != nil {
		return w.git[name] || dir && w.git[name+"/"]
	}
	// The innermost file that says something decides.
	for _, r := range slices.Backward(w.nested) {
		if ignored, known := r.decide(name, dir); known {
			return ignored
		}
	}
	return false
}

func (w *walker) add(name string, entry fs.DirEntry) error {
	file := filepath.Join(w.root, filepath.FromSlash(name))
	info, err := entry.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		var inside bool
		if info, inside, err = w.follow(file); err == nil && !inside {
			w.list.Skipped = append(w.list.Skipped, name+" leads out of the directory")
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			w.list.Skipped = append(w.list.Skipped, name+" leads nowhere")
			return nil
		}
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		w.list.Skipped = append(w.list.Skipped, name+" is no file")
		return nil
	}
	w.list.Files = append(w.list.Files, File{Name: name, Size: info.Size(), Mode: info.Mode(), Changed: info.ModTime()})
	return nil
}

// follow gives what a link leads to, and whether that is in the directory.
func (w *walker) follow(file string) (fs.FileInfo, bool, error) {
	target, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil, false, err
	}
	root, err := filepath.EvalSymlinks(w.root)
	if err != nil {
		return nil, false, err
	}
	below, err := filepath.Rel(root, target)
	if err != nil || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)) {
		return nil, false, nil
	}
	info, err := os.Stat(target)
	return info, true, err
}

// gitPatience bounds how long git is waited for.
const gitPatience = 30 * time.Second

// askGit gives what git ignores in dir, nil when there is no git, or dir belongs
// to no repository.
func askGit(ctx context.Context, dir string) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	ignored := map[string]bool{}
	for name := range bytes.SplitSeq(out, []byte{0}) {
		if len(name) > 0 {
			ignored[string(name)] = true
		}
	}
	return ignored
}

// ancestors reads the .gitignore files above dir, up to the top of the
// repository; none when dir is in no repository.
func ancestors(dir string) []rules {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	var found []rules
	prefix := ""
	for at := abs; ; {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			slices.Reverse(found)
			return found
		}
		parent := filepath.Dir(at)
		if parent == at {
			return nil
		}
		prefix = path.Join(filepath.Base(at), prefix)
		at = parent
		if text, err := os.ReadFile(filepath.Join(at, ".gitignore")); err == nil {
			r := parseRules("", string(text))
			for i, p := range r.patterns {
				r.patterns[i] = p.from(prefix)
			}
			found = append(found, r)
		}
	}
}

// from gives the pattern of a directory above as one for names below prefix.
func (p pattern) from(prefix string) pattern {
	if !p.anchored {
		return p
	}
	p.outer = strings.Split(prefix, "/")
	return p
}
