package schema

import (
	"regexp"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

type compiledPattern struct{ re *regexp.Regexp }

func compilePattern(text string) (*compiledPattern, error) {
	re, err := regexp.Compile(text)
	return &compiledPattern{re}, err
}

func (c *check) matches(pattern *jsonc.Value, text string) bool {
	compiled := c.in.patterns[pattern]
	return compiled == nil || compiled.re.MatchString(text)
}
