package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// appears waits for a file that the code of a run makes, and reads it.
func (p *platform) appears(path string) string {
	p.t.Helper()
	for range 2000 {
		if text, err := os.ReadFile(path); err == nil {
			return string(text)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("%s did not appear", path)
	return ""
}

// reaches waits until a run has a status.
func (p *platform) reaches(id string, status api.Status) answer {
	p.t.Helper()
	for range 2000 {
		a := p.do("GET", "/v2/actor-runs/"+id, nil).want(200)
		if got := api.Status(a.str("data", "status")); got == status {
			return a
		} else if got.Terminal() {
			p.t.Fatalf("the run %s, want %s", got, status)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("the run did not become %s", status)
	return answer{}
}

func TestRestartsOnErrors(t *testing.T) {
	p := newPlatform(t)
	actor, dir := p.actor(`echo x >> starts; [ "$(wc -l < starts)" -ge 3 ] && exit 0; echo "mode $ACTOR_RESTART_ON_ERROR"; exit 7`)
	runs := "/v2/actors/" + actor.ID + "/runs"
	run := p.do("POST", runs+"?restartOnError=1&waitForFinish=60", nil).want(201)
	run.is("SUCCEEDED", "data", "status").is(2, "data", "stats", "restartCount").is(true, "data", "options", "restartOnError")
	log := string(p.do("GET", "/v2/logs/"+run.str("data", "id"), nil).want(200).body)
	if strings.Count(log, "mode 1") != 2 || strings.Count(log, "finished with exit code 7. It is started again") != 2 {
		t.Errorf("the log is %s", log)
	}
	if err := os.Remove(filepath.Join(dir, "starts")); err != nil {
		t.Fatal(err)
	}
	p.do("POST", runs+"?waitForFinish=60", nil).want(201).is("FAILED", "data", "status").is(0, "data", "stats", "restartCount")

	// It does not go on like this for ever.
	actor, dir = p.actor(`echo x >> starts; exit 7`)
	run = p.do("POST", "/v2/actors/"+actor.ID+"/runs?restartOnError=1&waitForFinish=60", nil).want(201)
	run.is("FAILED", "data", "status").is(3, "data", "stats", "restartCount").is(7, "data", "exitCode")
	if got := p.appears(filepath.Join(dir, "starts")); strings.Count(got, "x") != 4 {
		t.Errorf("it was started %d times", strings.Count(got, "x"))
	}
}

func TestResurrection(t *testing.T) {
	p := newPlatform(t)
	actor, dir := p.actor(`echo "life $(date +%s%N)"; echo "until $ACTOR_TIMEOUT_AT" >> lives; [ -e go ] || exit 9; exit 0`)
	run := p.do("POST", "/v2/actors/"+actor.ID+"/runs?waitForFinish=60&timeout=100", `{"a":1}`, "Content-Type", "application/json").want(201)
	run.is("FAILED", "data", "status")
	id := run.str("data", "id")
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again := p.do("POST", "/v2/actor-runs/"+id+"/resurrect?timeout=1000&memory=512&maxItems=7&maxTotalChargeUsd=2&restartOnError=1", nil).want(200)
	again.is(id, "data", "id").is("RUNNING", "data", "status").is(nil, "data", "exitCode").is(1, "data", "stats", "resurrectCount").
		is(1000, "data", "options", "timeoutSecs").is(512, "data", "options", "memoryMbytes").is(7, "data", "options", "maxItems").
		is(run.str("data", "defaultDatasetId"), "data", "defaultDatasetId")
	p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=60", nil).want(200).is("SUCCEEDED", "data", "status").is(0, "data", "exitCode")
	if log := string(p.do("GET", "/v2/logs/"+id, nil).want(200).body); strings.Count(log, "life") != 1 {
		t.Errorf("the log of its first life is still there: %s", log)
	}
	if lives := strings.Fields(p.appears(filepath.Join(dir, "lives"))); len(lives) != 4 || lives[1] >= lives[3] {
		t.Errorf("its time was over at %v", lives)
	}
	p.do("POST", "/v2/actors/"+actor.ID+"/runs/"+id+"/resurrect", nil).want(200)
	p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=60", nil).want(200).is(2, "data", "stats", "resurrectCount")
	p.do("POST", "/v2/actor-runs/"+id+"/resurrect?memory=300", nil).fails(400, "invalid-value")
	p.do("POST", "/v2/actor-runs/"+id+"/resurrect?memory=16384", nil).fails(402, "actor-memory-limit-exceeded")
	p.do("POST", "/v2/actor-runs/nothing/resurrect", nil).fails(404, "record-not-found")
	p.do("POST", "/v2/actors/"+actor.ID+"/runs/nothing/resurrect", nil).fails(404, "record-not-found")

	sleeper, _ := p.actor("sleep 60")
	running := p.do("POST", "/v2/actors/"+sleeper.ID+"/runs", nil).want(201).str("data", "id")
	p.do("POST", "/v2/actor-runs/"+running+"/resurrect", nil).fails(400, "operation-not-allowed")
	p.do("POST", "/v2/actor-runs/"+running+"/abort", nil).want(200)
}

func TestMetamorphosis(t *testing.T) {
	p := newPlatform(t)
	target, _ := p.defined(`"name":"target","input":{"title":"T","type":"object","schemaVersion":1,"properties":{
		"n":{"title":"N","type":"integer","description":"d","editor":"number","minimum":1,"default":5}}}`,
		`echo "now $ACTOR_FULL_NAME $ACTOR_ID $ACTOR_RUN_ID with $ACTOR_INPUT_KEY"; [ "$ACTOR_INPUT_KEY" = INPUT-METAMORPH-2 ] || sleep 60`)
	promising, _ := p.defined(`"name":"promising","output":{"actorOutputSchemaVersion":1,"title":"O","properties":{
		"items":{"type":"string","title":"I","template":"{{links.apiDefaultDatasetUrl}}/items"}}}`, "sleep 60")
	source, dir := p.actor(`echo "first $ACTOR_ID"; touch started; sleep 60`)
	id := p.do("POST", "/v2/actors/"+source.ID+"/runs", nil).want(201).str("data", "id")
	base := "/v2/actor-runs/" + id + "/metamorph"
	p.appears(filepath.Join(dir, "started"))

	p.do("POST", base, nil).fails(400, "parameter-required")
	p.do("POST", base+"?targetActorId=nobody", nil).fails(404, "record-not-found")
	p.do("POST", base+"?targetActorId=me~target", `{"n":0}`, "Content-Type", "application/json").fails(400, "invalid-input")
	p.do("GET", "/v2/actor-runs/"+id, nil).want(200).is("RUNNING", "data", "status")

	p.do("POST", base+"?targetActorId=me~target", `{"n":2}`, "Content-Type", "application/json").want(200).
		is(id, "data", "id").is(source.ID, "data", "actId").is(target.ID, "data", "metamorphs", 0, "actorId").
		is("INPUT-METAMORPH-1", "data", "metamorphs", 0, "inputKey").is(1, "data", "stats", "metamorph")
	p.follows(id, "now me/target "+target.ID+" "+id+" with INPUT-METAMORPH-1")
	p.do("POST", "/v2/actors/"+source.ID+"/runs/"+id+"/metamorph?targetActorId="+target.ID, nil).want(200)
	run := p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=60", nil).want(200).is("SUCCEEDED", "data", "status").is(0, "data", "stats", "rebootCount")
	kvs := "/v2/key-value-stores/" + run.str("data", "defaultKeyValueStoreId") + "/records/"
	p.do("GET", kvs+"INPUT-METAMORPH-1", nil).want(200).is(2, "n")
	p.do("GET", kvs+"INPUT-METAMORPH-2", nil).want(200).is(5, "n")
	p.do("POST", base+"?targetActorId="+target.ID, nil).fails(400, "job-finished")
	p.do("POST", "/v2/actors/"+source.ID+"/runs/"+id+"/metamorph?targetActorId="+target.ID, nil).fails(400, "job-finished")
	p.do("POST", "/v2/actors/nobody/runs/last/metamorph?targetActorId="+target.ID, nil).fails(404, "record-not-found")
	p.do("POST", "/v2/actors/"+source.ID+"/runs/last/metamorph?targetActorId="+target.ID, nil).fails(400, "job-finished")
	log := string(p.do("GET", "/v2/logs/"+id, nil).want(200).body)
	if !strings.Contains(log, "first "+source.ID) || strings.Count(log, "now me/target") != 2 {
		t.Errorf("the log is %s", log)
	}

	promised := p.do("POST", "/v2/actors/"+promising.ID+"/runs", nil).want(201).str("data", "id")
	p.reaches(promised, api.StatusRunning)
	p.do("POST", "/v2/actor-runs/"+promised+"/metamorph?targetActorId="+target.ID, nil).fails(400, "invalid-request")
	p.do("POST", "/v2/actors/"+promising.ID+"/runs/"+promised+"/abort", nil).want(200)

	// Resurrected, it is what it had become.
	p.do("POST", "/v2/actor-runs/"+id+"/resurrect", nil).want(200)
	p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=60", nil).want(200).is("SUCCEEDED", "data", "status")
	if log := string(p.do("GET", "/v2/logs/"+id, nil).want(200).body); !strings.Contains(log, "with INPUT-METAMORPH-2") {
		t.Errorf("the log is %s", log)
	}
}

// follows waits until the log of a run has a text.
func (p *platform) follows(id, text string) {
	p.t.Helper()
	for range 2000 {
		if strings.Contains(string(p.do("GET", "/v2/logs/"+id, nil).want(200).body), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("the log has no %q", text)
}

func TestLastRunOfATaskMetamorphs(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor("sleep 60")
	p.do("POST", "/v2/actor-tasks", `{"actId":"`+actor.ID+`","name":"long-task"}`).want(201)
	const task = "/v2/actor-tasks/me~long-task"
	id := p.do("POST", task+"/runs", nil).want(201).str("data", "id")
	p.reaches(id, api.StatusRunning)
	p.do("POST", task+"/runs/last/metamorph?targetActorId="+actor.ID, nil).want(200).
		is(id, "data", "id").is(actor.ID, "data", "metamorphs", 0, "actorId")
	p.do("POST", "/v2/actor-runs/"+id+"/abort", nil).want(200)
}

func TestMetamorphosesAreLimited(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor("echo here; sleep 60")
	id := p.do("POST", "/v2/actors/"+actor.ID+"/runs", nil).want(201).str("data", "id")
	for i := range 10 {
		for range 500 { // until the one before has started
			if p.do("POST", "/v2/actors/"+actor.ID+"/runs/last/metamorph?targetActorId="+actor.ID, nil).status == 200 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		p.do("GET", "/v2/actor-runs/"+id, nil).want(200).is(i+1, "data", "stats", "metamorph")
	}
	p.do("POST", "/v2/actor-runs/"+id+"/metamorph?targetActorId="+actor.ID, nil).fails(400, "max-metamorphs-exceeded")
	p.do("POST", "/v2/actor-runs/"+id+"/abort", nil).want(200)
}

const paidPerEvent = `{"pricingModel":"PAY_PER_EVENT","apifyMarginPercentage":0.2,"createdAt":"2026-01-01T00:00:00.000Z",
	"startedAt":"2026-01-01T00:00:00.000Z","minimalMaxTotalChargeUsd":0.5,"pricingPerEvent":{"actorChargeEvents":{
	"page":{"eventTitle":"Page","eventDescription":"d","eventPriceUsd":0.25},
	"apify-actor-start":{"eventTitle":"Start","eventDescription":"d","eventPriceUsd":0.00005},
	"apify-default-dataset-item":{"eventTitle":"Item","eventDescription":"d","eventPriceUsd":0.1}}}}`

func TestCharging(t *testing.T) {
	p := newPlatform(t)
	actor, dir := p.actor(`echo "$APIFY_TOKEN" > token.tmp; mv token.tmp token; trap 'exit 0' TERM; while :; do sleep 0.1; done`)
	runs := "/v2/actors/" + actor.ID + "/runs"
	id := p.do("POST", runs, nil).want(201).str("data", "id")
	token := func() []string {
		return []string{"Authorization", "Bearer " + strings.TrimSpace(p.appears(filepath.Join(dir, "token")))}
	}
	charge := "/v2/actor-runs/" + id + "/charge"
	p.do("POST", charge, `{"eventName":"page","count":1}`).fails(403, "insufficient-permissions")
	p.do("POST", charge, `{"eventName":"page","count":1}`, token()...).fails(405, "cannot-charge-non-pay-per-event-actor")
	p.do("POST", "/v2/actor-runs/nothing/charge", `{"eventName":"page","count":1}`).fails(404, "record-not-found")
	p.do("POST", "/v2/actor-runs/"+id+"/abort", nil).want(200)
	p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=60", nil).want(200)

	p.change = func(program *engine.Program) {
		program.Actor.PricingInfos = []json.RawMessage{json.RawMessage(paidPerEvent)}
	}
	p.do("POST", runs+"?maxTotalChargeUsd=0.1", nil).fails(400, "max-total-charge-usd-below-minimum")
	p.do("POST", runs+"?maxItems=0", nil).fails(400, "max-items-must-be-greater-than-zero")
	if err := os.Remove(filepath.Join(dir, "token")); err != nil {
		t.Fatal(err)
	}
	started := p.do("POST", runs+"?maxTotalChargeUsd=1&memory=2048", nil).want(201)
	started.is("PAY_PER_EVENT", "data", "pricingInfo", "pricingModel").is(2, "data", "chargedEventCounts", "apify-actor-start")
	id = started.str("data", "id")
	charge = "/v2/actor-runs/" + id + "/charge"
	own := token()
	p.do("POST", charge, `{"eventName":"apify-actor-start","count":1}`, own...).fails(405, "cannot-charge-apify-event")
	p.do("POST", charge, `{"eventName":"unknown","count":1}`, own...).fails(400, "invalid-value")
	p.do("POST", charge, `{"eventName":"page","count":0}`, own...).fails(400, "invalid-value")
	for range 3 {
		p.do("POST", charge, `{"eventName":"page","count":2}`, append(own, "idempotency-key", "one")...).want(201)
	}
	p.do("POST", "/v2/datasets/"+started.str("data", "defaultDatasetId")+"/items", `[{"a":1},{"a":2}]`, own...).want(201)
	p.do("GET", "/v2/actor-runs/"+id, nil).want(200).is("RUNNING", "data", "status").
		is(2, "data", "chargedEventCounts", "page").is(2, "data", "chargedEventCounts", "apify-default-dataset-item").
		is(1, "data", "usage", "DATASET_WRITES")
	p.do("POST", charge, `{"eventName":"page","count":3}`, append(own, "idempotency-key", "two")...).want(201)
	end := p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=60", nil).want(200).is("ABORTED", "data", "status").is(5, "data", "chargedEventCounts", "page")
	if end.str("data", "finishedAt") == "" {
		t.Error("it has no end")
	}
	if log := string(p.do("GET", "/v2/logs/"+id, nil).want(200).body); !strings.Contains(log, "maximum cost") {
		t.Errorf("the log is %s", log)
	}
}

func TestRunsWaitForMemory(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor("sleep 60")
	runs := "/v2/actors/" + actor.ID + "/runs"
	first := p.do("POST", runs+"?memory=8192", nil).want(201).str("data", "id")
	p.reaches(first, api.StatusRunning)
	second := p.do("POST", runs+"?memory=128&timeout=50", nil).want(201).str("data", "id")
	third := p.do("POST", runs+"?memory=128", nil).want(201).str("data", "id")
	p.do("GET", "/v2/actor-runs/"+second+"?waitForFinish=0.2", nil).want(200).is("READY", "data", "status")
	p.do("GET", "/v2/users/me/limits", nil).want(200).is(8, "data", "limits", "maxActorMemoryGbytes").
		is(8, "data", "current", "actorMemoryGbytes").is(3, "data", "current", "activeActorJobCount").is(64, "data", "limits", "maxConcurrentActorJobs")
	p.do("POST", runs+"?memory=16384", nil).fails(402, "actor-memory-limit-exceeded")
	p.do("POST", "/v2/actor-runs/"+third+"/abort", nil).want(200)
	p.do("GET", "/v2/actor-runs/"+third+"?waitForFinish=60", nil).want(200).is("ABORTED", "data", "status").is(nil, "data", "exitCode").
		is(0, "data", "stats", "computeUnits")
	p.do("POST", "/v2/actor-runs/"+first+"/abort", nil).want(200)
	p.reaches(second, api.StatusRunning)
	p.do("POST", "/v2/actor-runs/"+second+"/abort", nil).want(200)
}

func TestUsageOfAMonth(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor("exit 0")
	p.do("POST", "/v2/actors/"+actor.ID+"/runs?waitForFinish=60", nil).want(201)
	month := p.do("GET", "/v2/users/me/usage/monthly", nil).want(200)
	var body struct {
		Data struct {
			MonthlyServiceUsage map[string]struct{ Quantity, BaseAmountUsd float64 }
			DailyServiceUsages  []struct{ Date string }
		}
	}
	if err := json.Unmarshal(month.body, &body); err != nil {
		t.Fatal(err)
	}
	if u := body.Data.MonthlyServiceUsage["ACTOR_COMPUTE_UNITS"]; u.Quantity <= 0 || u.BaseAmountUsd <= 0 || len(body.Data.DailyServiceUsages) != 1 {
		t.Errorf("%s", month.body)
	}
	p.do("GET", "/v2/users/me/usage/monthly?date=2020-02-10", nil).want(200).is("2020-02-29T23:59:59.999Z", "data", "usageCycle", "endAt")
	p.do("GET", "/v2/users/me/usage/monthly?date=soon", nil).fails(400, "invalid-parameter")
}

func TestLimitedPermissions(t *testing.T) {
	p := newPlatform(t)
	actor, dir := p.actor(`echo "$ACTOR_PERMISSION_LEVEL $APIFY_TOKEN" > token.tmp; mv token.tmp token; sleep 60`)
	runs := "/v2/actors/" + actor.ID + "/runs"
	p.do("POST", runs+"?forcePermissionLevel=SOME", nil).fails(400, "invalid-value")
	id := p.do("POST", runs+"?forcePermissionLevel=LIMITED_PERMISSIONS", nil).want(201).str("data", "id")
	level, token, _ := strings.Cut(strings.TrimSpace(p.appears(filepath.Join(dir, "token"))), " ")
	if level != api.LimitedPermissions {
		t.Errorf("the code has %s", level)
	}
	own := []string{"Authorization", "Bearer " + token}
	p.do("POST", runs, nil, own...).fails(403, "insufficient-permissions")
	p.do("DELETE", "/v2/actors/"+actor.ID, nil, own...).fails(403, "insufficient-permissions")
	other := p.do("POST", runs+"?forcePermissionLevel=LIMITED_PERMISSIONS", nil, own...).want(201).str("data", "id")
	p.do("PUT", "/v2/actor-runs/"+id, `{"statusMessage":"fine"}`, own...).want(200)
	p.do("POST", "/v2/actor-runs/"+other+"/abort", nil, own...).fails(403, "insufficient-permissions")
	for _, run := range []string{id, other} {
		p.do("POST", "/v2/actor-runs/"+run+"/abort", nil).want(200)
	}
}

// Many clients wait for, list and read runs while others are started and end.
func TestManyRunsAtOnce(t *testing.T) {
	p := newPlatform(t)
	actor, _ := p.actor("echo done")
	var ids []string
	for range 40 {
		ids = append(ids, p.do("POST", "/v2/actors/"+actor.ID+"/runs?memory=128", nil).want(201).str("data", "id"))
	}
	for _, id := range ids {
		p.do("GET", "/v2/actor-runs/"+id+"?waitForFinish=60", nil).want(http.StatusOK).is("SUCCEEDED", "data", "status")
	}
	p.do("GET", fmt.Sprintf("/v2/actors/%s/runs?limit=5&offset=10&status=SUCCEEDED", actor.ID), nil).want(200).
		is(40, "data", "total").is(5, "data", "count").is(ids[10], "data", "items", 0, "id")
}
