package syntax

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/internal/schema/memory/value"
)

type tokenKind int

const (
	delimiterToken tokenKind = iota
	numberToken
	symbolToken
)

// maxTokens is how many tokens are read at most, those read again included: a
// percent sign makes the parser try twice what follows, and signs within that
// four times.
const maxTokens = 100_000

// noLevel is the conditional level where no conditional is being read.
const noLevel = -1

// state is where the parser stands. It is copied to come back to a place.
type state struct {
	index  int // of the character after the token, in UTF-16 code units
	kind   tokenKind
	token  string // "" at the end
	length int    // of the token, in UTF-16 code units
	// nesting counts the open brackets: within them, line ends do not count.
	nesting int
	// conditional is the nesting at which a conditional waits for its colon.
	conditional int
}

type parser struct {
	state
	text   []uint16
	tokens int
}

var delimiters = map[string]bool{
	",": true, "(": true, ")": true, "[": true, "]": true, "{": true, "}": true, "\"": true, "'": true, ";": true,
	"+": true, "-": true, "*": true, ".*": true, "/": true, "./": true, "%": true, "^": true, ".^": true, "~": true,
	"!": true, "&": true, "|": true, "^|": true, "=": true, ":": true, "?": true, "?.": true, "??": true, "==": true,
	"!=": true, "<": true, ">": true, "<=": true, ">=": true, "<<": true, ">>": true, ">>>": true,
}

var namedOperators = []string{"mod", "to", "in", "and", "xor", "or", "not"}

// at gives a character, 0 beyond the text's end.
func (p *parser) at(index int) uint16 {
	if index >= 0 && index < len(p.text) {
		return p.text[index]
	}
	return 0
}

func (p *parser) ended() bool { return p.index >= len(p.text) }

// slice gives characters as text, fewer at the end.
func (p *parser) slice(from, to int) string {
	to = min(to, len(p.text))
	if from >= to {
		return ""
	}
	return string(utf16.Decode(p.text[from:to]))
}

func (p *parser) syntaxError(message string) error {
	return value.Failure(message + " (char " + strconv.Itoa(p.index-p.length+1) + ")")
}

// next reads a token.
func (p *parser) next() error {
	if p.tokens++; p.tokens > maxTokens {
		return value.Failure("The defaultMemoryMbytes expression is too complex.")
	}
	p.kind, p.token, p.length = delimiterToken, "", 0
	for {
		if p.at(p.index) == '#' {
			for !p.ended() && p.at(p.index) != '\n' {
				p.index++
			}
		}
		c := p.at(p.index)
		if c != ' ' && c != '\t' && c != 0xA0 && (c != '\n' || p.nesting <= 0) {
			break
		}
		p.index++
	}
	start := p.index
	c := p.at(start)
	switch {
	case p.ended():
		return nil
	case c == '\n' && p.nesting == 0:
		p.index++
	case p.delimiter():
	case isDigit(c) || c == '.':
		p.kind = numberToken
		return p.number(start)
	case p.alpha(start):
		for p.alpha(p.index) || isDigit(p.at(p.index)) {
			p.index++
		}
		p.kind = symbolToken
	default:
		p.index = len(p.text)
		p.take(start)
		return p.syntaxError(`Syntax error in part "` + p.token + `"`)
	}
	p.take(start)
	if p.kind == symbolToken && slices.Contains(namedOperators, p.token) {
		p.kind = delimiterToken
	}
	return nil
}

// take makes the token of what was read since start.
func (p *parser) take(start int) {
	p.token, p.length = p.slice(start, p.index), p.index-start
}

// delimiter passes the longest delimiter that stands here.
func (p *parser) delimiter() bool {
	for length := 3; length > 0; length-- {
		if p.index+length > len(p.text) || !delimiters[p.slice(p.index, p.index+length)] {
			continue
		}
		// "a?.5:1" is a conditional with a number in it.
		if length == 2 && p.at(p.index) == '?' && p.at(p.index+1) == '.' && isDigit(p.at(p.index+2)) {
			continue
		}
		p.index += length
		return true
	}
	return false
}

// number passes a number, or the dot before a property.
func (p *parser) number(start int) error {
	digits := func() {
		for isDigit(p.at(p.index)) {
			p.index++
		}
	}
	alphanumerics := func() {
		for p.alpha(p.index) || isDigit(p.at(p.index)) {
			p.index++
		}
	}
	defer func() {
		if p.length == 0 {
			p.take(start)
		}
	}()
	if second := p.at(start + 1); p.at(start) == '0' && (second == 'b' || second == 'o' || second == 'x') {
		p.index += 2
		alphanumerics()
		if p.at(p.index) == '.' {
			p.index++
			alphanumerics()
		}
		return nil
	}
	if p.at(start) == '.' {
		p.index++
		if !isDigit(p.at(p.index)) {
			p.kind = delimiterToken
			return nil
		}
	} else {
		digits()
		if p.decimalMark(p.index) {
			p.index++
		}
	}
	digits()
	if c := p.at(p.index); c != 'e' && c != 'E' {
		return nil
	}
	expected := func() error {
		return p.syntaxError(`Digit expected, got "` + p.slice(p.index, p.index+1) + `"`)
	}
	switch after := p.at(p.index + 1); {
	case isDigit(after), after == '-', after == '+':
		p.index++
		if c := p.at(p.index); c == '-' || c == '+' {
			p.index++
		}
		if !isDigit(p.at(p.index)) {
			p.take(start)
			return expected()
		}
		digits()
		if p.decimalMark(p.index) {
			p.take(start)
			return expected()
		}
	case p.decimalMark(p.index + 1):
		p.take(start)
		p.index++
		return expected()
	}
	return nil
}

// decimalMark tells a decimal point from the first half of an operator.
func (p *parser) decimalMark(index int) bool {
	after := p.at(index + 1)
	return p.at(index) == '.' && after != '/' && after != '*' && after != '^'
}

// alpha reports whether a character may begin a name: Latin, Greek and
// letter-like ones, and mathematical alphanumeric symbols.
func (p *parser) alpha(index int) bool {
	c := p.at(index)
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '$',
		0xC0 <= c && c <= 0x2AF, 0x370 <= c && c <= 0x3FF, 0x2100 <= c && c <= 0x214F:
		return true
	}
	return mathSymbol(c, p.at(index+1)) || mathSymbol(p.at(index-1), c)
}

// unassigned are the low surrogates of mathematical symbols that do not exist.
var unassigned = []uint16{
	0xDC55, 0xDC9D, 0xDCA0, 0xDCA1, 0xDCA3, 0xDCA4, 0xDCA7, 0xDCA8, 0xDCAD, 0xDCBA, 0xDCBC, 0xDCC4, 0xDD06, 0xDD0B,
	0xDD0C, 0xDD15, 0xDD1D, 0xDD3A, 0xDD3F, 0xDD45, 0xDD47, 0xDD48, 0xDD49, 0xDD51, 0xDEA6, 0xDEA7, 0xDFCC, 0xDFCD,
}

func mathSymbol(high, low uint16) bool {
	return high == 0xD835 && 0xDC00 <= low && low <= 0xDFFF && !slices.Contains(unassigned, low)
}

func isDigit(c uint16) bool { return '0' <= c && c <= '9' }

// quoted reads a string; the token is its opening quote.
func (p *parser) quoted() (string, error) {
	quote := p.token
	var text []uint16
	for !p.ended() && p.at(p.index) != uint16(quote[0]) {
		c := p.at(p.index)
		p.index++
		if c != '\\' {
			text = append(text, c)
			continue
		}
		escaped := p.at(p.index)
		if i := strings.IndexRune(`"'\/bfnrt`, rune(escaped)); i >= 0 && escaped != 0 {
			text = append(text, uint16("\"'\\/\b\f\n\r\t"[i]))
			p.index++
			continue
		}
		if escaped != 'u' {
			return "", p.syntaxError(`Bad escape character \` + p.slice(p.index, p.index+1))
		}
		digits := p.slice(p.index+1, p.index+5)
		code, err := strconv.ParseUint(digits, 16, 16)
		if err != nil || len(digits) != 4 || strings.ContainsAny(digits, "_+-") {
			return "", p.syntaxError(`Invalid unicode character \u` + digits)
		}
		text = append(text, uint16(code))
		p.index += 5
	}
	if err := p.next(); err != nil {
		return "", err
	}
	if p.token != quote {
		return "", p.syntaxError("End of string " + quote + " expected")
	}
	return string(utf16.Decode(text)), p.next()
}
