package create

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// dependencies gives the commands that install what a project needs, nil when it
// needs nothing.
func dependencies(dir string, omitOptional bool) ([][]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err == nil {
		var manifest struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal(text, &manifest); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "the template's package.json is broken")
		}
		if len(manifest.Dependencies)+len(manifest.DevDependencies) == 0 {
			return nil, nil
		}
		npm := []string{"npm", "install"}
		if omitOptional {
			npm = append(npm, "--omit=optional")
		}
		return [][]string{npm}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "the project cannot be read")
	}
	if _, err := os.Stat(filepath.Join(dir, "requirements.txt")); err == nil {
		python, pip := "python3", filepath.Join(".venv", "bin", "pip")
		if runtime.GOOS == "windows" {
			python, pip = "python", filepath.Join(".venv", "Scripts", "pip")
		}
		return [][]string{{python, "-m", "venv", ".venv"}, {pip, "install", "-r", "requirements.txt"}}, nil
	}
	return nil, nil
}

// repeat is what to type to install by hand.
func repeat(steps [][]string) string {
	lines := make([]string, len(steps))
	for i, step := range steps {
		lines[i] = strings.Join(step, " ")
	}
	return strings.Join(lines, " && ")
}

// quiet are options that keep a tool from saying what nobody asked for.
var quiet = map[string][]string{
	// Whoever works on the project needs its tools, whatever NODE_ENV says.
	"npm": {"--include=dev", "--no-audit", "--no-fund", "--loglevel=error"},
	"pip": {"--quiet", "--disable-pip-version-check"},
}

// install takes the steps in the project's directory. What fails is a warning,
// because the project is there; only an interruption is an error.
func (o *Options) install(ctx context.Context, dir string, steps [][]string) (warning string, err error) {
	by := fmt.Sprintf("install the dependencies in %s with: %s", dir, repeat(steps))
	for _, step := range steps {
		program := step[0]
		if filepath.Base(program) != program {
			program = filepath.Join(dir, program)
		}
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Sprintf("the dependencies are not installed, there is no %s; %s", step[0], by), nil
		}
		cmd := exec.CommandContext(ctx, program, append(step[1:len(step):len(step)], quiet[filepath.Base(step[0])]...)...)
		cmd.Dir = dir
		cmd.Stdout, cmd.Stderr = o.factory.IO.Err, o.factory.IO.Err
		cmd.WaitDelay = 5 * time.Second
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				return "", fault.New(fault.Aborted, "interrupted: the Actor was created, but its dependencies are not all installed").WithHint("%s", by)
			}
			return fmt.Sprintf("the dependencies are not installed, %s failed: %v; %s", strings.Join(step, " "), err, by), nil
		}
	}
	return "", nil
}
