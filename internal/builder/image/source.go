package image

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"golang.org/x/sync/errgroup"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// neverSent are folders at the top of an Actor that are not part of its source:
// what runs leave behind, and the history. The platform never receives them
// either, and a run that writes its storage must not make the next start a new
// build. A line like "!storage" in .dockerignore brings one back.
var neverSent = []string{"storage", "apify_storage", "crawlee_storage", ".git"}

// source is what an image is made of, as it was at one moment: a Dockerfile and
// the files of its context that no ignore rule drops.
type source struct {
	dir        string // the context, without symbolic links
	dockerfile []byte
	// inContext is the Dockerfile's slash path below dir, "" when it is outside.
	inContext string
	// ownIgnore says that the rules come from <Dockerfile>.dockerignore.
	ownIgnore bool
	patterns  []string
	// entries are in the order of a depth-first walk, each folder before what
	// is in it.
	entries []entry
	// virtual are those of the entries that have data.
	virtual []entry
}

// entry is one file, folder or symbolic link of the context.
type entry struct {
	path string // slash path below the context
	info fs.FileInfo
	link string // target of a symbolic link
	data []byte // the content, when it is not that of a file on this machine
	sum  digest // of a file's content, once it was hashed
}

func openSource(ctx context.Context, actor *definition.Actor) (*source, error) {
	text, err := os.ReadFile(actor.Dockerfile)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "the Dockerfile cannot be read")
	}
	dir, err := filepath.EvalSymlinks(actor.ContextDir)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "the build context cannot be read")
	}
	s := &source{dir: dir, dockerfile: text}
	if resolved, err := filepath.EvalSymlinks(filepath.Dir(actor.Dockerfile)); err == nil {
		file := filepath.Join(resolved, filepath.Base(actor.Dockerfile))
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			s.inContext = filepath.ToSlash(rel)
		}
	}
	if err := s.readIgnoreRules(actor); err != nil {
		return nil, err
	}
	if err := s.list(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// readIgnoreRules finds the patterns of what the context leaves out. The file
// beside the Dockerfile, named after it, wins over the context's .dockerignore.
func (s *source) readIgnoreRules(actor *definition.Actor) error {
	root := ""
	if resolved, err := filepath.EvalSymlinks(actor.Root); err == nil {
		if rel, err := filepath.Rel(s.dir, resolved); err == nil && filepath.IsLocal(rel) {
			root = filepath.ToSlash(rel)
		}
	}
	for _, name := range neverSent {
		s.patterns = append(s.patterns, path.Join(root, name))
	}
	file := actor.Dockerfile + ".dockerignore"
	text, err := os.ReadFile(file)
	s.ownIgnore = err == nil
	if errors.Is(err, fs.ErrNotExist) {
		file = filepath.Join(s.dir, ".dockerignore")
		text, err = os.ReadFile(file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "the ignore rules cannot be read")
	}
	rules, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "%s cannot be read", file)
	}
	s.patterns = append(s.patterns, rules...)
	if _, err := patternmatcher.New(rules); err != nil {
		return fault.New(fault.InvalidInput, "%s has a pattern that cannot be read: %w", file, err).
			WithHint("patterns are those of Docker's .dockerignore: *, ?, [a-z], ** and a leading ! to take files back in")
	}
	return nil
}

// list walks the context. Sockets, pipes and devices are left out: no image can
// be made of them.
func (s *source) list(ctx context.Context) error {
	matcher, err := patternmatcher.New(s.patterns)
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "the ignore rules cannot be read")
	}
	w := &walker{source: s, ctx: ctx, matcher: matcher}
	err = w.folder("", patternmatcher.MatchInfo{})
	if err == nil {
		err = w.describe()
	}
	if err != nil && ctx.Err() == nil {
		return fault.Wrap(fault.InvalidInput, err, "the build context cannot be read")
	}
	return err
}

// walker finds out what is in the context first, and describes it afterwards:
// names come a folder at a time, descriptions cost a system call each.
type walker struct {
	*source
	ctx     context.Context
	matcher *patternmatcher.PatternMatcher
	found   []fs.DirEntry // parallel to entries
}

func (w *walker) folder(dir string, parent patternmatcher.MatchInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	children, err := os.ReadDir(w.hostPath(dir))
	if err != nil {
		return err
	}
	for _, child := range children {
		name := path.Join(dir, child.Name())
		ignored, info, err := w.matcher.MatchesUsingParentResults(filepath.FromSlash(name), parent)
		if err != nil {
			return err
		}
		switch kind := child.Type(); {
		case kind.IsDir():
			if ignored && !w.mayTakeBack(name) {
				continue
			}
			before := len(w.entries)
			w.add(name, child)
			// A folder that went away since it was listed was never there.
			if err := w.folder(name, info); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			// An ignored one is in the context only when something in it is.
			if ignored && len(w.entries) == before+1 {
				w.entries, w.found = w.entries[:before], w.found[:before]
			}
		case !ignored && (kind.IsRegular() || kind == fs.ModeSymlink):
			w.add(name, child)
		}
	}
	return nil
}

func (w *walker) add(name string, found fs.DirEntry) {
	w.entries = append(w.entries, entry{path: name})
	w.found = append(w.found, found)
}

// describe fills in what the entries are, several at a time.
func (w *walker) describe() error {
	const chunk = 256
	group := errgroup.Group{}
	group.SetLimit(runtime.GOMAXPROCS(0))
	for begin := 0; begin < len(w.entries); begin += chunk {
		group.Go(func() error {
			for i := begin; i < min(begin+chunk, len(w.entries)); i++ {
				if err := w.describeOne(&w.entries[i], w.found[i]); err != nil {
					return err
				}
			}
			return w.ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	w.entries = slices.DeleteFunc(w.entries, func(e entry) bool { return e.info == nil })
	return nil
}

// describeOne leaves the entry without a description when it is gone.
func (w *walker) describeOne(e *entry, found fs.DirEntry) error {
	info, err := found.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		e.link, err = os.Readlink(w.hostPath(e.path))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	e.info = info
	return err
}

// mayTakeBack tells whether a pattern with a leading ! can match something in
// the ignored folder.
func (w *walker) mayTakeBack(dir string) bool {
	if !w.matcher.Exclusions() {
		return false
	}
	want := strings.Split(dir, "/")
	for _, p := range w.matcher.Patterns() {
		if p.Exclusion() && reachesInto(strings.Split(filepath.ToSlash(p.String()), "/"), want) {
			return true
		}
	}
	return false
}

func reachesInto(pattern, dir []string) bool {
	for i, part := range dir {
		if i == len(pattern) {
			return true
		}
		if strings.Contains(pattern[i], "**") {
			return true
		}
		if ok, err := path.Match(pattern[i], part); err != nil || !ok {
			return false
		}
	}
	return true
}

// hostPath is the path on this machine of a slash path below the context.
func (s *source) hostPath(name string) string {
	return filepath.Join(s.dir, filepath.FromSlash(name))
}

// permissions are what the image gets: Windows has no executable bit, and
// images built there have it on everything, as Docker does it.
func (e entry) permissions() fs.FileMode {
	mode := e.info.Mode()
	if runtime.GOOS == "windows" {
		return mode&fs.ModeType | (mode.Perm()|0o111)&0o755
	}
	return mode & (fs.ModeType | fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
}

// with gives the source with files added that exist only for the build.
func (s *source) with(files []dockerfile.File) *source {
	if len(files) == 0 {
		return s
	}
	added := *s
	added.entries = slices.Clone(s.entries)
	folders := map[string]bool{}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
			added.entries = append(added.entries, entry{path: dir, info: virtualInfo{name: dir, mode: fs.ModeDir | 0o755}})
		}
		info := virtualInfo{name: f.Path, mode: 0o644, size: int64(len(f.Data))}
		e := entry{path: f.Path, info: info, data: f.Data}
		added.entries = append(added.entries, e)
		added.virtual = append(added.virtual, e)
	}
	slices.SortFunc(added.entries, func(a, b entry) int {
		// In the order of a walk a folder's content comes right after it.
		return slices.Compare(strings.Split(a.path, "/"), strings.Split(b.path, "/"))
	})
	return &added
}

// virtualInfo describes a file that exists only for the build. It has no age,
// so that it never makes a difference.
type virtualInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (v virtualInfo) Name() string       { return path.Base(v.name) }
func (v virtualInfo) Size() int64        { return v.size }
func (v virtualInfo) Mode() fs.FileMode  { return v.mode }
func (v virtualInfo) ModTime() time.Time { return time.Unix(0, 0) }
func (v virtualInfo) IsDir() bool        { return v.mode.IsDir() }
func (v virtualInfo) Sys() any           { return nil }
