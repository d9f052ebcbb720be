package hostdir

import (
	"bytes"
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

// install brings in what the Actor depends on, as the platform's images do: the
// packages of package.json, and those of requirements.txt into a virtual
// environment in the Actor's directory. Compiled languages fetch theirs when they
// are compiled. env are variables for the tools.
func (f *finder) install(args map[string]string) error {
	f.vars = os.Environ()
	for name, value := range args {
		f.vars = append(f.vars, name+"="+value)
	}
	if err := f.installNode(); err != nil {
		return err
	}
	return f.installPython()
}

func (f *finder) installNode() error {
	m, err := project.ReadManifest(f.root)
	if err != nil || m == nil {
		return err
	}
	manager := project.NodePackages(f.root)
	// A script named build makes what is started of what is written: its tools are
	// development dependencies.
	builds := m.Scripts["build"] != ""
	if len(m.Dependencies) > 0 || builds || isFile(f.path("package-lock.json")) {
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
		if err := f.tool(manager, args...); err != nil {
			return err
		}
	}
	if builds {
		return f.tool(manager, "run", "build")
	}
	return nil
}

func (f *finder) installPython() error {
	if !isFile(f.path("requirements.txt")) {
		return nil
	}
	python, pip := "python3", f.path(".venv", "bin", "pip")
	if runtime.GOOS == "windows" {
		python, pip = "python", f.path(".venv", "Scripts", "pip.exe")
	}
	if !isFile(pip) {
		if err := f.tool(python, "-m", "venv", ".venv"); err != nil {
			return err
		}
	}
	return f.tool(pip, "install", "--disable-pip-version-check", "--no-input", "-r", "requirements.txt")
}

// tool runs a program in the Actor's directory. What it says goes to the log.
func (f *finder) tool(program string, args ...string) error {
	path := program
	if !filepath.IsAbs(path) {
		var err error
		if path, err = lookup(program, nil); err != nil {
			return err
		}
	}
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	line := name + " " + strings.Join(args, " ")
	_, _ = io.WriteString(f.log, "$ "+line+"\n")
	cmd := exec.CommandContext(f.ctx, path, args...)
	cmd.Dir = f.root
	// What is installed belongs into the Actor's directory, whatever environment
	// the server was started in.
	cmd.Env = slices.DeleteFunc(slices.Clone(f.vars), func(v string) bool {
		return strings.HasPrefix(v, "VIRTUAL_ENV=") || strings.HasPrefix(v, "NODE_ENV=") || strings.HasPrefix(v, "PIP_TARGET=") || strings.HasPrefix(v, "PIP_USER=")
	})
	var tail bytes.Buffer
	cmd.Stdout = f.log
	cmd.Stderr = io.MultiWriter(f.log, &tail)
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(tail.String()), "\n")
		lines = lines[max(0, len(lines)-10):]
		return fault.New(fault.RunFailed, "the Actor's dependencies cannot be installed: %s: %w\n  %s", line, err, strings.Join(lines, "\n  ")).
			WithHint("run the same in the Actor's directory")
	}
	return nil
}
