package input

import (
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// matches reports whether text matches the expression that stands at pattern in
// the schema. A match that cannot be decided in reasonable time ends the
// validation with an error: passing it over would let anything through.
func (c *check) matches(pattern *jsonc.Value, text string) bool {
	compiled := c.in.patterns[pattern]
	if compiled == nil {
		return true
	}
	ok, err := compiled.Match(text)
	if err != nil && c.err == nil {
		c.err = fault.Wrap(fault.InvalidInput, err, "%s: the pattern cannot be checked", c.in.at(pattern))
	}
	return ok || err != nil
}
