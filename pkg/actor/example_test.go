package actor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// An Actor reads its input, says what it is doing, and stores its results. In
// main, actor.Main(count) would do the rest.
func Example() {
	count := func(ctx context.Context, a *actor.Actor) error {
		input := struct{ Limit int }{Limit: 2}
		if err := a.Input(ctx, &input); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err := a.SetStatusMessage(ctx, fmt.Sprintf("counting to %d", input.Limit), actor.Status{}); err != nil {
			return err
		}
		for n := range input.Limit {
			if err := a.PushData(ctx, map[string]any{"n": n + 1}); err != nil {
				return err
			}
		}
		return a.SetValue(ctx, "OUTPUT", map[string]any{"counted": input.Limit})
	}

	// Outside a run the storages are files.
	dir, err := os.MkdirTemp("", "storage-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	a := actor.New(actor.Config{StorageDir: dir})
	defer a.Close()
	ctx := context.Background()
	if err := a.SetValue(ctx, "INPUT", map[string]any{"limit": 3}); err != nil {
		fmt.Println(err)
	}
	if err := count(ctx, a); err != nil {
		fmt.Println(err)
	}
	var output struct{ Counted int }
	if err := a.Value(ctx, "OUTPUT", &output); err != nil {
		fmt.Println(err)
	}
	fmt.Println("counted", output.Counted)
	for item, err := range a.Dataset().Items(ctx) {
		var counted struct{ N int }
		if err == nil {
			err = json.Unmarshal(item, &counted)
		}
		fmt.Println(counted.N, err)
	}
	// Output:
	// counted 3
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}
