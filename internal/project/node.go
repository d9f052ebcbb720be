package project

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/source"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Manifest is what a package.json says.
type Manifest struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	Description  string            `json:"description"`
	Main         string            `json:"main"`
	Bin          json.RawMessage   `json:"bin"` // a path, or an object of names and paths
	Scripts      map[string]string `json:"scripts"`
	Dependencies map[string]any    `json:"dependencies"`
	Engines      map[string]any    `json:"engines"`
}

// ReadManifest gives a directory's package.json, or nil when it has none.
// Errors: fault.InvalidInput.
func ReadManifest(dir string) (*Manifest, error) {
	file := filepath.Join(dir, "package.json")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "package.json cannot be read")
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fault.New(fault.InvalidInput, "%s is not a valid package.json: %w", file, err).
			WithHint("correct the file; npm cannot read it either")
	}
	return &m, nil
}

// MainFile gives the file that "main" means in a directory, or "".
func (m *Manifest) MainFile(dir string) string {
	if m.Main == "" {
		return ""
	}
	for _, candidate := range []string{m.Main, m.Main + ".js", filepath.Join(m.Main, "index.js")} {
		if file := filepath.Join(dir, filepath.FromSlash(candidate)); isFile(file) {
			return file
		}
	}
	return ""
}

// commands gives the names and files of "bin", sorted by name.
func (m *Manifest) commands() (names, files []string) {
	var file string
	if json.Unmarshal(m.Bin, &file) == nil && file != "" {
		return []string{path.Base(m.Name)}, []string{file}
	}
	var all map[string]string
	if json.Unmarshal(m.Bin, &all) == nil {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			names, files = append(names, name), append(files, all[name])
		}
	}
	return names, files
}

// BareJavaScript finds the file that starts a project whose package.json does
// not say so: index or main, at the top, in src or in dist; or "".
func BareJavaScript(dir string) string {
	for _, folder := range []string{".", "src", "dist"} {
		for _, name := range []string{"index", "main"} {
			for _, extension := range []string{".js", ".mjs", ".cjs"} {
				if file := filepath.Join(dir, folder, name+extension); isFile(file) {
					return file
				}
			}
		}
	}
	return ""
}

// NodePackages names the package manager of a project by its lock file.
func NodePackages(dir string) string {
	for _, lock := range [][2]string{{"pnpm-lock.yaml", "pnpm"}, {"yarn.lock", "yarn"}, {"bun.lock", "bun"}, {"bun.lockb", "bun"}} {
		if isFile(filepath.Join(dir, lock[0])) {
			return lock[1]
		}
	}
	return "npm"
}

// plainNode matches a start script that is node and a file with plain words.
var (
	plainNode   = regexp.MustCompile(`^node\s+([\w@%+=:,./-]+)((?:\s+[\w@%+=:,./-]+)*)$`)
	nodeVersion = regexp.MustCompile(`(\d+)`)
)

// sdks of Node.js, the first that is there counts.
var nodeSDKs = []string{"apify", "crawlee", "@crawlee/core", "@crawlee/cheerio", "@crawlee/playwright", "@crawlee/puppeteer"}

func (p *Project) node() (bool, error) {
	m, err := ReadManifest(p.Root)
	if err != nil {
		return false, err
	}
	bare := ""
	if file := BareJavaScript(p.Root); file != "" {
		bare = p.relative(file)
	}
	if m == nil && bare == "" {
		if bare = p.onlyScript(); bare == "" {
			return false, nil
		}
	}
	p.Language = JavaScript
	evidence := bare
	if m == nil {
		m = &Manifest{}
	} else {
		evidence = "package.json"
		p.Packages = NodePackages(p.Root)
		p.fact("packages", p.Packages, evidence)
	}
	if p.has("tsconfig.json") {
		p.Language, evidence = TypeScript, "tsconfig.json"
	}
	p.fact("language", p.Language, evidence)
	p.Name, p.Description = path.Base(m.Name), m.Description
	if m.Name == "" {
		p.Name = ""
	}
	p.nodeVersion(m)
	for _, name := range slices.Sorted(maps.Keys(m.Dependencies)) {
		p.Dependencies = append(p.Dependencies, name)
		if spec, _ := m.Dependencies[name].(string); strings.HasPrefix(spec, "file:") || strings.HasPrefix(spec, "link:") || strings.HasPrefix(spec, "workspace:") {
			p.LocalPackages = true
		}
	}
	for _, sdk := range nodeSDKs {
		if slices.Contains(p.Dependencies, sdk) {
			p.SDK = sdk
			p.fact("SDK", sdk, "dependencies of package.json")
			break
		}
	}
	p.BuildScript = m.Scripts["build"] != "" && p.Language == TypeScript
	entry := p.nodeStart(m, bare)
	if entry != "" && p.SDK == "" {
		p.found(source.JavaScript(p.Text, entry))
	}
	return true, nil
}

// nodeStart finds what starts the program, and the file with its source.
func (p *Project) nodeStart(m *Manifest, bare string) (entry string) {
	start := func(file, evidence string, words ...string) string {
		p.Start = append([]string{"node", file}, words...)
		p.fact("start", strings.Join(p.Start, " "), evidence)
		return file
	}
	names, files := m.commands()
	if p.SDK == "" {
		for i, file := range files {
			file = path.Clean(file)
			if len(files) > 1 && names[i] != path.Base(m.Name) {
				continue
			}
			if p.has(file) || p.BuildScript {
				return start(file, `"bin" of package.json`)
			}
		}
		if len(files) > 0 && p.has(files[0]) {
			p.missing("package.json has several commands (" + strings.Join(names, ", ") + "); the first was taken")
			return start(path.Clean(files[0]), `"bin" of package.json`)
		}
	}
	if line := strings.TrimSpace(m.Scripts["start"]); line != "" {
		if found := plainNode.FindStringSubmatch(line); found != nil && (p.has(found[1]) || p.BuildScript) {
			return start(path.Clean(found[1]), `"start" script of package.json`, strings.Fields(found[2])...)
		}
		p.Start = []string{"npm", "start", "--silent"}
		if p.SDK == "" {
			p.Start = append(p.Start, "--")
		}
		p.fact("start", "npm start", `"start" script of package.json: `+line)
		for _, word := range strings.Fields(line) {
			if p.has(word) {
				return path.Clean(word)
			}
		}
		return ""
	}
	if file := m.MainFile(p.Root); file != "" {
		return start(p.relative(file), `"main" of package.json`)
	}
	if bare != "" {
		return start(bare, "the file is there")
	}
	if m.Main != "" && p.BuildScript {
		return start(path.Clean(m.Main), `"main" of package.json`)
	}
	if only := p.onlyScript(); only != "" {
		return start(only, "the only script")
	}
	return ""
}

// onlyScript is the script at the top, when there is but one, or "".
func (p *Project) onlyScript() string {
	var scripts []string
	for _, pattern := range []string{"*.js", "*.mjs", "*.cjs"} {
		for _, file := range Glob(p.Root, pattern) {
			if !strings.Contains(filepath.Base(file), ".config.") {
				scripts = append(scripts, p.relative(file))
			}
		}
	}
	if len(scripts) != 1 {
		return ""
	}
	return scripts[0]
}

func (p *Project) nodeVersion(m *Manifest) {
	for _, file := range []string{".nvmrc", ".node-version"} {
		if found := nodeVersion.FindString(p.Text(file)); found != "" {
			p.LanguageVersion = found
			p.fact("language version", found, file)
			return
		}
	}
	// What is asked for at least is no reason for something old.
	if engine, _ := m.Engines["node"].(string); engine != "" && !strings.ContainsAny(engine, "><*|") {
		if p.LanguageVersion = nodeVersion.FindString(engine); p.LanguageVersion != "" {
			p.fact("language version", p.LanguageVersion, `"engines" of package.json`)
		}
	}
}

// relative is a path below the root, with slashes.
func (p *Project) relative(file string) string {
	if rel, err := filepath.Rel(p.Root, file); err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}
