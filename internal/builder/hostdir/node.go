package hostdir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// manifest is what a package.json says about starting.
type manifest struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	Main         string            `json:"main"`
	Scripts      map[string]string `json:"scripts"`
	Dependencies map[string]any    `json:"dependencies"`
}

// manifest gives the project's package.json, or nil when it has none.
func (f *finder) manifest() (*manifest, error) {
	text, err := os.ReadFile(f.path("package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "package.json cannot be read")
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fault.New(fault.InvalidInput, "%s is not a valid package.json: %w", f.path("package.json"), err).
			WithHint("correct the file; npm cannot read it either")
	}
	return &m, nil
}

func (f *finder) packageJSON() (*plan, error) {
	m, err := f.manifest()
	if m == nil || err != nil {
		return nil, err
	}
	if m.Scripts["start"] != "" {
		return f.npmScript(m, "start")
	}
	if m.Main == "" {
		f.nearly = append(f.nearly, `package.json has neither a "start" script nor "main"`)
		return nil, nil
	}
	for _, candidate := range []string{m.Main, m.Main + ".js", filepath.Join(m.Main, "index.js")} {
		if file := f.path(filepath.FromSlash(candidate)); isFile(file) {
			p, err := f.javaScript(file, m)
			if err == nil {
				p.summary = "main of package.json: " + f.relative(file)
			}
			return p, err
		}
	}
	f.nearly = append(f.nearly, fmt.Sprintf("%s, the main of package.json, does not exist (does the project need a build?)", m.Main))
	return nil, nil
}

// npmScript plans a script of package.json. Starting npm costs some 300 ms, and
// prints lines of its own, so the script is started as npm would, unless others
// belong before or after it.
func (f *finder) npmScript(m *manifest, name string) (*plan, error) {
	line := m.Scripts[name]
	if m.Scripts["pre"+name] != "" || m.Scripts["post"+name] != "" {
		npm, err := lookup("npm", nil)
		if err != nil {
			return nil, err
		}
		return &plan{
			argv:     []string{npm, "run", "--silent", name},
			summary:  fmt.Sprintf("package.json %s script, with the scripts around it: %s", name, line),
			warnings: f.notInstalled(m),
		}, nil
	}
	p, err := f.script(line, f.moduleBins())
	if err != nil {
		return nil, err
	}
	if _, err := lookup("node", nil); err != nil && strings.HasPrefix(strings.TrimSpace(line), "node ") {
		return nil, err
	}
	p.env = []string{
		"npm_lifecycle_event=" + name,
		"npm_lifecycle_script=" + line,
		"npm_package_json=" + f.path("package.json"),
		"INIT_CWD=" + f.root,
	}
	for key, value := range map[string]string{"npm_package_name": m.Name, "npm_package_version": m.Version} {
		if value != "" {
			p.env = append(p.env, key+"="+value)
		}
	}
	slices.Sort(p.env)
	p.summary = fmt.Sprintf("package.json %s script: %s", name, line)
	p.warnings = f.notInstalled(m)
	return p, nil
}

// moduleBins are the folders of commands of installed packages, the nearest
// first: npm puts them on the PATH of its scripts.
func (f *finder) moduleBins() []string {
	var bins []string
	for dir := f.root; ; dir = filepath.Dir(dir) {
		if bin := filepath.Join(dir, "node_modules", ".bin"); isDir(bin) {
			bins = append(bins, bin)
		}
		if dir == filepath.Dir(dir) {
			return bins
		}
	}
}

// notInstalled warns when the project has dependencies and no trace of them.
func (f *finder) notInstalled(m *manifest) []string {
	if m == nil || len(m.Dependencies) == 0 || isFile(f.path(".pnp.cjs")) {
		return nil
	}
	for dir := f.root; ; dir = filepath.Dir(dir) {
		if isDir(filepath.Join(dir, "node_modules")) {
			return nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	command := "npm install"
	for _, other := range [][2]string{{"pnpm-lock.yaml", "pnpm install"}, {"yarn.lock", "yarn install"}, {"bun.lock", "bun install"}, {"bun.lockb", "bun install"}} {
		if isFile(f.path(other[0])) {
			command = other[1]
		}
	}
	return []string{"the dependencies in package.json are not installed, run " + command}
}

// bareJavaScript finds a project without a package.json that says how it starts.
func (f *finder) bareJavaScript() (*plan, error) {
	for _, dir := range []string{".", "src", "dist"} {
		for _, name := range []string{"index", "main"} {
			for _, extension := range []string{".js", ".mjs", ".cjs"} {
				file := f.path(dir, name+extension)
				if !isFile(file) {
					continue
				}
				m, _ := f.manifest()
				p, err := f.javaScript(file, m)
				if err == nil {
					p.summary = "JavaScript file: " + f.relative(file)
				}
				return p, err
			}
		}
	}
	return nil, nil
}

// javaScript plans a JavaScript or TypeScript file, or a folder of one, for the
// first runtime that is installed.
func (f *finder) javaScript(file string, m *manifest) (*plan, error) {
	bins := f.moduleBins()
	p := &plan{path: bins, warnings: f.notInstalled(m)}
	switch filepath.Ext(file) {
	case ".ts", ".mts", ".cts":
		if tsx, err := lookup("tsx", bins); err == nil {
			p.argv = []string{tsx, file}
			return p, nil
		}
		node, err := lookup("node", nil)
		if err == nil && f.stripsTypes(node) {
			p.argv = []string{node, file}
			return p, nil
		}
	default:
		node, err := lookup("node", nil)
		if err == nil {
			p.argv = []string{node, file}
			return p, nil
		}
	}
	if deno, err := lookup("deno", nil); err == nil {
		p.argv = []string{deno, "run", "--allow-all", file}
		return p, nil
	}
	if bun, err := lookup("bun", nil); err == nil {
		p.argv = []string{bun, file}
		return p, nil
	}
	missing := "node"
	if strings.HasSuffix(file, "ts") {
		missing = "tsx"
	}
	_, err := lookup(missing, bins)
	return nil, err
}

// stripsTypes tells whether a Node.js runs TypeScript files as they are.
func (f *finder) stripsTypes(node string) bool {
	out, err := exec.CommandContext(f.ctx, node, "--version").Output()
	if err != nil {
		return false
	}
	parts := strings.Split(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	if len(parts) < 2 {
		return false
	}
	major, _ := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	return major > 23 || major == 23 && minor >= 6 || major == 22 && minor >= 18
}
