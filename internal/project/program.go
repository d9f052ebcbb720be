package project

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
	"github.com/greenroom-dev/greenroom/internal/source"
)

// callsActor matches a start command that speaks to the run itself.
var callsActor = regexp.MustCompile(`(^|[\s;&|(/])actor\s+(exec|get-input|push-data|set-value|get-value|exit|set-status-message|charge)\b`)

// image reads the Dockerfile, if there is one.
func (p *Project) image() error {
	for _, name := range []string{".actor/Dockerfile", "Dockerfile"} {
		if p.has(name) {
			p.Dockerfile = name
			break
		}
	}
	if p.Dockerfile == "" {
		return nil
	}
	return p.UseDockerfile(p.Dockerfile)
}

// UseDockerfile looks at another Dockerfile, named relative to the root.
// Errors: fault.InvalidInput.
func (p *Project) UseDockerfile(name string) error {
	start, err := dockerfile.Command(p.path(filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	p.Dockerfile, p.Image, p.ActorImage = name, &start, false
	p.fact("Dockerfile", name, "the file is there")
	line := strings.Join(start.Argv, " ")
	if start.Argv != nil {
		p.fact("image starts", line, name)
	}
	p.ActorImage = callsActor.MatchString(line) || start.Argv == nil && strings.HasPrefix(start.Base, "apify/actor-")
	if !p.ActorImage && len(start.Argv) > 0 {
		// A script of the project may call it.
		for _, word := range strings.Fields(line) {
			for _, name := range []string{word, filepath.Base(word)} {
				if filepath.IsLocal(filepath.FromSlash(name)) && callsActor.MatchString(p.Text(name)) {
					p.ActorImage = true
				}
			}
		}
	}
	return nil
}

// GoMains lists the folders of a Go module that hold a main package: the top or
// src, else those below cmd; with slashes, relative to root.
func GoMains(root string) []string {
	for _, dir := range []string{".", "src"} {
		if isGoMain(filepath.Join(root, dir)) {
			return []string{dir}
		}
	}
	var mains []string
	entries, _ := os.ReadDir(filepath.Join(root, "cmd"))
	for _, e := range entries {
		if e.IsDir() && isGoMain(filepath.Join(root, "cmd", e.Name())) {
			mains = append(mains, "cmd/"+e.Name())
		}
	}
	return mains
}

// isGoMain tells whether a folder holds a Go main package.
func isGoMain(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.PackageClauseOnly)
		if err == nil && file.Name.Name == "main" {
			return true
		}
	}
	return false
}

var (
	goModule  = regexp.MustCompile(`(?m)^module\s+(\S+)`)
	goVersion = regexp.MustCompile(`(?m)^go\s+(\d+\.\d+)`)
	goRequire = regexp.MustCompile(`(?m)^\s*(?:require\s+)?([\w.-]+\.[\w.-]+/\S+)\s+v\S+`)
	majorPath = regexp.MustCompile(`^v\d+$`)
)

// sdkOfGo is the Go package that makes a program an Actor.
const sdkOfGo = "github.com/greenroom-dev/greenroom"

func (p *Project) golang() (bool, error) {
	if !p.has("go.mod") {
		return false, nil
	}
	text := p.Text("go.mod")
	p.Language, p.Packages = Go, "go"
	p.fact("language", Go, "go.mod")
	if m := goVersion.FindStringSubmatch(text); m != nil {
		p.LanguageVersion = m[1]
		p.fact("language version", m[1], "go.mod")
	}
	if m := goModule.FindStringSubmatch(text); m != nil {
		parts := strings.Split(m[1], "/")
		p.Name = parts[len(parts)-1]
		if majorPath.MatchString(p.Name) && len(parts) > 1 {
			p.Name = parts[len(parts)-2]
		}
	}
	for _, m := range goRequire.FindAllStringSubmatch(text, -1) {
		p.Dependencies = append(p.Dependencies, m[1])
	}
	if slices.Contains(p.Dependencies, sdkOfGo) {
		p.SDK = sdkOfGo + "/pkg/actor"
		p.fact("SDK", p.SDK, "go.mod")
	}
	mains := GoMains(p.Root)
	switch {
	case len(mains) == 0:
		p.missing("go.mod is there, but no main package in ., src or cmd")
		return true, nil
	case len(mains) > 1:
		p.missing("the module has several commands (" + strings.Join(mains, ", ") + "); the first was taken")
	}
	p.Main = "./" + strings.TrimPrefix(mains[0], ".")
	if mains[0] == "." {
		p.Main = "."
	}
	p.fact("start", "go build "+p.Main, "a main package")
	if p.SDK == "" {
		var files []string
		for _, file := range Glob(p.path(filepath.FromSlash(mains[0])), "*.go") {
			if !strings.HasSuffix(file, "_test.go") {
				files = append(files, p.relative(file))
			}
		}
		p.found(source.Go(p.Text, files))
	}
	return true, nil
}

func (p *Project) rust() (bool, error) {
	if !p.has("Cargo.toml") {
		return false, nil
	}
	p.Language, p.Packages = Rust, "cargo"
	p.fact("language", Rust, "Cargo.toml")
	toml := readTOML(p.Text("Cargo.toml"))
	for _, s := range toml["package"] {
		switch s.key {
		case "name":
			p.Name = strings.Trim(s.value, `"`)
		case "description":
			p.Description = strings.Trim(s.value, `"`)
		}
	}
	for _, s := range toml["dependencies"] {
		p.Dependencies = append(p.Dependencies, s.key)
	}
	for _, s := range toml["bin"] {
		if s.key == "name" {
			p.Main = strings.Trim(s.value, `"`)
			break
		}
	}
	if p.Main == "" && p.has("src/main.rs") {
		p.Main = p.Name
	}
	if p.Main == "" {
		p.missing("Cargo.toml is there, but no src/main.rs and no [[bin]]")
		return true, nil
	}
	p.fact("start", "cargo build --release, then "+p.Main, "Cargo.toml")
	if slices.Contains(p.Dependencies, "clap") {
		p.found(source.Found{Parser: "clap", File: "Cargo.toml"})
	}
	return true, nil
}

// scripts are languages whose programs are a file for an interpreter.
var interpreters = map[string]string{
	"sh": Shell, "bash": Shell, "dash": Shell, "ash": Shell, "zsh": Shell,
	"ruby": Ruby, "php": PHP, "perl": Perl, "python": Python, "python3": Python, "node": JavaScript,
}

// script looks for one script at the top: executable with a first line that
// names its interpreter, or *.sh, *.rb, *.php, *.pl.
func (p *Project) script() (bool, error) {
	entries, err := os.ReadDir(p.Root)
	if err != nil {
		return false, nil
	}
	type candidate struct{ name, program string }
	var candidates []candidate
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		program := ""
		if words := Shebang(p.path(e.Name())); words != nil {
			program = strings.TrimRight(filepath.Base(words[0]), "0123456789.")
			if program == "python" {
				program = "python3"
			}
		}
		switch filepath.Ext(e.Name()) {
		case ".sh":
			if program == "" {
				program = "sh"
			}
		case ".rb":
			program = "ruby"
		case ".php":
			program = "php"
		case ".pl":
			program = "perl"
		default:
			if program == "" || info.Mode()&0o111 == 0 && filepath.Ext(e.Name()) != "" {
				continue
			}
		}
		if interpreters[program] != "" {
			candidates = append(candidates, candidate{e.Name(), program})
		}
	}
	if len(candidates) == 0 {
		return false, nil
	}
	chosen, evidence := candidates[0], "the only script"
	if len(candidates) > 1 {
		evidence = ""
		for _, base := range []string{"main", "run", "start", "entrypoint", "index", "actor"} {
			for _, c := range candidates {
				if evidence == "" && strings.TrimSuffix(c.name, filepath.Ext(c.name)) == base {
					chosen, evidence = c, "its name"
				}
			}
		}
	}
	p.Language = interpreters[chosen.program]
	p.fact("language", p.Language, chosen.name)
	if evidence == "" {
		var names []string
		for _, c := range candidates {
			names = append(names, c.name)
		}
		p.missing("several scripts could be the program: " + strings.Join(names, ", "))
		return true, nil
	}
	p.Start = []string{chosen.program, chosen.name}
	p.fact("start", strings.Join(p.Start, " "), evidence)
	if text := p.Text(chosen.name); callsActor.MatchString(text) {
		p.SDK = "actor"
		p.fact("SDK", "the actor command", chosen.name)
	} else if p.Language == Shell {
		p.found(source.Shell(chosen.name, text))
	} else {
		p.found(source.Script(chosen.name, text))
	}
	return true, nil
}
