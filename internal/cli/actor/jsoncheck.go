package actor

// jsonChecker is an automaton that accepts exactly one JSON value with white
// space around it. It needs memory for the nesting only, so that a value of any
// size can be checked on its way; encoding/json would hold its longest string.
type jsonChecker struct {
	state byte
	rest  string // of true, false or null
	// nest holds '{' or '[' per open container; key says that the string being
	// read is a field's name.
	nest []byte
	key  bool
	hex  int // digits missing of a \u escape
}

// States. Those of numbers say what was read last.
const (
	wantValue byte = iota
	wantValueOrEnd
	wantKey
	wantKeyOrEnd
	wantColon
	wantCommaOrEnd
	wantNothing
	inString
	inEscape
	inHex
	inWord
	numMinus
	numZero
	numInt
	numDot
	numFraction
	numExp
	numExpSign
	numExpDigits
	failed
)

// maxNesting is encoding/json's own limit.
const maxNesting = 10000

func (c *jsonChecker) write(p []byte) {
	for _, b := range p {
		if c.state == failed {
			return
		}
		// Strings are most of most values.
		if c.state == inString && b != '"' && b != '\\' && b >= ' ' {
			continue
		}
		c.state = c.step(b)
	}
}

// end tells whether what was written is a whole value.
func (c *jsonChecker) end() bool {
	switch c.state {
	case numZero, numInt, numFraction, numExpDigits:
		return len(c.nest) == 0
	}
	return c.state == wantNothing
}

func (c *jsonChecker) step(b byte) byte {
	switch c.state {
	case inString:
		switch {
		case b == '\\':
			return inEscape
		case b != '"':
			return failed // a control character
		case c.key:
			c.key = false
			return wantColon
		}
		return c.valueEnded()
	case inEscape:
		switch b {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			return inString
		case 'u':
			c.hex = 4
			return inHex
		}
		return failed
	case inHex:
		if !digit(b) && (b|0x20 < 'a' || b|0x20 > 'f') {
			return failed
		}
		if c.hex--; c.hex == 0 {
			return inString
		}
		return inHex
	case inWord:
		if b != c.rest[0] {
			return failed
		}
		if c.rest = c.rest[1:]; c.rest == "" {
			return c.valueEnded()
		}
		return inWord
	case numMinus, numZero, numInt, numDot, numFraction, numExp, numExpSign, numExpDigits:
		return c.number(b)
	}
	if b == ' ' || b == '\t' || b == '\n' || b == '\r' {
		return c.state
	}
	return c.structure(b)
}

// structure handles what stands between values and begins them.
func (c *jsonChecker) structure(b byte) byte {
	switch c.state {
	case wantColon:
		if b == ':' {
			return wantValue
		}
		return failed
	case wantCommaOrEnd:
		top := c.nest[len(c.nest)-1]
		switch {
		case b == ',' && top == '{':
			return wantKey
		case b == ',':
			return wantValue
		case b == '}' && top == '{', b == ']' && top == '[':
			return c.close()
		}
		return failed
	case wantKey, wantKeyOrEnd:
		switch {
		case b == '"':
			c.key = true
			return inString
		case b == '}' && c.state == wantKeyOrEnd:
			return c.close()
		}
		return failed
	case wantValueOrEnd:
		if b == ']' {
			return c.close()
		}
		return c.begin(b)
	case wantValue:
		return c.begin(b)
	}
	return failed
}

func (c *jsonChecker) begin(b byte) byte {
	switch b {
	case '{', '[':
		if len(c.nest) == maxNesting {
			return failed
		}
		c.nest = append(c.nest, b)
		if b == '{' {
			return wantKeyOrEnd
		}
		return wantValueOrEnd
	case '"':
		return inString
	case 't':
		c.rest = "rue"
		return inWord
	case 'f':
		c.rest = "alse"
		return inWord
	case 'n':
		c.rest = "ull"
		return inWord
	case '-':
		return numMinus
	case '0':
		return numZero
	}
	if digit(b) {
		return numInt
	}
	return failed
}

func (c *jsonChecker) close() byte {
	c.nest = c.nest[:len(c.nest)-1]
	return c.valueEnded()
}

func (c *jsonChecker) valueEnded() byte {
	if len(c.nest) == 0 {
		return wantNothing
	}
	return wantCommaOrEnd
}

func (c *jsonChecker) number(b byte) byte {
	switch c.state {
	case numMinus:
		switch {
		case b == '0':
			return numZero
		case digit(b):
			return numInt
		}
		return failed
	case numDot, numFraction:
		if digit(b) {
			return numFraction
		}
		if c.state == numDot {
			return failed
		}
	case numExp, numExpSign, numExpDigits:
		switch {
		case digit(b):
			return numExpDigits
		case c.state == numExp && (b == '+' || b == '-'):
			return numExpSign
		case c.state != numExpDigits:
			return failed
		}
	case numInt:
		if digit(b) {
			return numInt
		}
	}
	switch {
	case b == '.' && (c.state == numZero || c.state == numInt):
		return numDot
	case b|0x20 == 'e' && c.state != numExpDigits:
		return numExp
	}
	// The byte ends the number and is the next thing itself.
	c.state = c.valueEnded()
	return c.step(b)
}

func digit(b byte) bool { return b >= '0' && b <= '9' }
