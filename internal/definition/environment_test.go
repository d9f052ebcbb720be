package definition

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestResolveEnvironment(t *testing.T) {
	a := &Actor{Environment: map[string]string{
		"PLAIN": "x", "AT_INSIDE": "a@b", "PASSWORD": "@password", "TOKEN": "@token", "EMPTY": "@empty",
	}}
	env, err := a.ResolveEnvironment(map[string]string{"password": "hunter2", "token": "@password", "empty": ""}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := &Environment{
		Variables: map[string]string{"PLAIN": "x", "AT_INSIDE": "a@b", "PASSWORD": "hunter2", "TOKEN": "@password", "EMPTY": ""},
		Secrets:   []string{"EMPTY", "PASSWORD", "TOKEN"},
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("environment differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hunter2", "@password"}, env.SecretValues()); diff != "" {
		t.Errorf("values to mask differ:\n%s", diff)
	}
}

func TestMissingSecrets(t *testing.T) {
	a := &Actor{Environment: map[string]string{"A": "@one", "B": "@two", "C": "@one", "D": "@there", "E": "e"}}
	secrets := map[string]string{"there": "hunter2"}
	_, err := a.ResolveEnvironment(secrets, false)
	if !fault.Is(err, fault.InvalidInput) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"variable A needs the secret one", "variable B needs the secret two", "variable C needs the secret one"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if hint := fault.HintOf(err); hint != "apify secrets add one\napify secrets add two" {
		t.Errorf("hint %q", hint)
	}
	env, err := a.ResolveEnvironment(secrets, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"D": "hunter2", "E": "e"}, env.Variables); diff != "" {
		t.Error(diff)
	}
	if len(env.Warnings) != 3 || strings.Contains(strings.Join(env.Warnings, ""), "hunter2") {
		t.Errorf("warnings %q", env.Warnings)
	}
}

func TestLoadSecrets(t *testing.T) {
	home := project(t, map[string]string{".apify/secrets.json": "{\n\t\"a\": \"1\",\n\t\"b\": \"\"\n}"})
	got, err := LoadSecrets(home)
	if err != nil || !cmp.Equal(got, map[string]string{"a": "1", "b": ""}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, files := range []map[string]string{{}, {".apify/": ""}, {".apify": "a file"}} {
		if got, err := LoadSecrets(project(t, files)); err != nil || len(got) != 0 {
			t.Errorf("%v gives %v, %v", files, got, err)
		}
	}
	t.Chdir(home)
	if got, err := LoadSecrets(""); err != nil || len(got) != 0 {
		t.Errorf("no home directory gives %v, %v", got, err)
	}
	for _, content := range []string{`{"a": "hunter2"`, `["hunter2"]`, `{"a": {"b": "hunter2"}}`, `null`, ``} {
		home := project(t, map[string]string{".apify/secrets.json": content})
		_, err := LoadSecrets(home)
		if !fault.Is(err, fault.InvalidInput) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), filepath.Join(home, ".apify")) {
			t.Errorf("%s gives %v", content, err)
		}
	}
}
