package docker

import (
	"archive/tar"
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/hostport"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// result is what a container did.
type result struct {
	executor.Exit
	stdout, stderr string
}

// finish runs spec to its end.
func finish(t *testing.T, e *Executor, spec executor.Spec) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	spec.RunID, spec.Stdout, spec.Stderr = runID(t), &stdout, &stderr
	i, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	exit, err := i.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result{exit, stdout.String(), stderr.String()}
}

func runID(t *testing.T) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, t.Name())
}

// command makes an actor command that names itself.
func command(t *testing.T, interpreter string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mounted")
	if err := os.WriteFile(file, []byte("#!"+interpreter+"\necho ours\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// testImage makes an image that the test removes.
func testImage(t *testing.T, files map[string]string, changes ...string) string {
	t.Helper()
	needEngine(t)
	name := "greenroom-test/" + strings.ToLower(runID(t)) + ":latest"
	id, err := makeImage(name, files, changes...)
	if err != nil {
		t.Fatal(err)
	}
	removeImage(t, name)
	return id
}

func TestCommandOfTheImageWins(t *testing.T) {
	const own = "#!/bin/sh\necho theirs\n"
	for _, c := range []struct{ name, file, path, want string }{
		{"none", "elsewhere/actor", "/bin", "ours\n"},
		{"where ours would be", "usr/local/bin/actor", "/usr/local/bin:/bin", "theirs\n"},
		{"later on the path", "opt/x/actor", "/usr/local/bin:/bin:/opt/x", "theirs\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := testImage(t, map[string]string{c.file: own}, "ENV PATH="+c.path)
			spec := executor.Spec{Image: id, Command: []string{"sh", "-c", "actor"}, ActorBinary: command(t, "/bin/sh")}
			e := New(engineClient)
			if got := finish(t, e, spec); got.stdout != c.want {
				t.Errorf("got %+v, want %q", got, c.want)
			}
			// Remembered on disk.
			if got := finish(t, New(engineClient), spec); got.stdout != c.want {
				t.Errorf("the second time: got %+v, want %q", got, c.want)
			}
			// Another PATH is another question.
			spec.Env = []string{"PATH=/bin:/elsewhere"}
			if c.file == "elsewhere/actor" {
				if got := finish(t, e, spec); got.stdout != "theirs\n" {
					t.Errorf("with PATH of the run: got %+v", got)
				}
			}
		})
	}
}

func TestCommandIsMountedReadOnlyOrCopied(t *testing.T) {
	id := testImage(t, nil, "ENV PATH=/usr/local/bin:/bin")
	source := command(t, "/bin/sh")
	for _, copies := range []bool{false, true} {
		e := New(engineClient)
		e.refused.mounts = copies
		got := finish(t, e, executor.Spec{
			Image: id, ActorBinary: source,
			Command: []string{"sh", "-c", `actor; command -v actor; grep actor /proc/mounts; echo "echo changed" >/usr/local/bin/actor`},
		})
		if !strings.HasPrefix(got.stdout, "ours\n/usr/local/bin/actor\n") {
			t.Errorf("copies %v: %+v", copies, got)
		}
		if mounted := strings.Contains(got.stdout, " ro,"); mounted == copies {
			t.Errorf("copies %v: mounts are %q", copies, got.stdout)
		}
		if data, err := os.ReadFile(source); err != nil || !strings.Contains(string(data), "echo ours") {
			t.Errorf("copies %v: the command on the host is now %q, %v", copies, data, err)
		}
	}
}

// An image may hold nothing but one static program.
func TestScratchImage(t *testing.T) {
	needEngine(t)
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "busybox", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(program)
	w.Close()
	const name = "greenroom-test/scratch:latest"
	id, err := importImage(name, &archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	removeImage(t, name)
	for _, copies := range []bool{false, true} {
		e := New(engineClient)
		e.refused.mounts = copies
		got := finish(t, e, executor.Spec{Image: id, Command: []string{"/busybox", "sh", "-c", "actor"}, ActorBinary: command(t, "/busybox sh")})
		if got.stdout != "ours\n" {
			t.Errorf("copies %v: %+v", copies, got)
		}
	}
}

func removeImage(t *testing.T, name string) {
	t.Cleanup(func() {
		if err := exclude(name); err != nil {
			t.Error(err)
		}
	})
}

func TestImageKeepsItsUserCommandAndEnvironment(t *testing.T) {
	id := testImage(t, nil, "ENV PATH=/bin", "ENV KEPT=yes", "USER 1234:1234", "WORKDIR /tmp", `CMD ["sh","-c","id -u; echo $KEPT $ADDED; echo $PWD"]`)
	got := finish(t, New(engineClient), executor.Spec{Image: id, Env: []string{"ADDED=too"}, ActorBinary: command(t, "/bin/sh")})
	if got.stdout != "1234\nyes too\n/tmp\n" {
		t.Errorf("%+v", got)
	}
}

func TestLimits(t *testing.T) {
	needEngine(t)
	e := New(engineClient)
	start := func(mbytes int) container.InspectResponse {
		t.Helper()
		spec := harness.Shell("sleep 300")
		spec.RunID, spec.MemoryMbytes, spec.Labels = runID(t), mbytes, map[string]string{"mine": "kept"}
		i, err := e.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		c, err := engineClient.ContainerInspect(t.Context(), i.ID())
		if err != nil {
			t.Fatal(err)
		}
		_ = i.Kill(t.Context())
		_, _ = i.Wait(t.Context())
		return c
	}
	if c := start(0); c.HostConfig.Memory != 0 || c.HostConfig.CPUQuota != 0 {
		t.Errorf("without a limit: %+v", c.HostConfig.Resources)
	}
	c := start(2048)
	if r := c.HostConfig.Resources; r.Memory != 2048<<20 || r.MemorySwap != 2048<<20 || r.CPUQuota*2 != r.CPUPeriod {
		t.Errorf("with 2048 MB: %+v", r)
	}
	if c.Config.Labels["mine"] != "kept" || c.Config.Labels[RunLabel] != runID(t) || c.Config.Labels[OwnerLabel] != owner.Self().String() {
		t.Errorf("labels are %v", c.Config.Labels)
	}
	if c.Config.OpenStdin || c.Config.Tty {
		t.Error("it has a stdin or a terminal")
	}
	// More than any engine here has cores for.
	if r := start(4096 * 512).HostConfig.Resources; r.CPUQuota != 512*r.CPUPeriod {
		t.Errorf("with a lot: %+v", r)
	}
}

func TestOutOfMemory(t *testing.T) {
	needEngine(t)
	spec := harness.Shell("exec busybox tail -c 400000000 /dev/zero")
	spec.MemoryMbytes = 256
	if got := finish(t, New(engineClient), spec); got.Code != 137 || !got.OOMKilled {
		t.Errorf("%+v", got.Exit)
	}
	// A signal alone is no lack of memory.
	spec = harness.Shell("sh -c 'kill -9 $$'; exit $?")
	spec.MemoryMbytes = 256
	if got := finish(t, New(engineClient), spec); got.Code != 137 || got.OOMKilled {
		t.Errorf("%+v", got.Exit)
	}
}

func TestAnonymousVolumesGo(t *testing.T) {
	id := testImage(t, nil, "ENV PATH=/bin", "VOLUME /data")
	count := func() int {
		t.Helper()
		all, err := engineClient.VolumeList(t.Context(), volume.ListOptions{Filters: filters.NewArgs(filters.Arg("dangling", "true"))})
		if err != nil {
			t.Fatal(err)
		}
		return len(all.Volumes)
	}
	before := count()
	finish(t, New(engineClient), executor.Spec{Image: id, Command: []string{"sh", "-c", "echo x >/data/x"}})
	if after := count(); after > before {
		t.Errorf("%d volumes before, %d after", before, after)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	needEngine(t)
	e := New(engineClient)
	spec := harness.Shell("true")
	spec.RunID, spec.Image = runID(t), "sha256:"+strings.Repeat("0", 64)
	for _, binary := range []string{"", command(t, "/bin/sh")} {
		spec.ActorBinary = binary
		if _, err := e.Start(t.Context(), spec); !fault.Is(err, fault.NotFound) || fault.HintOf(err) == "" {
			t.Errorf("an unknown image: %v", err)
		}
	}
	port, err := hostport.Free(0)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spec = harness.Serve(port)
	spec.RunID = runID(t)
	if _, err := e.Start(t.Context(), spec); !fault.Is(err, fault.Conflict) || fault.HintOf(err) == "" {
		t.Errorf("a port that is taken: %v", err)
	}
	if left, err := containers(RunLabel + "=" + runID(t)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// An engine that goes away in the middle of a run must not hang anybody.
func TestEngineGoesAway(t *testing.T) {
	needEngine(t)
	if !strings.HasPrefix(engineClient.DaemonHost(), "unix://") {
		t.Skip("the engine is not at a socket")
	}
	socket := filepath.Join(t.TempDir(), "engine.sock")
	cut := relay(t, socket, strings.TrimPrefix(engineClient.DaemonHost(), "unix://"))
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	cli, err := Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := New(cli)
	spec := harness.Shell("echo ready; sleep 300")
	ready := make(chan struct{}, 1)
	spec.RunID = runID(t)
	spec.Stdout = writerFunc(func(p []byte) (int, error) { ready <- struct{}{}; return len(p), nil })
	i, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer New(engineClient).removeQuietly(i.ID())
	<-ready
	cut()
	begin := time.Now()
	if exit, err := i.Wait(t.Context()); !fault.Is(err, fault.Unavailable) || fault.HintOf(err) == "" {
		t.Errorf("wait gave %+v, %v", exit, err)
	}
	if took := time.Since(begin); took > 2*removeLimit {
		t.Errorf("took %v", took)
	}
	if _, ok := i.Usage(t.Context()); ok {
		t.Error("there is a usage")
	}
	if _, err := e.Start(t.Context(), spec); !fault.Is(err, fault.Unavailable) {
		t.Errorf("start gave %v", err)
	}
	if _, err := e.Reap(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("reap gave %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// relay passes connections on to another socket until cut is called.
func relay(t *testing.T, from, to string) (cut func()) {
	t.Helper()
	l, err := net.Listen("unix", from)
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		conns []net.Conn
	)
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("unix", to)
			if err != nil {
				a.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, a, b)
			mu.Unlock()
			pass := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				to.Close()
				from.Close()
			}
			go pass(a, b)
			go pass(b, a)
		}
	}()
	cut = func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	}
	t.Cleanup(cut)
	return cut
}

func TestReapKnowsItsOwn(t *testing.T) {
	needEngine(t)
	dead := owner.Self()
	dead.Start += "0" // another process that had this id
	elsewhere := dead
	elsewhere.Machine = "0123456789abcdef"
	earlier := dead
	earlier.Boot = "before"
	for _, c := range []struct {
		name    string
		labels  map[string]string
		running bool
		reaped  bool
	}{
		{"of a dead owner", map[string]string{OwnerLabel: dead.String()}, true, true},
		{"of a dead owner, never started", map[string]string{OwnerLabel: dead.String()}, false, true},
		{"of another machine", map[string]string{OwnerLabel: elsewhere.String()}, true, false},
		{"of an earlier boot, running", map[string]string{OwnerLabel: earlier.String()}, true, false},
		{"of nobody known", map[string]string{OwnerLabel: "somebody"}, true, false},
		{"not ours", nil, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			made, err := engineClient.ContainerCreate(t.Context(), &container.Config{
				Image: baseImage, Cmd: []string{"sleep", "300"}, Labels: c.labels,
			}, nil, nil, nil, "")
			if err != nil {
				t.Fatal(err)
			}
			e := New(engineClient)
			defer e.removeQuietly(made.ID)
			if c.running {
				if err := engineClient.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := e.Reap(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err = engineClient.ContainerInspect(t.Context(), made.ID)
			if gone := errdefs.IsNotFound(err); gone != c.reaped {
				t.Errorf("gone: %v, want %v (%v)", gone, c.reaped, err)
			}
		})
	}
}
