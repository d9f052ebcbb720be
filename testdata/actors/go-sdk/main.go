// Command go-sdk is an Actor that finds the prime numbers up to a limit.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/greenroom-dev/greenroom/pkg/actor"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// prime is an item of the dataset.
type prime struct {
	N     int `json:"n"`
	Prime int `json:"prime"`
}

func main() { actor.Main(run) }

func run(ctx context.Context, a *actor.Actor) error {
	input := struct{ Limit int }{Limit: 30}
	if err := a.Input(ctx, &input); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err := a.SetStatusMessage(ctx, fmt.Sprintf("Looking up to %d", input.Limit), actor.Status{}); err != nil {
		return err
	}
	primes := sieve(input.Limit)
	items := make([]any, len(primes))
	for i, p := range primes {
		items[i] = prime{N: i + 1, Prime: p}
	}
	if err := a.PushData(ctx, items...); err != nil {
		return err
	}
	if err := a.SetValue(ctx, "OUTPUT", map[string]int{"primes": len(primes)}); err != nil {
		return err
	}
	message := fmt.Sprintf("Found %d primes up to %d", len(primes), input.Limit)
	fmt.Fprintln(os.Stderr, message)
	return a.SetStatusMessage(ctx, message, actor.Status{Terminal: true})
}

// sieve gives the prime numbers up to limit in ascending order.
func sieve(limit int) []int {
	composite := make([]bool, limit+1)
	var primes []int
	for n := 2; n <= limit; n++ {
		if composite[n] {
			continue
		}
		primes = append(primes, n)
		for m := n * n; m <= limit; m += n {
			composite[m] = true
		}
	}
	return primes
}
