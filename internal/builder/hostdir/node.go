package hostdir

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/project"
)

func (f *finder) packageJSON() (*plan, error) {
	m, err := project.ReadManifest(f.root)
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
	if file := m.MainFile(f.root); file != "" {
		p, err := f.javaScript(file, m)
		if err == nil {
			p.summary = "main of package.json: " + f.relative(file)
		}
		return p, err
	}
	f.nearly = append(f.nearly, fmt.Sprintf("%s, the main of package.json, does not exist (does the project need a build?)", m.Main))
	return nil, nil
}

// npmScript plans a script of package.json. Starting npm costs some 300 ms, and
// prints lines of its own, so the script is started as npm would, unless others
// belong before or after it.
func (f *finder) npmScript(m *project.Manifest, name string) (*plan, error) {
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
func (f *finder) notInstalled(m *project.Manifest) []string {
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
	command := project.NodePackages(f.root) + " install"
	return []string{"the dependencies in package.json are not installed, run " + command}
}

// bareJavaScript finds a project without a package.json that says how it starts.
func (f *finder) bareJavaScript() (*plan, error) {
	file := project.BareJavaScript(f.root)
	if file == "" {
		return nil, nil
	}
	m, _ := project.ReadManifest(f.root)
	p, err := f.javaScript(file, m)
	if err == nil {
		p.summary = "JavaScript file: " + f.relative(file)
	}
	return p, err
}

// javaScript plans a JavaScript or TypeScript file, or a folder of one, for the
// first runtime that is installed.
func (f *finder) javaScript(file string, m *project.Manifest) (*plan, error) {
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
