package cmdkit

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestTable(t *testing.T) {
	var out bytes.Buffer
	s := &IO{Out: &out}
	if err := s.Table([]string{"ID", "NAME"}, [][]string{{"a", "é\x1b[31m"}, {"longer", "x\ty\nz\u202e"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Fields([][2]string{{"id", "a"}, {"nothing", ""}, {"long name", "b"}}); err != nil {
		t.Fatal(err)
	}
	const want = "ID      NAME\na       é\ufffd[31m\nlonger  x\ufffdy\ufffdz\ufffd\nid:         a\nlong name:  b\n"
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

func TestConfirm(t *testing.T) {
	for _, test := range []struct {
		answer string
		tty    bool
		want   fault.Code
	}{
		{"y\n", true, ""}, {"YES\r\n", true, ""}, {" yes ", true, ""},
		{"n\n", true, fault.Aborted}, {"\n", true, fault.Aborted}, {"", true, fault.Aborted}, {"yeah\n", true, fault.Aborted},
		{"y\n", false, fault.Usage},
	} {
		var stderr bytes.Buffer
		s := &IO{In: strings.NewReader(test.answer), Err: &stderr, InTTY: test.tty, ErrTTY: test.tty}
		err := s.Confirm("Delete \x1b it?")
		if fault.CodeOf(err) != test.want {
			t.Errorf("%q: %v, want %q", test.answer, err, test.want)
		}
		if asked := strings.HasPrefix(stderr.String(), "Delete \ufffd it? [y/N] "); asked != test.tty {
			t.Errorf("%q: asked %q", test.answer, stderr.String())
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b]0;x\a")
	f.Add("\u2028\xff\u0085")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Printable(s) {
			if unicode.IsControl(r) {
				t.Errorf("%q keeps %q", s, r)
			}
		}
	})
}
