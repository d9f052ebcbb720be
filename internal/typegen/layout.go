package typegen

import (
	"bytes"
	"strings"
)

// A doc is text that can be laid out in more than one way, in the manner of
// Wadler's pretty printer: a group is printed on one line when it fits, else its
// lines are broken. It lays code out as Prettier does, which people's editors
// and checks expect of TypeScript.
type doc interface{}

type (
	line   struct{ text string } // a break, or text when the group is flat
	hard   struct{}              // always a break, and breaks the groups around it
	indent struct{ of doc }
	group  struct {
		of     doc
		broken bool
	}
	// ifBroken is text that is there only when the group is broken.
	ifBroken string
	concat   []doc
)

const width = 120 // columns; Prettier's setting in the official tool

var softline, space = line{""}, line{" "}

// breaks reports whether a doc has a hard break, and marks the groups that have.
func breaks(d doc) bool {
	switch d := d.(type) {
	case hard:
		return true
	case indent:
		return breaks(d.of)
	case *group:
		d.broken = breaks(d.of)
		return d.broken
	case concat:
		found := false
		for _, part := range d {
			found = breaks(part) || found
		}
		return found
	}
	return false
}

type command struct {
	depth int
	flat  bool
	doc   doc
}

// layout prints a doc.
func layout(d doc) string {
	breaks(d)
	var out []byte
	column := 0
	stack := []command{{0, false, d}}
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		newline := false
		switch d := c.doc.(type) {
		case string:
			out = append(out, d...)
			column += columns(d)
		case ifBroken:
			if !c.flat {
				out = append(out, d...)
				column += len(d)
			}
		case concat:
			for i := len(d) - 1; i >= 0; i-- {
				stack = append(stack, command{c.depth, c.flat, d[i]})
			}
		case indent:
			stack = append(stack, command{c.depth + 1, c.flat, d.of})
		case *group:
			next := command{c.depth, true, d.of}
			if c.flat || !d.broken && fits(next, stack, width-column) {
				stack = append(stack, next)
			} else {
				stack = append(stack, command{c.depth, false, d.of})
			}
		case hard:
			newline = true
		case line:
			if newline = !c.flat; !newline {
				out = append(out, d.text...)
				column += len(d.text)
			} else {
				out = bytes.TrimRight(out, " ")
			}
		}
		if newline {
			out = append(out, '\n')
			out = append(out, strings.Repeat("  ", c.depth)...)
			column = 2 * c.depth
		}
	}
	return string(out)
}

// fits reports whether what is next, and what follows up to the first possible
// break, fits into the rest of a line.
func fits(next command, rest []command, room int) bool {
	stack := []command{next}
	for at := len(rest); room >= 0; {
		if len(stack) == 0 {
			if at == 0 {
				return true
			}
			at--
			stack = append(stack, rest[at])
			continue
		}
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch d := c.doc.(type) {
		case string:
			room -= columns(d)
		case ifBroken:
			if !c.flat {
				room -= len(d)
			}
		case concat:
			for i := len(d) - 1; i >= 0; i-- {
				stack = append(stack, command{c.depth, c.flat, d[i]})
			}
		case indent:
			stack = append(stack, command{c.depth, c.flat, d.of})
		case *group:
			stack = append(stack, command{c.depth, c.flat && !d.broken, d.of})
		case hard:
			return true
		case line:
			if !c.flat {
				return true
			}
			room -= len(d.text)
		}
	}
	return false
}

// columns is how wide a text is: characters of East Asia take two columns.
func columns(text string) int {
	n := 0
	for _, c := range text {
		n++
		if c >= 0x1100 && (c <= 0x115f || c >= 0x2e80 && c <= 0xa4cf || c >= 0xac00 && c <= 0xd7a3 || c >= 0xf900 && c <= 0xfaff ||
			c >= 0xfe30 && c <= 0xfe6f || c >= 0xff01 && c <= 0xff60 || c >= 0xffe0 && c <= 0xffe6 || c >= 0x1f300 && c <= 0x1faff || c >= 0x20000 && c <= 0x3fffd) {
			n++
		}
	}
	return n
}
