package memory_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cli/memory"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	f := &cmdkit.Factory{IO: &cmdkit.IO{Out: &out, Err: &errs}, Getenv: func(string) string { return "" }}
	cmd := memory.New(f)
	cmd.SetArgs(args)
	status = cmdkit.Run(t.Context(), f.IO, cmd)
	return status, out.String(), errs.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCalculate(t *testing.T) {
	t.Chdir(t.TempDir())
	actor := func(memory string) {
		write(t, ".actor/actor.json", `{"actorSpecification": 1, "name": "a", "version": "0.1", "buildTag": "beta", `+memory+`
			"input": {"title": "T", "type": "object", "schemaVersion": 1, "properties": {
				"n": {"title": "N", "type": "integer", "description": "d", "editor": "number", "default": 3}}}}`)
	}
	check := func(want string, args ...string) {
		t.Helper()
		status, out, errs := run(t, args...)
		if status != 0 || out != want || errs != "" {
			t.Errorf("%v: %d, %q, %q; want %q", args, status, out, errs, want)
		}
	}
	// Without an Actor.
	if status, out, errs := run(t); status != 1 || out != "" || !strings.Contains(errs, "no Actor") {
		t.Errorf("nothing: %d, %q, %q", status, out, errs)
	}
	check("Success: Calculated memory: 4096 MB\n", "--default-memory-mbytes", "3072")
	check("Success: Calculated memory: 512 MB\n", "--defaultMemoryMbytes", "runOptions.maxItems * 5", "--maxItems=100")
	check("{\n  \"memoryMbytes\": 1024\n}\n", "--json", "--default-memory-mbytes", "runOptions.timeoutSecs + runOptions.maxTotalChargeUsd * 100", "--timeout-secs", "900", "--max-total-charge-usd", "1.5")

	actor(`"defaultMemoryMbytes": "input.n * 100", "minMemoryMbytes": 512, "maxMemoryMbytes": 1024,`)
	check("Success: Calculated memory: 512 MB\n") // the default of n is 3, the least 512
	write(t, "storage/key_value_stores/default/INPUT.json", `{"n": 40}`)
	check("Success: Calculated memory: 1024 MB\n") // 4096, the most is 1024
	write(t, "other.json", `{"n": 7}`)
	check("Success: Calculated memory: 512 MB\n", "-i", "other.json")
	check("Success: Calculated memory: 16384 MB\n", "--default-memory-mbytes", "input.n * 400") // stored, not bounded

	actor(`"defaultMemoryMbytes": "runOptions.build == null ? 1 : compareText(runOptions.build, 'beta') == 0 ? 256 : 2048",`)
	check("Success: Calculated memory: 256 MB\n")
	check("Success: Calculated memory: 2048 MB\n", "--build", "latest")
	actor(`"defaultMemoryMbytes": 2048,`)
	check("Success: Calculated memory: 2048 MB\n")

	fails := func(want int, says string, args ...string) {
		t.Helper()
		status, out, errs := run(t, args...)
		if status != want || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%v: %d, %q, %q; want %d, %q", args, status, out, errs, want, says)
		}
	}
	fails(5, "Unexpected end of expression (char 15)", "--default-memory-mbytes", "input.pages * ")
	fails(5, "is too long", "--default-memory-mbytes", strings.Repeat("1", 1001))
	fails(5, "is not a valid number: undefined", "--default-memory-mbytes", "")
	fails(5, "greater than 0, got: -2.", "--default-memory-mbytes", "3-5")
	fails(1, "missing.json", "--input", "missing.json")
	fails(1, "unexpected argument", "input.json")
	write(t, "broken.json", `{"n": `)
	fails(5, "broken.json", "--input", "broken.json")
	actor("")
	fails(1, "nothing to calculate")
	actor(`"defaultMemoryMbytes": "input.x +",`)
	fails(5, "actor.json")
	write(t, ".actor/actor.json", `{`)
	fails(5, "actor.json")
}
