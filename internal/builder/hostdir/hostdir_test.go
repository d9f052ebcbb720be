package hostdir

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// fixture writes files into a directory whose name every careless quoting
// breaks on. A name that ends in "*" makes an executable file.
func fixture(t *testing.T, files map[string]string) *definition.Actor {
	t.Helper()
	t.Setenv("VIRTUAL_ENV", "")
	// The compiler's cache stays where it is: filling a new one takes long.
	if cache, err := exec.Command("go", "env", "GOCACHE").Output(); err == nil {
		t.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := filepath.Join(t.TempDir(), "my [odd] $(dir) 'n")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	actor := &definition.Actor{Root: root, ContextDir: root, Name: "test"}
	for name, text := range files {
		name, executable := strings.CutSuffix(name, "*")
		mode := os.FileMode(0o644)
		if executable {
			mode = 0o755
		}
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if name == "Dockerfile" || name == ".actor/Dockerfile" {
			actor.Dockerfile = path
		}
	}
	return actor
}

// run starts what the builder chose, as an executor does, and gives what it
// printed.
func run(t *testing.T, result builder.Result) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), result.Command[0], result.Command[1:]...)
	cmd.Dir = result.Dir
	cmd.Env = append(os.Environ(), result.Env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", result.Command, err, out)
	}
	return string(out)
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the projects of this table are started with a POSIX shell")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("no %s on this machine", p)
		} else if err != nil {
			t.Skipf("no %s on this machine", p)
		}
	}
}

const (
	nodePrints   = "console.log('node', require('path').basename(__filename), process.argv.slice(2).join('|'))"
	pythonPrints = "import sys, os; print('python', os.path.basename(os.path.abspath(sys.argv[0])), *sys.argv[1:])"
	shellPrints  = "#!/bin/sh\necho shell \"$(basename \"$0\")\" \"$@\"\n"
)

func TestBuildFindsTheStartCommand(t *testing.T) {
	tests := map[string]struct {
		files      map[string]string
		runScript  string
		entrypoint string
		needs      string
		// summary is part of what people are told; prints is what the Actor does.
		summary, prints string
	}{
		"scripts.run wins": {
			files:     map[string]string{"package.json": `{"scripts":{"start":"node x.js"}}`, "main.py": pythonPrints, "run me.sh": shellPrints},
			runScript: `sh 'run me.sh' "a  b" $((1+1))`,
			summary:   "scripts.run of actor.json: sh 'run me.sh'",
			prints:    "shell run me.sh a  b 2\n",
		},
		"start script of plain words": {
			files:   map[string]string{"package.json": `{"scripts":{"start":"node src/main.js --x=1 y"}}`, "src/main.js": nodePrints, "main.py": pythonPrints},
			needs:   "node",
			summary: "package.json start script: node src/main.js",
			prints:  "node main.js --x=1|y\n",
		},
		"start script with quoting and an installed command": {
			files: map[string]string{
				"package.json":             `{"name":"n","version":"1.2.3","scripts":{"start":"tool \"a  b\" && echo $npm_lifecycle_event $npm_package_version"}}`,
				"node_modules/.bin/tool*":  shellPrints,
				"node_modules/other/x.txt": "",
			},
			summary: "package.json start script",
			prints:  "shell tool a  b\nstart 1.2.3\n",
		},
		"start script with a script before it": {
			files:   map[string]string{"package.json": `{"scripts":{"prestart":"echo before","start":"node main.js"}}`, "main.js": nodePrints},
			needs:   "npm",
			summary: "with the scripts around it",
			prints:  "before\nnode main.js \n",
		},
		"main of package.json": {
			files:   map[string]string{"package.json": `{"main":"lib/start"}`, "lib/start.js": nodePrints, "index.js": "throw 1"},
			needs:   "node",
			summary: "main of package.json: lib/start.js",
			prints:  "node start.js \n",
		},
		"dependencies that are not installed": {
			files:   map[string]string{"package.json": `{"main":"m.js","dependencies":{"apify":"^3"}}`, "m.js": nodePrints, "pnpm-lock.yaml": ""},
			needs:   "node",
			summary: "warning: the dependencies in package.json are not installed, run pnpm install",
			prints:  "node m.js \n",
		},
		"bare file, index before main": {
			files:   map[string]string{"src/index.cjs": nodePrints, "src/main.js": "throw 1", "dist/index.js": "throw 1", "main.py": pythonPrints},
			needs:   "node",
			summary: "JavaScript file: src/index.cjs",
			prints:  "node index.cjs \n",
		},
		"package.json that does not say": {
			files:   map[string]string{"package.json": `{}`, "main.mjs": "console.log('module')"},
			needs:   "node",
			summary: "JavaScript file: main.mjs",
			prints:  "module\n",
		},
		"Python package": {
			files:   map[string]string{"my_actor/__init__.py": "", "my_actor/__main__.py": pythonPrints, "tests/__init__.py": "", "main.py": "raise 1"},
			needs:   "python3",
			summary: "Python package: my_actor",
			prints:  "python __main__.py\n",
		},
		"Python package in src": {
			files:   map[string]string{"src/pkg/__init__.py": "", "src/pkg/__main__.py": pythonPrints},
			needs:   "python3",
			summary: "Python package: src.pkg",
			prints:  "python __main__.py\n",
		},
		"main.py": {
			files:   map[string]string{"main.py": pythonPrints, "go.mod": "module x\n"},
			needs:   "python3",
			summary: "Python file: main.py",
			prints:  "python main.py\n",
		},
		"src/main.py with a requirement that is missing": {
			files:   map[string]string{"src/main.py": pythonPrints, "requirements.txt": "# c\npip\nno.such-package >= 2 # c\n-r other.txt\nx; python_version < '3'\n"},
			needs:   "python3",
			summary: "warning: no.such-package of requirements.txt is not installed, run python3 -m venv",
			prints:  "python main.py\n",
		},
		"Go module": {
			files:   map[string]string{"go.mod": "module x\n\ngo 1.21\n", "main.go": "package main\n\nfunc main() { println(\"go\") }\n", "Dockerfile": "FROM scratch\nCMD [\"/x\"]\n"},
			needs:   "go",
			summary: "Go module: go build ./.",
			prints:  "go\n",
		},
		"Go command below cmd": {
			files:   map[string]string{"go.mod": "module x\n\ngo 1.21\n", "lib.go": "package x\n", "cmd/run/main.go": "package main\n\nfunc main() { println(\"go\") }\n"},
			needs:   "go",
			summary: "Go module: go build ./cmd/run",
			prints:  "go\n",
		},
		"Cargo package": {
			files:   map[string]string{"Cargo.toml": "[package]\nname = \"act\"\nversion = \"0.1.0\"\n", "src/main.rs": "fn main() { println!(\"rust\") }\n"},
			needs:   "cargo",
			summary: "Cargo package: act",
			prints:  "rust\n",
		},
		"Dockerfile, exec form below the working directory": {
			files:   map[string]string{"Dockerfile": "FROM busybox\nENV GREETING=hello PATH=/opt:$PATH\nWORKDIR /app\nCOPY . /app\nCMD [\"./main.sh\", \"x y\"]\n", "main.sh*": shellPrints + "echo $GREETING\n"},
			summary: "command of Dockerfile: ./main.sh x y",
			prints:  "shell main.sh x y\nhello\n",
		},
		"Dockerfile, a file copied elsewhere and not executable here": {
			files:   map[string]string{".actor/Dockerfile": "FROM busybox\nCOPY --chmod=755 .actor/run.sh /usr/bin/run.sh\nENTRYPOINT [\"/usr/bin/run.sh\"]\nCMD [\"a\"]\n", ".actor/run.sh": shellPrints},
			summary: "command of .actor/Dockerfile: /usr/bin/run.sh a",
			prints:  "shell run.sh a\n",
		},
		"Dockerfile, a command put on the image's path": {
			files:   map[string]string{"Dockerfile": "FROM busybox\nCOPY bin/* /usr/local/bin/\nENTRYPOINT [\"/sbin/tini\", \"-g\", \"--\", \"my-tool\"]\n", "bin/my-tool*": shellPrints, "bin/other": ""},
			summary: "command of Dockerfile",
			prints:  "shell my-tool \n",
		},
		"Dockerfile, shell form with operators": {
			files:   map[string]string{"Dockerfile": "FROM busybox\nWORKDIR /usr/src/app\nCOPY src ./\nCMD echo \"one  two\" && sh /usr/src/app/go.sh && /usr/src/app/go.sh\n", "src/go.sh*": shellPrints},
			summary: "command of Dockerfile",
			prints:  "one  two\nshell go.sh \nshell go.sh \n",
		},
		"Dockerfile, a line for a shell of its own": {
			files:   map[string]string{"Dockerfile": "FROM busybox\nCOPY src /opt/\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nCMD false | /opt/go.sh || echo \"${BASH_VERSION:+bash}\"\n", "src/go.sh*": shellPrints},
			needs:   "bash",
			summary: "command of Dockerfile",
			prints:  "shell go.sh \nbash\n",
		},
		"Dockerfile, shell form of plain words": {
			files:   map[string]string{"Dockerfile": "FROM busybox\nWORKDIR /usr/src/app\nCOPY src ./\nCMD exec sh go.sh --all\n", "src/go.sh": shellPrints},
			summary: "command of Dockerfile",
			prints:  "shell go.sh --all\n",
		},
		"Dockerfile, an interpreter that is elsewhere here": {
			files:   map[string]string{"Dockerfile": "FROM x\nWORKDIR /a\nCOPY . .\nCMD [\"/opt/nowhere/bin/python3\", \"/a/app.py\", \"/etc/hosts\"]\n", "app.py": pythonPrints},
			needs:   "python3",
			summary: "command of Dockerfile",
			prints:  "python app.py /etc/hosts\n",
		},
		"Dockerfile, CMD of an earlier stage": {
			files:   map[string]string{"Dockerfile": "ARG V=1\nFROM busybox:$V AS base\nCMD [\"sh\", \"main.sh\"]\nFROM other\nFROM base\nRUN true\n", "main.sh": shellPrints},
			summary: "command of Dockerfile: sh main.sh",
			prints:  "shell main.sh \n",
		},
		"entrypoint, Python file": {
			files:      map[string]string{"package.json": `{"scripts":{"start":"false"}}`, "a b/x.py": pythonPrints},
			entrypoint: "a b/x.py",
			needs:      "python3",
			summary:    "--entrypoint: python a b/x.py",
			prints:     "python x.py\n",
		},
		"entrypoint, Python package by folder": {
			files:      map[string]string{"one/two/__init__.py": "", "one/two/__main__.py": pythonPrints},
			entrypoint: "one/two",
			needs:      "python3",
			summary:    "--entrypoint: python -m one.two",
			prints:     "python __main__.py\n",
		},
		"entrypoint, Python module": {
			files:      map[string]string{"one/mod.py": pythonPrints},
			entrypoint: "one.mod",
			needs:      "python3",
			summary:    "--entrypoint: python -m one.mod",
			prints:     "python mod.py\n",
		},
		"entrypoint, JavaScript file": {
			files:      map[string]string{"x.js": nodePrints},
			entrypoint: "./x.js",
			needs:      "node",
			summary:    "--entrypoint: JavaScript file: x.js",
			prints:     "node x.js \n",
		},
		"entrypoint, TypeScript file with the project's tsx": {
			files:      map[string]string{"x.ts": "", "node_modules/.bin/tsx*": shellPrints},
			entrypoint: "x.ts",
			summary:    "--entrypoint: JavaScript file: x.ts",
		},
		"entrypoint, script of package.json": {
			files:      map[string]string{"package.json": `{"scripts":{"go":"echo gone"}}`},
			entrypoint: "go",
			summary:    "--entrypoint: package.json go script: echo gone",
			prints:     "gone\n",
		},
		"entrypoint, shell script that is not executable": {
			files:      map[string]string{"a.sh": "echo \"$0\" | grep -c odd"},
			entrypoint: "a.sh",
			summary:    "--entrypoint: a.sh",
			prints:     "1\n",
		},
		"entrypoint, executable": {
			files:      map[string]string{"tool*": shellPrints},
			entrypoint: "tool",
			summary:    "--entrypoint: tool",
			prints:     "shell tool \n",
		},
		"entrypoint, line for the shell": {
			entrypoint: "echo 'a  b'; exit 0",
			summary:    "--entrypoint: echo 'a  b'; exit 0",
			prints:     "a  b\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			need(t, strings.Fields(test.needs)...)
			actor := fixture(t, test.files)
			actor.RunScript = test.runScript
			var log bytes.Buffer
			result, err := New().Build(t.Context(), builder.Request{Actor: actor, Entrypoint: test.entrypoint, Log: &log})
			if err != nil {
				t.Fatalf("%v\nhint: %s\n%s", err, fault.HintOf(err), &log)
			}
			if !strings.Contains(result.Summary, test.summary) {
				t.Errorf("summary is %q, want it to have %q", result.Summary, test.summary)
			}
			if strings.Contains(result.Summary, "\n") {
				t.Errorf("summary is more than a line: %q", result.Summary)
			}
			if !filepath.IsAbs(result.Command[0]) {
				t.Errorf("the command %q is not absolute", result.Command)
			}
			if test.prints == "" {
				return
			}
			got := strings.ReplaceAll(run(t, result), " \n", "\n")
			if want := strings.ReplaceAll(test.prints, " \n", "\n"); got != want {
				t.Errorf("%q printed %q, want %q", result.Command, got, want)
			}
		})
	}
}

// The actor command comes from the executor, whatever this machine has.
func TestTheActorCommandIsLeftToTheExecutor(t *testing.T) {
	need(t)
	for _, files := range []map[string]string{
		{"Dockerfile": "FROM x\nCMD [\"actor\", \"get-input\"]\n"},
		{"Dockerfile": "FROM x\nENTRYPOINT /usr/local/bin/actor get-input\n"},
		{"package.json": `{"scripts":{"start":"actor get-input"}}`},
	} {
		result, err := New().Build(t.Context(), builder.Request{Actor: fixture(t, files)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"actor", "get-input"}, result.Command); diff != "" {
			t.Errorf("%v: command (-want +got):\n%s", files, diff)
		}
	}
}

func TestBuildUsesTheProjectsVirtualEnvironment(t *testing.T) {
	need(t, "python3")
	actor := fixture(t, map[string]string{"main.py": "import sys, shutil; print(sys.prefix); print(shutil.which('python3'))", "requirements.txt": "apify\n"})
	venv := filepath.Join(actor.Root, ".venv")
	if out, err := exec.Command("python3", "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	result, err := New().Build(t.Context(), builder.Request{Actor: actor})
	if err != nil {
		t.Fatal(err)
	}
	want := venv + "\n" + filepath.Join(venv, "bin", "python3") + "\n"
	if diff := cmp.Diff(want, run(t, result)); diff != "" {
		t.Errorf("the Actor does not run in the environment (-want +got):\n%s", diff)
	}
	for _, part := range []string{"Python file: main.py, with .venv", "apify of requirements.txt is not installed, run .venv/bin/python3 -m pip install"} {
		if !strings.Contains(result.Summary, part) {
			t.Errorf("summary %q lacks %q", result.Summary, part)
		}
	}
	if err := os.MkdirAll(filepath.Join(venv, "lib", "python3.11", "site-packages", "apify-3.0.0.dist-info"), 0o755); err != nil {
		t.Fatal(err)
	}
	result, err = New().Build(t.Context(), builder.Request{Actor: actor})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(result.Summary, "warning") {
		t.Errorf("summary %q warns of what is installed", result.Summary)
	}
}

func TestBuildSaysWhyNothingStarts(t *testing.T) {
	tests := map[string]struct {
		files      map[string]string
		entrypoint string
		path       string
		code       fault.Code
		says       []string
	}{
		"empty directory": {
			code: fault.InvalidInput,
			says: []string{"nothing to start found", "package.json", "Cargo.toml", "--entrypoint"},
		},
		"several Python packages": {
			files: map[string]string{"a/__init__.py": "", "b/__init__.py": ""},
			code:  fault.InvalidInput,
			says:  []string{"several Python packages: a, b", "--entrypoint a"},
		},
		"several Python packages that run": {
			files: map[string]string{"a/__init__.py": "", "a/__main__.py": "", "b/__init__.py": "", "b/__main__.py": "", "c/__init__.py": ""},
			code:  fault.InvalidInput,
			says:  []string{"several Python packages: a, b"},
		},
		"several Go commands": {
			files: map[string]string{"go.mod": "module x\n", "cmd/a/m.go": "package main\n", "cmd/b/m.go": "package main\n"},
			code:  fault.InvalidInput,
			says:  []string{"cmd/a, cmd/b"},
		},
		"near misses": {
			files: map[string]string{"package.json": `{"main":"dist/main.js"}`, "crawl.py": "", "Dockerfile": "FROM scratch\n"},
			code:  fault.InvalidInput,
			says:  []string{"dist/main.js, the main of package.json, does not exist", "crawl.py is a Python file", "Dockerfile has neither CMD nor ENTRYPOINT"},
		},
		"broken package.json": {
			files: map[string]string{"package.json": `{"main":`},
			code:  fault.InvalidInput,
			says:  []string{"not a valid package.json"},
		},
		"entrypoint that is not there": {
			files: map[string]string{"main.py": ""}, entrypoint: "man.py",
			code: fault.InvalidInput,
			says: []string{"man.py does not exist"},
		},
		"entrypoint that is not executable": {
			files: map[string]string{"tool": "x"}, entrypoint: "tool",
			code: fault.InvalidInput,
			says: []string{"tool is not executable", "chmod +x tool"},
		},
		"no Node.js": {
			files: map[string]string{"index.js": ""}, path: "/nowhere",
			code: fault.Unavailable,
			says: []string{"node is needed", "install Node.js 20"},
		},
		"no Node.js for a start script": {
			files: map[string]string{"package.json": `{"scripts":{"start":"node x.js"}}`}, path: "/nowhere",
			code: fault.Unavailable,
			says: []string{"node is needed"},
		},
		"no Python": {
			files: map[string]string{"main.py": ""}, path: "/nowhere",
			code: fault.Unavailable,
			says: []string{"python3 is needed", "install Python 3.11"},
		},
		"no Go": {
			files: map[string]string{"go.mod": "module x\n", "m.go": "package main\n"}, path: "/nowhere",
			code: fault.Unavailable,
			says: []string{"go is needed"},
		},
		"a program that only the image has": {
			files: map[string]string{"Dockerfile": "FROM x\nCOPY --from=b /out/app /usr/bin/app\nCMD [\"no-such-app-anywhere\"]\n"},
			code:  fault.Unavailable,
			says:  []string{"no-such-app-anywhere, which the Dockerfile starts", "--executor docker"},
		},
		"a file that only the image has": {
			files: map[string]string{"Dockerfile": "FROM x\nCMD [\"./made\"]\n"},
			code:  fault.InvalidInput,
			says:  []string{"./made, which is not in the project"},
		},
		"a Dockerfile that cannot be read": {
			files: map[string]string{"Dockerfile": "FROM x\nCMD\nFOO\n"},
			code:  fault.InvalidInput,
			says:  []string{"cannot be read", "FOO"},
		},
		"Go that does not compile": {
			files: map[string]string{"go.mod": "module x\n\ngo 1.21\n", "m.go": "package main\n\nfunc main() { nonsense() }\n"},
			code:  fault.RunFailed,
			says:  []string{"does not compile", "undefined: nonsense"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			need(t)
			actor := fixture(t, test.files)
			if test.path != "" {
				t.Setenv("PATH", test.path)
			}
			result, err := New().Build(t.Context(), builder.Request{Actor: actor, Entrypoint: test.entrypoint})
			if err == nil {
				t.Fatalf("no error, but %+v", result)
			}
			if code := fault.CodeOf(err); code != test.code {
				t.Errorf("code is %s, want %s: %v", code, test.code, err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error()+"\n"+fault.HintOf(err), part) {
					t.Errorf("error %q with hint %q lacks %q", err, fault.HintOf(err), part)
				}
			}
		})
	}
}

func TestStartScriptOfPlainWordsHasNoShellInBetween(t *testing.T) {
	need(t, "node")
	actor := fixture(t, map[string]string{"package.json": `{"scripts":{"start":"node main.js"}}`})
	result, err := New().Build(t.Context(), builder.Request{Actor: actor})
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{node, "main.js"}, result.Command); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
}
