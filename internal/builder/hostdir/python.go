package hostdir

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// oldestPython is the minor version of Python 3 that the platform's SDK needs.
const oldestPython = 11

// python finds a package that can be run, or main.py.
func (f *finder) python() (*plan, error) {
	packages, runnable := project.AllPythonPackages(f.root)
	if len(runnable) == 1 {
		packages = runnable
	}
	if len(runnable) > 1 {
		return nil, severalPackages(runnable)
	}
	if len(runnable) == 0 {
		for _, file := range []string{"main.py", "src/main.py"} {
			if isFile(f.path(file)) {
				return f.pythonPlan("Python file: "+file, f.path(file))
			}
		}
	}
	switch len(packages) {
	case 1:
		p, err := f.pythonPlan("Python package: "+packages[0], "-m", packages[0])
		if err == nil && len(runnable) == 0 {
			p.warnings = append(p.warnings, fmt.Sprintf("the package %s has no __main__.py", packages[0]))
		}
		return p, err
	case 0:
		if loose := project.Glob(f.root, "*.py"); len(loose) > 0 {
			f.nearly = append(f.nearly, fmt.Sprintf("%s is a Python file, but not main.py or part of a package", filepath.Base(loose[0])))
		}
		return nil, nil
	}
	return nil, severalPackages(packages)
}

func severalPackages(names []string) error {
	return fault.New(fault.InvalidInput, "the project has several Python packages: %s", strings.Join(names, ", ")).
		WithHint("say which one starts the Actor, for example --entrypoint %s, or with scripts.run in .actor/actor.json", names[0])
}

// interpreter is a Python and what is known of it.
type interpreter struct {
	program string
	venv    string   // its virtual environment, "" for one of the system
	version string   // "3.11.7", "" when unknown
	sites   []string // folders of installed packages, nil when unknown
}

// pythonPlan plans the project's Python with the given arguments.
func (f *finder) pythonPlan(summary string, args ...string) (*plan, error) {
	py, err := f.interpreter()
	if err != nil {
		return nil, err
	}
	p := &plan{argv: append([]string{py.program}, args...), summary: summary}
	if py.venv != "" {
		p.path = []string{filepath.Dir(py.program)}
		p.env = []string{"VIRTUAL_ENV=" + py.venv}
		p.summary += ", with " + f.relative(py.venv)
	}
	if minor, ok := minorOf(py.version); ok && minor < oldestPython {
		p.warnings = append(p.warnings, fmt.Sprintf("Python %s is older than 3.%d, which the Apify SDK needs", py.version, oldestPython))
	}
	if missing := f.missingRequirements(py); len(missing) > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("%s of requirements.txt is not installed, run %s", strings.Join(missing, ", "), f.pipInstall(py)))
	}
	return p, nil
}

func (f *finder) pipInstall(py *interpreter) string {
	if py.venv == "" {
		return "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"
	}
	return f.relative(py.program) + " -m pip install -r requirements.txt"
}

// venv is a virtual environment: its folder, its Python, and the folder of its
// commands.
type venv struct{ root, python, bin string }

// venvs lists the virtual environments that count: the active one, and those in
// the project.
func (f *finder) venvs() (all []venv) {
	for i, root := range []string{os.Getenv("VIRTUAL_ENV"), f.path(".venv"), f.path("venv")} {
		if root == "" || i == 0 && f.own {
			continue
		}
		v := venv{root, filepath.Join(root, "bin", "python3"), filepath.Join(root, "bin")}
		if runtime.GOOS == "windows" {
			v.python, v.bin = filepath.Join(root, "Scripts", "python.exe"), filepath.Join(root, "Scripts")
		}
		if isFile(v.python) {
			all = append(all, v)
		}
	}
	return all
}

// interpreter finds the project's Python: that of the active virtual
// environment, of one in the project, or of the system.
func (f *finder) interpreter() (*interpreter, error) {
	if venvs := f.venvs(); len(venvs) > 0 {
		venv := venvs[0].root
		py := &interpreter{program: venvs[0].python, venv: venv}
		shared := false
		py.version, shared = readVenv(filepath.Join(venv, "pyvenv.cfg"))
		if !shared {
			py.sites = project.Glob(venv, filepath.Join("lib", "python3*", "site-packages"))
			if windows := filepath.Join(venv, "Lib", "site-packages"); isDir(windows) {
				py.sites = []string{windows}
			}
		}
		return py, nil
	}
	names := []string{"python3", "python"}
	if runtime.GOOS == "windows" {
		names = []string{"python", "py"}
	}
	for _, name := range names {
		program, err := lookup(name, nil)
		if err != nil {
			continue
		}
		// What the PATH has may be a shim that picks one of several versions.
		// Asking once gives the real one, which then starts faster.
		ask := exec.CommandContext(f.ctx, program, "-c",
			"import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3]); print('\\n'.join(sys.path))")
		ask.Dir = f.root
		out, err := ask.Output()
		if err != nil {
			continue
		}
		lines := strings.Split(strings.ReplaceAll(strings.TrimRight(string(out), "\r\n"), "\r\n", "\n"), "\n")
		if len(lines) < 2 {
			continue
		}
		py := &interpreter{program: program, version: lines[1], sites: lines[2:]}
		if isFile(lines[0]) {
			py.program = lines[0]
		}
		return py, nil
	}
	_, err := lookup("python3", nil)
	if err == nil {
		err = fault.New(fault.Unavailable, "python3 is on the PATH but does not start").WithHint("%s", install["python3"])
	}
	return nil, err
}

// readVenv reads a virtual environment's version, and whether it also has the
// packages of the system.
func readVenv(file string) (version string, shared bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", true
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "version", "version_info":
			version = value
		case "include-system-site-packages":
			shared = value == "true"
		}
	}
	return version, shared
}

func minorOf(version string) (minor int, ok bool) {
	parts := strings.Split(version, ".")
	if len(parts) < 2 || parts[0] != "3" {
		return 0, false
	}
	minor, err := strconv.Atoi(parts[1])
	return minor, err == nil
}

var (
	separators  = regexp.MustCompile(`[-_.]+`)
	requirement = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*([<>=!~].*)?$`)
)

// missingRequirements lists what requirements.txt asks for and the interpreter
// does not have. Lines with conditions, addresses or options are passed over.
func (f *finder) missingRequirements(py *interpreter) []string {
	file, err := os.Open(f.path("requirements.txt"))
	if err != nil || py.sites == nil {
		return nil
	}
	defer file.Close()
	installed := map[string]bool{}
	for _, site := range py.sites {
		entries, _ := os.ReadDir(site)
		for _, e := range entries {
			for _, suffix := range []string{".dist-info", ".egg-info", ".egg-link"} {
				if name, ok := strings.CutSuffix(e.Name(), suffix); ok {
					name, _, _ = strings.Cut(name, "-")
					installed[normal(name)] = true
				}
			}
		}
	}
	var missing []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		m := requirement.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || strings.Contains(line, ";") {
			continue
		}
		if !installed[normal(m[1])] {
			missing = append(missing, m[1])
		}
	}
	return missing
}

// normal is a package's name as Python compares it.
func normal(name string) string {
	return separators.ReplaceAllString(strings.ToLower(name), "_")
}
