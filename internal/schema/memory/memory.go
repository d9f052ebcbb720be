// Package memory reads and evaluates defaultMemoryMbytes expressions: how much
// memory a run gets, as a formula over its input and options.
//
// Grammar, functions, rounding and messages are those of the platform's own
// evaluator. Sources: the platform's documentation of dynamic Actor memory, and
// the verdicts of its published package. What differs is listed, with reasons,
// in testdata/differences.json.
package memory

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/syntax"
	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Limits of a run's memory on the platform, in megabytes.
const (
	MinMbytes = 128
	MaxMbytes = 32768
)

// maxLength is how long an expression may be, in UTF-16 code units as the
// platform counts.
const maxLength = 1000

// RunOptions are the options of a run that an expression may use. What is nil or
// empty is not defined there.
type RunOptions struct {
	Build             string   `json:"build,omitempty"`
	TimeoutSecs       *int     `json:"timeoutSecs,omitempty"`
	MemoryMbytes      *int     `json:"memoryMbytes,omitempty"`
	DiskMbytes        *int     `json:"diskMbytes,omitempty"`
	MaxItems          *int     `json:"maxItems,omitempty"`
	MaxTotalChargeUSD *float64 `json:"maxTotalChargeUsd,omitempty"`
	RestartOnError    *bool    `json:"restartOnError,omitempty"`
}

// optionNames are those of RunOptions, in the order that messages give them.
var optionNames = []string{
	"build", "timeoutSecs", "memoryMbytes", "diskMbytes", "maxItems", "maxTotalChargeUsd", "restartOnError",
}

// Variables are what an expression is evaluated with. Input is JSON; no input
// counts as an empty object.
type Variables struct {
	Input   json.RawMessage
	Options RunOptions
}

// Expression is a defaultMemoryMbytes expression that was read. Safe for
// concurrent use.
type Expression struct {
	text string
	root syntax.Node
}

// String gives the expression as it was written.
func (e *Expression) String() string { return e.text }

// Parse reads an expression. What is wrong with it is a fault.InvalidInput with
// the platform's message; syntax errors say at which character.
func Parse(text string) (*Expression, error) {
	if len(utf16.Encode([]rune(text))) > maxLength {
		return nil, value.Failure("The defaultMemoryMbytes expression is too long. Max length is 1000 characters.")
	}
	plain, err := withoutBraces(text)
	if err != nil {
		return nil, err
	}
	root, err := syntax.Parse(plain, func(name string) bool { _, ok := builtins[name]; return ok })
	if err != nil {
		return nil, err
	}
	return &Expression{text, root}, nil
}

// Unknown gives the names that the expression uses and that mean nothing in it:
// evaluating it fails where it comes to them.
func (e *Expression) Unknown() []string {
	return syntax.Unknown(e.root, func(name string) bool {
		_, function := builtins[name]
		return function || slices.Contains(scopeNames, name)
	})
}

// scopeNames are what every expression finds besides the functions.
var scopeNames = []string{"input", "runOptions", "get"}

// space is \s of JavaScript.
const space = `[\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]*`

var variable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`{{` + space + `([a-zA-Z0-9_.]+)` + space + `}}`)
})

// withoutBraces replaces each {{variable}} by its name.
func withoutBraces(text string) (plain string, err error) {
	plain = variable().ReplaceAllStringFunc(text, func(match string) string {
		name := variable().FindStringSubmatch(match)[1]
		option, isOption := strings.CutPrefix(name, "runOptions.")
		switch {
		case err != nil, strings.HasPrefix(name, "input."):
		case !isOption:
			err = value.Failure("Invalid variable '{{" + name + "}}' in expression.")
		case !slices.Contains(optionNames, option):
			err = value.Failure("Invalid variable '{{" + name + "}}' in expression. Only the following runOptions are allowed: runOptions." +
				strings.Join(optionNames, ", runOptions.") + ".")
		}
		return name
	})
	return plain, err
}

// Evaluate gives the memory in megabytes: the power of two that is nearest to
// the expression's value on a logarithmic scale, within MinMbytes and MaxMbytes.
// A value that is no positive number, and what goes wrong on the way to it, is a
// fault.InvalidInput with the platform's message.
func (e *Expression) Evaluate(vars Variables) (mbytes int, err error) {
	scope, err := newScope(vars)
	if err != nil {
		return 0, err
	}
	m := &machine{scope: scope, steps: maxSteps}
	result, err := m.eval(e.root, frame{})
	if err != nil {
		return 0, err
	}
	// The platform looks for the results of several statements by this name.
	switch v := result.(type) {
	case *value.Results:
		result = value.Last(v.Entries)
	case *value.Object:
		if entries, ok := v.Fields["entries"]; ok {
			result = value.LastOf(entries)
		}
	case *value.Array:
		result = value.Undefined{}
	}
	number, ok := result.(float64)
	if !ok || math.IsNaN(number) || math.IsInf(number, 0) {
		return 0, value.Failure("Calculated memory value is not a valid number: " + value.ToString(result) + ".")
	}
	if number <= 0 {
		return 0, value.Failure("Calculated memory value must be a positive number, greater than 0, got: " + value.ToString(result) + ".")
	}
	// JavaScript rounds halves up.
	exponent := math.Floor(math.Log2(number) + 0.5)
	return int(max(MinMbytes, min(math.Exp2(exponent), MaxMbytes))), nil
}

// Clamp puts mbytes between an Actor's own bounds; 0 means that there is none.
func Clamp(mbytes, minimum, maximum int) int {
	if maximum > 0 {
		mbytes = min(mbytes, maximum)
	}
	return max(mbytes, minimum)
}

// newScope gives what an expression finds by name.
func newScope(vars Variables) (*value.Object, error) {
	input := value.Value(value.NewObject())
	if len(bytes.TrimSpace(vars.Input)) > 0 {
		var err error
		if input, err = value.Decode(vars.Input); err != nil {
			return nil, fault.New(fault.InvalidInput, "the input is not valid JSON: %w", err)
		}
	}
	text, err := json.Marshal(vars.Options)
	if err != nil {
		return nil, fault.New(fault.InvalidInput, "the run's options cannot be used: %w", err)
	}
	options, err := value.Decode(text)
	if err != nil {
		return nil, err
	}
	scope := value.NewObject()
	scope.Set("input", input)
	scope.Set("runOptions", options)
	scope.Set("get", builtin("get"))
	return scope, nil
}
