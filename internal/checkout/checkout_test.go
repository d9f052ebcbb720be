package checkout

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// into brings a version in and gives its root, with what is beside the directory
// that it may write to.
func into(t *testing.T, c Checkout, v api.ActorVersion) (root, beside string, err error) {
	t.Helper()
	beside = t.TempDir()
	dir := filepath.Join(beside, "source")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits
	}
	root, err = c.Into(t.Context(), v, dir, io.Discard)
	entries, _ := os.ReadDir(beside)
	if len(entries) != 1 {
		t.Errorf("something was written beside the source: %v", entries)
	}
	return root, beside, err
}

func content(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pointer(s string) *string { return &s }

func TestSourceFiles(t *testing.T) {
	root, _, err := into(t, Checkout{}, api.ActorVersion{SourceType: api.SourceFiles, SourceFiles: []api.SourceFile{
		{Name: "src", Folder: true}, {Name: "empty/folder", Folder: true},
		{Name: "src/main.js", Format: "TEXT", Content: pointer("1;\n")},
		{Name: `win\dows.txt`, Content: pointer("w")},
		{Name: "logo.png", Format: "BASE64", Content: pointer("AAEC/w==")},
		{Name: "run.sh", Format: "TEXT", Content: pointer("#!/bin/sh\n")},
		{Name: "nothing"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, root, "src", "main.js"); got != "1;\n" {
		t.Errorf("main.js holds %q", got)
	}
	if got := content(t, root, "logo.png"); got != "\x00\x01\x02\xff" {
		t.Errorf("logo.png holds %q", got)
	}
	if content(t, root, "nothing") != "" || content(t, root, "win", "dows.txt") != "w" {
		t.Error("a file is not what it was")
	}
	if info, err := os.Stat(filepath.Join(root, "empty", "folder")); err != nil || !info.IsDir() {
		t.Error("a folder is missing")
	}
	if info, err := os.Stat(filepath.Join(root, "run.sh")); runtime.GOOS != "windows" && (err != nil || info.Mode()&0o100 == 0) {
		t.Errorf("a script cannot be run: %v", err)
	}
	for _, name := range []string{"../x", "a/../../x", "/etc/x", `..\x`, `C:\x`, "", ".", "a\x00b"} {
		_, _, err := into(t, Checkout{}, api.ActorVersion{SourceType: api.SourceFiles, SourceFiles: []api.SourceFile{{Name: name, Content: pointer("x")}}})
		if err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

type entry struct{ name, link, text string }

func zipOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		text := e.text
		header.SetMode(0o644)
		if e.link != "" {
			header.SetMode(0o777 | os.ModeSymlink)
			text = e.link
		}
		f, err := w.CreateHeader(header)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func tarOf(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, h := range headers {
		text := ""
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			text = h.PAXRecords["test.text"]
			h.PAXRecords, h.Size = nil, int64(len(text))
		}
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func file(name, text string) tar.Header {
	return tar.Header{Name: name, PAXRecords: map[string]string{"test.text": text}}
}

// served brings in an archive that a server sends.
func served(t *testing.T, archive []byte, limits Limits) (root string, err error) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(archive) }))
	defer s.Close()
	root, _, err = into(t, Checkout{Limits: limits}, api.ActorVersion{SourceType: api.SourceTarball, TarballURL: s.URL + "/a?signature=hush"})
	if err != nil && strings.Contains(err.Error(), "hush") {
		t.Errorf("a signature is told: %v", err)
	}
	return root, err
}

func TestArchives(t *testing.T) {
	root, err := served(t, zipOf(t, entry{name: "main.py", text: "print()"}, entry{name: "d/e.txt", text: "e"}, entry{name: "l", link: "d/e.txt"}), Limits{})
	if err != nil || content(t, root, "main.py") != "print()" || content(t, root, "d", "e.txt") != "e" {
		t.Fatalf("a ZIP file: %v", err)
	}
	// One folder that holds everything, as code hosts have it, is the Actor's.
	root, err = served(t, tarOf(t, tar.Header{Name: "repo-main/", Typeflag: tar.TypeDir}, file("repo-main/main.py", "print()"),
		tar.Header{Name: "repo-main/hard", Typeflag: tar.TypeLink, Linkname: "repo-main/main.py"}), Limits{})
	if err != nil || filepath.Base(root) != "repo-main" || content(t, root, "main.py") != "print()" || content(t, root, "hard") != "print()" {
		t.Fatalf("a tarball: %v", err)
	}
}

func TestHostileArchives(t *testing.T) {
	small := Limits{Download: 1 << 20, Total: 1 << 20, Files: 100}
	many := []entry{}
	for i := range 200 {
		many = append(many, entry{name: strings.Repeat("n", i+1)})
	}
	bomb := strings.Repeat("0", 8<<20)
	for name, c := range map[string]struct {
		archive []byte
		says    string
	}{
		"zip slip":            {zipOf(t, entry{name: "../../escape", text: "x"}), "leads out"},
		"zip backslash":       {zipOf(t, entry{name: `..\escape`, text: "x"}), "leads out"},
		"zip absolute":        {zipOf(t, entry{name: "/tmp/escape", text: "x"}), "leads out"},
		"zip link out":        {zipOf(t, entry{name: "l", link: "../.."}), "leads out"},
		"zip link absolute":   {zipOf(t, entry{name: "l", link: "/etc"}), "leads out"},
		"zip bomb":            {zipOf(t, entry{name: "bomb", text: bomb}), "more than 1048576 bytes"},
		"zip of many":         {zipOf(t, many...), "more than 100 files"},
		"zip cut off":         {zipOf(t, entry{name: "a", text: "x"})[:40], "cannot be unpacked"},
		"tar slip":            {tarOf(t, file("../escape", "x")), "leads out"},
		"tar link out":        {tarOf(t, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../.."}), "leads out"},
		"tar hard link out":   {tarOf(t, tar.Header{Name: "l", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}), "leads out"},
		"tar hard to nothing": {tarOf(t, tar.Header{Name: "l", Typeflag: tar.TypeLink, Linkname: "none"}), "no file of it"},
		"tar bomb":            {tarOf(t, file("bomb", bomb)), "more than 1048576 bytes"},
		"too large":           {bytes.Repeat([]byte("PK\x03\x04"), 300_000), "more than 1048576 bytes"},
		"something else":      {[]byte("<html>"), "neither a ZIP file nor a tar"},
		"nothing":             {nil, "neither a ZIP file nor a tar"},
	} {
		_, err := served(t, c.archive, small)
		if err == nil || !strings.Contains(err.Error(), c.says) || !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %v, want something with %q", name, err, c.says)
		}
	}
	// Links within are followed by nobody while files are written.
	root, err := served(t, tarOf(t, tar.Header{Name: "d", Typeflag: tar.TypeDir},
		tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "d"}, file("l", "file"), file("d/x", "x")), small)
	if err != nil || content(t, root, "l") != "file" {
		t.Errorf("a file that takes a link's place: %v", err)
	}
}

func TestDownloadsThatFail(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	for _, address := range []string{s.URL + "/x.zip?token=hush", "http://127.0.0.1:1/x?token=hush"} {
		_, _, err := into(t, Checkout{}, api.ActorVersion{SourceType: api.SourceTarball, TarballURL: address})
		if !fault.Is(err, fault.InvalidInput) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", address, err)
		}
	}
	// A server's own records need no request.
	own := Checkout{Own: func(_ context.Context, url string) (io.ReadCloser, bool, error) {
		return io.NopCloser(bytes.NewReader(zipOf(t, entry{name: "a", text: "own"}))), url == "http://own/a", nil
	}}
	root, _, err := into(t, own, api.ActorVersion{SourceType: api.SourceTarball, TarballURL: "http://own/a"})
	if err != nil || content(t, root, "a") != "own" {
		t.Errorf("an own record: %v", err)
	}
	// An end ends a download that hangs.
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Checkout{Limits: DefaultLimits}.Into(ctx, api.ActorVersion{SourceType: api.SourceTarball, TarballURL: hangs.URL}, t.TempDir(), io.Discard)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a download that was ended: %v", err)
	}
}

// gitIn runs git for a test's repository.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "protocol.file.allow=always", "-c", "user.name=n", "-c", "user.email=e@example.com", "-C", dir}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func put(t *testing.T, text string, elements ...string) {
	t.Helper()
	path := filepath.Join(elements...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// repositories makes a repository with a branch, a tag and a directory, and
// another one that it has as a submodule.
func repositories(t *testing.T) (url, firstCommit string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	base := t.TempDir()
	sub, main := filepath.Join(base, "sub"), filepath.Join(base, "main")
	for _, dir := range []string{sub, main} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		gitIn(t, dir, "init", "--quiet", "--initial-branch=main")
	}
	put(t, "sub", sub, "sub.txt")
	gitIn(t, sub, "add", ".")
	gitIn(t, sub, "commit", "--quiet", "-m", "sub")
	put(t, "one", main, "version.txt")
	gitIn(t, main, "add", ".")
	gitIn(t, main, "commit", "--quiet", "-m", "one")
	firstCommit = gitIn(t, main, "rev-parse", "HEAD")
	put(t, "two", main, "version.txt")
	put(t, "{}", main, "actors", "a", "package.json")
	gitIn(t, main, "add", ".")
	gitIn(t, main, "commit", "--quiet", "-m", "two")
	gitIn(t, main, "tag", "v2")
	put(t, "three", main, "version.txt")
	gitIn(t, main, "commit", "--quiet", "-am", "three")
	gitIn(t, main, "checkout", "--quiet", "-b", "feature/x")
	put(t, "branch", main, "version.txt")
	gitIn(t, main, "commit", "--quiet", "-am", "branch")
	gitIn(t, main, "checkout", "--quiet", "main")
	return "file://" + filepath.ToSlash(main), firstCommit
}

func TestGit(t *testing.T) {
	url, first := repositories(t)
	git := func(address string) (string, error) {
		root, _, err := into(t, Checkout{}, api.ActorVersion{SourceType: api.SourceGitRepo, GitRepoURL: address})
		return root, err
	}
	for address, want := range map[string]string{
		url: "three", url + "#v2": "two", url + "#feature/x": "branch", url + "#" + first: "one", url + "#main": "three",
	} {
		root, err := git(address)
		if err != nil || content(t, root, "version.txt") != want {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
	root, err := git(url + "#v2:actors/a")
	if err != nil || content(t, root, "package.json") != "{}" {
		t.Errorf("a directory: %v", err)
	}
	for address, says := range map[string]string{
		url + "#nothing":              "could not be cloned",
		url + "#main:nowhere":         "no directory",
		url + "#main:../../etc":       "not in the repository",
		url + "#--upload-pack=x":      "malformed",
		"file:///nowhere/at/all":      "could not be cloned",
		url + "#main:version.txt":     "not a directory",
		"http://user:pw@127.0.0.1:1/": "could not be cloned",
	} {
		_, err := git(address)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "pw@") {
			t.Errorf("%s: %v, want something with %q", address, err, says)
		}
	}
	root, _, err = into(t, Checkout{}, api.ActorVersion{SourceType: api.SourceGitHubGist, GitHubGistURL: url})
	if err != nil || content(t, root, "version.txt") != "three" {
		t.Errorf("a gist: %v", err)
	}
}

// TestGitSubmodules serves the repositories over HTTP: git takes submodules from
// no file.
func TestGitSubmodules(t *testing.T) {
	url, _ := repositories(t)
	main := strings.TrimPrefix(url, "file://")
	base := filepath.Dir(main)
	s := httptest.NewServer(http.FileServer(http.Dir(base)))
	defer s.Close()
	gitIn(t, filepath.Join(base, "sub"), "update-server-info")
	gitIn(t, main, "submodule", "--quiet", "add", "../sub", "vendor")
	put(t, "[submodule \"vendor\"]\n\tpath = vendor\n\turl = "+s.URL+"/sub/.git\n", main, ".gitmodules")
	gitIn(t, main, "commit", "--quiet", "-am", "submodule")
	gitIn(t, main, "tag", "with-sub")
	gitIn(t, main, "update-server-info")
	for _, ref := range []string{"", "#with-sub", "#" + gitIn(t, main, "rev-parse", "HEAD")} {
		root, _, err := into(t, Checkout{}, api.ActorVersion{SourceType: api.SourceGitRepo, GitRepoURL: s.URL + "/main/.git" + ref})
		if err != nil {
			t.Errorf("%q: %v", ref, err)
			continue
		}
		if got := content(t, root, "vendor", "sub.txt"); got != "sub" {
			t.Errorf("%q: the submodule holds %q", ref, got)
		}
	}
}
