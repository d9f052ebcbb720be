// Package project looks at a repository and says what it is: its language and
// packages, what starts it, how it takes arguments, whether it uses an SDK. It
// reads files and runs nothing.
package project

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
	"github.com/greenroom-dev/greenroom/internal/commandline"
	"github.com/greenroom-dev/greenroom/internal/source"
)

// Languages, as Project.Language has them.
const (
	Python     = "python"
	JavaScript = "javascript"
	TypeScript = "typescript"
	Go         = "go"
	Rust       = "rust"
	Shell      = "shell"
	Ruby       = "ruby"
	PHP        = "php"
	Perl       = "perl"
)

// Fact is something that was found, and where.
type Fact struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Evidence string `json:"evidence"`
}

// Project is what was found of a repository. What was not found is empty.
type Project struct {
	Root     string
	Language string
	// LanguageVersion is MAJOR.MINOR, or MAJOR for Node.js.
	LanguageVersion string
	// Packages is the package manager: npm, pnpm, yarn, bun, pip, uv, poetry, go, cargo.
	Packages string
	// Dependencies are the names of the packages it needs itself.
	Dependencies []string
	Name         string
	Description  string

	// Start is the command that starts it, from Root. For a compiled language it
	// is empty and Main is what is compiled: "./cmd/tool".
	Start []string
	Main  string
	// BuildScript says that package.json has a "build" script that must run first.
	BuildScript bool
	// LocalPackages says that it depends on packages in its own folders.
	LocalPackages bool
	// Requirements is the file with Python's packages, Installable says that pip
	// can install the project itself.
	Requirements string
	Installable  bool

	// SDK is the package that makes it an Actor already, "" for none.
	SDK    string
	Scrapy *Scrapy

	// Parser is what reads its arguments: argparse, commander, flag…
	Parser string
	// Program is its command line as its source shows it, nil when that is not
	// known. PrintsJSON says that its source mentions JSON.
	Program    *commandline.Program
	PrintsJSON bool

	// Dockerfile is the one that is there, relative to Root; Image what it starts.
	Dockerfile string
	Image      *dockerfile.Start
	// ActorImage says that what the image starts is an Actor already: it calls the
	// actor command, or its base does the starting.
	ActorImage bool

	Facts   []Fact
	Missing []string
}

// Scrapy is a Scrapy project.
type Scrapy struct {
	Settings string // the settings module
	Spiders  []Spider
}

// Spider is a spider and the arguments that its __init__ takes.
type Spider struct {
	Name      string
	Arguments []string
}

// Detect looks at the repository in root. Errors: fault.InvalidInput when a file
// that says what the project is cannot be read.
func Detect(root string) (*Project, error) {
	p := &Project{Root: root}
	if err := p.image(); err != nil {
		return nil, err
	}
	for _, look := range []func() (bool, error){p.scrapy, p.node, p.python, p.golang, p.rust, p.script} {
		found, err := look()
		if err != nil {
			return nil, err
		}
		if found {
			break
		}
	}
	if p.Language == "" {
		p.missing("no program was found: there is no package.json, Python, Go, Rust or script that could be it")
	} else if len(p.Start) == 0 && p.Main == "" && p.Image == nil {
		p.missing("it was not found what starts the program")
	}
	return p, nil
}

func (p *Project) fact(name, value, evidence string) {
	p.Facts = append(p.Facts, Fact{name, value, evidence})
}

func (p *Project) missing(what string) { p.Missing = append(p.Missing, what) }

func (p *Project) path(names ...string) string {
	return filepath.Join(append([]string{p.Root}, names...)...)
}

func (p *Project) has(name string) bool { return isFile(p.path(filepath.FromSlash(name))) }

// Text gives the content of a file by its slash path, "" when it is not there, not a text, or too
// large to be source.
func (p *Project) Text(name string) string {
	path := p.path(filepath.FromSlash(name))
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > largestSource {
		return ""
	}
	content, err := os.ReadFile(path)
	if err != nil || strings.IndexByte(string(content), 0) >= 0 {
		return ""
	}
	return strings.TrimPrefix(strings.ReplaceAll(string(content), "\r\n", "\n"), "\uFEFF")
}

// largestSource is the most bytes of a file that is read as source.
const largestSource = 2 << 20

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Glob lists what matches a pattern below a directory, whose own name may have
// special characters in it.
func Glob(dir, pattern string) []string {
	special := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)
	if runtime.GOOS == "windows" {
		// No escape character there, and no * or ? in names.
		special = strings.NewReplacer("[", "[[]")
	}
	matches, _ := filepath.Glob(filepath.Join(special.Replace(dir), pattern))
	return matches
}

// Shebang is the interpreter that a script's first line names, or nil. The env
// program is looked through.
func Shebang(path string) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	line, _ := bufio.NewReaderSize(file, 512).ReadSlice('\n')
	rest, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "#!")
	if !ok {
		return nil
	}
	program, argument, _ := strings.Cut(strings.TrimSpace(rest), " ")
	argument = strings.TrimSpace(argument)
	if filepath.Base(program) == "env" {
		words := strings.Fields(argument)
		if len(words) > 0 && words[0] == "-S" {
			words = words[1:]
		}
		if len(words) == 0 {
			return nil
		}
		return words
	}
	if program == "" {
		return nil
	}
	if argument == "" {
		return []string{program}
	}
	return []string{program, argument}
}

// found keeps what the source says of the command line.
func (p *Project) found(f source.Found) {
	p.Parser, p.Program, p.PrintsJSON = f.Parser, f.Program, f.JSON
	p.Missing = append(p.Missing, f.Missing...)
	if f.Parser != "" {
		p.fact("arguments", f.Parser, f.File)
	}
	if f.Program != nil && f.Program.Stdin {
		p.fact("standard input", "read", f.File)
	}
}
