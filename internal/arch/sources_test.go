package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sources are the Go files of a module, for whatever system they are. They are
// read here, not by the go command: a test's result is kept only until a file
// that the test itself has opened changes.
type sources struct {
	packages map[string]*goPackage // by path below the module
}

type goPackage struct {
	files []goFile
	// imports are this module's packages that files other than tests import,
	// and one file that does.
	imports map[string]string
}

type goFile struct {
	path        string // below the module, with slashes
	packageName string
	comment     string // the package comment, "" for none
	lines       int
	test        bool
}

func (m *sources) names() []string { return slices.Sorted(maps.Keys(m.packages)) }

// read reads the Go files of the module in root.
func read(root string) (*sources, error) {
	m := &sources{packages: map[string]*goPackage{}}
	return m, filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			name := entry.Name()
			if file != root && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		below, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		return m.add(file, filepath.ToSlash(below))
	})
}

func (m *sources) add(file, below string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), below, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	name := path.Dir(below)
	p := m.packages[name]
	if p == nil {
		p = &goPackage{imports: map[string]string{}}
		m.packages[name] = p
	}
	f := goFile{
		path: below, packageName: parsed.Name.Name, comment: commentText(parsed.Doc),
		lines: bytes.Count(text, []byte("\n")), test: strings.HasSuffix(below, "_test.go"),
	}
	p.files = append(p.files, f)
	if f.test {
		return nil
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if own, ok := strings.CutPrefix(imported, module+"/"); ok {
			p.imports[own] = below
		}
	}
	return nil
}

func commentText(comment *ast.CommentGroup) string {
	if comment == nil {
		return ""
	}
	return strings.TrimSpace(comment.Text())
}
