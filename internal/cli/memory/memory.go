// Package memory is the `actor calculate-memory` command: what an Actor's
// defaultMemoryMbytes comes to for an input and the options of a run.
package memory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/schema/memory"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const long = `Calculates how much memory a run gets whose caller does not say: the value of the
expression defaultMemoryMbytes in .actor/actor.json, rounded to a power of two,
between minMemoryMbytes and maxMemoryMbytes. An expression may use the run's input
and options:

  "defaultMemoryMbytes": "get(input, 'startUrls.length', 1) * 64"

The input is the file given with --input, else the INPUT record in ./storage,
else {}; the defaults of the Actor's input schema are filled in. An expression
given with --default-memory-mbytes is calculated as it is, without the Actor.

Exit codes:
  0    calculated
  1    there is nothing to calculate, the input does not exist, or the command is
       wrong
  5    the expression, the input or the Actor's definition is wrong`

type options struct {
	factory *cmdkit.Factory

	input      string
	expression string
	hasText    bool
	asJSON     bool
	run        memory.RunOptions
}

// New makes the command.
func New(f *cmdkit.Factory) *cobra.Command {
	o := &options{factory: f}
	var timeoutSecs, maxItems int
	var maxTotalChargeUSD float64
	cmd := &cobra.Command{
		Use:   "calculate-memory",
		Short: "Calculate how much memory a run gets",
		Long:  long,
		Example: `  actor calculate-memory
  actor calculate-memory --input big-input.json --max-items 1000 --json
  actor calculate-memory --default-memory-mbytes "input.pages * 64 + 128"`,
		Args: cmdkit.Args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags := cmd.Flags()
			o.hasText = flags.Changed("default-memory-mbytes")
			if flags.Changed("timeout-secs") {
				o.run.TimeoutSecs = &timeoutSecs
			}
			if flags.Changed("max-items") {
				o.run.MaxItems = &maxItems
			}
			if flags.Changed("max-total-charge-usd") {
				o.run.MaxTotalChargeUSD = &maxTotalChargeUSD
			}
			return o.print()
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	// The official program's help spells them like this, without taking them.
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if known, ok := map[string]string{
			"defaultMemoryMbytes": "default-memory-mbytes", "timeoutSecs": "timeout-secs",
			"maxItems": "max-items", "maxTotalChargeUsd": "max-total-charge-usd",
		}[name]; ok {
			name = known
		}
		return pflag.NormalizedName(name)
	})
	flags.StringVarP(&o.input, "input", "i", "", "`file` with the input as JSON (default the INPUT record in ./storage)")
	flags.StringVar(&o.expression, "default-memory-mbytes", "", "`expression` to calculate instead of the Actor's")
	flags.StringVar(&o.run.Build, "build", "", "`tag` or number of the run's build (default the Actor's buildTag)")
	flags.IntVar(&timeoutSecs, "timeout-secs", 0, "time limit of the run in `seconds`")
	flags.IntVar(&maxItems, "max-items", 0, "how many dataset `items` the run may be charged for")
	flags.Float64Var(&maxTotalChargeUSD, "max-total-charge-usd", 0, "what the run may cost in `dollars`")
	flags.BoolVar(&o.asJSON, "json", false, `print {"memoryMbytes": N}`)
	return cmd
}

func (o *options) print() error {
	mbytes, err := o.calculate()
	if err != nil {
		return err
	}
	if o.asJSON {
		return o.factory.IO.PrintJSON(map[string]int{"memoryMbytes": mbytes})
	}
	_, err = fmt.Fprintf(o.factory.IO.Out, "Success: Calculated memory: %d MB\n", mbytes)
	return err
}

func (o *options) calculate() (int, error) {
	input, err := o.readInput()
	if err != nil {
		return 0, err
	}
	if o.hasText {
		e, err := memory.Parse(o.expression)
		if err != nil {
			return 0, wrong(err)
		}
		return o.evaluate(e, input)
	}
	if !anyFile(".actor/actor.json", "apify.json") {
		return 0, nothing("there is no Actor here")
	}
	d, err := definition.Load(".")
	if err != nil {
		return 0, err
	}
	e := d.DefaultMemory
	if e == nil && d.DefaultMemoryMbytes > 0 {
		if e, err = memory.Parse(strconv.Itoa(d.DefaultMemoryMbytes)); err != nil {
			return 0, wrong(err)
		}
	}
	if e == nil {
		return 0, nothing(d.File + " has no defaultMemoryMbytes")
	}
	if d.Input != nil {
		if input == nil {
			input = []byte("{}")
		}
		if input, err = d.Input.WithDefaults(input); err != nil {
			return 0, err
		}
	}
	if o.run.Build == "" {
		o.run.Build = d.BuildTag
	}
	mbytes, err := o.evaluate(e, input)
	return memory.Clamp(mbytes, d.MinMemoryMbytes, d.MaxMemoryMbytes), err
}

// nothing says that there is nothing to calculate.
func nothing(why string) error {
	return fault.New(fault.Usage, "there is nothing to calculate: %s", why).
		WithHint("give an expression with --default-memory-mbytes, or the Actor a defaultMemoryMbytes")
}

func anyFile(paths ...string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { _, err := os.Stat(path); return err == nil })
}

func (o *options) evaluate(e *memory.Expression, input json.RawMessage) (int, error) {
	mbytes, err := e.Evaluate(memory.Variables{Input: input, Options: o.run})
	return mbytes, wrong(err)
}

// wrong says what a message of the evaluator is about.
func wrong(err error) error {
	return fault.Wrap(fault.InvalidInput, err, "defaultMemoryMbytes cannot be calculated")
}

// readInput reads the file that was asked for, or the stored input, nil when
// there is none.
func (o *options) readInput() (json.RawMessage, error) {
	path := o.input
	if path == "" {
		dir := o.factory.Getenv("APIFY_LOCAL_STORAGE_DIR")
		if dir == "" {
			dir = "storage"
		}
		path = filepath.Join(dir, "key_value_stores", "default", "INPUT.json")
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.input == "":
		return nil, nil
	case err != nil:
		return nil, fault.Wrap(fault.Usage, err, "read the input")
	case !json.Valid(text):
		return nil, fault.New(fault.InvalidInput, "%s: the input is not valid JSON", path)
	}
	return text, nil
}
