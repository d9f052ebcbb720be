package engine_test

import (
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/engine"
	"github.com/greenroom-dev/greenroom/internal/engine/onedir"
	"github.com/greenroom-dev/greenroom/internal/schema/memory"
)

func TestMemoryIsCalculated(t *testing.T) {
	asked, minute := 512, 60
	for _, c := range []struct {
		name, expression string
		minimum, maximum int
		req              engine.StartRequest
		want             int
		complaint        string
	}{
		{name: "by default", expression: "input.n * 100", want: 512}, // n is 5 unless said otherwise
		{name: "by the input", expression: "input.n * 100", req: engine.StartRequest{Input: &engine.Input{Body: []byte(`{"n": 20}`)}}, want: 2048},
		{name: "by the options", expression: "runOptions.timeoutSecs * 4", req: engine.StartRequest{TimeoutSecs: &minute}, want: 256},
		{name: "by the caller", expression: "input.n * 100", req: engine.StartRequest{MemoryMbytes: &asked}, want: 512},
		{name: "at least", expression: "128", minimum: 700, want: 1024},
		{name: "at most", expression: "32768", maximum: 5000, want: 4096},
		{name: "fails", expression: "input.missing * 2", want: 4096, complaint: "cannot be calculated: Unexpected type of argument in function multiplyScalar"},
		{name: "fails, at most", expression: "0 - 1", maximum: 1024, want: 1024, complaint: "greater than 0, got: -1."},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t, "echo $ACTOR_MEMORY_MBYTES", func(_ *engine.Config, p *onedir.Source) {
				e, err := memory.Parse(c.expression)
				if err != nil {
					t.Fatal(err)
				}
				p.Definition.DefaultMemory, p.Definition.MinMemoryMbytes, p.Definition.MaxMemoryMbytes = e, c.minimum, c.maximum
			})
			r := b.end(t, b.begin(t, c.req).ID)
			if r.Options.MemoryMbytes != c.want {
				t.Errorf("the run got %d MB, want %d", r.Options.MemoryMbytes, c.want)
			}
			log := logOf(t, b, r.ID)
			if (c.complaint != "") != strings.Contains(log, "ACTOR: The run gets") || !strings.Contains(log, c.complaint) {
				t.Errorf("the log is %s", log)
			}
		})
	}
}
