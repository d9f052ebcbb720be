package filelist

import (
	"path"
	"slices"
	"strings"
)

// pattern is one line of an ignore file, as git reads them.
type pattern struct {
	negate   bool // takes back what earlier lines have matched
	dirOnly  bool
	anchored bool // matches from the file's directory on, not at any depth
	segments []string
	// outer is the path from the ignore file's directory to the root of the names.
	outer []string
}

// parsePattern reads a line; false for one that says nothing.
func parsePattern(line string) (pattern, bool) {
	line = strings.TrimSuffix(line, "\r")
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	if line == "" || line[0] == '#' {
		return pattern{}, false
	}
	var p pattern
	if line[0] == '!' {
		p.negate, line = true, line[1:]
	}
	if dir, is := strings.CutSuffix(line, "/"); is {
		p.dirOnly, line = true, dir
	}
	p.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return pattern{}, false
	}
	p.segments = strings.Split(line, "/")
	for i, segment := range p.segments {
		// Git knows both ways to write a negated class, the standard library one.
		p.segments[i] = strings.ReplaceAll(segment, "[!", "[^")
	}
	return p, true
}

// match tells whether the pattern means the file name, a slash path below the
// directory of the ignore file.
func (p pattern) match(name string, dir bool) bool {
	if p.dirOnly && !dir {
		return false
	}
	parts := strings.Split(name, "/")
	if !p.anchored {
		parts = parts[len(parts)-1:]
	} else if len(p.outer) > 0 {
		parts = append(slices.Clone(p.outer), parts...)
	}
	return matchSegments(p.segments, parts)
}

func matchSegments(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			if len(pattern) == 1 {
				return len(name) > 0 // a/** means what is below a
			}
			for i := range len(name) + 1 {
				if matchSegments(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false // a pattern that is malformed means nothing
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// rules are the lines of one ignore file.
type rules struct {
	base     string // slash path of its directory, "" for the root
	patterns []pattern
}

func parseRules(base, text string) rules {
	r := rules{base: base}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if p, ok := parsePattern(strings.TrimRight(line, "\n")); ok {
			r.patterns = append(r.patterns, p)
		}
	}
	return r
}

// below gives the name relative to the directory of the ignore file.
func (r rules) below(name string) (string, bool) {
	if r.base == "" {
		return name, true
	}
	return strings.CutPrefix(name, r.base+"/")
}

// decide gives what the rules say of a name: whether any line means it, and
// whether the last that does ignores it.
func (r rules) decide(name string, dir bool) (ignored, known bool) {
	name, ok := r.below(name)
	if !ok {
		return false, false
	}
	for _, p := range r.patterns {
		if p.match(name, dir) {
			ignored, known = !p.negate, true
		}
	}
	return ignored, known
}
