package image

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestBuildMakesARunnableImage(t *testing.T) {
	builders(t, func(t *testing.T, cli *client.Client) {
		actor := project(t, map[string]string{
			"Dockerfile": "FROM busybox\nARG ACTOR_PATH_IN_DOCKER_CONTEXT\nWORKDIR /app\nCOPY . .\n" +
				"RUN echo built in $ACTOR_PATH_IN_DOCKER_CONTEXT | tee where\nCMD [\"sh\", \"main.sh\"]\n",
			"main.sh":            "cat where; find . -type f | sort; readlink link; stat -c '%a %u' exe 'sub/a file ö'",
			"exe":                "",
			"sub/a file ö":       "x",
			"storage/datasets/a": "never sent",
			".git/HEAD":          "never sent",
			"sub/storage/kept":   "y",
		})
		if err := os.Symlink("sub/a file ö", filepath.Join(actor.Root, "link")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(actor.Root, "exe"), 0o750); err != nil {
			t.Fatal(err)
		}
		// Without the engine's cache, so that there is something to show.
		result, log := makeImage(t, cli, builder.Request{Actor: actor, NoCache: true})
		if result.Cached || !strings.HasPrefix(result.Image, "sha256:") || result.SizeBytes == 0 {
			t.Errorf("result is %+v", result)
		}
		if !strings.Contains(log, "  built in .\n") || !strings.Contains(log, "COPY . .\n") {
			t.Errorf("the log shows no steps:\n%s", log)
		}
		want := "built in .\n./Dockerfile\n./exe\n./main.sh\n./sub/a file ö\n./sub/storage/kept\n./where\nsub/a file ö\n750 0\n644 0\n"
		if got := output(t, cli, result.Image); got != want {
			t.Errorf("the image's command printed %q, want %q", got, want)
		}
	})
}

// recorder notes what is asked of the engine.
type recorder struct {
	http.RoundTripper
	mu    sync.Mutex
	asked []string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.asked = append(r.asked, req.Method+" "+req.URL.Path)
	r.mu.Unlock()
	return r.RoundTripper.RoundTrip(req)
}

// built tells whether a build was asked for since the last call.
func (r *recorder) built() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return slices.ContainsFunc(asked, func(s string) bool { return strings.HasSuffix(s, "/build") })
}

func recorded(t *testing.T, cli *client.Client) (*client.Client, *recorder) {
	t.Helper()
	http := cli.HTTPClient()
	r := &recorder{RoundTripper: http.Transport}
	http.Transport = r
	watched, err := client.NewClientWithOpts(client.FromEnv, client.WithHTTPClient(http), client.WithVersion(cli.ClientVersion()))
	if err != nil {
		t.Fatal(err)
	}
	return watched, r
}

func TestUnchangedSourceIsNotBuiltAgain(t *testing.T) {
	builders(t, func(t *testing.T, cli *client.Client) {
		cli, engine := recorded(t, cli)
		actor := project(t, map[string]string{"Dockerfile": "FROM busybox\nCOPY . /app\nCMD [\"cat\", \"/app/file\"]\n", "file": "one", "ignored": "", ".dockerignore": "ignored"})
		file := filepath.Join(actor.Root, "file")
		first, _ := makeImage(t, cli, builder.Request{Actor: actor})
		if !engine.built() {
			t.Fatal("the first start did not build")
		}

		same := func(what string) {
			t.Helper()
			result, log := makeImage(t, cli, builder.Request{Actor: actor})
			asked := len(engine.asked)
			if engine.built() || !result.Cached || result.Image != first.Image || log != "" {
				t.Errorf("after %s the image was built again: %+v %s", what, result, log)
			}
			if asked != 1 {
				t.Errorf("after %s the engine was asked %d times, want once", what, asked)
			}
		}
		same("nothing")
		write(t, actor.Root, map[string]string{"storage/datasets/default/000000001.json": "{}", "ignored": "changed"})
		same("a run and a change to what is ignored")
		if err := os.Chtimes(file, time.Now(), time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		same("a change of times")

		again := func(what string, req builder.Request) builder.Result {
			t.Helper()
			req.Actor = actor
			result, _ := makeImage(t, cli, req)
			if !engine.built() || result.Cached {
				t.Errorf("after %s the image was not built again", what)
			}
			return result
		}
		again("--rebuild", builder.Request{Rebuild: true})
		again("--no-cache", builder.Request{NoCache: true})
		before := again("a change of mode", func() builder.Request {
			if err := os.Chmod(file, 0o600); err != nil {
				t.Fatal(err)
			}
			return builder.Request{}
		}())
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		// As long as before, and with the old time of modification.
		write(t, actor.Root, map[string]string{"file": "two"})
		if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		after := again("a change of content", builder.Request{})
		if got := output(t, cli, after.Image); got != "two" {
			t.Errorf("the new image prints %q", got)
		}
		if _, err := cli.ImageInspect(t.Context(), before.Image); !cerrdefs.IsNotFound(err) {
			t.Errorf("the superseded image is still there (%v)", err)
		}
	})
}

func TestIgnoreFilesStayAvailableToTheBuild(t *testing.T) {
	builders(t, func(t *testing.T, cli *client.Client) {
		actor := project(t, map[string]string{
			".actor/Dockerfile": "FROM busybox\nCOPY . /app\nCMD find /app -type f | sort\n",
			".dockerignore":     "*\n!src\nsrc/*.log\n!src/keep.log\n",
			"src/a.js":          "", "src/b.log": "", "src/keep.log": "", "other": "",
		})
		result, _ := makeImage(t, cli, builder.Request{Actor: actor})
		if got, want := output(t, cli, result.Image), "/app/src/a.js\n/app/src/keep.log\n"; got != want {
			t.Errorf("the image has %q, want %q", got, want)
		}
	})
}

func TestDockerfileOutsideTheContext(t *testing.T) {
	builders(t, func(t *testing.T, cli *client.Client) {
		actor := project(t, map[string]string{
			".actor/Dockerfile": "FROM busybox\nCOPY . /app\nCMD find /app -type f | sort\n",
			"src/a.js":          "", "src/sub/b.js": "",
		})
		actor.ContextDir = filepath.Join(actor.Root, "src")
		result, _ := makeImage(t, cli, builder.Request{Actor: actor})
		if got, want := output(t, cli, result.Image), "/app/a.js\n/app/sub/b.js\n"; got != want {
			t.Errorf("the image has %q, want %q", got, want)
		}
	})
}

func TestContextAboveTheActor(t *testing.T) {
	builders(t, func(t *testing.T, cli *client.Client) {
		actor := project(t, map[string]string{
			"packages/a/Dockerfile": "FROM busybox\nARG ACTOR_PATH_IN_DOCKER_CONTEXT\nCOPY . /app\nWORKDIR /app/$ACTOR_PATH_IN_DOCKER_CONTEXT\nCMD pwd; find /app -type f | sort\n",
			"packages/a/main.sh":    "", "packages/a/storage/x": "", "packages/b/storage/x": "", "packages/b/lib.sh": "",
		})
		actor.Root = filepath.Join(actor.ContextDir, "packages", "a")
		actor.Dockerfile = filepath.Join(actor.Root, "Dockerfile")
		result, _ := makeImage(t, cli, builder.Request{Actor: actor})
		want := "/app/packages/a\n/app/packages/a/Dockerfile\n/app/packages/a/main.sh\n/app/packages/b/lib.sh\n/app/packages/b/storage/x\n"
		if got := output(t, cli, result.Image); got != want {
			t.Errorf("the image has %q, want %q", got, want)
		}
	})
}

func TestHeredocsOnAnyEngine(t *testing.T) {
	builders(t, func(t *testing.T, cli *client.Client) {
		actor := project(t, map[string]string{
			"Dockerfile": "# syntax=docker/dockerfile:1\nFROM busybox\nARG WHO=you\nRUN <<EOF\nset -e\necho \"hello there\" > /one\nEOF\n" +
				"RUN cat <<EOF > /two && cat <<'RAW' >> /two\n$WHO\nEOF\n$WHO\nRAW\n" +
				"RUN <<EOF\n#!/bin/sh\necho script > /three\nEOF\n" +
				"COPY --chmod=755 <<EOF /four\n${WHO}\nEOF\nCMD cat /one /two /three /four\n",
		})
		if os.Getenv("DOCKER_BUILDKIT") == "0" {
			text, _ := os.ReadFile(actor.Dockerfile)
			write(t, actor.Root, map[string]string{"Dockerfile": strings.ReplaceAll(string(text), "--chmod=755 ", "")})
		}
		result, _ := makeImage(t, cli, builder.Request{Actor: actor})
		if got, want := output(t, cli, result.Image), "hello there\nyou\n$WHO\nscript\nyou\n"; got != want {
			t.Errorf("the image prints %q, want %q", got, want)
		}
	})
}

func TestBuildKitFeatures(t *testing.T) {
	t.Setenv("DOCKER_BUILDKIT", "")
	cli := engine(t)
	actor := project(t, map[string]string{
		"Dockerfile": "FROM busybox AS one\nRUN --mount=type=cache,target=/cache echo cached > /cache/x && cp /cache/x /x\n" +
			"FROM busybox\nRUN --mount=type=bind,target=/src cp /src/file /file\nCOPY --from=one --chown=1000:1000 /x /x\nCMD cat /x /file; stat -c %u /x\n",
		"file": "bound\n",
	})
	result, _ := makeImage(t, cli, builder.Request{Actor: actor})
	if got, want := output(t, cli, result.Image), "cached\nbound\n1000\n"; got != want {
		t.Errorf("the image prints %q, want %q", got, want)
	}
}

func TestFailuresSayWhatToDo(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		says  []string
	}{
		"a step": {
			map[string]string{"Dockerfile": "FROM busybox\nRUN echo the reason >&2; exit 3\n"},
			[]string{"RUN echo the reason >&2; exit 3", "\n  the reason", "code: 3", "correct this step in Dockerfile"},
		},
		"an instruction": {
			map[string]string{"Dockerfile": "FROM busybox\nNOPE x\n"},
			[]string{"Dockerfile cannot be read", "unknown instruction: NOPE"},
		},
		"a file that is not there": {
			map[string]string{"Dockerfile": "FROM busybox\nCOPY missing.txt /\n"},
			[]string{"COPY missing.txt /", "check its path and .dockerignore"},
		},
		"a folder that is left out": {
			map[string]string{"Dockerfile": "FROM busybox\nCOPY storage /storage\n", "storage/x": ""},
			[]string{"COPY storage /storage", "a line !storage in .dockerignore takes it in"},
		},
		"an image that is not there": {
			map[string]string{"Dockerfile": "FROM greenroom.invalid/nothing/here:1.2\n"},
			[]string{"base image greenroom.invalid/nothing/here:1.2 is not on this machine", "no registry could be reached", "--executor process"},
		},
		"an ignore rule": {
			map[string]string{"Dockerfile": "FROM busybox\n", ".dockerignore": "a[\n"},
			[]string{".dockerignore has a pattern that cannot be read"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			builders(t, func(t *testing.T, cli *client.Client) {
				actor := project(t, test.files)
				result, err := New(cli).Build(t.Context(), builder.Request{Actor: actor})
				if err == nil {
					t.Fatalf("no error, but %+v", result)
				}
				if code := fault.CodeOf(err); code != fault.RunFailed && name != "an ignore rule" {
					t.Errorf("code is %s", code)
				}
				for _, part := range test.says {
					if !strings.Contains(err.Error()+"\n"+fault.HintOf(err), part) {
						t.Errorf("error %q with hint %q lacks %q", err, fault.HintOf(err), part)
					}
				}
			})
		})
	}
}

func TestNoDockerfile(t *testing.T) {
	_, err := New(nil).Build(t.Context(), builder.Request{Actor: &definition.Actor{Root: "/x", File: "/x/.actor/actor.json"}})
	if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), ".actor/Dockerfile") || !strings.Contains(fault.HintOf(err), "--executor process") {
		t.Errorf("error is %v with hint %q", err, fault.HintOf(err))
	}
}

func TestNoEngine(t *testing.T) {
	cli, err := client.NewClientWithOpts(client.WithHost("tcp://127.0.0.1:1"), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(cli).Build(t.Context(), builder.Request{Actor: project(t, map[string]string{"Dockerfile": "FROM busybox\n"})})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("error is %v", err)
	}
}

// An engine such as Podman has no sessions; this one is Docker with the way to
// them closed.
func TestEngineWithoutBuildKit(t *testing.T) {
	t.Setenv("DOCKER_BUILDKIT", "")
	direct := engine(t)
	inner := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		ModifyResponse: func(r *http.Response) error {
			r.Header.Del("Builder-Version")
			return nil
		},
		Transport: direct.HTTPClient().Transport,
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/session") {
			http.NotFound(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	cli, err := client.NewClientWithOpts(client.WithHost(strings.Replace(proxy.URL, "http", "tcp", 1)), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	actor := project(t, map[string]string{"Dockerfile": "FROM busybox\nCOPY file /\nCMD cat /file\n", "file": "classic"})
	result, log := makeImage(t, cli, builder.Request{Actor: actor})
	if !strings.Contains(log, "Step 1/") {
		t.Errorf("the classic builder was not used:\n%s", log)
	}
	if got := output(t, direct, result.Image); got != "classic" {
		t.Errorf("the image prints %q", got)
	}
}

func TestCancellingEndsTheBuild(t *testing.T) {
	builders(t, func(t *testing.T, cli *client.Client) {
		const marker = "6731"
		actor := project(t, map[string]string{"Dockerfile": "FROM busybox\nRUN echo begun; sleep " + marker + "\n"})
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		reason := errors.New("enough")
		log := &watched{want: "  begun", seen: func() { cancel(reason) }}
		begun := time.Now()
		_, err := New(cli).Build(ctx, builder.Request{Actor: actor, NoCache: true, Log: log})
		if !fault.Is(err, fault.Aborted) || !errors.Is(err, reason) {
			t.Errorf("error is %v", err)
		}
		if took := time.Since(begun); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
		if runtime.GOOS != "linux" {
			return
		}
		for deadline := time.Now().Add(20 * time.Second); running(t, "sleep\x00"+marker); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the step is still running")
			}
		}
	})
}

// watched calls seen once when a text has been written.
type watched struct {
	bytes.Buffer
	want string
	seen func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.seen != nil && strings.Contains(w.String(), w.want) {
		w.seen()
		w.seen = nil
	}
	return n, err
}

// running tells whether a process of this machine has the command line.
func running(t *testing.T, commandLine string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(text), commandLine) {
			return true
		}
	}
	return false
}

func TestTagIsStableAndValid(t *testing.T) {
	a := &definition.Actor{Name: "My__Actor.v2-", Root: "/a"}
	if got, want := Tag(a), "greenroom/my-actor-v2-"; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ":latest") {
		t.Errorf("tag is %q", got)
	}
	if Tag(a) != Tag(&definition.Actor{Name: a.Name, Root: a.Root}) || Tag(a) == Tag(&definition.Actor{Name: a.Name, Root: "/b"}) {
		t.Error("the tag does not follow the directory")
	}
	if got := repositoryName("日本"); got != "actor" {
		t.Errorf("repository name is %q", got)
	}
}
