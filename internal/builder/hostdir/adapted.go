package hostdir

import (
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
)

// adapted plans a program that the Dockerfile starts through actor exec: it does
// not know that it is an Actor, so it must not be started alone. Of any other
// Dockerfile it says nothing.
func (f *finder) adapted() (*plan, error) {
	if f.actor.Dockerfile == "" {
		return nil, nil
	}
	start, err := dockerfile.Command(f.actor.Dockerfile)
	if err != nil {
		// Whether that matters shows when nothing else starts the Actor.
		return nil, nil
	}
	if len(start.Argv) == 0 {
		return nil, nil
	}
	command := withoutInit(start.Argv)
	at := slices.Index(command, "--")
	if at < 2 || at+1 == len(command) || path.Base(command[0]) != actorCommand || command[1] != "exec" {
		return nil, nil
	}
	wrapper, program := command[:at+1], command[at+1:]
	p, err := f.wrapped(&imagePaths{start: start, context: f.actor.ContextDir}, program)
	if err != nil {
		return nil, err
	}
	p.argv = append(append([]string{actorCommand}, wrapper[1:]...), p.argv...)
	p.summary = fmt.Sprintf("command of %s: %s", f.relative(f.actor.Dockerfile), strings.Join(start.Argv, " "))
	return p, nil
}

// wrapped plans the program itself. One that the image gets from an earlier
// stage is compiled here.
func (f *finder) wrapped(image *imagePaths, program []string) (*plan, error) {
	name := program[0]
	_, copied := image.host(name)
	_, installed := image.installed(name)
	if path.IsAbs(name) && !copied && !installed {
		for _, compile := range []func() (*plan, error){f.golang, f.rust} {
			p, err := compile()
			if err != nil {
				return nil, err
			}
			if p != nil {
				p.argv = append(p.argv, program[1:]...)
				return p, nil
			}
		}
	}
	bins := f.scripts()
	if found := f.inFolders(name, bins); found != "" && !installed && !strings.HasPrefix(name, "python") {
		program = append([]string{found}, program[1:]...)
	}
	argv, err := f.hostCommand(image, program)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(name, "python") {
		return &plan{argv: argv, path: bins}, nil
	}
	return f.pythonPlan("", argv[1:]...)
}

// inFolders finds a command in folders, or gives "".
func (f *finder) inFolders(name string, folders []string) string {
	if strings.Contains(name, "/") {
		return ""
	}
	for _, dir := range folders {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found
		}
	}
	return ""
}

// scripts are the folders with commands of the project's own packages: those of
// Node.js, and of a virtual environment.
func (f *finder) scripts() []string {
	bins := f.moduleBins()
	for _, venv := range f.venvs() {
		bins = append(bins, venv.bin)
	}
	return bins
}
