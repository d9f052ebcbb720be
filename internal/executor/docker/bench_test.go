package docker

import (
	"os/exec"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// BenchmarkNothing starts what does nothing and waits until its container is
// gone, in turns with the docker command doing the same where it is installed.
func BenchmarkNothing(b *testing.B) {
	if engineClient == nil {
		b.Skip("no container engine answers")
	}
	made, err := engineClient.ImageInspect(b.Context(), baseImage)
	if err != nil {
		b.Fatal(err)
	}
	docker, _ := exec.LookPath("docker")
	e, err := harness.New()
	if err != nil {
		b.Fatal(err)
	}
	spec := executor.Spec{RunID: "benchmark", Image: made.ID, Command: []string{"true"}, ActorBinary: "/bin/busybox", MemoryMbytes: 1024}
	var ours, theirs time.Duration
	for b.Loop() {
		begin := time.Now()
		i, err := e.Start(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := i.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(begin)
		if docker == "" {
			continue
		}
		begin = time.Now()
		if out, err := exec.Command(docker, "run", "--rm", baseImage, "true").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		theirs += time.Since(begin)
	}
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/run")
	if docker != "" {
		b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N), "ms/docker-run")
	}
}
