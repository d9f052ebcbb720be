package definition

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestMigrate(t *testing.T) {
	for name, test := range map[string]struct{ from, want string }{
		"nothing but a name": {`{"name": "old-actor"}`, `{
  "actorSpecification": 1,
  "name": "old-actor",
  "version": "0.0"
}
`},
		"the newer shape": {`{"env": {"A": "1", "B": "@s"}, "template": "x", "buildTag": "beta", "version": "0.3", "name": "old-actor", "actId": "abc"}`, `{
  "actorSpecification": 1,
  "name": "old-actor",
  "version": "0.3",
  "buildTag": "beta",
  "environmentVariables": {
    "A": "1",
    "B": "@s"
  },
  "template": "x",
  "id": "abc"
}
`},
		"the older shape": {`{"name": "old-actor", "actId": null, "version": {"versionNumber": "0.3", "buildTag": "beta", "sourceType": "TARBALL", "tarballUrl": null,
			"envVars": [{"name": "A", "value": "1"}, {"name": "B", "value": "@s"}, {"name": "A", "value": "2"}]}, "meta": {"a": 1}}`, `{
  "actorSpecification": 1,
  "name": "old-actor",
  "version": "0.3",
  "buildTag": "beta",
  "environmentVariables": {
    "B": "@s",
    "A": "2"
  },
  "meta": {
    "a": 1,
    "version": {
      "sourceType": "TARBALL"
    }
  }
}
`},
		"unknown fields and paths": {`{"name": "old-actor", "version": "1.0", "readme": "./docs/README.md", "dockerfile": "Dockerfile", "input": {"x": 1.0},
			"storages": {"dataset": "./d.json", "datasets": {"default": "../e.json", "x": {}}}, "custom": [1, {"b": null}] /* kept */}`, `{
  "actorSpecification": 1,
  "name": "old-actor",
  "version": "1.0",
  "readme": "../docs/README.md",
  "dockerfile": "../Dockerfile",
  "input": {
    "x": 1.0
  },
  "storages": {
    "dataset": "../d.json",
    "datasets": {
      "default": "../../e.json",
      "x": {}
    }
  },
  "custom": [
    1,
    {
      "b": null
    }
  ]
}
`},
		"both ways to write variables": {`{"name": "old-actor", "version": {"versionNumber": "0.1", "envVars": [{"name": "A", "value": "1"}]}, "env": {"A": "2"}, "environmentVariables": {"A": "3"}}`, `{
  "actorSpecification": 1,
  "name": "old-actor",
  "version": "0.1",
  "environmentVariables": {
    "A": "2"
  }
}
`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, map[string]string{"apify.json": test.from, "INPUT_SCHEMA.json": "broken"})
			got, err := Migrate(dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
				t.Errorf("something was written: %v", entries)
			}
		})
	}
}

// What is written must say of the Actor what apify.json said.
func TestMigratedMeansTheSame(t *testing.T) {
	dir := project(t, map[string]string{
		"apify.json": `{"name": "old-actor", "version": {"versionNumber": "0.3", "buildTag": "beta", "envVars": [{"name": "A", "value": "1"}]}, "template": "t"}`,
		"Dockerfile": "", "README.md": "", "INPUT_SCHEMA.json": someSchema,
	})
	before := mustLoad(t, dir)
	text, err := Migrate(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".actor"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".actor", "actor.json"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	after := mustLoad(t, dir)
	if string(before.Document) != string(after.Document) {
		t.Errorf("the document was\n%s\nand is\n%s", before.Document, after.Document)
	}
	if len(after.Warnings) > 0 {
		t.Errorf("warnings %q", after.Warnings)
	}
	before.File, before.Legacy, before.Warnings, before.Input = after.File, false, nil, nil
	after.Input = nil
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("-apify.json +actor.json:\n%s", diff)
	}
}

func TestMigrateFaults(t *testing.T) {
	if _, err := Migrate(project(t, map[string]string{".actor/actor.json": example})); !fault.Is(err, fault.NotFound) {
		t.Errorf("no apify.json gives %v", err)
	}
	for content, want := range map[string]string{
		`{"name": 5}`:    "apify.json:1:10: name must be a string",
		`[]`:             "must be an object",
		`{`:              "apify.json:1:2",
		`{"env": [1]}`:   "env must be an object of strings",
		`{"version": 1}`: "version must be a string",
	} {
		_, err := Migrate(project(t, map[string]string{"apify.json": content}))
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %s", content, err, want)
		}
	}
}
