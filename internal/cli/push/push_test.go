package push_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cli/push"
	"github.com/greenroom-dev/greenroom/internal/cli/recordtest"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const actorJSON = `{
	// comments are allowed
	"actorSpecification": 1, "name": "one", "version": "0.3", "buildTag": "beta", "title": "One",
	"environmentVariables": {"PLAIN": "x", "KEY": "@key"},
}`

// project makes the directory of an Actor.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files[".actor/Dockerfile"] = "FROM scratch\n"
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func secrets(t *testing.T, text string) {
	t.Helper()
	dir := filepath.Join(os.Getenv("HOME"), ".apify")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// builds answers the build of Actor A1.
func builds(a *recordtest.API, status string) {
	a.On("POST /actors/A1/builds", `{"id":"B1","actId":"A1","status":"READY","buildNumber":"0.3.1"}`)
	a.On("GET /actor-builds/B1/log", "step one\nstep two\n")
	a.On("GET /actor-builds/B1", `{"id":"B1","actId":"A1","status":"`+status+`","buildNumber":"0.3.1"}`)
}

func TestFirstPushMakesTheActor(t *testing.T) {
	a := recordtest.New(t)
	secrets(t, `{"key":"hidden"}`)
	binary := "\x89PNG\x00\xff"
	dir := project(t, map[string]string{".actor/actor.json": actorJSON, "main.sh": "echo hi\n", "logo.png": binary, "storage/x": "1", ".actorignore": "notes\n", "notes/a": "1"})
	a.On("POST /actors", `{"id":"A1","name":"one"}`)
	a.On("POST /actors/A1/versions", `{}`)
	a.On("GET /actors/A1/versions/0.3", `{"versionNumber":"0.3","sourceType":"SOURCE_FILES","sourceFiles":[]}`)
	a.On("PUT /actors/A1/versions/0.3", `{}`)
	builds(a, "SUCCEEDED")
	a.Run(push.New, nil, "--dir", dir, "--json").Exits(0).Says("step one\nstep two", "made Actor me/one").
		Prints(`"ok": true`, `"operation": "push"`, `"number": "0.3.1"`, `"status": "SUCCEEDED"`)

	var made struct {
		Name, Title string
		Versions    []api.ActorVersion
	}
	decode(t, a.Last("POST", "/actors").Body, &made)
	if made.Name != "one" || made.Title != "One" || len(made.Versions) != 1 || made.Versions[0].VersionNumber != "0.3" {
		t.Errorf("made %+v", made)
	}
	var sent api.ActorVersion
	decode(t, a.Last("PUT", "/actors/A1/versions/0.3").Body, &sent)
	got := map[string]string{}
	for _, f := range sent.SourceFiles {
		got[f.Name] = f.Format + " " + *f.Content
	}
	want := map[string]string{
		".actor/actor.json": "TEXT " + actorJSON, ".actor/Dockerfile": "TEXT FROM scratch\n", "main.sh": "TEXT echo hi\n",
		"logo.png": "BASE64 iVBORwD/", ".actorignore": "TEXT notes\n",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("sent %q\nwant %q", got, want)
	}
	if sent.BuildTag != "beta" || len(sent.EnvVars) != 2 || *sent.EnvVars[0].Value != "hidden" || !*sent.EnvVars[0].IsSecret || sent.EnvVars[1].IsSecret != nil {
		t.Errorf("sent %+v", sent)
	}
	if query := a.Last("POST", "/actors/A1/builds").Query; query != "tag=beta&useCache=1&version=0.3" {
		t.Errorf("built with %s", query)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// existing answers an Actor with one version.
func existing(a *recordtest.API, modified time.Time, version string) {
	actor := fmt.Sprintf(`{"id":"A1","name":"one","username":"me","modifiedAt":%q}`, modified.UTC().Format(api.TimeFormat))
	a.On("GET /actors/me~one", actor).On("GET /actors/A1", actor)
	a.On("GET /actors/A1/versions/0.0", version).On("PUT /actors/A1/versions/0.0", `{}`)
}

func TestSourceThatIsNewerAtTheAPIIsNotReplaced(t *testing.T) {
	a := recordtest.New(t)
	dir := project(t, map[string]string{".actor/actor.json": `{"name":"one"}`})
	builds(a, "SUCCEEDED")
	other := `{"versionNumber":"0.0","sourceType":"SOURCE_FILES","sourceFiles":[{"name":"other","format":"TEXT","content":"x"}]}`
	same := `{"versionNumber":"0.0","sourceType":"SOURCE_FILES","sourceFiles":[{"name":".actor/Dockerfile","format":"TEXT","content":"FROM scratch\n"},` +
		`{"name":".actor/actor.json","format":"TEXT","content":"{\"name\":\"one\"}"}]}`
	repository := `{"versionNumber":"0.0","sourceType":"GIT_REPO","gitRepoUrl":"https://example.com/r"}`
	future, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for _, test := range []struct {
		modified time.Time
		version  string
		status   int
		says     string
	}{
		{future, other, 1, "was changed at the API after"}, {past, other, 0, ""}, {future, same, 0, ""}, {past, repository, 1, "https://example.com/r"},
	} {
		existing(a, test.modified, test.version)
		a.Forget()
		a.Run(push.New, nil, "--dir", dir).Exits(test.status).Says(test.says)
		if replaced := slices.Contains(a.Calls(), "PUT /actors/A1/versions/0.0"); replaced != (test.status == 0) {
			t.Errorf("%s: %q", test.version, a.Calls())
		}
		a.Run(push.New, nil, "--dir", dir, "--force").Exits(0)
	}
	var sent map[string]any
	decode(t, a.Last("PUT", "/actors/A1/versions/0.0").Body, &sent)
	if _, has := sent["envVars"]; has || sent["buildTag"] != "latest" {
		t.Errorf("variables are replaced though the definition says nothing of them, or the tag is wrong: %v", sent)
	}
}

func TestMuchSourceGoesAsAnArchive(t *testing.T) {
	a := recordtest.New(t)
	big := make([]byte, 3<<20)
	if _, err := rand.Read(big); err != nil {
		t.Fatal(err)
	}
	dir := project(t, map[string]string{".actor/actor.json": `{"name":"one","version":"1.2"}`, "big.bin": string(big)})
	existing(a, time.Now().Add(time.Hour), `{}`)
	a.On("POST /actors/A1/versions", `{}`)
	a.On("POST /key-value-stores", `{"id":"S1"}`).On("GET /key-value-stores/S1", `{"id":"S1","urlSigningSecretKey":"k"}`)
	a.On("GET /key-value-stores/S1/keys", `{"items":[]}`).On("PUT /key-value-stores/S1/records/version-1.2.zip", ``)
	builds(a, "SUCCEEDED")
	a.Run(push.New, nil, "--dir", dir).Exits(0)
	var sent api.ActorVersion
	decode(t, a.Last("POST", "/actors/A1/versions").Body, &sent)
	want := a.URL + "/v2/key-value-stores/S1/records/version-1.2.zip?signature="
	if sent.SourceType != api.SourceTarball || !strings.HasPrefix(sent.TarballURL, want) || !strings.HasSuffix(sent.TarballURL, "&disableRedirect=true") {
		t.Errorf("sent %+v", sent)
	}
	if store := a.Last("POST", "/key-value-stores").Query; store != "name=actor-A1-source" {
		t.Errorf("stored in %s", store)
	}
	body := a.Last("PUT", "/key-value-stores/S1/records/version-1.2.zip").Body
	archive, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, f := range archive.File {
		names = append(names, f.Name)
		if f.Name != "big.bin" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, big) || f.Mode().Perm() != 0o755 {
			t.Errorf("%s is another file: %v, %s", f.Name, err, f.Mode())
		}
	}
	if want := []string{".actor/Dockerfile", ".actor/actor.json", "big.bin"}; !slices.Equal(names, want) {
		t.Errorf("archive of %q", names)
	}
}

func TestExitStatusIsTheBuilds(t *testing.T) {
	for status, want := range map[string]int{"SUCCEEDED": 0, "FAILED": 1, "TIMED-OUT": 2, "ABORTED": 3} {
		a := recordtest.New(t)
		dir := project(t, map[string]string{".actor/actor.json": `{"name":"one"}`})
		existing(a, time.Now().Add(-time.Hour), `{"versionNumber":"0.0","sourceType":"SOURCE_FILES"}`)
		builds(a, status)
		r := a.Run(push.New, nil, "--dir", dir, "--json").Exits(want).Prints(`"status": "` + status + `"`)
		if failed := strings.Contains(r.Stdout, "step two"); failed != (want != 0) {
			t.Errorf("%s prints %s", status, r.Stdout)
		}
		a.Forget()
		a.Run(push.New, nil, "--dir", dir, "--wait-for-finish", "0").Exits(0).Prints("READY")
		if slices.Contains(a.Calls(), "GET /actor-builds/B1/log") {
			t.Error("the log is followed though nobody wants to wait")
		}
	}
}

func TestWhatCannotBePushed(t *testing.T) {
	a := recordtest.New(t)
	none := t.TempDir()
	a.Run(push.New, nil, "--dir", none).Exits(4).Says("holds no Actor")
	a.Run(push.New, nil, "--dir", filepath.Join(none, "gone")).Exits(250)
	a.Run(push.New, nil, "--dir", project(t, map[string]string{".actor/actor.json": `{"name":`})).Exits(5)
	a.Run(push.New, nil, "--dir", project(t, map[string]string{".actor/actor.json": actorJSON})).Exits(5).Says("needs the secret key")
	a.Run(push.New, nil, "--version", "one").Exits(1)
	a.Run(push.New, nil, "--wait-for-finish", "soon").Exits(1)
	if calls := a.Calls(); len(calls) > 0 {
		t.Errorf("the API was asked: %q", calls)
	}
	a.Run(push.New, nil, "someone/else", "--dir", project(t, map[string]string{".actor/actor.json": `{"name":"one"}`})).Exits(250).Says(`"someone/else"`)
}
