package hostdir

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// scriptExtensions are those of files that are started by a known program. A
// single word that ends in one is meant to be such a file.
var scriptExtensions = []string{".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".sh"}

var module = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)

// entrypoint plans what the user named: a file or folder, a Python module, a
// script of package.json, or else a line for the shell.
func (f *finder) entrypoint(value string) (*plan, error) {
	p, err := f.namedEntrypoint(value)
	if err != nil {
		return nil, err
	}
	if p.summary == "" {
		p.summary = value
	}
	p.summary = "--entrypoint: " + p.summary
	return p, nil
}

func (f *finder) namedEntrypoint(value string) (*plan, error) {
	file := filepath.FromSlash(value)
	if !filepath.IsAbs(file) {
		file = f.path(file)
	}
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		if p, err := f.folder(value, file); p != nil || err != nil {
			return p, err
		}
	case err == nil && info.Mode().IsRegular():
		return f.file(file, info)
	case slices.Contains(scriptExtensions, filepath.Ext(value)) && !strings.ContainsAny(value, " \t"):
		return nil, fault.New(fault.InvalidInput, "the entrypoint %s does not exist in %s", value, f.root).
			WithHint("paths are relative to the Actor's directory")
	}
	if module.MatchString(value) && f.isModule(value) {
		return f.pythonPlan("python -m "+value, "-m", value)
	}
	m, err := project.ReadManifest(f.root)
	if err != nil {
		return nil, err
	}
	if m != nil && m.Scripts[value] != "" {
		return f.npmScript(m, value)
	}
	return f.script(value, f.moduleBins())
}

// file plans one file by its kind.
func (f *finder) file(file string, info fs.FileInfo) (*plan, error) {
	switch filepath.Ext(file) {
	case ".py":
		return f.pythonPlan("python "+f.relative(file), file)
	case ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts":
		m, err := project.ReadManifest(f.root)
		if err != nil {
			return nil, err
		}
		p, err := f.javaScript(file, m)
		if err == nil {
			p.summary = "JavaScript file: " + f.relative(file)
		}
		return p, err
	}
	if filepath.Ext(file) != ".sh" && runtime.GOOS != "windows" && info.Mode()&0o111 == 0 && project.Shebang(file) == nil {
		return nil, fault.New(fault.InvalidInput, "the entrypoint %s is not executable", f.relative(file)).
			WithHint("chmod +x %s, or name the program too, as in --entrypoint \"sh %s\"", f.relative(file), f.relative(file))
	}
	p, err := f.runFile(file)
	if err == nil {
		p.summary = f.relative(file)
	}
	return p, err
}

// folder plans a folder that is a Python package or a JavaScript one, else nil.
func (f *finder) folder(value, dir string) (*plan, error) {
	if isFile(filepath.Join(dir, "__main__.py")) || isFile(filepath.Join(dir, "__init__.py")) {
		name := strings.ReplaceAll(f.relative(dir), "/", ".")
		if module.MatchString(name) {
			return f.pythonPlan("python -m "+name, "-m", name)
		}
		return f.pythonPlan("python "+value, dir)
	}
	if isFile(filepath.Join(dir, "package.json")) || isFile(filepath.Join(dir, "index.js")) {
		m, err := project.ReadManifest(f.root)
		if err != nil {
			return nil, err
		}
		p, err := f.javaScript(dir, m)
		if err == nil {
			p.summary = fmt.Sprintf("JavaScript folder: %s", f.relative(dir))
		}
		return p, err
	}
	return nil, nil
}

// isModule tells whether a dotted name is a Python module of the project.
func (f *finder) isModule(name string) bool {
	path := f.path(strings.Split(name, ".")...)
	return isFile(path+".py") || isFile(filepath.Join(path, "__init__.py")) || isFile(filepath.Join(path, "__main__.py"))
}
