package image

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// prepared makes the base images once per test run.
var prepared = sync.OnceValues(func() (*client.Client, error) {
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := cli.Ping(ctx); err != nil {
		return nil, err
	}
	cli.NegotiateAPIVersion(ctx)
	if _, err := cli.ImageInspect(ctx, "busybox:latest"); err == nil {
		return cli, nil
	}
	if out, err := exec.Command("../../../scripts/test-images.sh").CombinedOutput(); err != nil {
		return nil, &exec.Error{Name: string(out), Err: err}
	}
	return cli, nil
})

// engine connects to the machine's container engine. Without one the test is
// skipped, except in CI, where it fails.
func engine(t *testing.T) *client.Client {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	cli, err := prepared()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no container engine: %v", err)
	}
	if err != nil {
		t.Skipf("no container engine: %v", err)
	}
	return cli
}

// project writes files into a new directory and gives the Actor in it. The
// images of it go away with the test.
func project(t *testing.T, files map[string]string) *definition.Actor {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	actor := &definition.Actor{Root: dir, ContextDir: dir, Name: "My Test_Actor", Version: "0.0"}
	for _, name := range []string{"Dockerfile", ".actor/Dockerfile"} {
		if _, ok := files[name]; ok {
			actor.Dockerfile = filepath.Join(dir, filepath.FromSlash(name))
		}
	}
	t.Cleanup(func() {
		if cli, err := prepared(); err == nil {
			_, _ = cli.ImageRemove(context.Background(), Tag(actor), image.RemoveOptions{Force: true, PruneChildren: true})
		}
	})
	return actor
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// makeImage builds and fails the test when that fails.
func makeImage(t *testing.T, cli *client.Client, req builder.Request) (builder.Result, string) {
	t.Helper()
	var log bytes.Buffer
	req.Log = &log
	result, err := New(cli).Build(t.Context(), req)
	if err != nil {
		t.Fatalf("build: %v\nhint: %s\nlog:\n%s", err, fault.HintOf(err), &log)
	}
	return result, log.String()
}

// output runs a command in a container of the image, without the network, and
// gives what it printed. Without a command it runs the image's own.
func output(t *testing.T, cli *client.Client, imageID string, command ...string) string {
	t.Helper()
	ctx := t.Context()
	made, err := cli.ContainerCreate(ctx, &container.Config{Image: imageID, Cmd: command},
		&container.HostConfig{NetworkMode: "none"}, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer cli.ContainerRemove(context.WithoutCancel(ctx), made.ID, container.RemoveOptions{Force: true})
	wait, failed := cli.ContainerWait(ctx, made.ID, container.WaitConditionNextExit)
	if err := cli.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-wait:
	case err := <-failed:
		t.Fatal(err)
	}
	logs, err := cli.ContainerLogs(ctx, made.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, logs); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// builders runs a test with both builders of the engine.
func builders(t *testing.T, test func(t *testing.T, cli *client.Client)) {
	for name, value := range map[string]string{"buildkit": "1", "classic": "0"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_BUILDKIT", value)
			test(t, engine(t))
		})
	}
}
