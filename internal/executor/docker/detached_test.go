package docker

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/docker/containerlog"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// taken is what an Output was given.
type taken struct {
	mu   sync.Mutex
	text string
	at   executor.Position
	lost bool
}

func (o *taken) take(pieces []executor.Piece, after executor.Position) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range pieces {
		o.text += string(p.Data)
		o.lost = o.lost || p.Lost
	}
	o.at = after
	return nil
}

func (o *taken) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text
}

func (o *taken) await(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(o.String(), what); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in %q", what, o)
		}
	}
}

// startDetached starts a script for a server of the test.
func startDetached(t *testing.T, e *Executor, spec executor.Spec) (executor.Instance, *taken) {
	t.Helper()
	out := &taken{}
	spec.RunID, spec.Output = runID(t), out.take
	i, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := NewServer(engineClient, e.server).Remove(context.Background(), i.Handle()); err != nil {
			t.Error(err)
		}
	})
	return i, out
}

func TestEndedFromOutside(t *testing.T) {
	needEngine(t)
	e := NewServer(engineClient, runID(t))
	for signal, code := range map[string]int{"KILL": 137, "TERM": 143} {
		i, out := startDetached(t, e, harness.Shell("trap 'kill -9 $$' USR1; trap 'exit 143' TERM; echo ready; while :; do sleep 0.05; done"))
		out.await(t, "ready")
		if err := engineClient.ContainerKill(t.Context(), i.ID(), signal); err != nil {
			t.Fatal(err)
		}
		if exit, err := i.Wait(t.Context()); err != nil || exit != (executor.Exit{Code: code, Cause: executor.CauseOutside}) {
			t.Errorf("%s: wait gave %+v, %v", signal, exit, err)
		}
	}
	// What it does to itself is its own affair.
	i, _ := startDetached(t, e, harness.Shell("sh -c 'kill -9 $$'; exit $?"))
	if exit, err := i.Wait(t.Context()); err != nil || exit != (executor.Exit{Code: 137}) {
		t.Errorf("its own signal: wait gave %+v, %v", exit, err)
	}
	// Removed while it runs.
	i, out := startDetached(t, e, harness.Shell("echo ready; sleep 300"))
	out.await(t, "ready")
	if err := engineClient.ContainerRemove(t.Context(), i.ID(), container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	exit, err := i.Wait(t.Context())
	if lost, ok := executor.LostOf(err); !ok || lost != executor.LostRemoved || !fault.Is(err, fault.RunFailed) || fault.HintOf(err) == "" {
		t.Errorf("removed: wait gave %+v, %v", exit, err)
	}
}

func TestDetachedOutOfMemory(t *testing.T) {
	needEngine(t)
	e := NewServer(engineClient, runID(t))
	spec := harness.Shell("sleep 0.5; exec busybox tail -c 400000000 /dev/zero")
	spec.MemoryMbytes = 256
	i, _ := startDetached(t, e, spec)
	if exit, err := i.Wait(t.Context()); err != nil || exit != (executor.Exit{Code: 137, OOMKilled: true}) {
		t.Errorf("wait gave %+v, %v", exit, err)
	}
	// To be told later too.
	later, err := NewServer(engineClient, e.server).Attach(t.Context(), i.Handle(), executor.TakeOver{})
	if err != nil {
		t.Fatal(err)
	}
	if exit, err := later.Wait(t.Context()); err != nil || exit != (executor.Exit{Code: 137, OOMKilled: true}) {
		t.Errorf("later wait gave %+v, %v", exit, err)
	}
}

// away gives an executor whose engine can be taken away and given back.
func away(t *testing.T) (e *Executor, cut func(), back func()) {
	t.Helper()
	needEngine(t)
	engine, ok := strings.CutPrefix(engineClient.DaemonHost(), "unix://")
	if !ok {
		t.Skip("the engine is not at a socket")
	}
	socket := filepath.Join(t.TempDir(), "engine.sock")
	cut = relay(t, socket, engine)
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	cli, err := Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e = NewServer(cli, runID(t))
	return e, cut, func() { relay(t, socket, engine) }
}

func TestEngineComesBack(t *testing.T) {
	e, cut, back := away(t)
	i, out := startDetached(t, e, harness.Shell("echo ready; i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); sleep 0.01; done; exit 4"))
	out.await(t, "ready")
	cut()
	if _, ok := i.Usage(t.Context()); ok {
		t.Error("there is a usage without an engine")
	}
	if err := i.Terminate(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("terminate gave %v", err)
	}
	time.Sleep(time.Second)
	// Attaching is patient as well.
	second := &taken{}
	later, err := e.Attach(t.Context(), i.Handle(), executor.TakeOver{Output: second.take})
	if err != nil {
		t.Fatal(err)
	}
	back()
	want := "ready\n"
	for n := range 300 {
		want += fmt.Sprintf("%d\n", n)
	}
	for _, c := range []struct {
		executor.Instance
		*taken
	}{{i, out}, {later, second}} {
		if exit, err := c.Wait(t.Context()); err != nil || exit != (executor.Exit{Code: 4}) {
			t.Errorf("wait gave %+v, %v", exit, err)
		}
		if got := c.taken.String(); got != want || c.lost {
			t.Errorf("the output is %q, lost %v", got, c.lost)
		}
	}
}

func TestEngineStaysAway(t *testing.T) {
	e, cut, _ := away(t)
	e.patience = time.Second
	i, out := startDetached(t, e, harness.Shell("echo ready; sleep 300"))
	out.await(t, "ready")
	cut()
	begin := time.Now()
	exit, err := i.Wait(t.Context())
	if lost, ok := executor.LostOf(err); !ok || lost != executor.LostEngine || !fault.Is(err, fault.Unavailable) || fault.HintOf(err) == "" {
		t.Errorf("wait gave %+v, %v", exit, err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// An engine that cannot limit the disk says so and starts the run all the same.
func TestDiskLimit(t *testing.T) {
	needEngine(t)
	e := NewServer(engineClient, runID(t))
	spec := harness.Shell("echo x >/file; exit 5")
	spec.DiskMbytes = 512
	i, _ := startDetached(t, e, spec)
	if exit, err := i.Wait(t.Context()); err != nil || exit.Code != 5 {
		t.Errorf("wait gave %+v, %v", exit, err)
	}
	c, err := engineClient.ContainerInspect(t.Context(), i.ID())
	if err != nil {
		t.Fatal(err)
	}
	can, err := e.Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if limited := c.HostConfig.StorageOpt["size"] == "512M"; limited != can.DiskLimit {
		t.Errorf("limited %v, but said to be %v", limited, can.DiskLimit)
	}
	if can.DiskLimit == strings.Contains(strings.Join(can.Notices, ""), "disk space") || !can.Survives {
		t.Errorf("capabilities are %+v", can)
	}
}

// A log whose beginning the engine has dropped is read on from the same place,
// as long as that is there.
func TestLogThatLosesItsBeginning(t *testing.T) {
	needEngine(t)
	for driver, size := range map[string]string{"local": "250k", "json-file": "500k"} {
		made, err := engineClient.ContainerCreate(t.Context(), &container.Config{
			Image: baseImage, Cmd: []string{"sh", "-c", `trap 'echo >/go' USR1
i=0; while [ $i -lt 32000 ]; do echo line $i; i=$((i+1)); [ $i != 20000 ] || while [ ! -e /go ]; do sleep 0.1; done; done`},
		}, &container.HostConfig{LogConfig: container.LogConfig{Type: driver, Config: map[string]string{"max-size": size, "max-file": "4", "compress": "false"}}}, nil, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		defer New(engineClient).removeQuietly(made.ID)
		if err := engineClient.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		source := containerlog.Source{Client: engineClient, Container: made.ID}
		// read takes what is there from a position on, until it contains stop.
		read := func(after executor.Position, stop string) *taken {
			log, err := source.Open(t.Context(), after, false)
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			out := &taken{}
			for {
				pieces, at, err := log.Next()
				if err != nil {
					return out
				}
				_ = out.take(pieces, at)
				if stop != "" && strings.Contains(out.text, stop) {
					return out
				}
			}
		}
		for !strings.Contains(read("", "").text, "line 19999\n") {
			time.Sleep(20 * time.Millisecond)
		}
		before := read("", "line 19000\n")
		old := strings.SplitN(before.text, "\n", 2)[0]
		if err := engineClient.ContainerKill(t.Context(), made.ID, "USR1"); err != nil {
			t.Fatal(err)
		}
		ended, failed := engineClient.ContainerWait(t.Context(), made.ID, container.WaitConditionNotRunning)
		select {
		case <-ended:
		case err := <-failed:
			t.Fatal(err)
		case <-time.After(time.Minute):
			t.Fatal("it does not end")
		}
		if now := strings.SplitN(read("", "").text, "\n", 2)[0]; now == old {
			t.Fatalf("%s: the engine has dropped nothing: the log still begins with %q", driver, now)
		}
		lines := strings.Split(strings.TrimSuffix(before.text, "\n"), "\n")
		var last int
		if _, err := fmt.Sscanf(lines[len(lines)-1], "line %d", &last); err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for n := last + 1; n < 32000; n++ {
			fmt.Fprintf(&want, "line %d\n", n)
		}
		if rest := read(before.at, ""); rest.lost || rest.text != want.String() {
			t.Errorf("%s: behind line %d: lost %v, %d bytes that begin with %.40q, want %d", driver, last, rest.lost, len(rest.text), rest.text, want.Len())
		}
		// A place that is dropped for sure.
		dropped := executor.Position(`{"f":{"t":1,"s":1},"n":5,"l":{"t":2,"s":1},"k":1}`)
		if all := read(dropped, ""); !all.lost || !strings.HasSuffix(all.text, "line 31999\n") {
			t.Errorf("%s: behind what was dropped: lost %v, %d bytes", driver, all.lost, len(all.text))
		}
		if _, err := source.Open(t.Context(), "nonsense", false); err == nil {
			t.Errorf("%s: a position that is none is taken", driver)
		}
	}
}
