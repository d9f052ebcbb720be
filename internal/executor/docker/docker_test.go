package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/executortest"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
)

const (
	baseImage = "greenroom-test/busybox:latest"
	webPort   = 4321
)

// engineClient is the engine of all tests, nil when there is none.
var engineClient *client.Client

var harness = executortest.Harness{
	New: func() (executor.Executor, error) {
		cli, err := Connect(context.Background())
		if err != nil {
			return nil, err
		}
		return New(cli), nil
	},
	Server: func(id, _ string) (executor.Executor, error) {
		cli, err := Connect(context.Background())
		if err != nil {
			return nil, err
		}
		return NewServer(cli, id), nil
	},
	Shell: func(script string) executor.Spec {
		return executor.Spec{Image: baseImage, Command: []string{"sh", "-c", script}}
	},
	Serve: func(hostPort int) executor.Spec {
		return executor.Spec{
			Image: baseImage, WebServerPort: webPort, HostPort: hostPort,
			Command: []string{"sh", "-c", fmt.Sprintf("mkdir /www && printf hello >/www/index.html && exec httpd -f -p %d -h /www", webPort)},
		}
	},
	Fetch: func(url string) executor.Spec {
		return executor.Spec{Image: baseImage, Command: []string{"wget", "-q", "-O", "-", url}}
	},
	Broken: func() executor.Spec {
		return executor.Spec{Image: baseImage, Command: []string{"no-such-command"}}
	},
	Remains: func(runID string) ([]string, error) { return containers(RunLabel + "=" + runID) },
}

// containers lists those with a label, running or not.
func containers(label string) ([]string, error) {
	cli, err := Connect(context.Background())
	if err != nil {
		return nil, err
	}
	defer cli.Close()
	list, err := cli.ContainerList(context.Background(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", label))})
	var names []string
	for _, c := range list {
		names = append(names, nameOf(c)+" "+c.State)
	}
	return names, err
}

func TestMain(m *testing.M) {
	executortest.Main(harness)
	os.Exit(run(m))
}

func run(m *testing.M) int {
	// What is remembered of images is to be found out anew.
	dir, err := os.MkdirTemp("", "docker-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("XDG_CACHE_HOME", dir)

	engineClient, err = Connect(context.Background())
	if err != nil {
		if os.Getenv("CI") == "true" {
			fmt.Fprintln(os.Stderr, "these tests must run here, and there is no container engine:", err)
			return 1
		}
		fmt.Fprintln(os.Stderr, "tests with containers are skipped:", err)
		return m.Run()
	}
	old, _ := engineClient.ImageInspect(context.Background(), baseImage)
	made, err := makeImage(baseImage, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "making the test image:", err)
		return 1
	}
	if old.ID != "" && old.ID != made {
		// The one of the last time has lost its name.
		_ = exclude(old.ID)
	}
	code := m.Run()
	if left, err := containers(OwnerLabel + "=" + owner.Self().String()); err != nil || len(left) > 0 {
		fmt.Fprintln(os.Stderr, "containers left behind:", left, err)
		code = max(code, 1)
	}
	return code
}

// needEngine skips a test that has no engine to use.
func needEngine(t *testing.T) {
	t.Helper()
	if engineClient == nil {
		t.Skip("no container engine answers")
	}
}

// applets are the tools that the tests' scripts use.
var applets = strings.Fields("sh env cat head tr sleep setsid wget httpd mkdir printf grep id echo true false ls test yes")

// makeImage makes an image of the static busybox of this machine, with changes
// in the form of Dockerfile instructions and with more files, and gives its id.
func makeImage(name string, files map[string]string, changes ...string) (string, error) {
	const busybox = "/bin/busybox"
	program, err := os.ReadFile(busybox)
	if err != nil {
		return "", fmt.Errorf("a static busybox is needed: %w", err)
	}
	parsed, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return "", err
	}
	for _, p := range parsed.Progs {
		if p.Type == elf.PT_INTERP {
			return "", errors.New(busybox + " is not static; install busybox-static")
		}
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	add := func(h tar.Header, data string) {
		h.Size = int64(len(data))
		err = errors.Join(err, w.WriteHeader(&h))
		_, writeErr := io.WriteString(w, data)
		err = errors.Join(err, writeErr)
	}
	add(tar.Header{Name: "bin/busybox", Mode: 0o755}, string(program))
	add(tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o777}, "")
	for _, a := range applets {
		add(tar.Header{Name: "bin/" + a, Typeflag: tar.TypeSymlink, Linkname: "busybox"}, "")
	}
	for name, data := range files {
		add(tar.Header{Name: name, Mode: 0o755}, data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return "", err
	}
	return importImage(name, &archive, changes)
}

func importImage(name string, archive io.Reader, changes []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	repository, tag, _ := strings.Cut(name, ":")
	answer, err := engineClient.ImageImport(ctx, image.ImportSource{Source: archive, SourceName: "-"}, repository,
		image.ImportOptions{Tag: tag, Changes: changes})
	if err != nil {
		return "", err
	}
	defer answer.Close()
	if said, err := io.ReadAll(answer); err != nil || bytes.Contains(said, []byte("error")) {
		return "", fmt.Errorf("import: %s %w", said, err)
	}
	made, err := engineClient.ImageInspect(ctx, name)
	return made.ID, err
}

func TestConformance(t *testing.T) {
	needEngine(t)
	executortest.Run(t, harness)
}

// exclude removes an image.
func exclude(name string) error {
	_, err := engineClient.ImageRemove(context.Background(), name, image.RemoveOptions{Force: true})
	return err
}
