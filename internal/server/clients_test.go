package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/engine"
)

// runClient runs a script with an official client against the platform.
func runClient(t *testing.T, p *platform, command *exec.Cmd) {
	t.Helper()
	command.Env = append(os.Environ(), "BASE_URL="+p.URL, "TOKEN="+ownerToken, "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost")
	command.Env = append(command.Env, "NODE_PATH="+os.Getenv("GREENROOM_TEST_NODE_MODULES"))
	output, err := command.CombinedOutput()
	if err != nil || string(output) != "ok\n" {
		t.Fatalf("%v:\n%s", err, output)
	}
}

// fromEnvironment gives the value of a variable that CI must set.
func fromEnvironment(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not set", name)
		}
		t.Skipf("%s is not set; see scripts/test-sdks.sh", name)
	}
	return value
}

func TestJavaScriptClient(t *testing.T) {
	fromEnvironment(t, "GREENROOM_TEST_NODE_MODULES")
	runClient(t, newPlatform(t), exec.Command("node", filepath.Join("testdata", "client.cjs")))
}

func TestPythonClient(t *testing.T) {
	python := fromEnvironment(t, "GREENROOM_TEST_PYTHON")
	runClient(t, newPlatform(t), exec.Command(python, filepath.Join("testdata", "client.py")))
}

func TestActorsOfTheJavaScriptClient(t *testing.T) {
	fromEnvironment(t, "GREENROOM_TEST_NODE_MODULES")
	runClient(t, newBuildingPlatform(t), exec.Command("node", filepath.Join("testdata", "actors.cjs")))
}

func TestActorsOfThePythonClient(t *testing.T) {
	python := fromEnvironment(t, "GREENROOM_TEST_PYTHON")
	runClient(t, newBuildingPlatform(t), exec.Command(python, filepath.Join("testdata", "actors.py")))
}

// The clients need an Actor for tasks and schedules, and webhooks somebody who
// takes their calls.
func automated(t *testing.T) *platform {
	p := newPlatform(t)
	p.actor(`exit 0`)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "received") }))
	t.Cleanup(receiver.Close)
	t.Setenv("RECEIVER_URL", receiver.URL)
	return p
}

func TestJavaScriptClientAutomation(t *testing.T) {
	fromEnvironment(t, "GREENROOM_TEST_NODE_MODULES")
	runClient(t, automated(t), exec.Command("node", filepath.Join("testdata", "automation.cjs")))
}

func TestPythonClientAutomation(t *testing.T) {
	python := fromEnvironment(t, "GREENROOM_TEST_PYTHON")
	runClient(t, automated(t), exec.Command(python, filepath.Join("testdata", "automation.py")))
}

// telling is a run that tells its token and ends when it is asked to.
const telling = `echo "token $APIFY_TOKEN"; trap 'exit 0' TERM; while :; do sleep 0.1; done`

// paid makes an Actor known that is paid per event, for the clients' runs.
func paid(t *testing.T) *platform {
	p := newPlatform(t)
	p.actor(telling)
	p.change = func(program *engine.Program) {
		program.Actor.PricingInfos = []json.RawMessage{json.RawMessage(paidPerEvent)}
	}
	return p
}

func TestRunsOfTheJavaScriptClient(t *testing.T) {
	fromEnvironment(t, "GREENROOM_TEST_NODE_MODULES")
	runClient(t, paid(t), exec.Command("node", filepath.Join("testdata", "runs.cjs")))
}

func TestRunsOfThePythonClient(t *testing.T) {
	python := fromEnvironment(t, "GREENROOM_TEST_PYTHON")
	runClient(t, paid(t), exec.Command(python, filepath.Join("testdata", "runs.py")))
}
