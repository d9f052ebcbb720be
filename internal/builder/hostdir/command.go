package hostdir

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// install says, for the commands that Actors are commonly started with, where
// they come from.
var install = map[string]string{
	"node":    "install Node.js 20 or later from https://nodejs.org",
	"npm":     "install Node.js 20 or later, which brings npm, from https://nodejs.org",
	"tsx":     "install it in the project with npm install --save-dev tsx, or install Node.js 22.18 or later",
	"python3": "install Python 3.11 or later from https://www.python.org",
	"python":  "install Python 3.11 or later from https://www.python.org",
	"go":      "install Go from https://go.dev/dl",
	"cargo":   "install Rust from https://rustup.rs",
	"sh":      "install a POSIX shell; Git for Windows brings one",
	"bash":    "install bash, or change the script's first line to #!/bin/sh",
}

// actorCommand is the command that the executor itself puts on the PATH; until
// then there is nothing to be found, or another one.
const actorCommand = "actor"

// lookup finds a command in the given folders and then on the PATH. What it
// gives is an absolute path, except for actor.
func lookup(name string, folders []string) (string, error) {
	if name == actorCommand {
		return name, nil
	}
	for _, dir := range folders {
		// LookPath with a separator in the name only checks that very file, and
		// on Windows tries the known extensions.
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	found, err := exec.LookPath(name)
	if err == nil {
		return filepath.Abs(found)
	}
	hint, ok := install[name]
	if !ok {
		hint = "install it, or name another command with --entrypoint"
	}
	return "", fault.New(fault.Unavailable, "%s is needed to start the Actor and is not on the PATH", name).WithHint("%s", hint)
}

// simple matches command lines that mean the same to every shell: words
// without quoting, variables or operators.
var simple = regexp.MustCompile(`^[\w@%+:,./-]+( +[\w@%+=:,./-]+)*$`)

// script plans a line that was written for a shell. A line of plain words whose
// command is a program starts that program itself: nothing lies between it and
// the signals it gets. Anything else goes to the shell untouched.
func (f *finder) script(line string, path []string) (*plan, error) {
	if trimmed := strings.TrimSpace(line); simple.MatchString(trimmed) && (runtime.GOOS != "windows" || !strings.ContainsAny(trimmed, "/%")) {
		words := strings.Fields(trimmed)
		if program := f.program(words[0], path); program != "" {
			return &plan{argv: append([]string{program}, words[1:]...), path: path}, nil
		}
	}
	argv, err := shellCommand(line)
	if err != nil {
		return nil, err
	}
	return &plan{argv: argv, path: path}, nil
}

// program is the file that a shell in the Actor's directory would start for a
// command name, or "".
func (f *finder) program(name string, path []string) string {
	if strings.ContainsAny(name, `/\`) {
		if !filepath.IsAbs(name) {
			name = f.path(filepath.FromSlash(name))
		}
		found, err := exec.LookPath(name)
		if err != nil || !loadable(found) {
			return ""
		}
		return found
	}
	found, err := lookup(name, path)
	if err != nil || name != actorCommand && !loadable(found) {
		return ""
	}
	return found
}

// loadable tells whether the system can start the file by itself. A script
// without a first line that names its interpreter only runs in a shell.
func loadable(path string) bool {
	if runtime.GOOS == "windows" {
		return strings.EqualFold(filepath.Ext(path), ".exe")
	}
	f, err := os.Open(path)
	if err != nil {
		// Not readable does not mean not executable.
		return true
	}
	defer f.Close()
	var head [4]byte
	n, _ := f.Read(head[:])
	switch {
	case n >= 2 && string(head[:2]) == "#!":
		return true
	case n == 4 && string(head[:]) == "\x7fELF":
		return true
	case n == 4: // Mach-O, in both byte orders, and with several architectures.
		switch string(head[:]) {
		case "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xfe\xed\xfa\xcf", "\xfe\xed\xfa\xce", "\xca\xfe\xba\xbe":
			return true
		}
	}
	return false
}

// runFile plans a file that is to be run: directly when the system can, else
// with the interpreter of its first line, else with the shell.
func (f *finder) runFile(path string) (*plan, error) {
	if found, err := exec.LookPath(path); err == nil && loadable(found) {
		return &plan{argv: []string{found}}, nil
	}
	interpreter := project.Shebang(path)
	if interpreter == nil {
		interpreter = []string{"sh"}
	}
	name := interpreter[0]
	if !isFile(name) {
		name = filepath.Base(filepath.ToSlash(name))
	}
	program, err := lookup(name, nil)
	if err != nil {
		return nil, err
	}
	return &plan{argv: append(append([]string{program}, interpreter[1:]...), path)}, nil
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
