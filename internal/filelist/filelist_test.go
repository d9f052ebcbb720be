package filelist

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := Of(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range list.Files {
		got = append(got, f.Name)
	}
	return got
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %v: %s", cmd, err, out)
	}
	return string(out)
}

func TestWhatIsSource(t *testing.T) {
	files := map[string]string{
		".actor/actor.json": "{}", ".actor/local.env": "", "main.js": "1", "node_modules/x/i.js": "", "storage/d/1.json": "", "apify_storage/x": "",
		"packages/a/node_modules/y/i.js": "", "packages/a/index.js": "", ".gitignore": "*.log\n/dist\n.actor/*.env\npackages/*/node_modules/\n",
		"a.log": "", "packages/b.log": "", "dist/out.js": "", "keep/dist/in.js": "", ".env": "", "docs/a.md": "", "docs/b.md": "",
		".actorignore": "# not sent\ndocs/*\n!dist/\n.env\n", ".dockerignore": "main.js\n", "packages/.gitignore": "!b.log\n",
	}
	want := []string{
		".actor/actor.json", ".actor/local.env", ".actorignore", ".dockerignore", ".gitignore", "dist/out.js", "keep/dist/in.js", "main.js",
		"packages/.gitignore", "packages/a/index.js", "packages/b.log",
	}
	plain := t.TempDir()
	write(t, plain, files)
	if got := names(t, plain); !slices.Equal(got, want) {
		t.Errorf("without a repository: %q\nwant %q", got, want)
	}
	repository := t.TempDir()
	write(t, repository, files)
	git(t, repository, "init", "-q")
	if got := names(t, repository); !slices.Equal(got, want) {
		t.Errorf("in a repository: %q\nwant %q", got, want)
	}
}

func TestIgnoreFilesAboveTheDirectory(t *testing.T) {
	top := t.TempDir()
	write(t, top, map[string]string{
		".gitignore": "/actors/one/out\n*.tmp\n/out\n", "actors/one/main.js": "", "actors/one/out/x.js": "", "actors/one/y.tmp": "", "actors/one/deep/out/z.js": "",
	})
	if err := os.Mkdir(filepath.Join(top, ".git"), 0o755); err != nil { // no repository to git, but one to us
		t.Fatal(err)
	}
	if got, want := names(t, filepath.Join(top, "actors", "one")), []string{"deep/out/z.js", "main.js"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.txt": "content"})
	outside := filepath.Join(t.TempDir(), "secret")
	write(t, filepath.Dir(outside), map[string]string{"secret": "key"})
	for name, target := range map[string]string{"in": "a.txt", "out": outside, "nowhere": "gone", "loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here")
		}
	}
	list, err := Of(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Files) != 2 || list.Size() != 14 || !list.Has("in") || list.Has("out") {
		t.Errorf("files: %+v", list.Files)
	}
	slices.Sort(list.Skipped)
	if want := []string{"loop is no file", "nowhere leads nowhere", "out leads out of the directory"}; !slices.Equal(list.Skipped, want) {
		t.Errorf("skipped %q, want %q", list.Skipped, want)
	}
}

// TestPatternsAsGitReadsThem compares every pattern on every name with git.
func TestPatternsAsGitReadsThem(t *testing.T) {
	patterns := []string{
		"a", "a/", "/a", "*.js", "a/b", "/a/b", "a/*", "a/**", "**/b", "**/b/c", "a/**/c", "[ab].js", "[!a].js", "[^a].js", "?.js",
		`\#x`, `\!x`, "x ", `x\ `, "a b", "#x", "", "/", "*", "a*", "*b", "**", "a/b/", "b/c", ".*", "*.", "[a-", "a.j?", "a/*/c", "/*.js", "**/", "/**", "x/**/",
	}
	files := map[string]string{}
	for _, name := range []string{
		"a/b/c", "a/c", "b/c", "x/a/b/c", "a.js", "c.js", "x/a.js", "#x", "!x", "x y", "a b", ".hidden", "dot.", "d/a/e", "b", "x/b/q", "x ",
	} {
		files[name] = "1"
	}
	delete(files, "b") // a folder of that name is there
	for _, p := range patterns {
		dir := t.TempDir()
		write(t, dir, files)
		write(t, dir, map[string]string{".gitignore": p + "\n"})
		own := names(t, dir) // in no repository: our own reading
		git(t, dir, "init", "-q")
		var theirs []string
		for line := range strings.Lines(git(t, dir, "-c", "core.quotePath=off", "ls-files", "-z", "--others", "--exclude-standard")) {
			for name := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "\x00") {
				if name != "" {
					theirs = append(theirs, name)
				}
			}
		}
		slices.Sort(theirs)
		if !slices.Equal(own, theirs) {
			t.Errorf("%q leaves %s\ngit      %s", p, fmt.Sprintf("%q", own), fmt.Sprintf("%q", theirs))
		}
	}
}
