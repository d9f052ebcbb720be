package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/catalog"
	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var key = sync.OnceValues(secret.GenerateKey)

func open(t *testing.T) *catalog.Catalog {
	t.Helper()
	root, err := embedded.Open(t.TempDir(), embedded.Options{Durability: embedded.Relaxed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return catalog.New(catalog.Config{
		Store: root, UserID: "user1", Username: "me",
		SecretKey: func(string) (*secret.PrivateKey, error) { return key() },
	})
}

func body(text string) catalog.Patch {
	return func(v any) error { return json.Unmarshal([]byte(text), v) }
}

// create makes an Actor with a version 0.1 that has fields besides.
func create(t *testing.T, c *catalog.Catalog, name, fields string) api.Actor {
	t.Helper()
	a, err := c.Create(t.Context(), body(`{"name":"`+name+`","versions":[{"versionNumber":"0.1","sourceType":"SOURCE_FILES"`+fields+`}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// refused fails a test unless the error is of the API's type; "" is for none.
func refused(t *testing.T, err error, wireType string) {
	t.Helper()
	var f *fault.Error
	switch {
	case wireType == "" && err != nil:
		t.Errorf("refused: %v", err)
	case wireType != "" && (!errors.As(err, &f) || f.WireType() != wireType):
		t.Errorf("got %v, want an error of type %s", err, wireType)
	}
}

func TestNamesOfActors(t *testing.T) {
	c := open(t)
	create(t, c, "Taken", "")
	for name, wireType := range map[string]string{
		"abc": "", "a-b-c": "", "A1b": "", strings.Repeat("x", 63): "",
		"ab": "invalid-value", strings.Repeat("x", 64): "invalid-value", "-abc": "invalid-value", "abc-": "invalid-value",
		"a_bc": "invalid-value", "a.bc": "invalid-value", "caf\u00e9": "invalid-value", "a/b/c": "invalid-value",
		"taken": "actor-name-not-unique",
	} {
		_, err := c.Create(t.Context(), body(`{"name":"`+name+`","versions":[{"versionNumber":"0.1","sourceType":"SOURCE_FILES"}]}`))
		t.Run(name, func(t *testing.T) { refused(t, err, wireType) })
	}
	for _, ref := range []string{"Taken", "taken", "~taken", "me~taken", "ME/Taken"} {
		if _, err := c.Actor(t.Context(), ref); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := c.Actor(t.Context(), "you~taken"); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody else's: %v", err)
	}
}

func TestVersions(t *testing.T) {
	c := open(t)
	a := create(t, c, "versions", "")
	for name, test := range map[string]struct{ body, wireType string }{
		"files":           {`"versionNumber":"0.0","sourceType":"SOURCE_FILES"`, ""},
		"last number":     {`"versionNumber":"99.99","sourceType":"SOURCE_FILES"`, ""},
		"number again":    {`"versionNumber":"0.1","sourceType":"SOURCE_FILES"`, "version-already-exists"},
		"no number":       {`"sourceType":"SOURCE_FILES"`, "invalid-value"},
		"large number":    {`"versionNumber":"0.100","sourceType":"SOURCE_FILES"`, "invalid-value"},
		"padded number":   {`"versionNumber":"0.01","sourceType":"SOURCE_FILES"`, "invalid-value"},
		"three parts":     {`"versionNumber":"0.1.2","sourceType":"SOURCE_FILES"`, "invalid-value"},
		"no source":       {`"versionNumber":"1.0"`, "invalid-value"},
		"git":             {`"versionNumber":"1.1","sourceType":"GIT_REPO","gitRepoUrl":"https://host/a/b#main:dir"`, ""},
		"git over ssh":    {`"versionNumber":"1.2","sourceType":"GIT_REPO","gitRepoUrl":"git@host:a/b.git"`, ""},
		"git's programs":  {`"versionNumber":"1.3","sourceType":"GIT_REPO","gitRepoUrl":"ext::sh -c id"`, "invalid-value"},
		"git's options":   {`"versionNumber":"1.3","sourceType":"GIT_REPO","gitRepoUrl":"--upload-pack=id"`, "invalid-value"},
		"tarball":         {`"versionNumber":"1.4","sourceType":"TARBALL","tarballUrl":"https://host/a.tgz"`, ""},
		"tarball of disk": {`"versionNumber":"1.5","sourceType":"TARBALL","tarballUrl":"file:///etc/passwd"`, "invalid-value"},
		"tag as a number": {`"versionNumber":"1.6","sourceType":"SOURCE_FILES","buildTag":"0.1.2"`, "invalid-value"},
		"tag with space":  {`"versionNumber":"1.6","sourceType":"SOURCE_FILES","buildTag":"a b"`, "invalid-value"},
		"file outside":    {`"versionNumber":"1.7","sourceType":"SOURCE_FILES","sourceFiles":[{"name":"../a","content":""}]`, "invalid-value"},
		"file in a file":  {`"versionNumber":"1.7","sourceType":"SOURCE_FILES","sourceFiles":[{"name":"a","content":""},{"name":"a/b","content":""}]`, "invalid-value"},
		"file twice":      {`"versionNumber":"1.7","sourceType":"SOURCE_FILES","sourceFiles":[{"name":"a","content":""},{"name":"./a","content":""}]`, "invalid-value"},
		"no base64":       {`"versionNumber":"1.7","sourceType":"SOURCE_FILES","sourceFiles":[{"name":"a","format":"BASE64","content":"!"}]`, "invalid-value"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.CreateVersion(t.Context(), a.ID, body("{"+test.body+"}"))
			refused(t, err, test.wireType)
		})
	}
	_, err := c.UpdateVersion(t.Context(), a.ID, "0.1", body(`{"versionNumber":"0.2"}`))
	refused(t, err, "invalid-value")
}

func TestTheLastVersionStays(t *testing.T) {
	c := open(t)
	a := create(t, c, "versions", "")
	refused(t, c.DeleteVersion(t.Context(), a.ID, "0.1"), "too-few-versions")
	_, err := c.Update(t.Context(), a.ID, body(`{"versions":[]}`), nil)
	refused(t, err, "too-few-versions")
	if a, err = c.Whole(t.Context(), a.ID); err != nil || len(a.Versions) != 1 {
		t.Errorf("it has %d versions, %v", len(a.Versions), err)
	}
}

func TestNumbersOfBuildsNeverComeAgain(t *testing.T) {
	c := open(t)
	a := create(t, c, "builds", "")
	if _, err := c.CreateVersion(t.Context(), a.ID, body(`{"versionNumber":"0.2","sourceType":"SOURCE_FILES"}`)); err != nil {
		t.Fatal(err)
	}
	var numbers []string
	next := func(version string) {
		s, err := c.NextBuild(t.Context(), a.ID, version)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, s.Number)
	}
	next("0.1")
	next("0.1")
	next("0.2")
	if err := c.DeleteVersion(t.Context(), a.ID, "0.1"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateVersion(t.Context(), a.ID, body(`{"versionNumber":"0.1","sourceType":"SOURCE_FILES"}`)); err != nil {
		t.Fatal(err)
	}
	next("0.1")
	if want := []string{"0.1.1", "0.1.2", "0.2.1", "0.1.3"}; !slices.Equal(numbers, want) {
		t.Errorf("got %v, want %v", numbers, want)
	}
}

func TestTagsArePatchedOneByOne(t *testing.T) {
	c := open(t)
	a := create(t, c, "tags", "")
	builds := map[string]api.Build{
		"good":    {ID: "good", ActorID: a.ID, BuildNumber: "0.1.1", Status: api.StatusSucceeded},
		"failed":  {ID: "failed", ActorID: a.ID, BuildNumber: "0.1.2", Status: api.StatusFailed},
		"foreign": {ID: "foreign", ActorID: "another", BuildNumber: "0.1.1", Status: api.StatusSucceeded},
	}
	lookup := func(id string) (api.Build, error) { return builds[id], nil }
	for _, step := range []struct{ tags, wireType, want string }{
		{`{"latest":{"buildId":"good"},"beta":{"buildId":"good"}}`, "", "beta latest"},
		{`{"latest":null}`, "", "beta"},
		{`{}`, "", "beta"},
		{`{"absent":null,"stable":{"buildId":"good"}}`, "", "beta stable"},
		{`{"beta":null,"next":{"buildId":"failed"}}`, "invalid-build", "beta stable"},
		{`{"beta":null,"next":{"buildId":"foreign"}}`, "invalid-build", "beta stable"},
		{`{"beta":null,"0.1.7":{"buildId":"good"}}`, "invalid-value", "beta stable"},
	} {
		_, err := c.Update(t.Context(), a.ID, body(`{"taggedBuilds":`+step.tags+`}`), lookup)
		refused(t, err, step.wireType)
		now, err := c.Actor(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(slices.Sorted(maps.Keys(now.TaggedBuilds)), " "); got != step.want {
			t.Errorf("after %s the tags are %q, want %q", step.tags, got, step.want)
		}
	}
}

func TestTheDefaultBuildKeepsItsTags(t *testing.T) {
	c := open(t)
	a := create(t, c, "tags", "")
	b := api.Build{ID: "b", ActorID: a.ID, BuildNumber: "0.1.1", Status: api.StatusSucceeded}
	if err := errors.Join(c.Tag(t.Context(), "beta", b), c.Tag(t.Context(), "latest", b)); err != nil {
		t.Fatal(err)
	}
	refused(t, c.Untag(t.Context(), b), "deleting-default-build")
	other := b
	other.ID, other.BuildNumber = "other", "0.1.2"
	if err := c.Tag(t.Context(), "latest", other); err != nil {
		t.Fatal(err)
	}
	refused(t, c.Untag(t.Context(), b), "")
	now, err := c.Actor(t.Context(), a.ID)
	if err != nil || len(now.TaggedBuilds) != 1 || now.TaggedBuilds["latest"].BuildID != "other" {
		t.Errorf("%v, %v", now.TaggedBuilds, err)
	}
}

func TestSecretsAreOnlyWritten(t *testing.T) {
	c := open(t)
	const vars = `,"envVars":[{"name":"OPEN","value":"plum"},{"name":"HUSH","value":"hunter2","isSecret":true}]`
	a := create(t, c, "secrets", vars)
	check := func(hush, open string) {
		t.Helper()
		shown, err := c.Whole(t.Context(), a.ID)
		text, _ := json.Marshal(shown)
		if err != nil || strings.Contains(string(text), hush) || !strings.Contains(string(text), open) {
			t.Errorf("shown: %s, %v", text, err)
		}
		s, err := c.NextBuild(t.Context(), a.ID, "0.1")
		if err != nil {
			t.Fatal(err)
		}
		if kept, _ := json.Marshal(s.Sealed); strings.Contains(string(kept), hush) {
			t.Errorf("it is kept as %s", kept)
		}
		env, secrets, err := c.Environment(a.ID, s.Sealed)
		if err != nil || env["HUSH"] != hush || env["OPEN"] != open || !slices.Equal(secrets, []string{hush}) {
			t.Errorf("programs get %v, masked %v, %v", env, secrets, err)
		}
	}
	check("hunter2", "plum")
	// Who reads a version and writes it back changes nothing.
	read, err := c.Version(t.Context(), a.ID, "0.1")
	if err != nil {
		t.Fatal(err)
	}
	written, _ := json.Marshal(map[string]any{"envVars": read.EnvVars})
	if _, err := c.UpdateVersion(t.Context(), a.ID, "0.1", body(string(written))); err != nil {
		t.Fatal(err)
	}
	check("hunter2", "plum")
	if _, err := c.UpdateVariable(t.Context(), a.ID, "0.1", "HUSH", body(`{"value":"hunter3"}`)); err != nil {
		t.Fatal(err)
	}
	check("hunter3", "plum")
	_, err = c.UpdateVariable(t.Context(), a.ID, "0.1", "HUSH", body(`{"isSecret":false}`))
	refused(t, err, "invalid-value")
	check("hunter3", "plum")
}

func TestVariables(t *testing.T) {
	c := open(t)
	a := create(t, c, "variables", `,"envVars":[{"name":"ONE","value":"1"}]`)
	add := func(text string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.CreateVariable(ctx, a.ID, "0.1", body(text))
			return err
		}
	}
	for name, test := range map[string]struct {
		do       func(context.Context) error
		wireType string
	}{
		"new":      {add(`{"name":"TWO","value":""}`), ""},
		"again":    {add(`{"name":"ONE","value":"2"}`), "env-var-already-exists"},
		"no name":  {add(`{"value":"2"}`), "invalid-value"},
		"equals":   {add(`{"name":"A=B","value":"2"}`), "invalid-value"},
		"no value": {add(`{"name":"THREE"}`), "invalid-value"},
		"NUL":      {add(`{"name":"THREE","value":"\u0000"}`), "invalid-value"},
		"large":    {add(`{"name":"THREE","value":"` + strings.Repeat("x", 100_001) + `"}`), "invalid-value"},
		"another name": {func(ctx context.Context) error {
			_, err := c.UpdateVariable(ctx, a.ID, "0.1", "ONE", body(`{"name":"UNO"}`))
			return err
		}, "cannot-rename-env-var"},
		"missing": {func(ctx context.Context) error { return c.DeleteVariable(ctx, a.ID, "0.1", "NINE") }, fault.NotFound.WireType()},
	} {
		t.Run(name, func(t *testing.T) { refused(t, test.do(t.Context()), test.wireType) })
	}
	vars, err := c.Variables(t.Context(), a.ID, "0.1")
	if err != nil || len(vars) != 2 || vars[0].Name != "ONE" || *vars[0].Value != "1" || vars[1].Name != "TWO" {
		t.Errorf("%+v, %v", vars, err)
	}
}
