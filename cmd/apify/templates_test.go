package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/builder/image"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/template"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const (
	nodeModules = "GREENROOM_TEST_NODE_MODULES"
	python      = "GREENROOM_TEST_PYTHON"
	judges      = "GREENROOM_TEST_JUDGES"
)

// fromTemplate is what an Actor that was made from a template must come to.
type fromTemplate struct {
	needs []string // environment variables
	input func(site string) string
	want  outcome
}

var words = outcome{api.StatusSucceeded, 0, "Counted 8 words, 6 of them different",
	[]any{item("word", "be", "count", 2.0), item("word", "to", "count", 2.0), item("word", "42", "count", 1.0)},
	map[string]string{"OUTPUT": `{"words":8,"different":6}`}}

var pages = outcome{api.StatusSucceeded, 0, "Visited 4 pages, 1 failed",
	[]any{
		item("url", "SITE/", "title", "Home", "description", "Where it begins"),
		item("url", "SITE/a", "title", "Page a", "description", nil),
		item("url", "SITE/b", "title", "Page b", "description", nil),
		item("url", "SITE/c", "title", "Page c", "description", nil),
	},
	map[string]string{"OUTPUT": `{"pages":4,"failed":1}`}}

var text = fixed(`{"text": "To be, or not to be: 42 ÉTÉS!", "limit": 3}`)

func crawl(site string) string {
	return fmt.Sprintf(`{"startUrls": [{"url": "%[1]s/"}, {"url": "%[1]s/missing"}]}`, site)
}

var fromTemplates = map[string]fromTemplate{
	"shell": {
		input: fixed(`{"texts": ["one, two", "42"]}`),
		want: outcome{api.StatusSucceeded, 0, "Computed 2 checksums",
			[]any{
				item("text", "one, two", "sha256", "0c1b6ea1e8cbcff9c63c94c0e27a684db1711542355bf79a6fa989e335830175"),
				item("text", "42", "sha256", "73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049"),
			},
			map[string]string{"OUTPUT": `{"texts":2}`}},
	},
	"docker": {
		input: fixed(`{"limit": 7}`),
		want: outcome{api.StatusSucceeded, 0, "Found 4 items",
			[]any{item("prime", 2.0, "gap", 0.0), item("prime", 3.0, "gap", 1.0), item("prime", 5.0, "gap", 2.0), item("prime", 7.0, "gap", 2.0)},
			map[string]string{}},
	},
	"js":                   {[]string{nodeModules}, text, words},
	"ts":                   {[]string{nodeModules, judges}, text, words},
	"python":               {[]string{python}, text, words},
	"go":                   {nil, text, words},
	"js-cheerio":           {[]string{nodeModules}, crawl, pages},
	"ts-cheerio":           {[]string{nodeModules, judges}, crawl, pages},
	"python-beautifulsoup": {[]string{python}, crawl, pages},
}

// servers are templates whose runs last until they are aborted; ask asks the
// server of one.
var servers = map[string]struct {
	needs []string
	ask   func(t *testing.T, url string)
	items []any
}{
	"standby": {[]string{nodeModules}, askStandby, []any{item("words", 6.0, "different", 4.0)}},
	"mcp":     {nil, askMCP, nil},
}

// ownTests are the commands that the READMEs give for the tests in templates; the
// TypeScript one has been compiled by its run.
var ownTests = map[string][]string{
	"js": {"node", "--test"}, "ts": {"node", "--test"}, "standby": {"node", "--test"}, "mcp": {"node", "--test"},
	"python": {"python3", "-m", "unittest", "discover", "tests"}, "go": {"go", "test", "./..."},
}

// TestTemplatesGiveTheSameEverywhere creates an Actor from every template, as a
// user does, and runs it in a container and as a process.
func TestTemplatesGiveTheSameEverywhere(t *testing.T) {
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	packages := &offline{whole: t, apify: built.apify, folders: map[string]string{}, images: map[string]string{}}
	for _, tpl := range template.All() {
		t.Run(tpl.Name, func(t *testing.T) {
			t.Parallel()
			finite, ends := fromTemplates[tpl.Name]
			server, serves := servers[tpl.Name]
			if ends == serves {
				t.Fatal("nothing is known of what the template should do")
			}
			for _, variable := range slices.Concat(finite.needs, server.needs) {
				if os.Getenv(variable) == "" {
					missing(t, variable+" is not set; scripts/test-sdks.sh prints it")
				}
			}
			if tpl.Name == "mcp" {
				needProgram(t, "node") // and none of its packages
			}
			dir := create(t, built.apify, tpl)
			packages.install(t, dir)
			for _, executor := range []string{"process", "docker"} {
				t.Run(executor, func(t *testing.T) {
					ip := "127.0.0.1"
					if executor == "docker" {
						if testing.Short() {
							t.Skip("builds an image")
						}
						ip = gateway(t)
						packages.installImage(t, dir)
					}
					if serves {
						got := runServer(t, built.apify, built.actor, dir, executor, server.ask)
						if diff := cmp.Diff(server.items, got); diff != "" {
							t.Errorf("items, want -, got +:\n%s", diff)
						}
						return
					}
					site := serveSite(t, ip)
					got := runSample(t, built.apify, built.actor, dir, executor, finite.input(site), site)
					if diff := cmp.Diff(finite.want, alike(t, got)); diff != "" {
						t.Errorf("want -, got +:\n%s", diff)
					}
				})
			}
			if argv := ownTests[tpl.Name]; argv != nil {
				t.Run("own tests", func(t *testing.T) {
					cmd := exec.Command(argv[0], argv[1:]...)
					cmd.Dir = dir
					out, err := cmd.CombinedOutput()
					if err != nil {
						t.Fatalf("%v: %s", err, out)
					}
					if !passes.Match(out) {
						t.Errorf("no test has passed:\n%s", out)
					}
				})
			}
		})
	}
}

// passes is how test programs say that they had something to do.
var passes = regexp.MustCompile(`(?m)^# pass [1-9]|^Ran [1-9]\d* tests? in|^ok `)

// alike takes away the input that was made with the project, what crawlers keep
// for themselves, and what may differ between languages and crawls: where blanks
// are in JSON, and the order of pages.
func alike(t *testing.T, o outcome) outcome {
	records := map[string]string{}
	for name, text := range o.Records {
		if strings.HasPrefix(name, "__CRAWLER_") {
			continue
		}
		var plain bytes.Buffer
		if err := json.Compact(&plain, []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		records[strings.TrimSuffix(name, ".json")] = plain.String()
	}
	if _, ok := records["INPUT"]; !ok {
		t.Error("the run has removed the input that was stored")
	}
	delete(records, "INPUT")
	o.Records = records
	slices.SortStableFunc(o.Items, func(a, b any) int {
		urlOf := func(v any) string { url, _ := v.(map[string]any)["url"].(string); return url }
		return strings.Compare(urlOf(a), urlOf(b))
	})
	return o
}

// create creates an Actor from a template.
func create(t *testing.T, apify string, tpl template.Template) (dir string) {
	t.Helper()
	name := "made-from-" + tpl.Name
	cmd := exec.Command(apify, "create", name, "--template", tpl.Name, "--skip-dependency-install", "--skip-git-init", "--json")
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir = filepath.Join(cmd.Dir, name)
	var made struct{ Dir, Template, ActorJSONPath string }
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := filepath.EvalSymlinks(made.Dir); err != nil || got != realPath(t, dir) || made.Template != tpl.Name {
		t.Errorf("made %+v, %v; want %s", made, err, dir)
	}
	d, err := definition.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Warnings) > 0 {
		t.Errorf("warnings: %q", d.Warnings)
	}
	if d.Name != name || d.Input == nil || d.Dockerfile == "" || d.Title == "" || d.Description == "" {
		t.Errorf("the definition is incomplete: %+v", d)
	}
	if d.Input != nil {
		input := read(t, filepath.Join(dir, "storage", "key_value_stores", "default", "INPUT.json"))
		full, err := d.Input.WithDefaults(json.RawMessage(input))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Input.Check(full); err != nil {
			t.Errorf("the first input is not valid: %v", err)
		}
	}
	t.Cleanup(func() { removeImages(t, image.Tag(d)) })
	return dir
}

func realPath(t *testing.T, path string) string {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// offline is where the dependencies of templates come from: no registry can be
// reached from an image's build here.
type offline struct {
	whole *testing.T // everything is kept until it ends
	apify string
	// Folders to install and images to build on, once they were needed.
	mu              sync.Mutex
	folders, images map[string]string
}

// install gives a project its dependencies on this machine.
func (o *offline) install(t *testing.T, dir string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	manifest := filepath.Join(dir, "package.json")
	if text, err := os.ReadFile(manifest); err == nil && bytes.Contains(text, []byte("ependencies")) {
		if bytes.Contains(text, []byte("@types/node")) {
			// The SDK has brought others.
			replace(t, manifest, `"@types/node": "^20.0.0"`, `"@types/node": "*"`)
		}
		link(t, o.folder(t, "node_modules"), filepath.Join(dir, "node_modules"))
	}
	if _, err := os.Stat(filepath.Join(dir, "requirements.txt")); err == nil {
		link(t, filepath.Dir(filepath.Dir(os.Getenv(python))), filepath.Join(dir, ".venv"))
	}
}

// installImage gives a project's image its dependencies: they are there already
// in the image that it is built on.
func (o *offline) installImage(t *testing.T, dir string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	dockerfile := filepath.Join(dir, "Dockerfile")
	text := read(t, dockerfile)
	switch {
	case strings.Contains(text, "FROM apify/actor-node:20") && os.Getenv(nodeModules) != "":
		replace(t, dockerfile, "FROM apify/actor-node:20", "FROM "+o.image(t, "node_modules", `FROM apify/actor-node:20
COPY --chown=myuser:myuser node_modules ./node_modules
`))
	case strings.Contains(text, "FROM apify/actor-python:3.11"):
		replace(t, dockerfile, "FROM apify/actor-python:3.11", "FROM "+o.image(t, "site-packages", `FROM apify/actor-python:3.11
COPY site-packages /opt/site-packages
ENV PYTHONPATH=/opt/site-packages
`))
	}
}

// folder gives a folder of installed packages.
func (o *offline) folder(t *testing.T, name string) string {
	t.Helper()
	if dir, ok := o.folders[name]; ok {
		return dir
	}
	dir := filepath.Join(o.whole.TempDir(), name)
	switch name {
	case "node_modules":
		copyTree(t, os.Getenv(nodeModules), dir)
		if os.Getenv(judges) != "" {
			copyTree(t, filepath.Join(os.Getenv(judges), "typescript"), filepath.Join(dir, "typescript"))
			if err := os.MkdirAll(filepath.Join(dir, ".bin"), 0o755); err != nil {
				t.Fatal(err)
			}
			link(t, "../typescript/bin/tsc", filepath.Join(dir, ".bin", "tsc"))
		}
	case "site-packages":
		out, err := exec.Command(os.Getenv(python), "-c", `import sysconfig; print(sysconfig.get_path("purelib"))`).Output()
		if err != nil {
			t.Fatal(err)
		}
		copyTree(t, strings.TrimSpace(string(out)), dir)
		for _, tool := range slices.Concat(glob(t, filepath.Join(dir, "pip*")), glob(t, filepath.Join(dir, "setuptools*"))) {
			if err := os.RemoveAll(tool); err != nil { // the base image has its own
				t.Fatal(err)
			}
		}
	}
	o.folders[name] = dir
	return dir
}

// image builds an image with such a folder, as that of an Actor.
func (o *offline) image(t *testing.T, folder, dockerfile string) string {
	t.Helper()
	if name, ok := o.images[folder]; ok {
		return name
	}
	dir := filepath.Dir(o.folder(t, folder))
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile+"CMD [\"true\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".actor"), 0o755); err != nil {
		t.Fatal(err)
	}
	definitionFile := `{"actorSpecification": 1, "name": "has-` + strings.ReplaceAll(folder, "_", "-") + `", "version": "0.1"}`
	if err := os.WriteFile(filepath.Join(dir, ".actor", "actor.json"), []byte(definitionFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(o.apify, "run", dir, "--executor", "docker").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d, err := definition.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := image.Tag(d)
	o.whole.Cleanup(func() { removeImages(o.whole, name) })
	o.images[folder] = name
	return name
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-R", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// replace changes a text in a file, wherever it stands; it must be there.
func replace(t *testing.T, path, old, new string) {
	t.Helper()
	before := read(t, path)
	if !strings.Contains(before, old) {
		t.Fatalf("%s has no %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(before, old, new)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// address is how the servers say where they are.
var address = regexp.MustCompile(`(?:Listening|server) at (http://[0-9.:]+)`)

// runServer runs an Actor that serves, asks its server, ends the run as a user
// does, and gives what is in the dataset then.
func runServer(t *testing.T, apify, actor, dir, executor string, ask func(*testing.T, string)) []any {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("sends signals")
	}
	cmd := exec.Command(apify, "run", dir, "--executor", executor, "--json")
	cmd.Env = append(os.Environ(), "GREENROOM_ACTOR="+actor)
	said := &lines{}
	cmd.Stderr = said
	var stdout strings.Builder
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if t.Failed() {
			t.Log(said.String())
		}
	})

	var url string
	for deadline := time.Now().Add(2 * time.Minute); url == ""; time.Sleep(20 * time.Millisecond) {
		if m := address.FindStringSubmatch(said.String()); m != nil {
			url = m[1]
		}
		select {
		case err := <-ended:
			t.Fatalf("the run has ended: %v", err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not say where it is")
		}
	}
	probe, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	probe.Header.Set("x-apify-container-server-readiness-probe", "1")
	if got, body := exchange(t, probe); got.StatusCode != http.StatusOK {
		t.Errorf("readiness probe: %s %s", got.Status, body)
	}
	ask(t, url)

	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ended
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the run took %s to end", took)
	}
	var r api.Run
	if err := json.Unmarshal([]byte(stdout.String()), &r); err != nil {
		t.Fatal(err)
	}
	if r.Status != api.StatusAborted || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("status %s, exit %d; want %s, 3", r.Status, cmd.ProcessState.ExitCode(), api.StatusAborted)
	}
	var items []any
	for _, path := range glob(t, filepath.Join(dir, "storage", "datasets", "default", "0*.json")) {
		var v any
		if err := json.Unmarshal([]byte(read(t, path)), &v); err != nil {
			t.Fatal(err)
		}
		items = append(items, v)
	}
	return items
}

// lines are what a process says, as it says it.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func exchange(t *testing.T, request *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, strings.TrimSpace(string(body))
}

func askStandby(t *testing.T, url string) {
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/", "", 200, `{"title":"Word counting API","usage":"POST a text to /words, with ?limit= for how many words to report"}`},
		{"POST", "/words?limit=1", "to be or not to be", 200, `{"words":6,"different":4,"top":[{"word":"be","count":2}]}`},
		{"POST", "/words?limit=none", "x", 400, `{"error":"limit must be a number between 1 and 1000"}`},
		{"GET", "/words", "", 404, `{"error":"There is nothing at GET /words"}`},
	} {
		request, err := http.NewRequest(test.method, url+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		if got, body := exchange(t, request); got.StatusCode != test.status || body != test.want {
			t.Errorf("%s %s: %s %s, want %d %s", test.method, test.path, got.Status, body, test.status, test.want)
		}
	}
}

func askMCP(t *testing.T, url string) {
	for _, test := range []struct {
		name, header, body string
		status             int
		want               string // a part of the answer
	}{
		{"initialize", "", `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`,
			200, `"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"made-from-mcp","version":"0.1.0"}}`},
		{"initialized", "", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, 202, ""},
		{"list", "", `{"jsonrpc":"2.0","id":"a","method":"tools/list"}`, 200, `"id":"a","result":{"tools":[{"name":"count_words","title":"Count words",`},
		{"call", "", `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"make_slug","arguments":{"title":"Crème brûlée!"}}}`,
			200, `"structuredContent":{"slug":"creme-brulee"}`},
		{"call that fails", "", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"count_words","arguments":{}}}`,
			200, `{"content":[{"type":"text","text":"text must be a string"}],"isError":true}`},
		{"no JSON", "", `{`, 400, `"code":-32700`},
		{"a page of another site", "Origin: https://evil.example", `{"jsonrpc":"2.0","id":4,"method":"ping"}`, 403, "error"},
		{"an unknown version", "MCP-Protocol-Version: 1999-01-01", `{"jsonrpc":"2.0","id":4,"method":"ping"}`, 400, "MCP-Protocol-Version"},
	} {
		request, err := http.NewRequest(http.MethodPost, url+"/mcp", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json, text/event-stream")
		if name, value, ok := strings.Cut(test.header, ": "); ok {
			request.Header.Set(name, value)
		}
		got, body := exchange(t, request)
		if got.StatusCode != test.status || !strings.Contains(body, test.want) || test.want == "" && body != "" {
			t.Errorf("%s: %s %s, want %d … %s …", test.name, got.Status, body, test.status, test.want)
		}
	}
}
