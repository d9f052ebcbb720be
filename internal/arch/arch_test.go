package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var root = filepath.Join("..", "..")

func load(t *testing.T) *sources {
	t.Helper()
	m, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.packages) == 0 {
		t.Fatal("no packages were found")
	}
	return m
}

func report(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
}

func TestDependenciesPointOneWay(t *testing.T) { report(t, directions(load(t), layers)) }

func TestPackageComments(t *testing.T) { report(t, comments(load(t))) }

func TestPackageNames(t *testing.T) { report(t, names(load(t))) }

func TestSizes(t *testing.T) { report(t, sizes(load(t), larger)) }

// TestSmallActor asks the go command what cmd/actor links, on every system.
func TestSmallActor(t *testing.T) {
	load(t) // so that a change anywhere makes the go command be asked again
	for _, file := range []string{"go.mod", "go.sum"} {
		if _, err := os.ReadFile(filepath.Join(root, file)); err != nil {
			t.Fatal(err)
		}
	}
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run(system, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/actor")
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %v", cmd, err)
			}
			dependencies := strings.Fields(string(out))
			if len(dependencies) < 50 {
				t.Fatalf("only %d dependencies: %s", len(dependencies), out)
			}
			report(t, weight(dependencies, heavy))
		})
	}
}
