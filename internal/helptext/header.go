package helptext

import (
	"regexp"
	"strings"
	"unicode"
)

// optionName matches one spelling of an option at the beginning of a text.
var optionName = regexp.MustCompile(`^(--?)(\[no-?\]|\(no-?\)|\[no\]-)?([A-Za-z0-9?#@$][\w.?#+-]*)`)

// names of types that cobra and others write in lower case behind an option.
var lowerTypes = map[string]bool{
	"string": true, "strings": true, "stringarray": true, "stringslice": true, "int": true, "ints": true, "int32": true,
	"int64": true, "uint": true, "uint16": true, "uint32": true, "uint64": true, "float": true, "float32": true,
	"float64": true, "duration": true, "durations": true, "count": true, "bool": true, "ip": true, "value": true,
	"number": true, "integer": true, "file": true, "path": true, "filename": true, "bytes": true, "list": true,
}

// header reads the part of an entry that names the option. rest is what follows
// on the same line and is no part of it. ok is false when it is no option.
func header(text string) (o entry, rest string, ok bool) {
	text = strings.TrimSpace(text)
	for {
		bracket := strings.HasPrefix(text, "[-")
		m := optionName.FindStringSubmatch(strings.TrimPrefix(text, "["))
		if m == nil {
			return o, text, ok
		}
		ok = true
		if bracket {
			text = text[1:]
		}
		text = text[len(m[0]):]
		name := m[1] + m[3]
		if c := m[3][0]; m[1] == "-" && len(m[3]) > 1 && c >= 'A' && c <= 'Z' && strings.HasPrefix(text, "=") {
			// -Dname=value is -D with name=value.
			o.Joined = true
			tok, rest := token(m[3][1:] + text)
			name, m[3], text = "-"+m[3][:1], m[3][:1], rest
			o.take(tok)
		}
		switch {
		case m[2] != "" && m[1] == "--":
			o.Negative = "--no-" + m[3]
		case m[1] == "--" && strings.HasPrefix(m[3], "no-") && o.Long != "" && m[3][3:] == strings.TrimLeft(o.Long, "-"):
			o.Negative = name // click: --shout / --no-shout
			name = ""
		}
		switch {
		case name == "" || strings.HasSuffix(name, "-"):
		case m[1] == "-" && len(m[3]) == 1:
			if o.Short == "" {
				o.Short = name
			}
		case o.Long == "" || strings.HasPrefix(name, "--") && !strings.HasPrefix(o.Long, "--"):
			o.Long = name
		}
		text = o.value(text)
		next := strings.TrimLeft(text, " ")
		switch {
		case strings.HasPrefix(next, ","), strings.HasPrefix(next, "|"), strings.HasPrefix(next, "/"), strings.HasPrefix(next, ";"):
			next = strings.TrimLeft(next[1:], " ")
			next = strings.TrimPrefix(next, "or ")
		case strings.HasPrefix(next, "or -"):
			next = next[3:]
		case strings.HasPrefix(next, "-") && text != next && optionName.MatchString(next) && o.Value == "":
			// "-q --quiet", as docopt writes it.
		default:
			return o, strings.TrimSpace(text), ok
		}
		if !optionName.MatchString(strings.TrimPrefix(next, "[")) {
			return o, strings.TrimSpace(next), ok
		}
		text = next
	}
}

// value reads the value that follows an option's name, and gives what is left.
func (o *entry) value(text string) (rest string) {
	switch {
	case strings.HasPrefix(text, "="):
		token, rest := token(text[1:])
		o.Joined = strings.HasPrefix(token, "[")
		o.take(token)
		return o.more(rest)
	case strings.HasPrefix(text, "[=") || strings.HasPrefix(text, "[") && len(text) > 1 && text[1] != '-' && text[1] != ' ':
		token, rest := token(text)
		o.take(strings.TrimPrefix(strings.Trim(token, "[]"), "="))
		o.Joined = true
		return rest
	case !strings.HasPrefix(text, " "):
		return text
	}
	trimmed := strings.TrimLeft(text, " ")
	tok, rest := token(trimmed)
	if tok == "" || tok == "..." || strings.HasPrefix(tok, "-") {
		return text
	}
	bare := strings.TrimRight(tok, ".,:")
	marked := strings.ContainsAny(tok[:1], "<[{(\"'")
	upper := bare == strings.ToUpper(bare) && strings.IndexFunc(bare, unicode.IsLetter) >= 0
	after := strings.TrimLeft(rest, " ")
	alone := after == "" || strings.HasPrefix(after, ",") || strings.HasPrefix(after, "|") || strings.HasPrefix(after, "-") ||
		strings.HasPrefix(after, "...") || strings.HasPrefix(after, "[")
	known := lowerTypes[strings.ToLower(bare)]
	switch {
	case strings.ContainsAny(tok[:1], ",|/;"), marked && (tok[0] == '(' && !strings.Contains(tok, "|") || tok == "[]"):
		return text
	case tok[0] == '[' && known && alone:
		// [string] and the like are yargs's, and belong to the description.
		return text
	case marked, upper && len(bare) > 1, upper && (alone || len(bare) == 1 && !strings.HasPrefix(after, "a ")), alone, known && len(after) > 0 && unicode.IsUpper(rune(after[0])):
	default:
		return text
	}
	o.take(tok)
	return o.more(rest)
}

// more reads what shows that an option takes several values: "...", or
// argparse's "[X ...]".
func (o *entry) more(rest string) string {
	for {
		trimmed := strings.TrimLeft(rest, " ")
		switch {
		case strings.HasPrefix(trimmed, "..."):
			o.Repeated = true
			rest = trimmed[3:]
		case strings.HasPrefix(trimmed, "["):
			tok, after := token(trimmed)
			if !strings.Contains(tok, "...") || strings.Contains(tok, "-") {
				return rest
			}
			o.Repeated, o.Spread = true, true
			rest = after
		case strings.HasPrefix(trimmed, "RANGE") && (len(trimmed) == 5 || trimmed[5] == ' '):
			rest = trimmed[5:] // click's INTEGER RANGE
		case strings.HasPrefix(trimmed, "<"), trimmed != rest && trimmed == strings.ToUpper(trimmed) && optionValue(trimmed):
			// A second value: the option takes pairs.
			tok, after := token(trimmed)
			o.Value += " " + tok
			rest = after
		default:
			return rest
		}
	}
}

// optionValue tells whether text is one word in capitals.
func optionValue(text string) bool {
	return len(text) > 1 && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsUpper(r) && r != '_' && !unicode.IsDigit(r) }) < 0
}

// take sets the name of the value, and what it says by itself.
func (o *entry) take(tok string) {
	if o.Value != "" {
		return // the name comes with each spelling
	}
	tok = strings.TrimRight(tok, ",")
	if bare := strings.TrimRight(tok, ">]"); strings.HasSuffix(bare, "...") && !strings.Contains(bare, " ") {
		o.Repeated = true
		tok = strings.TrimSuffix(bare, "...") + tok[len(bare):]
	}
	if strings.HasPrefix(tok, "[") && strings.Contains(tok, " ...") {
		o.Repeated, o.Spread = true, true
		tok = strings.Trim(tok, "[]")
		tok, _, _ = strings.Cut(tok, " ")
	}
	o.Value = tok
	if o.Value == "" {
		o.Value = "value"
	}
	if inner, list := strings.CutPrefix(tok, "<list["); list {
		o.Repeated, o.Value = true, "<"+strings.TrimSuffix(inner, "]>")+">"
		return
	}
	inner := strings.Trim(tok, "<>[](){}")
	comma := strings.HasPrefix(tok, "{") && strings.Contains(inner, ",")
	bar := strings.Contains(inner, "|")
	if !comma && !bar {
		return
	}
	separator := "|"
	if comma {
		separator = ","
	}
	var choices []string
	for c := range strings.SplitSeq(inner, separator) {
		c = strings.Trim(strings.TrimSpace(c), `"'`)
		if c == "" || strings.ContainsAny(c, " .<>[]{}") || len(c) > 100 {
			return
		}
		choices = append(choices, c)
	}
	// <file|url> names two sorts of values, not two values.
	if bar && strings.HasPrefix(tok, "<") && len(choices) == 2 {
		for _, c := range choices {
			if lowerTypes[c] || c == "url" || c == "dir" {
				return
			}
		}
	}
	o.Choices = choices
}

// token takes a word, with everything in brackets and quotes that belongs to it.
func token(text string) (tok, rest string) {
	var open []byte
	for i := range len(text) {
		c := text[i]
		if n := len(open); n > 0 && c == open[n-1] {
			open = open[:n-1]
			if len(open) == 0 && (c == '"' || c == '\'') {
				return text[:i+1], text[i+1:]
			}
			continue
		}
		switch c {
		case '[':
			open = append(open, ']')
		case '<':
			open = append(open, '>')
		case '{':
			open = append(open, '}')
		case '(':
			open = append(open, ')')
		case '"', '\'':
			if i == 0 {
				open = append(open, c)
			}
		case ' ':
			if len(open) == 0 {
				return text[:i], text[i:]
			}
		case ',':
			if len(open) == 0 && (i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '-') {
				return text[:i], text[i:]
			}
		case '|':
			if len(open) == 0 && i+1 < len(text) && text[i+1] == '-' {
				return text[:i], text[i:]
			}
		}
	}
	if len(open) > 0 {
		// A bracket that is not closed: a word as any other.
		if i := strings.IndexByte(text, ' '); i >= 0 {
			return text[:i], text[i:]
		}
	}
	return text, ""
}
