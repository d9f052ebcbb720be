package validate

import (
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// source is the text of a file, by lines.
type source struct{ lines []string }

// maxExcerpt is how many characters of a line are shown; context is how many of
// them at least stand before the one that is meant.
const (
	maxExcerpt = 100
	context    = 60
)

// source reads a file that diagnostics are about. What cannot be read again, as a
// pipe cannot, has no lines.
func (r *report) source(file string) *source {
	if s, ok := r.sources[file]; ok {
		return s
	}
	s := &source{}
	if info, err := os.Stat(r.paths[file]); err == nil && info.Mode().IsRegular() {
		if text, err := os.ReadFile(r.paths[file]); err == nil {
			s.lines = strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n")
		}
	}
	r.sources[file] = s
	return s
}

// excerpt gives a line and a second one with a caret below the column, both
// counted from 1. Long lines are cut around it.
func (s *source) excerpt(line, column int) (text, marker string, ok bool) {
	if line < 1 || column < 1 || line > len(s.lines) {
		return "", "", false
	}
	runes := []rune(strings.TrimRight(s.lines[line-1], "\r"))
	at := min(column-1, len(runes))
	before, after := "", ""
	if at > context && len(runes) > maxExcerpt {
		runes, at, before = runes[at-context:], context, "…"
	}
	if len(runes) > maxExcerpt {
		runes, after = runes[:maxExcerpt], "…"
	}
	// Tabs are kept before the caret: whoever shows them shows both alike.
	indent := strings.Map(func(c rune) rune {
		if c == '\t' {
			return c
		}
		return ' '
	}, before+string(runes[:at]))
	return plain(before + string(runes) + after), indent + "^", true
}

// plain replaces what a terminal would obey instead of show.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' || unicode.IsPrint(c) {
			return c
		}
		return utf8.RuneError
	}, text)
}
