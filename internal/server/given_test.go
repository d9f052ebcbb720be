package server

import (
	"strings"
	"testing"
)

// A run that is given storages works on them, and leaves what is there.
func TestRunsOnGivenStorages(t *testing.T) {
	p := newPlatform(t)
	actor, dir := p.actor(`echo "$ACTOR_DEFAULT_DATASET_ID $ACTOR_DEFAULT_REQUEST_QUEUE_ID $ACTOR_INPUT_KEY" > seen`)
	runs := "/v2/actors/" + actor.ID + "/runs?waitForFinish=60"
	dataset := p.do("POST", "/v2/datasets?name=results", nil).want(201).str("data", "id")
	queue := p.do("POST", "/v2/request-queues", nil).want(201).str("data", "id")
	kvs := p.do("POST", "/v2/key-value-stores?name=notes", nil).want(201).str("data", "id")
	p.do("PUT", "/v2/key-value-stores/"+kvs+"/records/INPUT", []byte(`{"mine":true}`)).want(201)

	run := p.do("POST", runs+"&defaultDatasetId=~results&defaultRequestQueueId="+queue+"&defaultKeyValueStoreId=notes", []byte(`{}`)).want(201)
	run.is("SUCCEEDED", "data", "status").is(dataset, "data", "defaultDatasetId").is(queue, "data", "defaultRequestQueueId").
		is(kvs, "data", "defaultKeyValueStoreId").is(dataset, "data", "storageIds", "datasets", "default")
	seen := strings.Fields(p.appears(dir + "/seen"))
	if len(seen) != 3 || seen[0] != dataset || seen[1] != queue || seen[2] != "INPUT-"+run.str("data", "id") {
		t.Errorf("the code saw %q", seen)
	}
	if got := string(p.do("GET", "/v2/key-value-stores/notes/records/INPUT", nil).want(200).body); got != `{"mine":true}` {
		t.Errorf("the record INPUT has become %s", got)
	}
	if got := string(p.do("GET", "/v2/key-value-stores/notes/records/"+seen[2], nil).want(200).body); got != `{}` {
		t.Errorf("the input is %s", got)
	}
	before := p.do("GET", "/v2/datasets?unnamed=1", nil).want(200).get("data", "total")
	for _, missing := range []string{"defaultDatasetId=nosuch", "defaultKeyValueStoreId=somebody~notes", "defaultRequestQueueId=nosuch"} {
		p.do("POST", runs+"&"+missing, nil).want(404)
	}
	if after := p.do("GET", "/v2/datasets?unnamed=1", nil).want(200).get("data", "total"); after != before {
		t.Errorf("refused runs have left datasets: %v, were %v", after, before)
	}
}
