package jq

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Output is how a command prints its result: for people, as JSON, or as what a jq
// expression makes of the JSON.
type Output struct {
	JSON       bool
	Expression string

	query *Query
}

// AddFlags adds --json and --jq.
func (o *Output) AddFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.JSON, "json", false, "print the result as JSON")
	o.AddExpression(flags)
}

// AddExpression adds --jq alone, for commands that print JSON anyway.
func (o *Output) AddExpression(flags *pflag.FlagSet) {
	flags.StringVar(&o.Expression, "jq", "", "print what a jq `expression` makes of the JSON: texts as they are, the rest as JSON")
}

// Prepare compiles the expression, so that a wrong one is told before anything
// is done.
func (o *Output) Prepare() (err error) {
	if o.Expression != "" && o.query == nil {
		o.query, err = Parse(o.Expression)
	}
	return err
}

// Wanted tells whether the result is to be printed as JSON.
func (o *Output) Wanted() bool { return o.JSON || o.Expression != "" }

// Query is the compiled expression, nil without one.
func (o *Output) Query() *Query { return o.query }

// Print prints a value, which may be JSON already: indented by two spaces, with
// fields in their order and numbers as they are written, or filtered.
func (o *Output) Print(ctx context.Context, io *cmdkit.IO, value any) error {
	if err := o.Prepare(); err != nil {
		return err
	}
	text, ok := value.(json.RawMessage)
	if !ok {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(value); err != nil {
			return fault.Wrap(fault.Internal, err, "encode the result")
		}
		text = buf.Bytes()
	}
	if o.query != nil {
		return o.query.Write(ctx, io.Out, text)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(text), "", "  "); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the API's answer is not JSON")
	}
	indented.WriteByte('\n')
	_, err := indented.WriteTo(io.Out)
	return err
}
