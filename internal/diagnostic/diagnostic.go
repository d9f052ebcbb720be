// Package diagnostic is what Greenroom says about files that people write: what
// is wrong, in which file, line and column, and at which place of the document.
package diagnostic

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Severity says whether a file can be used all the same.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Diagnostic is one thing to say about a place in a file. The JSON form is what
// editors and CI read.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// File is the path as it is to be shown. Line and Column count from 1, the
	// column in characters; both are 0 when the file as a whole is meant.
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Path is the place in the document as a JSON Pointer ("/properties/url"),
	// "" for the document itself.
	Path string `json:"path"`
	// Rule names the sort of complaint in kebab case ("unknown-field",
	// "input-schema"), for filters and tests.
	Rule string `json:"rule"`
	// Message says what was found and what is allowed, in one or more lines,
	// with no full stop added.
	Message string `json:"message"`
	// Hint says what to do next, "" when the message says it.
	Hint string `json:"hint,omitempty"`
}

// Position gives "file:line:column", or the file alone.
func (d Diagnostic) Position() string {
	if d.Line == 0 {
		return d.File
	}
	return fmt.Sprintf("%s:%d:%d", d.File, d.Line, d.Column)
}

// String gives the diagnostic as a line: position and message, warnings marked.
func (d Diagnostic) String() string {
	if d.Severity == Warning {
		return d.Position() + ": warning: " + d.Message
	}
	return d.Position() + ": " + d.Message
}

// List is everything there is to say, in any order until Sort.
type List []Diagnostic

// Sort orders by file, in the order of their first mention, then by place.
func (l List) Sort() {
	order := map[string]int{}
	for _, d := range l {
		if _, ok := order[d.File]; !ok {
			order[d.File] = len(order)
		}
	}
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Errors gives those that are errors.
func (l List) Errors() List { return l.only(Error) }

// Warnings gives those that are warnings.
func (l List) Warnings() List { return l.only(Warning) }

func (l List) only(s Severity) (out List) {
	for _, d := range l {
		if d.Severity == s {
			out = append(out, d)
		}
	}
	return out
}

// Err gives the errors as one fault.InvalidInput, nil when there are none. what
// names the thing that has them ("the Actor's definition"); Data carries them
// under "diagnostics". The hint is that of a single error.
func (l List) Err(what string) error {
	list := l.Errors()
	if len(list) == 0 {
		return nil
	}
	var problem *fault.Error
	if len(list) == 1 {
		problem = fault.New(fault.InvalidInput, "%s", list[0])
		problem.Hint = list[0].Hint
	} else {
		lines := make([]string, len(list))
		for i, d := range list {
			lines[i] = "\n  " + d.String()
		}
		problem = fault.New(fault.InvalidInput, "%s has %d faults:%s", what, len(list), strings.Join(lines, ""))
	}
	problem.Data = map[string]any{"diagnostics": list}
	return problem
}

// FromError gives what an error says about a file: the diagnostics that it
// carries, as Err made them, else one with the position that its message begins
// with ("file:line:column: …"), if it does, under the given rule.
func FromError(err error, file, rule string) List {
	d := Diagnostic{Severity: Error, File: file, Rule: rule, Message: err.Error(), Hint: fault.HintOf(err)}
	if problem := (*fault.Error)(nil); errors.As(err, &problem) {
		if data, ok := problem.Data.(map[string]any); ok {
			if list, ok := data["diagnostics"].(List); ok {
				return list
			}
		}
	}
	if rest, ok := strings.CutPrefix(d.Message, file+":"); ok {
		line, rest, _ := strings.Cut(rest, ":")
		column, message, found := strings.Cut(rest, ": ")
		l, lineErr := strconv.Atoi(line)
		c, columnErr := strconv.Atoi(column)
		if found && lineErr == nil && columnErr == nil && l > 0 && c > 0 {
			d.Line, d.Column, d.Message = l, c, message
		} else {
			d.Message = strings.TrimPrefix(d.Message, file+": ")
		}
	}
	return List{d}
}
