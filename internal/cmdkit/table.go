package cmdkit

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// Table writes rows to Out under a header, in columns. Cells come from outside:
// control characters in them are shown, never sent to the terminal.
func (s *IO) Table(header []string, rows [][]string) error {
	return writeColumns(s.Out, append([][]string{header}, rows...))
}

// Fields writes names and values to Out, a pair a line. Pairs without a value
// are left out.
func (s *IO) Fields(pairs [][2]string) error {
	var rows [][]string
	for _, pair := range pairs {
		if pair[1] != "" {
			rows = append(rows, []string{pair[0] + ":", pair[1]})
		}
	}
	return writeColumns(s.Out, rows)
}

func writeColumns(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t") // a tabwriter keeps its error until Flush
			}
			fmt.Fprint(w, Printable(cell))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// Printable replaces what a terminal would act on, and what would break a line,
// by U+FFFD.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
