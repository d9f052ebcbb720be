package project

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// repository writes files into a directory whose name patterns stumble on. A
// name that ends in "*" makes an executable file.
func repository(t testing.TB, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "a [b]")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
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
	}
	return root
}

// seen is what a test looks at of a project.
type seen struct {
	Language, Version, Packages, Name, Start, Main, SDK, Parser, Spiders string
	Missing                                                              int
}

func TestDetect(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  seen
	}{
		"nothing": {map[string]string{"README.md": "x"}, seen{Missing: 1}},
		"node command": {
			map[string]string{"package.json": `{"name":"@me/tool","bin":"./cli.js","main":"lib.js","engines":{"node":"22"}}`, "cli.js": "process.argv[2]", "lib.js": ""},
			seen{Language: JavaScript, Version: "22", Packages: "npm", Name: "tool", Start: "node cli.js", Parser: "process.argv"},
		},
		"node commands": {
			map[string]string{"package.json": `{"name":"b","bin":{"a":"a.js","b":"b.js"}}`, "a.js": "", "b.js": "0", "pnpm-lock.yaml": ""},
			seen{Language: JavaScript, Packages: "pnpm", Name: "b", Start: "node b.js"},
		},
		"node start script": {
			map[string]string{"package.json": `{"scripts":{"start":"node src/main.js --x=1"}}`, "src/main.js": "0", ".nvmrc": "v18.1\n"},
			seen{Language: JavaScript, Version: "18", Packages: "npm", Start: "node src/main.js --x=1"},
		},
		"node start script for a shell": {
			map[string]string{"package.json": `{"scripts":{"start":"A=1 node main.js | tee log"}}`, "main.js": "0"},
			seen{Language: JavaScript, Packages: "npm", Start: "npm start --silent --"},
		},
		"node SDK": {
			map[string]string{"package.json": `{"dependencies":{"apify":"^3","crawlee":"^3"},"scripts":{"start":"tsx src/main.ts"},"bin":"x.js"}`, "x.js": "", "src/main.ts": ""},
			seen{Language: JavaScript, Packages: "npm", SDK: "apify", Start: "npm start --silent"},
		},
		"typescript with a build": {
			map[string]string{"package.json": `{"name":"t","bin":"dist/cli.js","scripts":{"build":"tsc"}}`, "tsconfig.json": "{}", "src/cli.ts": "import { parseArgs } from 'node:util'; parseArgs({})"},
			seen{Language: TypeScript, Packages: "npm", Name: "t", Start: "node dist/cli.js", Parser: "parseArgs"},
		},
		"bare script": {map[string]string{"only.js": "0"}, seen{Language: JavaScript, Start: "node only.js"}},
		"index.js":    {map[string]string{"index.js": "0"}, seen{Language: JavaScript, Start: "node index.js"}},
		"python file": {
			map[string]string{"tool.py": "import argparse\nx.add_argument('a')\nif __name__ == '__main__':\n  pass", "helper.py": "", "requirements.txt": "requests\n", ".python-version": "3.12.1"},
			seen{Language: Python, Version: "3.12", Packages: "pip", Start: "python3 tool.py", Parser: "argparse"},
		},
		"python package": {
			map[string]string{"pkg/__init__.py": "", "pkg/__main__.py": "", "pkg/cli.py": "import click\n@click.option('--a')", "tests/__init__.py": "", "pyproject.toml": "[project]\nname = \"My_Pkg\"\ndescription = \"Does it\"\n"},
			seen{Language: Python, Packages: "pip", Name: "My_Pkg", Start: "python3 -m pkg", Parser: "click"},
		},
		"python script of pyproject": {
			map[string]string{"pyproject.toml": "[project]\nname = 'p'\nrequires-python = \"==3.12.*\"\ndependencies = [\n  \"typer>=0.9\",\n]\n[project.scripts]\np = \"p.app:main\"\n", "p/__init__.py": "", "p/app.py": "import sys\nsys.argv[1]", "uv.lock": ""},
			seen{Language: Python, Version: "3.12", Packages: "uv", Name: "p", Start: "python3 -c import sys; from p.app import main; sys.exit(main())", Parser: "sys.argv"},
		},
		"python SDK": {
			map[string]string{"requirements.txt": "apify ~= 2.0\n", "src/__init__.py": "", "src/__main__.py": ""},
			seen{Language: Python, Packages: "pip", SDK: "apify", Start: "python3 -m src"},
		},
		"several python programs": {
			map[string]string{"a.py": "if __name__ == '__main__': pass", "b.py": "if __name__ == \"__main__\": pass"},
			seen{Language: Python, Packages: "pip", Missing: 2},
		},
		"scrapy": {
			map[string]string{"scrapy.cfg": "[settings]\ndefault = shop.settings\n", "shop/__init__.py": "", "shop/spiders/__init__.py": "",
				"shop/spiders/x.py": "class A(scrapy.Spider):\n    name = 'a'\n    def __init__(self, url=None, *args, **kw):\n        pass\nclass B(CrawlSpider):\n    name: str = \"b\"\n"},
			seen{Language: Python, Packages: "pip", Name: "shop", Start: "python3 -m scrapy crawl", Spiders: "a(url) b()"},
		},
		"go": {
			map[string]string{"go.mod": "module example.com/x/tool/v2\n\ngo 1.25.1\n", "main.go": "package main\nimport \"flag\"\nfunc main() { flag.Parse() }"},
			seen{Language: Go, Version: "1.25", Packages: "go", Name: "tool", Main: ".", Parser: "flag"},
		},
		"go commands": {
			map[string]string{"go.mod": "module m\nrequire github.com/greenroom-dev/greenroom v1.0.0\n", "cmd/a/a.go": "package main", "cmd/b/b.go": "package main", "lib.go": "package m"},
			seen{Language: Go, Packages: "go", Name: "m", Main: "./cmd/a", SDK: "github.com/greenroom-dev/greenroom/pkg/actor", Missing: 1},
		},
		"rust": {
			map[string]string{"Cargo.toml": "[package]\nname = \"r\"\n[dependencies]\nclap = { version = \"4\" }\n", "src/main.rs": ""},
			seen{Language: Rust, Packages: "cargo", Name: "r", Main: "r", Parser: "clap"},
		},
		"shell": {map[string]string{"run.sh": "echo $1", "other.sh": "", "notes.txt": ""}, seen{Language: Shell, Start: "sh run.sh", Parser: "positional"}},
		"shell by its first line": {
			map[string]string{"tool*": "#!/usr/bin/env bash\ncat\n", "tool.txt*": "x"}, seen{Language: Shell, Start: "bash tool"},
		},
		"shell with the actor command": {map[string]string{"x.sh": "input=$(actor get-input)"}, seen{Language: Shell, Start: "sh x.sh", SDK: "actor"}},
		"several scripts":              {map[string]string{"a.sh": "", "b.sh": ""}, seen{Language: Shell, Missing: 2}},
		"ruby":                         {map[string]string{"x.rb": "puts ARGV"}, seen{Language: Ruby, Start: "ruby x.rb", Parser: "by hand"}},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && name == "shell by its first line" {
				t.Skip("there is no executable bit")
			}
			p, err := Detect(repository(t, test.files))
			if err != nil {
				t.Fatal(err)
			}
			got := seen{Language: p.Language, Version: p.LanguageVersion, Packages: p.Packages, Name: p.Name,
				Start: strings.Join(p.Start, " "), Main: p.Main, SDK: p.SDK, Parser: p.Parser, Missing: len(p.Missing)}
			if p.Scrapy != nil {
				var spiders []string
				for _, s := range p.Scrapy.Spiders {
					spiders = append(spiders, s.Name+"("+strings.Join(s.Arguments, ",")+")")
				}
				got.Spiders = strings.Join(spiders, " ")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s%q", diff, p.Missing)
			}
			for _, f := range p.Facts {
				if f.Name == "" || f.Value == "" || f.Evidence == "" {
					t.Errorf("a fact without evidence: %+v", f)
				}
			}
			if p.Language != "" && !slices.ContainsFunc(p.Facts, func(f Fact) bool { return f.Name == "language" && f.Value == p.Language }) {
				t.Errorf("no evidence for the language: %+v", p.Facts)
			}
		})
	}
}

func TestDockerfiles(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		start string
		actor bool
	}{
		"plain":              {map[string]string{"Dockerfile": "FROM x\nCMD [\"tool\"]"}, "tool", false},
		"actor folder first": {map[string]string{"Dockerfile": "FROM x\nCMD [\"a\"]", ".actor/Dockerfile": "FROM x\nCMD [\"b\"]"}, "b", false},
		"actor command":      {map[string]string{"Dockerfile": "FROM x\nCMD actor get-input | tool"}, "/bin/sh -c actor get-input | tool", true},
		"through a script":   {map[string]string{"Dockerfile": "FROM x\nCMD [\"sh\", \"/app/go.sh\"]", "go.sh": "actor push-data a=1"}, "sh /app/go.sh", true},
		"the base decides":   {map[string]string{"Dockerfile": "FROM apify/actor-node:20\nCOPY . ./"}, "", true},
		"nobody decides":     {map[string]string{"Dockerfile": "FROM x"}, "", false},
	} {
		p, err := Detect(repository(t, test.files))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.Image.Argv, " "); got != test.start || p.ActorImage != test.actor {
			t.Errorf("%s: starts %q (%t), want %q (%t)", name, got, p.ActorImage, test.start, test.actor)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"package.json": {"package.json": "{"}, "Dockerfile": {"Dockerfile": "NOTHING x"},
	} {
		if _, err := Detect(repository(t, files)); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// Whatever the files hold, looking at them ends without a panic.
func FuzzDetect(f *testing.F) {
	f.Add(0, `{"name":"x","bin":{"a":1},"scripts":{"start":7},"dependencies":{"apify":null}}`)
	f.Add(1, "[project]\nname = \"x\"\ndependencies = [\"a\",\n[project.scripts]\nx = \"a:b\"")
	f.Add(2, "module x\ngo 1.2\nrequire (\n a.b/c v1\n)")
	f.Add(3, "[package]\nname=\"x\"\n[[bin]]\nname = [")
	f.Add(4, "[settings]\ndefault = ../x\n")
	f.Add(5, "FROM x\nCMD [\"a\"\n")
	f.Add(6, "class A(Spider):\n    name = 'x'\n    def __init__(self, a=(1,2):")
	names := []string{"package.json", "pyproject.toml", "go.mod", "Cargo.toml", "scrapy.cfg", "Dockerfile", "spiders/x.py"}
	root := repository(f, map[string]string{"spiders/x.py": "", "src/main.rs": "", "main.go": "package main"})
	f.Fuzz(func(t *testing.T, which int, text string) {
		name := names[uint(which)%uint(len(names))]
		file := filepath.Join(root, filepath.FromSlash(name))
		if name == "spiders/x.py" {
			if err := os.WriteFile(filepath.Join(root, "scrapy.cfg"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(filepath.Join(root, "scrapy.cfg"))
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file)
		if _, err := Detect(root); err != nil && !fault.Is(err, fault.InvalidInput) {
			t.Error(err)
		}
	})
}
