package source

import (
	"strconv"
	"strings"
)

// argument is one argument of a call in source text: its keyword, if it has one,
// and what it is. Nothing is evaluated: only literals have a value.
type argument struct {
	name string // of a keyword argument or an object's member
	raw  string // as it is written
	text string // of a text literal
	lit  bool   // it is a text literal
}

// syntax is what tells one language's source from another's.
type syntax struct {
	comment string // to the end of the line
	keyword string // between a keyword and its value
}

var (
	pythonSyntax = syntax{comment: "#", keyword: "="}
	jsSyntax     = syntax{comment: "//", keyword: ":"}
)

// calls finds the calls of a name in source text without comments and gives their
// arguments. name includes the opening bracket: ".add_argument(".
func (s syntax) calls(source, name string) [][]argument {
	var all [][]argument
	for from := 0; len(all) < 500; {
		i := strings.Index(source[from:], name)
		if i < 0 {
			return all
		}
		from += i + len(name)
		if args, end := s.arguments(source[from:]); end > 0 {
			all = append(all, args)
		}
	}
	return all
}

// arguments reads what stands up to the bracket that closes; end is behind it, 0
// when there is none.
func (s syntax) arguments(source string) (args []argument, end int) {
	depth, start := 0, 0
	add := func(to int) {
		if raw := strings.TrimSpace(source[start:to]); raw != "" && len(args) < 500 {
			args = append(args, s.argument(raw))
		}
		start = to + 1
	}
	for i := 0; i < len(source) && i < 200_000; i++ {
		switch c := source[i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth == 0 {
				add(i)
				return args, i + 1
			}
			depth--
		case ',':
			if depth == 0 {
				add(i)
			}
		case '"', '\'', '`':
			i = s.text(source, i) - 1
		}
	}
	return nil, 0
}

// strip blanks the comments out, so that what they hold is not taken for code.
func (s syntax) strip(source string) string {
	out := []byte(source)
	blank := func(from, to int) {
		for i := from; i < to; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '"' || c == '\'' || c == '`' && s.comment != "#":
			i = s.text(source, i) - 1
		case strings.HasPrefix(source[i:], s.comment) && (c == '#' || i == 0 || source[i-1] != ':'):
			end := len(source)
			if n := strings.IndexByte(source[i:], '\n'); n >= 0 {
				end = i + n
			}
			blank(i, end)
			i = end
		case s.comment == "//" && strings.HasPrefix(source[i:], "/*"):
			end := len(source)
			if n := strings.Index(source[i+2:], "*/"); n >= 0 {
				end = i + n + 4
			}
			blank(i, end)
			i = end - 1
		}
	}
	return string(out)
}

// text gives the position behind the text literal that begins at i.
func (s syntax) text(source string, i int) int {
	quote := source[i : i+1]
	if strings.HasPrefix(source[i:], quote+quote+quote) && s.comment == "#" {
		quote = quote + quote + quote
	}
	for j := i + len(quote); j < len(source); j++ {
		if source[j] == '\\' {
			j++
			continue
		}
		if strings.HasPrefix(source[j:], quote) {
			return j + len(quote)
		}
		if source[j] == '\n' && len(quote) == 1 && quote != "`" {
			return j // not closed: it ends with the line
		}
	}
	return len(source)
}

func (s syntax) argument(raw string) argument {
	a := argument{raw: raw}
	// A keyword is a name, or for an object's member also a text.
	n := 0
	for n < len(raw) && (raw[n] == '_' || raw[n] >= '0' && raw[n] <= '9' || raw[n]|0x20 >= 'a' && raw[n]|0x20 <= 'z') {
		n++
	}
	key, rest := raw[:n], strings.TrimLeft(raw[n:], " \t\r\n")
	if n == 0 && s.keyword == ":" && (raw[0] == '"' || raw[0] == '\'') {
		end := s.text(raw, 0)
		key, rest = strings.Trim(raw[:end], `"'`), strings.TrimLeft(raw[end:], " \t\r\n")
	}
	if value, ok := strings.CutPrefix(rest, s.keyword); ok && key != "" && !strings.HasPrefix(value, "=") {
		a.name, a.raw = key, strings.TrimSpace(value)
	}
	a.text, a.lit = s.literal(a.raw)
	return a
}

// literal gives the text of text literals that stand side by side or are joined
// by +.
func (s syntax) literal(raw string) (text string, ok bool) {
	raw = strings.TrimSpace(raw)
	if strings.HasPrefix(raw, "(") && strings.HasSuffix(raw, ")") {
		raw = strings.TrimSpace(raw[1 : len(raw)-1])
	}
	for raw != "" {
		prefix := 0
		for prefix < 2 && prefix < len(raw) && strings.IndexByte("rRbBuUfF", raw[prefix]) >= 0 {
			prefix++
		}
		if prefix == len(raw) || strings.IndexByte("\"'`", raw[prefix]) < 0 || s.comment != "#" && prefix > 0 {
			return "", false
		}
		formatted := strings.ContainsAny(raw[:prefix], "fF") || raw[prefix] == '`' && strings.Contains(raw, "${")
		end := s.text(raw, prefix)
		quoted := raw[prefix:end]
		if formatted && strings.ContainsAny(quoted, "{") {
			return "", false
		}
		width := 1
		if len(quoted) >= 6 && (strings.HasPrefix(quoted, `"""`) || strings.HasPrefix(quoted, "'''")) && s.comment == "#" {
			width = 3
		}
		if len(quoted) < 2*width {
			return "", false
		}
		text += unescape(quoted[width : len(quoted)-width])
		raw = strings.TrimSpace(raw[end:])
		raw = strings.TrimSpace(strings.TrimPrefix(raw, "+"))
		ok = true
	}
	return text, ok
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\"`, `"`, `\'`, `'`, "\\\n", "").Replace(s)
}

// list gives the texts and numbers of a list literal, nil when something in it
// is neither.
func (s syntax) list(raw string) []string {
	raw = strings.TrimSpace(raw)
	if raw == "" || strings.IndexByte("[({", raw[0]) < 0 {
		return nil
	}
	items, end := s.arguments(raw[1:])
	if end == 0 {
		return nil
	}
	var out []string
	for _, item := range items {
		switch {
		case item.lit:
			out = append(out, item.text)
		case isNumeral(item.raw):
			out = append(out, item.raw)
		default:
			return nil
		}
	}
	return out
}

// object gives the members of an object literal, nil when it is none.
func (s syntax) object(raw string) []argument {
	raw = strings.TrimSpace(raw)
	if !strings.HasPrefix(raw, "{") {
		return nil
	}
	members, _ := s.arguments(raw[1:])
	return members
}

func isNumeral(raw string) bool {
	_, err := strconv.ParseFloat(strings.ReplaceAll(raw, "_", ""), 64)
	return err == nil && !strings.ContainsAny(raw, "nNxX")
}

// named gives the keyword argument of a name.
func named(args []argument, name string) (argument, bool) {
	for _, a := range args {
		if a.name == name {
			return a, true
		}
	}
	return argument{}, false
}
