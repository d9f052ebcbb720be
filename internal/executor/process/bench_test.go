//go:build !windows

package process

import (
	"testing"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// BenchmarkNothing starts what does nothing and waits for its end.
func BenchmarkNothing(b *testing.B) {
	e, err := New()
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	spec := executor.Spec{RunID: "benchmark", Dir: "/", Command: []string{"true"}, ActorBinary: "/bin/sh"}
	for b.Loop() {
		i, err := e.Start(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := i.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
