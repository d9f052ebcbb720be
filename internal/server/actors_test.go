package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type object = map[string]any

// shellActor is what creates an Actor that is a shell script.
func shellActor(name, script string) object {
	return object{"name": name, "versions": []object{{
		"versionNumber": "0.1", "sourceType": "SOURCE_FILES", "buildTag": "latest", "sourceFiles": []object{
			{"name": ".actor/actor.json", "format": "TEXT", "content": `{
				"actorSpecification": 1, "name": "` + name + `", "version": "0.1", "scripts": {"run": "sh ./main.sh"},
				"input": {"title": "Input", "type": "object", "schemaVersion": 1, "properties": {
					"n": {"title": "N", "type": "integer", "description": "A number", "default": 7}}}}`},
			{"name": "main.sh", "format": "TEXT", "content": script},
			{"name": "README.md", "format": "TEXT", "content": "# Read me"},
		},
	}}}
}

func TestActorLife(t *testing.T) {
	p := newBuildingPlatform(t)
	created := p.do("POST", "/v2/actors", shellActor("first-one", "echo hello")).want(http.StatusCreated)
	id := created.str("data", "id")
	if got := created.header.Get("Location"); got != p.URL+"/v2/actors/"+id {
		t.Errorf("Location is %q", got)
	}
	created.is("latest", "data", "defaultRunOptions", "build")
	for _, ref := range []string{id, "me~first-one", "~first-one", "first-one", "ME~First-One"} {
		p.do("GET", "/v2/actors/"+ref, nil).want(http.StatusOK).is(id, "data", "id")
	}
	p.do("GET", "/v2/acts/"+id, nil).want(http.StatusOK)
	p.do("GET", "/v2/actors/you~first-one", nil).fails(http.StatusNotFound, "record-not-found")

	for _, c := range []struct {
		body   any
		status int
		typ    string
	}{
		{shellActor("First-One", "true"), http.StatusConflict, "actor-name-not-unique"},
		{shellActor("no", "true"), http.StatusBadRequest, "invalid-value"},
		{shellActor("-leading", "true"), http.StatusBadRequest, "invalid-value"},
		{object{"name": "without-versions"}, http.StatusBadRequest, "too-few-versions"},
		{[]int{1}, http.StatusBadRequest, "invalid-request"},
		{"null", http.StatusBadRequest, "invalid-request"},
		{object{"name": 5, "versions": []object{{}}}, http.StatusBadRequest, "invalid-request"},
	} {
		p.do("POST", "/v2/actors", c.body).fails(c.status, c.typ)
	}

	// A patch changes what it names; null takes away.
	updated := p.do("PUT", "/v2/actors/"+id, object{
		"title": "The First", "description": "Says hello", "isPublic": true, "categories": []string{"OTHER"}, "seoTitle": "S",
		"defaultRunOptions": object{"memoryMbytes": 256}, "actorStandby": object{"isEnabled": true, "idleTimeoutSecs": 60},
		"exampleRunInput": object{"body": `{"n":1}`, "contentType": "application/json"},
		"pricingInfos": []object{{"pricingModel": "PAY_PER_EVENT", "apifyMarginPercentage": 0.2, "createdAt": "2026-01-01T00:00:00.000Z",
			"startedAt": "2026-01-01T00:00:00.000Z", "pricingPerEvent": object{"actorChargeEvents": object{
				"page": object{"eventTitle": "Page", "eventDescription": "One page", "eventPriceUsd": 0.01}}}}},
	}).want(http.StatusOK)
	updated.is(256, "data", "defaultRunOptions", "memoryMbytes")
	updated.is(3600, "data", "defaultRunOptions", "timeoutSecs")
	updated = p.do("PUT", "/v2/actors/"+id, object{"seoTitle": nil, "actorStandby": object{"isEnabled": false}}).want(http.StatusOK)
	updated.is("The First", "data", "title")
	updated.is(nil, "data", "seoTitle")
	updated.is(60, "data", "actorStandby", "idleTimeoutSecs")
	for field, value := range map[string]any{
		"name": "x", "defaultRunOptions": object{"memoryMbytes": 1000}, "actorPermissionLevel": "ALL",
		"actorStandby": object{"desiredRequestsPerActorRun": 0}, "versions": []object{{"versionNumber": "1"}},
		"pricingInfos": []object{{"pricingModel": "FREE"}}, "title": strings.Repeat("t", 500),
	} {
		if got := p.do("PUT", "/v2/actors/"+id, object{field: value, "description": "half"}).fails(http.StatusBadRequest, "invalid-value"); t.Failed() {
			t.Fatalf("%s: %s", field, got.body)
		}
	}
	p.do("PUT", "/v2/actors/"+id, object{"defaultRunOptions": object{"maxItems": 0}}).
		fails(http.StatusBadRequest, "max-items-must-be-greater-than-zero")
	p.do("PUT", "/v2/actors/"+id, object{"versions": []object{}}).fails(http.StatusBadRequest, "too-few-versions")
	p.do("GET", "/v2/actors/"+id, nil).is("Says hello", "data", "description")
	p.do("PUT", "/v2/actors/nobody", object{}).fails(http.StatusNotFound, "record-not-found")

	second := p.do("POST", "/v2/actors", shellActor("second-one", "true")).want(http.StatusCreated).str("data", "id")
	p.do("PUT", "/v2/actors/"+second, object{"name": "first-one"}).fails(http.StatusConflict, "actor-name-not-unique")
	list := p.do("GET", "/v2/actors?my=1&desc=1&limit=1", nil).want(http.StatusOK)
	list.is(2, "data", "total")
	list.is("second-one", "data", "items", 0, "name")
	p.do("GET", "/v2/actors?sortBy=stats.lastRunStartedAt", nil).want(http.StatusOK).is(2, "data", "count")

	p.do("DELETE", "/v2/actors/"+second, nil).want(http.StatusNoContent)
	p.do("DELETE", "/v2/actors/"+second, nil).fails(http.StatusNotFound, "record-not-found")
	p.do("POST", "/v2/actors", shellActor("second-one", "true")).want(http.StatusCreated)
}

func TestActorsOfARunCannotBeWritten(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor("true")
	p.do("POST", "/v2/actors", shellActor("first-one", "true")).fails(http.StatusNotImplemented, "not-implemented")
	p.do("DELETE", "/v2/actors/"+actor.ID, nil).fails(http.StatusNotImplemented, "not-implemented")
	p.do("GET", "/v2/actors/"+actor.ID, nil).want(http.StatusOK)
}

func TestVersions(t *testing.T) {
	p := newBuildingPlatform(t)
	id := p.do("POST", "/v2/actors", shellActor("versioned", "true")).want(http.StatusCreated).str("data", "id")
	versions := "/v2/actors/" + id + "/versions"
	git := object{"versionNumber": "1.0", "sourceType": "GIT_REPO", "gitRepoUrl": "https://example.com/a/b#main:dir", "buildTag": "beta"}
	created := p.do("POST", versions, git).want(http.StatusCreated)
	if got := created.header.Get("Location"); got != p.URL+versions+"/1.0" {
		t.Errorf("Location is %q", got)
	}
	p.do("POST", versions, git).fails(http.StatusBadRequest, "version-already-exists")
	for _, body := range []object{
		{"sourceType": "SOURCE_FILES"},
		{"versionNumber": "100.0", "sourceType": "SOURCE_FILES"},
		{"versionNumber": "01.0", "sourceType": "SOURCE_FILES"},
		{"versionNumber": "2.0"},
		{"versionNumber": "2.0", "sourceType": "SOURCE_CODE"},
		{"versionNumber": "2.0", "sourceType": "GIT_REPO"},
		{"versionNumber": "2.0", "sourceType": "GIT_REPO", "gitRepoUrl": "ext::sh -c id"},
		{"versionNumber": "2.0", "sourceType": "GIT_REPO", "gitRepoUrl": "--upload-pack=id"},
		{"versionNumber": "2.0", "sourceType": "TARBALL", "tarballUrl": "/etc/passwd"},
		{"versionNumber": "2.0", "sourceType": "GITHUB_GIST", "gitHubGistUrl": ""},
		{"versionNumber": "2.0", "sourceType": "SOURCE_FILES", "buildTag": "1.2.3"},
		{"versionNumber": "2.0", "sourceType": "SOURCE_FILES", "sourceFiles": []object{{"name": "../x"}}},
		{"versionNumber": "2.0", "sourceType": "SOURCE_FILES", "sourceFiles": []object{{"name": "a"}, {"name": "./a"}}},
		{"versionNumber": "2.0", "sourceType": "SOURCE_FILES", "sourceFiles": []object{{"name": "a", "format": "HEX"}}},
		{"versionNumber": "2.0", "sourceType": "SOURCE_FILES", "sourceFiles": []object{{"name": "a", "format": "BASE64", "content": "?"}}},
		{"versionNumber": "2.0", "sourceType": "SOURCE_FILES", "sourceFiles": []object{{"name": "a"}, {"name": "a/b"}}},
	} {
		p.do("POST", versions, body).fails(http.StatusBadRequest, "invalid-value")
	}
	p.do("GET", versions, nil).want(http.StatusOK).is(2, "data", "total")
	p.do("GET", versions+"/1.0", nil).want(http.StatusOK).is("https://example.com/a/b#main:dir", "data", "gitRepoUrl")
	files := p.do("GET", versions+"/0.1", nil).want(http.StatusOK)
	files.is("main.sh", "data", "sourceFiles", 1, "name")

	// Another kind of source, and back; the tag goes with null.
	changed := p.do("PUT", versions+"/0.1", object{"sourceType": "TARBALL", "tarballUrl": "https://example.com/a.tgz", "buildTag": nil}).want(http.StatusOK)
	changed.is(nil, "data", "sourceFiles")
	changed.is(nil, "data", "buildTag")
	back := p.do("POST", versions+"/0.1", object{"sourceType": "SOURCE_FILES", "sourceFiles": []object{{"name": "a", "folder": true}, {"name": "a/b", "format": "BASE64", "content": "aGk="}}}).want(http.StatusOK)
	back.is(nil, "data", "tarballUrl")
	back.is("a/b", "data", "sourceFiles", 1, "name")
	p.do("PUT", versions+"/0.1", object{"buildTag": "latest"}).want(http.StatusOK).is("a/b", "data", "sourceFiles", 1, "name")
	p.do("PUT", versions+"/0.1", object{"versionNumber": "0.2"}).fails(http.StatusBadRequest, "invalid-value")
	p.do("PUT", versions+"/9.9", object{}).fails(http.StatusNotFound, "record-not-found")
	p.do("POST", versions+"/9.9", object{}).fails(http.StatusNotFound, "record-not-found")
	p.do("GET", versions+"/9.9", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("GET", "/v2/actors/nobody/versions", nil).fails(http.StatusNotFound, "record-not-found")

	p.do("DELETE", versions+"/0.1", nil).want(http.StatusNoContent)
	p.do("DELETE", versions+"/0.1", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("DELETE", versions+"/1.0", nil).fails(http.StatusBadRequest, "too-few-versions")
}

func TestVariablesOfVersions(t *testing.T) {
	p := newBuildingPlatform(t)
	id := p.do("POST", "/v2/actors", shellActor("variables", "true")).want(http.StatusCreated).str("data", "id")
	vars := "/v2/actors/" + id + "/versions/0.1/env-vars"
	p.do("POST", vars, object{"name": "PLAIN", "value": "seen"}).want(http.StatusCreated).is("seen", "data", "value")
	secret := p.do("POST", vars, object{"name": "SECRET", "value": "hush-hush", "isSecret": true}).want(http.StatusCreated)
	secret.is(nil, "data", "value")
	for body, typ := range map[string]string{
		`{"name":"PLAIN","value":"x"}`: "env-var-already-exists",
		`{"name":"NOTHING"}`:           "invalid-value",
		`{"name":"A=B","value":"x"}`:   "invalid-value",
		`{"value":"x"}`:                "invalid-value",
	} {
		p.do("POST", vars, body).fails(http.StatusBadRequest, typ)
	}
	list := p.do("GET", vars, nil).want(http.StatusOK)
	list.is(2, "data", "total")
	p.do("GET", vars+"/SECRET", nil).want(http.StatusOK).is(nil, "data", "value")
	p.do("PUT", vars+"/PLAIN", object{"name": "PLAIN", "value": "changed"}).want(http.StatusOK).is("changed", "data", "value")
	p.do("POST", vars+"/PLAIN", object{"value": "again"}).want(http.StatusOK).is("again", "data", "value")
	p.do("PUT", vars+"/PLAIN", object{"name": "OTHER"}).fails(http.StatusBadRequest, "cannot-rename-env-var")
	p.do("PUT", vars+"/SECRET", object{"isSecret": false}).fails(http.StatusBadRequest, "invalid-value") // would tell it
	for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
		p.do(method, vars+"/NOBODY", object{"value": "x"}).fails(http.StatusNotFound, "record-not-found")
	}
	p.do("GET", "/v2/actors/"+id+"/versions/7.7/env-vars", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("POST", "/v2/actors/"+id+"/versions/7.7/env-vars", object{"name": "A", "value": "b"}).fails(http.StatusNotFound, "record-not-found")

	// What is read and written back keeps its secrets, which nothing tells.
	version := p.do("GET", "/v2/actors/"+id+"/versions/0.1", nil).want(http.StatusOK)
	p.do("PUT", "/v2/actors/"+id+"/versions/0.1", object{"envVars": version.get("data", "envVars")}).want(http.StatusOK)
	p.do("PUT", "/v2/actors/"+id, object{"versions": p.do("GET", "/v2/actors/"+id, nil).get("data", "versions")}).want(http.StatusOK)
	b := p.built(id, "0.1")
	log := p.do("GET", "/v2/logs/"+b, nil).want(http.StatusOK)
	for _, text := range []string{string(p.do("GET", "/v2/actors/"+id, nil).body), string(p.do("GET", "/v2/actor-builds/"+b, nil).body), string(log.body)} {
		if strings.Contains(text, "hush-hush") || strings.Contains(text, "ENCRYPTED") {
			t.Errorf("a secret is told: %s", text)
		}
	}
	p.do("PUT", "/v2/actors/"+id+"/versions/0.1", object{"sourceFiles": shellActor("variables", `echo "it is $SECRET and $PLAIN"`)["versions"].([]object)[0]["sourceFiles"]}).want(http.StatusOK)
	p.built(id, "0.1")
	run := p.do("POST", "/v2/actors/"+id+"/runs?waitForFinish=30", object{}).want(http.StatusCreated)
	run.is("SUCCEEDED", "data", "status")
	if text := string(p.do("GET", "/v2/logs/"+run.str("data", "id"), nil).body); !strings.Contains(text, "it is ***** and again") {
		t.Errorf("the run's log: %s", text)
	}
	p.do("DELETE", vars+"/PLAIN", nil).want(http.StatusNoContent)
	p.do("GET", vars+"/PLAIN", nil).fails(http.StatusNotFound, "record-not-found")
}

// built builds a version, which must succeed, and gives the build's id.
func (p *platform) built(actor, version string) string {
	p.t.Helper()
	b := p.do("POST", "/v2/actors/"+actor+"/builds?useCache=1&waitForFinish=60&version="+version, nil).want(http.StatusCreated)
	if b.str("data", "status") != "SUCCEEDED" {
		p.t.Fatalf("the build ended %s:\n%s", b.str("data", "status"), p.do("GET", "/v2/logs/"+b.str("data", "id"), nil).body)
	}
	return b.str("data", "id")
}

func TestBuilds(t *testing.T) {
	p := newBuildingPlatform(t)
	id := p.do("POST", "/v2/actors", shellActor("built", "echo running")).want(http.StatusCreated).str("data", "id")
	builds := "/v2/actors/" + id + "/builds"
	p.do("GET", builds+"/default", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("POST", "/v2/actors/"+id+"/runs", object{}).fails(http.StatusForbidden, "unknown-build-tag")
	p.do("POST", builds, nil).fails(http.StatusBadRequest, "parameter-required")
	p.do("POST", builds+"?version=5.5", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("POST", builds+"?version=0.1&tag=1.2.3", nil).fails(http.StatusBadRequest, "invalid-value")
	p.do("POST", builds+"?version=0.1&useCache=perhaps", nil).fails(http.StatusBadRequest, "invalid-parameter")

	first := p.built(id, "0.1")
	got := p.do("GET", "/v2/actor-builds/"+first, nil).want(http.StatusOK)
	got.is("0.1.1", "data", "buildNumber")
	got.is("# Read me", "data", "readme")
	got.is("# Read me", "data", "actorDefinition", "readme")
	got.is("N", "data", "actorDefinition", "input", "properties", "n", "title")
	if !strings.Contains(got.str("data", "inputSchema"), `"default":7`) {
		t.Errorf("the input schema is %s", got.str("data", "inputSchema"))
	}
	p.do("GET", builds+"/"+first, nil).want(http.StatusOK)
	p.do("GET", builds+"/default?waitForFinish=1", nil).want(http.StatusOK).is(first, "data", "id")
	actor := p.do("GET", "/v2/actors/"+id, nil).want(http.StatusOK)
	actor.is(first, "data", "taggedBuilds", "latest", "buildId")
	actor.is(100001, "data", "taggedBuilds", "latest", "buildNumberInt")
	actor.is(1, "data", "stats", "totalBuilds")

	// Tags.
	second := p.do("POST", builds+"?version=0.1&tag=beta&waitForFinish=60", nil).want(http.StatusCreated).str("data", "id")
	p.do("GET", "/v2/actors/"+id, nil).is(first, "data", "taggedBuilds", "latest", "buildId")
	tag := func(tags object) answer { return p.do("PUT", "/v2/actors/"+id, object{"taggedBuilds": tags}) }
	tag(object{"stable": object{"buildId": second}}).want(http.StatusOK).is("0.1.2", "data", "taggedBuilds", "stable", "buildNumber")
	tag(object{"beta": nil}).want(http.StatusOK).is(nil, "data", "taggedBuilds", "beta")
	tag(object{"stable": object{"buildId": "nobody"}}).fails(http.StatusNotFound, "record-not-found")
	tag(object{"with space": object{"buildId": second}}).fails(http.StatusBadRequest, "invalid-value")

	// Runs by tag and by number.
	for build, number := range map[string]string{"": "0.1.1", "stable": "0.1.2", "0.1.2": "0.1.2"} {
		run := p.do("POST", "/v2/actors/"+id+"/runs?waitForFinish=30&build="+build, object{}).want(http.StatusCreated)
		run.is("SUCCEEDED", "data", "status")
		run.is(number, "data", "buildNumber")
	}
	p.do("POST", "/v2/actors/"+id+"/runs?build=0.1.9", object{}).fails(http.StatusForbidden, "build-not-found")
	p.do("GET", "/v2/actors/"+id, nil).is(3, "data", "stats", "totalRuns")

	// What a build's schema says of an input.
	valid := "/v2/actors/" + id + "/validate-input"
	p.do("POST", valid, object{"n": 3}).want(http.StatusOK).is(true, "valid")
	p.do("POST", valid+"?build=stable", object{}).want(http.StatusOK)
	p.do("POST", valid, object{"n": "three"}).fails(http.StatusBadRequest, "invalid-input")
	p.do("POST", valid, "{").fails(http.StatusBadRequest, "run-input-body-not-valid-json")
	p.do("POST", valid+"?build=none", object{}).fails(http.StatusForbidden, "unknown-build-tag")

	for _, path := range []string{"/v2/actor-builds/" + first + "/openapi.json", builds + "/" + first + "/openapi.json", builds + "/default/openapi.json"} {
		p.do("GET", path, nil).want(http.StatusOK).is("0.1.1", "info", "version")
	}
	for _, path := range []string{"/v2/actor-builds/nobody/openapi.json", builds + "/nobody/openapi.json", builds + "/nobody", "/v2/actor-builds/nobody", "/v2/actor-builds/nobody/log"} {
		p.do("GET", path, nil).fails(http.StatusNotFound, "record-not-found")
	}
	p.do("GET", "/v2/actor-builds?desc=1&limit=1", nil).want(http.StatusOK).is(second, "data", "items", 0, "id")
	p.do("GET", builds, nil).want(http.StatusOK).is(2, "data", "total")

	// Deleting.
	p.do("DELETE", "/v2/actor-builds/"+first, nil).fails(http.StatusBadRequest, "deleting-default-build")
	p.do("DELETE", "/v2/actor-builds/"+second, nil).want(http.StatusNoContent)
	p.do("GET", "/v2/actors/"+id, nil).is(nil, "data", "taggedBuilds", "stable")
	p.do("DELETE", "/v2/actor-builds/"+second, nil).fails(http.StatusNotFound, "record-not-found")
	third := p.built(id, "0.1") // numbers are never given twice
	p.do("GET", "/v2/actor-builds/"+third, nil).is("0.1.3", "data", "buildNumber")
	p.do("DELETE", "/v2/actors/"+id, nil).want(http.StatusNoContent)
	p.do("GET", "/v2/actor-builds/"+third, nil).fails(http.StatusNotFound, "record-not-found")
}

// slowActor has a build that lasts until somebody ends it: the archive with its
// source never comes.
func slowActor(t *testing.T, name string) object {
	archive := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(archive.Close)
	return object{"name": name, "versions": []object{{
		"versionNumber": "0.1", "sourceType": "TARBALL", "buildTag": "latest", "tarballUrl": archive.URL + "/source.zip",
	}}}
}

func TestAbortOfBuilds(t *testing.T) {
	p := newBuildingPlatform(t)
	id := p.do("POST", "/v2/actors", slowActor(t, "slow-one")).want(http.StatusCreated).str("data", "id")
	var ids []string
	for range 4 { // two begin, two wait for them
		ids = append(ids, p.do("POST", "/v2/actors/"+id+"/builds?version=0.1", nil).want(http.StatusCreated).str("data", "id"))
	}
	p.do("DELETE", "/v2/actor-builds/"+ids[0], nil).fails(http.StatusBadRequest, "deleting-unfinished-build")
	p.do("GET", "/v2/actor-builds/"+ids[0]+"/openapi.json", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("GET", "/v2/actor-builds/"+ids[3], nil).is("READY", "data", "status")
	for i, path := range []string{"/v2/actor-builds/" + ids[3] + "/abort", "/v2/actors/" + id + "/builds/" + ids[0] + "/abort", "/v2/actor-builds/" + ids[1] + "/abort", "/v2/actor-builds/" + ids[2] + "/abort"} {
		p.do("POST", path, nil).want(http.StatusOK)
		ended := p.do("GET", "/v2/actor-builds/"+ids[[]int{3, 0, 1, 2}[i]]+"?waitForFinish=30", nil).want(http.StatusOK)
		ended.is("ABORTED", "data", "status")
	}
	p.do("POST", "/v2/actor-builds/"+ids[0]+"/abort", nil).want(http.StatusOK).is("ABORTED", "data", "status")
	p.do("POST", "/v2/actor-builds/nobody/abort", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("POST", "/v2/actors/"+id+"/builds/nobody/abort", nil).fails(http.StatusNotFound, "record-not-found")
	p.do("GET", "/v2/actors/"+id, nil).is(nil, "data", "taggedBuilds")
}

func TestBuildsThatFail(t *testing.T) {
	p := newBuildingPlatform(t)
	for i, c := range []struct{ file, text, says string }{
		{".actor/actor.json", `{"actorSpecification":1,"name":"x","version":"0.1","input":{"title":"t","type":"object","schemaVersion":1,"properties":{"n":{"type":"nothing"}}}}`, "schema.properties.n"},
		{".actor/actor.json", `{"actorSpecification":1,`, "actor.json"},
		{".actor/actor.json", `{"actorSpecification":1,"name":"x","version":"0.1","dockerContextDir":"../.."}`, "dockerContextDir"},
		{"nothing", "", "nothing to start found"},
	} {
		actor := object{"name": fmt.Sprintf("failing-%d", i), "versions": []object{{
			"versionNumber": "0.1", "sourceType": "SOURCE_FILES", "buildTag": "latest",
			"sourceFiles": []object{{"name": c.file, "format": "TEXT", "content": c.text}},
		}}}
		id := p.do("POST", "/v2/actors", actor).want(http.StatusCreated).str("data", "id")
		b := p.do("POST", "/v2/actors/"+id+"/builds?version=0.1&waitForFinish=30", nil).want(http.StatusCreated)
		b.is("FAILED", "data", "status")
		log := string(p.do("GET", "/v2/actor-builds/"+b.str("data", "id")+"/log", nil).want(http.StatusOK).body)
		if !strings.Contains(log, c.says) || !strings.Contains(log, "ERROR") {
			t.Errorf("%s: the log does not say %q: %s", c.text, c.says, log)
		}
		if strings.Contains(log, "/builds/") {
			t.Errorf("the log tells where the server keeps its files: %s", log)
		}
		p.do("GET", "/v2/actors/"+id, nil).is(nil, "data", "taggedBuilds")
		p.do("PUT", "/v2/actors/"+id, object{"taggedBuilds": object{"x": object{"buildId": b.str("data", "id")}}}).fails(http.StatusBadRequest, "invalid-build")
		p.do("POST", "/v2/actors/"+id+"/runs?build=0.1.1", object{}).fails(http.StatusForbidden, "invalid-build")
	}
}
