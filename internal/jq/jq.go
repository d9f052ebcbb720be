// Package jq applies jq expressions to what commands print. It is apart from the
// other printing because the language's library is large: the small actor binary
// must not link it.
package jq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Query is a compiled expression. Any number of goroutines may use it.
type Query struct{ code *gojq.Code }

// Parse compiles an expression. One that is wrong is fault.Usage, whose message
// says what is wrong at which line and column, counted in characters from 1. The
// expression sees neither the environment nor files.
func Parse(expression string) (*Query, error) {
	parsed, err := gojq.Parse(expression)
	if err != nil {
		offset := len(expression)
		var at *gojq.ParseError
		if errors.As(err, &at) {
			offset = at.Offset - len(at.Token)
		}
		return nil, wrong(expression, offset, err)
	}
	code, err := gojq.Compile(parsed)
	if err != nil {
		return nil, wrong(expression, undefined(expression, err.Error()), err)
	}
	return &Query{code}, nil
}

// wrong says what is wrong at a byte of the expression, -1 for somewhere.
func wrong(expression string, offset int, err error) error {
	where := ""
	if offset >= 0 {
		before := expression[:min(offset, len(expression))]
		line := strings.Count(before, "\n") + 1
		column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
		where = fmt.Sprintf(" at line %d, column %d", line, column)
	}
	return fault.New(fault.Usage, "the jq expression is wrong%s: %w", where, err).
		WithHint("quote the expression for the shell; https://jqlang.org/manual describes the language")
}

var undefinedName = regexp.MustCompile(`not defined: ([$@]?[\w:]+)|^(input)`)

// undefined finds the first place of the name that a compiler's message tells,
// -1 for none: the compiler itself does not say where.
func undefined(expression, message string) int {
	found := undefinedName.FindStringSubmatch(message)
	if found == nil {
		return -1
	}
	name := found[1] + found[2]
	word := func(b byte) bool {
		return b == '_' || b == ':' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
	}
	for start := 0; ; {
		i := strings.Index(expression[start:], name)
		if i < 0 {
			return -1
		}
		i += start
		end := i + len(name)
		if (i == 0 || !word(expression[i-1]) && expression[i-1] != '.') && (end == len(expression) || !word(expression[end])) {
			return i
		}
		start = i + 1
	}
}

// Write applies the expression to the text of a JSON value and writes the
// results, one a line: texts as they are, everything else as JSON. What the
// expression cannot be applied to is fault.InvalidInput.
func (q *Query) Write(ctx context.Context, out io.Writer, text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // large numbers keep their digits
	var value any
	if err := dec.Decode(&value); err != nil {
		return fault.New(fault.InvalidInput, "apply the jq expression: the data is not JSON: %w", err)
	}
	results := q.code.RunWithContext(ctx, value)
	for {
		result, more := results.Next()
		if !more {
			return nil
		}
		if err, failed := result.(error); failed {
			return failure(ctx, err)
		}
		line, err := encode(result)
		if err != nil {
			return fault.Wrap(fault.InvalidInput, err, "apply the jq expression")
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

func encode(result any) ([]byte, error) {
	if text, ok := result.(string); ok {
		return []byte(text), nil
	}
	return gojq.Marshal(result)
}

func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var halt *gojq.HaltError
	if errors.As(err, &halt) {
		if halt.Value() == nil {
			return nil // "halt" ends without an error
		}
		text, encodeErr := encode(halt.Value())
		if encodeErr != nil {
			return fault.Wrap(fault.InvalidInput, encodeErr, "apply the jq expression")
		}
		return fault.New(fault.InvalidInput, "the jq expression halted: %s", bytes.TrimSpace(text))
	}
	return fault.New(fault.InvalidInput, "apply the jq expression: %w", err)
}
