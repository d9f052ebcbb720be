// Package ansi takes out of a text what is meant for terminals.
package ansi

// Stripper removes terminal escape sequences and control characters from a
// text that comes in pieces. The zero value is ready.
type Stripper struct{ state state }

type state byte

const (
	inText         state = iota
	inEscape             // after ESC
	inControl            // in a CSI sequence, until its final byte
	inString             // in an OSC or a similar string, until BEL or ESC \
	inStringEscape       // after ESC inside such a string
	inCharset            // one more byte belongs to the sequence
)

// Strip works in place and gives the shortened piece.
func (a *Stripper) Strip(piece []byte) []byte {
	out := piece[:0]
	for _, b := range piece {
		switch a.state {
		case inText:
			switch {
			case b == 0x1b:
				a.state = inEscape
			case b >= ' ' && b != 0x7f, b == '\n', b == '\t', b == '\r':
				out = append(out, b)
			}
		case inEscape:
			switch {
			case b == '[':
				a.state = inControl
			case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_':
				a.state = inString
			case b >= ' ' && b <= '/':
				a.state = inCharset
			case b == 0x1b:
			case b == '\n':
				a.state = inText
				out = append(out, b)
			default:
				a.state = inText
			}
		case inControl:
			switch {
			case b == '\n': // cut off: the line matters more
				a.state = inText
				out = append(out, b)
			case b >= '@' && b <= '~':
				a.state = inText
			}
		case inString:
			switch b {
			case 0x07:
				a.state = inText
			case 0x1b:
				a.state = inStringEscape
			case '\n':
				a.state = inText
				out = append(out, b)
			}
		case inStringEscape:
			a.state = inText
			if b == '\n' {
				out = append(out, b)
			}
		case inCharset:
			if b < ' ' || b > '/' {
				a.state = inText
			}
		}
	}
	return out
}
