package pull_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cli/pull"
	"github.com/greenroom-dev/greenroom/internal/cli/recordtest"
)

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		found[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func actor(t *testing.T, version string) *recordtest.API {
	t.Helper()
	t.Chdir(t.TempDir())
	a := recordtest.New(t)
	a.On("GET /actors/me~one", `{"id":"A1","name":"one","username":"me","versions":[{"versionNumber":"0.9"},{"versionNumber":"0.10"},{"versionNumber":"0.2"}]}`)
	return a.On("GET /actors/A1/versions/0.10", version)
}

func TestFilesAreWrittenByteForByte(t *testing.T) {
	a := actor(t, `{"sourceType":"SOURCE_FILES","sourceFiles":[{"name":"src","folder":true},{"name":"src/main.js","format":"TEXT","content":"1\r\n"},`+
		`{"name":"logo.png","format":"BASE64","content":"iVBORwD/"},{"name":"empty","folder":true}]}`)
	a.Run(pull.New, nil, "one").Exits(0).Says("version 0.10 of Actor me/one", "2 files")
	got := files(t, "one")
	if len(got) != 2 || got["src/main.js"] != "1\r\n" || got["logo.png"] != "\x89PNG\x00\xff" {
		t.Errorf("wrote %q", got)
	}
	if info, err := os.Stat("one/empty"); err != nil || !info.IsDir() {
		t.Error("the empty folder is missing")
	}
	a.Run(pull.New, nil, "one").Exits(1).Says("not empty", "--dir")
	a.Run(pull.New, nil, "one", "--dir", "two").Exits(0)
	a.Run(pull.New, nil, "one", "--dir", "three", "--version", "7.7").Exits(250).Says("no version 7.7")
	a.Run(pull.New, nil, "nobody/else").Exits(250)
}

func TestNothingIsWrittenOutside(t *testing.T) {
	for _, name := range []string{"../escape", "/abs", "a/../../escape", ".."} {
		a := actor(t, `{"sourceType":"SOURCE_FILES","sourceFiles":[{"name":"ok","content":"1"},{"name":"`+name+`","format":"TEXT","content":"x"}]}`)
		a.Run(pull.New, nil, "one").Exits(5).Says("outside")
		if got := files(t, "."); len(got) > 0 {
			t.Errorf("%s: wrote %q", name, got)
		}
	}
	// Nor through a link that is there already.
	a := actor(t, `{"sourceType":"SOURCE_FILES","sourceFiles":[{"name":"link/x","format":"TEXT","content":"x"}]}`)
	outside := t.TempDir()
	if err := os.Mkdir(".actor", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(".actor/actor.json", []byte(`{"name":"one"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, "link"); err != nil {
		t.Skip("no symbolic links here")
	}
	a.Run(pull.New, nil).Exits(1)
	if got := files(t, outside); len(got) > 0 {
		t.Errorf("a link was followed: %q", got)
	}
}

func zipped(t *testing.T, names ...string) string {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range names {
		header := &zip.FileHeader{Name: name}
		header.SetMode(0o755)
		f, err := w.CreateHeader(header)
		if err == nil {
			_, err = f.Write([]byte(name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestArchivesAreUnpackedWhole(t *testing.T) {
	a := actor(t, "")
	record := "/key-value-stores/S1/records/v.zip"
	a.On("GET /actors/A1/versions/0.10", `{"sourceType":"TARBALL","tarballUrl":"`+a.URL+`/v2`+record+`?disableRedirect=true"}`)
	a.Answer("GET "+record, recordtest.Answer{Body: zipped(t, ".gitignore", "a/run.sh", "b.txt")})
	a.Run(pull.New, nil, "one").Exits(0)
	if got := files(t, "one"); len(got) != 3 || got["a/run.sh"] != "a/run.sh" {
		t.Errorf("wrote %q", got)
	}
	if info, err := os.Stat("one/a/run.sh"); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Error("a program is none any more")
	}
	a.Answer("GET "+record, recordtest.Answer{Body: zipped(t, "ok", "../escape")})
	a.Run(pull.New, nil, "one", "--dir", "two").Exits(5).Says("outside")
	if got := files(t, "two"); len(got) > 0 {
		t.Errorf("wrote %q", got)
	}

	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	w := tar.NewWriter(gz)
	for _, header := range []*tar.Header{{Name: "x/y", Size: 2, Mode: 0o644, Typeflag: tar.TypeReg}, {Name: "l", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}} {
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, header.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	a.Answer("GET "+record, recordtest.Answer{Body: buf.String()})
	a.Run(pull.New, nil, "one", "--dir", "three").Exits(0)
	if got := files(t, "three"); len(got) != 1 || got["x/y"] != "\x00\x00" {
		t.Errorf("wrote %q", got)
	}
	a.Answer("GET "+record, recordtest.Answer{Body: "no archive"})
	a.Run(pull.New, nil, "one", "--dir", "four").Exits(5)
	a.Answer("GET "+record, recordtest.Answer{Status: 403, Body: "no"})
	a.Run(pull.New, nil, "one", "--dir", "five").Exits(1).Says("403")
}

func TestGitRepositoriesAreCloned(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	a := actor(t, "")
	repository := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"},
	} {
		if args[0] == "add" {
			if err := os.MkdirAll(filepath.Join(repository, "actors", "one"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(repository, "actors", "one", "main.js"), []byte("1"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("git", args...)
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	from := "file://" + filepath.ToSlash(repository)
	a.On("GET /actors/A1/versions/0.10", `{"sourceType":"GIT_REPO","gitRepoUrl":"`+from+`#trunk:actors/one"}`)
	a.Run(pull.New, nil, "one").Exits(0)
	if got := files(t, "one"); len(got) != 1 || got["main.js"] != "1" {
		t.Errorf("wrote %q", got)
	}
	for _, bad := range []string{from + "#nosuch", from + "#trunk:../..", "--upload-pack=touch x", from + "#--upload-pack=x"} {
		a.On("GET /actors/A1/versions/0.10", `{"sourceType":"GIT_REPO","gitRepoUrl":"`+bad+`"}`)
		if r := a.Run(pull.New, nil, "one", "--dir", "other"); !slices.Contains([]int{1, 5}, r.Status) {
			t.Errorf("%s: exit status %d", bad, r.Status)
		}
	}
}
