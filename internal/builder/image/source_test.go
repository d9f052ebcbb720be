package image

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tonistiigi/fsutil"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
	"github.com/greenroom-dev/greenroom/internal/definition"
)

func TestIgnoreRules(t *testing.T) {
	tests := map[string]struct {
		files []string
		rules map[string]string
		want  []string
	}{
		"none": {
			[]string{"a", "b/c"}, nil,
			[]string{"Dockerfile", "a", "b", "b/c"},
		},
		"names count at the top only": {
			[]string{"a", "b/a"}, map[string]string{".dockerignore": "# c\n\n/a\n"},
			[]string{".dockerignore", "Dockerfile", "b", "b/a"},
		},
		"at any depth": {
			[]string{"a", "b/a", "b/c/a/d", "ax"}, map[string]string{".dockerignore": "**/a"},
			[]string{".dockerignore", "Dockerfile", "ax", "b", "b/c"},
		},
		"the last rule wins": {
			[]string{"a.md", "README.md", "b.md"}, map[string]string{".dockerignore": "*.md\n!README*.md\n!b.md\nb.md"},
			[]string{".dockerignore", "Dockerfile", "README.md"},
		},
		"something back out of a folder": {
			[]string{"m/a/x", "m/a/y", "m/b/x", "n/x"}, map[string]string{".dockerignore": "m\nn\n!m/*/x"},
			[]string{".dockerignore", "Dockerfile", "m", "m/a", "m/a/x", "m/b", "m/b/x"},
		},
		"something back from any depth": {
			[]string{"m/a/x.go", "m/y"}, map[string]string{".dockerignore": "m\n!**/*.go"},
			[]string{".dockerignore", "Dockerfile", "m", "m/a", "m/a/x.go"},
		},
		"the rules and the Dockerfile itself": {
			[]string{"a"}, map[string]string{".dockerignore": "Dockerfile\n.dockerignore"},
			[]string{"a"},
		},
		"the Dockerfile's own rules win": {
			[]string{"a", "b"}, map[string]string{".dockerignore": "a", "Dockerfile.dockerignore": "b\n*ignore"},
			[]string{"Dockerfile", "a"},
		},
		"what is never sent": {
			[]string{"storage/x", "apify_storage/x", "crawlee_storage/x", ".git/x", "a/storage/x", "storage2"}, nil,
			[]string{"Dockerfile", "a", "a/storage", "a/storage/x", "storage2"},
		},
		"unless asked for": {
			[]string{"storage/x", ".git/x", ".git/y"}, map[string]string{".dockerignore": "!storage\n!.git/x"},
			[]string{".dockerignore", ".git", ".git/x", "Dockerfile", "storage", "storage/x"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"Dockerfile": "FROM scratch\n"}
			for _, f := range test.files {
				files[f] = ""
			}
			maps.Copy(files, test.rules)
			dir := t.TempDir()
			write(t, dir, files)
			src, err := openSource(t.Context(), &definition.Actor{Root: dir, ContextDir: dir, Dockerfile: filepath.Join(dir, "Dockerfile")})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range src.entries {
				got = append(got, e.path)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
		})
	}
}

// What BuildKit is shown must be what was hashed, in the order that its
// protocol demands, also when it asks for a part.
func TestContextWalk(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"Dockerfile": "FROM scratch\n", "a/b": "", "a-c": "", "a/c/d": "", "ignored/x": "", ".dockerignore": "ignored"})
	if err := os.Symlink("a/b", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	src, err := openSource(t.Context(), &definition.Actor{Root: dir, ContextDir: dir, Dockerfile: filepath.Join(dir, "Dockerfile")})
	if err != nil {
		t.Fatal(err)
	}
	src = src.with([]dockerfile.File{{Path: ".extra/x", Data: []byte("data")}})
	walk := func(fs fsutil.FS, opt *fsutil.FilterOpt) []string {
		t.Helper()
		filtered, err := fsutil.NewFilterFS(fs, opt)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		validator := &fsutil.Validator{}
		err = filtered.Walk(t.Context(), "/", func(path string, entry os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			got = append(got, filepath.ToSlash(path))
			return validator.HandleChange(fsutil.ChangeKindAdd, path, info, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff([]string{".dockerignore", ".extra", ".extra/x", "Dockerfile", "a", "a/b", "a/c", "a/c/d", "a-c", "link"}, walk(contextFS{src}, nil)); diff != "" {
		t.Errorf("everything (-want +got):\n%s", diff)
	}
	part := &fsutil.FilterOpt{FollowPaths: []string{"link", "nothing", "a/c"}}
	if diff := cmp.Diff([]string{"a", "a/b", "a/c", "a/c/d", "link"}, walk(contextFS{src}, part)); diff != "" {
		t.Errorf("a part (-want +got):\n%s", diff)
	}
	part = &fsutil.FilterOpt{FollowPaths: []string{"two", "three"}}
	if diff := cmp.Diff([]string{"two"}, walk(filesFS{{"one", nil}, {"two", nil}}, part)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func hashOfProject(t *testing.T, dir string) string {
	t.Helper()
	src, err := openSource(t.Context(), &definition.Actor{Root: dir, ContextDir: dir, Dockerfile: filepath.Join(dir, "Dockerfile")})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := src.hash(t.Context(), map[string]string{"A": "1"}, "", openDigestCache(src.dir))
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestHashFollowsEverythingThatCounts(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	write(t, dir, map[string]string{"Dockerfile": "FROM scratch\n", "a": "1", "b": "2", "storage/x": "1"})
	// Old enough for the digests to be kept.
	for _, name := range []string{"Dockerfile", "a", "b"} {
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	last := hashOfProject(t, dir)
	seen := []string{last}
	step := func(what string, change func() error) {
		t.Helper()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		hash := hashOfProject(t, dir)
		if slices.Contains(seen, hash) {
			t.Errorf("%s does not change the hash", what)
		}
		seen = append(seen, hash)
		if again := hashOfProject(t, dir); again != hash {
			t.Errorf("after %s the hash is not the same twice", what)
		}
	}
	same := func(what string, change func() error) {
		t.Helper()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if hash := hashOfProject(t, dir); hash != seen[len(seen)-1] {
			t.Errorf("%s changes the hash", what)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, text string) func() error {
		return func() error { return os.WriteFile(at(name), []byte(text), 0o644) }
	}
	same("a file in storage", put("storage/y", "new"))
	step("a new file", put("c", ""))
	step("the content of a file", put("a", "3"))
	step("the Dockerfile", put("Dockerfile", "FROM scratch\nCMD a\n"))
	step("an ignore rule", put(".dockerignore", "nothing\n"))
	same("a comment among the rules", func() error {
		// The file itself is in the context unless it is ignored.
		return nil
	})
	step("a name", func() error { return os.Rename(at("a"), at("d")) })
	step("two contents swapped", func() error {
		return os.WriteFile(at("b"), []byte("3"), 0o644)
	})
	step("a mode", func() error { return os.Chmod(at("b"), 0o755) })
	step("a link", func() error { return os.Symlink("b", at("l")) })
	step("the target of a link", func() error { os.Remove(at("l")); return os.Symlink("c", at("l")) })
	step("an empty folder", func() error { return os.Mkdir(at("e"), 0o755) })
	same("the time of a file", func() error { return os.Chtimes(at("b"), time.Now(), time.Now()) })
}

// A file that changes within the resolution of the clock, with the same size
// and times as before, must not keep its old digest.
func TestDigestsOfFreshFilesAreNotKept(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	write(t, dir, map[string]string{"Dockerfile": "FROM scratch\n", "fresh": "1", "old": "1"})
	hashOfProject(t, dir)
	cache := openDigestCache(mustResolve(t, dir))
	if len(cache.known) != 0 {
		t.Errorf("digests of files just written are kept: %v", cache.known)
	}
	time.Sleep(settle + 200*time.Millisecond)
	write(t, dir, map[string]string{"fresh": "2"})
	hashOfProject(t, dir)
	cache = openDigestCache(mustResolve(t, dir))
	if got := slices.Sorted(maps.Keys(cache.known)); !slices.Equal(got, []string{"Dockerfile", "old"}) {
		t.Errorf("digests are kept of %v", got)
	}
}

func mustResolve(t *testing.T, dir string) string {
	t.Helper()
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func TestDamagedDigestCacheIsEmpty(t *testing.T) {
	whole := encodeDigests(map[string]cached{"a": {key: fileKey{size: 1, mtime: 2, ctime: 3, inode: 4}, digest: digest{5}}, "b/c": {}})
	if diff := cmp.Diff(2, len(decodeDigests(whole))); diff != "" {
		t.Fatalf("entries (-want +got):\n%s", diff)
	}
	if got := decodeDigests(whole)["a"]; got != (cached{key: fileKey{size: 1, mtime: 2, ctime: 3, inode: 4}, digest: digest{5}}) {
		t.Errorf("an entry comes back as %+v", got)
	}
	for i := range len(whole) {
		// What remains of a cut file is nothing, or whole entries.
		if n := len(decodeDigests(whole[:i])); n > 1 {
			t.Errorf("%d bytes of %d give %d entries", i, len(whole), n)
		}
	}
}

func FuzzDecodeDigests(f *testing.F) {
	f.Add(encodeDigests(map[string]cached{"a": {}}))
	f.Add([]byte(cacheMagic + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"))
	f.Fuzz(func(t *testing.T, data []byte) { decodeDigests(data) })
}

func BenchmarkHashOf10000Files(b *testing.B) {
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	dir := b.TempDir()
	old := time.Now().Add(-time.Hour)
	for i := range 10_000 {
		file := filepath.Join(dir, fmt.Sprintf("folder%d", i/100), fmt.Sprintf("file%d.js", i))
		if i%100 == 0 {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(file, make([]byte, 4000), 0o644); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(file, old, old); err != nil {
			b.Fatal(err)
		}
	}
	rules := "**/.git\n**/node_modules/.cache\n*.md\n!README.md\n**/*.log\n.env\n.idea\ndist\n"
	if err := os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte(rules), 0o644); err != nil {
		b.Fatal(err)
	}
	actor := &definition.Actor{Root: dir, ContextDir: dir, Dockerfile: filepath.Join(dir, ".dockerignore")}
	hash := func(cache func(string) *digestCache) {
		src, err := openSource(context.Background(), actor)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := src.hash(context.Background(), nil, "", cache(src.dir)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			hash(func(string) *digestCache { return nil })
		}
	})
	time.Sleep(settle)
	hash(openDigestCache)
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			hash(openDigestCache)
		}
	})
}
