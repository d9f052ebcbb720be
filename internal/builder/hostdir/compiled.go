package hostdir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// golang compiles a Go module. "go run" would do, but it replaces the exit code
// and stands between the Actor and its signals.
func (f *finder) golang() (*plan, error) {
	if !isFile(f.path("go.mod")) {
		return nil, nil
	}
	mains := project.GoMains(f.root)
	switch len(mains) {
	case 0:
		f.nearly = append(f.nearly, "go.mod is there, but no main package in ., src or cmd")
		return nil, nil
	case 1:
	default:
		return nil, fault.New(fault.InvalidInput, "the Go module has several commands: %s", strings.Join(mains, ", ")).
			WithHint("say which one starts the Actor, for example --entrypoint \"go run ./%s\", or with scripts.run in .actor/actor.json", mains[0])
	}
	compiler, err := lookup("go", nil)
	if err != nil {
		return nil, err
	}
	dir, err := f.cacheDir()
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(dir, executableName("actor-go"))
	// The present binary may be running: the new one takes its name only when
	// it is complete.
	temporary := fmt.Sprintf("%s.%d", binary, os.Getpid())
	defer os.Remove(temporary)
	if err := f.compile(io.Discard, compiler, "build", "-o", temporary, "./"+mains[0]); err != nil {
		return nil, err
	}
	if err := os.Rename(temporary, binary); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the compiled Actor cannot be put in place")
	}
	return &plan{argv: []string{binary}, summary: "Go module: go build ./" + mains[0], built: true}, nil
}

// rust compiles a Cargo package, as "cargo run" would.
func (f *finder) rust() (*plan, error) {
	if !isFile(f.path("Cargo.toml")) {
		return nil, nil
	}
	cargo, err := lookup("cargo", nil)
	if err != nil {
		return nil, err
	}
	var report bytes.Buffer
	if err := f.compile(&report, cargo, "build", "--message-format=json-render-diagnostics"); err != nil {
		return nil, err
	}
	var binaries []string
	lines := bufio.NewScanner(&report)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var artifact struct {
			Reason     string `json:"reason"`
			Executable string `json:"executable"`
			Target     struct {
				Kind []string `json:"kind"`
			} `json:"target"`
		}
		if json.Unmarshal(lines.Bytes(), &artifact) == nil && artifact.Reason == "compiler-artifact" &&
			artifact.Executable != "" && slices.Contains(artifact.Target.Kind, "bin") {
			binaries = append(binaries, artifact.Executable)
		}
	}
	switch len(binaries) {
	case 0:
		f.nearly = append(f.nearly, "Cargo.toml is there, but its package has no binary")
		return nil, nil
	case 1:
		return &plan{argv: binaries, summary: "Cargo package: " + filepath.Base(binaries[0]), built: true}, nil
	}
	names := make([]string, len(binaries))
	for i, b := range binaries {
		names[i] = filepath.Base(b)
	}
	return nil, fault.New(fault.InvalidInput, "the Cargo package has several binaries: %s", strings.Join(names, ", ")).
		WithHint("say which one starts the Actor, for example --entrypoint \"cargo run --bin %s\"", names[0])
}

// compile runs a compiler in the Actor's directory. What it says goes to the
// log as it comes, and the end of it into the error.
func (f *finder) compile(stdout io.Writer, program string, args ...string) error {
	cmd := exec.CommandContext(f.ctx, program, args...)
	cmd.Dir = f.root
	cmd.Stdout = stdout
	var said bytes.Buffer
	cmd.Stderr = io.MultiWriter(f.log, &said)
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		if len(lines) > 20 {
			lines = lines[len(lines)-20:]
		}
		return fault.New(fault.RunFailed, "the Actor does not compile: %s %s: %w\n  %s",
			strings.TrimSuffix(filepath.Base(program), ".exe"), args[0], err, strings.Join(lines, "\n  ")).
			WithHint("correct what the compiler names")
	}
	return nil
}
