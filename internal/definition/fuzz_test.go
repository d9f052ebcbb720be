package definition

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// However much there is to say, that something is broken is not forgotten.
func TestManyFindings(t *testing.T) {
	var text strings.Builder
	text.WriteString("{")
	for i := range 100_000 {
		fmt.Fprintf(&text, "\"unknown%d\": 1,\n", i)
	}
	text.WriteString(`"name": 5}`)
	reading := read("/x", "/x/.actor/actor.json", []byte(text.String()), (*reader).current).reading()
	if n := len(reading.Diagnostics); n > 2*maxFindings || len(reading.Diagnostics.Errors()) != 3 || reading.Actor != nil {
		t.Errorf("%d diagnostics, of which errors: %v", n, reading.Diagnostics.Errors())
	}
}

func FuzzRead(f *testing.F) {
	f.Add(example)
	f.Add(`{"name":5,"version":{},"dockerfile":"../..","input":{"type":"object","properties":{"a":{"type":"string","pattern":"("}}}} // x`)
	f.Add(`{"environmentVariables":{"":1,"A":"@x","A":null},"defaultMemoryMbytes":"x","dockerContextDir":"\u0000",}`)
	f.Add(`{"version":{"envVars":[{"name":1}],"versionNumber":"1"},"env":[]}`)
	f.Add(`{"name":"a","version":{"envVars":[{"name":"A","value":"1"}],"versionNumber":"0.1","sourceType":"TARBALL"},"actId":"x","meta":{"a":1}}`)
	f.Add(`{"input":"../INPUT_SCHEMA.json","inputSchema":{},"output":{"actorOutputSchemaVersion":1,"properties":{"a":{"type":"string","template":"{{x}}"}}}}`)
	f.Add(`{"storages":{"dataset":"../INPUT_SCHEMA.json","datasets":{"default":{},"9":"x"},"keyValueStores":{"default":{"actorKeyValueStoreSchemaVersion":1}},"requestQueue":1},"datasetSchema":{}}`)
	f.Add(`{"minMemoryMbytes":1e3,"maxMemoryMbytes":999999999999999999999,"defaultMemoryMbytes":"get(input, 'a', 1) * 1024","webServerSchema":{"openapi":"3.1.0"},"webServerMcpPath":"mcp"}`)
	f.Add(`{"name":"\ud800","labels":{"":[]},"meta":null,"scripts":{"run":" "},"\u0000\n":1}`)
	root := project(f, map[string]string{"Dockerfile": "", "INPUT_SCHEMA.json": someSchema})
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(root, ".actor", "actor.json")
		for i, fill := range []func(*reader, *jsonc.Value){(*reader).current, (*reader).legacy} {
			r := read(root, file, []byte(text), fill)
			reading := r.reading()
			reading.CheckSecrets(nil)
			for _, d := range reading.Diagnostics {
				if d.Message == "" || d.Rule == "" || d.File == "" || d.Severity != diagnostic.Error && d.Severity != diagnostic.Warning {
					t.Errorf("%q: incomplete: %+v", text, d)
				}
			}
			if err := r.diagnostics(running).Err("it"); err != nil {
				if !fault.Is(err, fault.InvalidInput) {
					t.Errorf("%q gives %v", text, err)
				}
				if reading.Actor != nil {
					t.Errorf("%q cannot run but is valid: %v", text, err)
				}
				continue
			}
			if _, err := r.actor.ResolveEnvironment(nil, true); err != nil {
				t.Errorf("%q: %v", text, err)
			}
			if !json.Valid(r.actor.Document) {
				t.Errorf("%q: the document comes out as %s", text, r.actor.Document)
			}
			if i > 0 {
				continue // fields that apify.json does not know are not judged there
			}
			if again := read(root, file, r.actor.Document, (*reader).current).diagnostics(running).Errors(); len(again) > 0 {
				t.Errorf("%q: the document %s has errors: %v", text, r.actor.Document, again)
			}
		}
	})
}
