// Package dependencies installs what an Actor needs into its own directory, for
// those that run without a container.
package dependencies

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Install brings in what the Actor in dir depends on, as the platform's images do:
// the packages of package.json, and those of requirements.txt into a virtual
// environment in the directory. Compiled languages fetch theirs when they are
// compiled. args are variables for the tools; what those say goes to log.
// Errors: fault.Unavailable for a tool that is not installed, fault.RunFailed for
// one that fails.
func Install(ctx context.Context, dir string, args map[string]string, log io.Writer) error {
	i := &installer{ctx: ctx, dir: dir, log: log}
	for _, v := range os.Environ() {
		// What is installed belongs into the Actor's directory, whatever
		// environment the server was started in.
		name, _, _ := strings.Cut(v, "=")
		if !slices.Contains([]string{"VIRTUAL_ENV", "NODE_ENV", "PIP_TARGET", "PIP_USER"}, name) {
			i.env = append(i.env, v)
		}
	}
	for name, value := range args {
		i.env = append(i.env, name+"="+value)
	}
	if err := i.node(); err != nil {
		return err
	}
	return i.python()
}

type installer struct {
	ctx context.Context
	dir string
	env []string
	log io.Writer
}

func (i *installer) has(names ...string) bool {
	info, err := os.Stat(i.path(names...))
	return err == nil && info.Mode().IsRegular()
}

func (i *installer) path(names ...string) string {
	return filepath.Join(append([]string{i.dir}, names...)...)
}

func (i *installer) node() error {
	m, err := project.ReadManifest(i.dir)
	if err != nil || m == nil {
		return err
	}
	manager := project.NodePackages(i.dir)
	// A script named build makes what is started of what is written: its tools are
	// development dependencies.
	builds := m.Scripts["build"] != ""
	if len(m.Dependencies) > 0 || builds || i.has("package-lock.json") {
		args := []string{"install"}
		switch {
		case manager == "npm" && !builds:
			args = append(args, "--omit=dev")
		case manager == "npm":
			args = append(args, "--include=dev")
		}
		if manager == "npm" {
			args = append(args, "--no-audit", "--no-fund", "--no-progress")
		}
		if err := i.tool(manager, args...); err != nil {
			return err
		}
	}
	if builds {
		return i.tool(manager, "run", "build")
	}
	return nil
}

func (i *installer) python() error {
	if !i.has("requirements.txt") {
		return nil
	}
	python, pip := "python3", []string{".venv", "bin", "pip"}
	if runtime.GOOS == "windows" {
		python, pip = "python", []string{".venv", "Scripts", "pip.exe"}
	}
	if !i.has(pip...) {
		if err := i.tool(python, "-m", "venv", ".venv"); err != nil {
			return err
		}
	}
	return i.tool(i.path(pip...), "install", "--disable-pip-version-check", "--no-input", "-r", "requirements.txt")
}

// tool runs a program in the Actor's directory. What it says goes to the log.
func (i *installer) tool(program string, args ...string) error {
	path := program
	if !filepath.IsAbs(path) {
		var err error
		if path, err = exec.LookPath(program); err != nil {
			return fault.New(fault.Unavailable, "%s is needed to install what the Actor depends on, and is not on the PATH", program).
				WithHint("install it where the Actor is built")
		}
	}
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	line := name + " " + strings.Join(args, " ")
	_, _ = io.WriteString(i.log, "$ "+line+"\n")
	cmd := exec.CommandContext(i.ctx, path, args...)
	cmd.Dir = i.dir
	cmd.Env = i.env
	var said tail
	both := io.MultiWriter(i.log, &said)
	cmd.Stdout, cmd.Stderr = both, both
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		lines = lines[max(0, len(lines)-10):]
		return fault.New(fault.RunFailed, "the Actor's dependencies cannot be installed: %s: %w\n  %s", line, err, strings.Join(lines, "\n  ")).
			WithHint("run the same in the Actor's directory")
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail []byte

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	*t = append(*t, p...)
	if excess := len(*t) - most; excess > 0 {
		*t = append((*t)[:0], (*t)[excess:]...)
	}
	return len(p), nil
}
