package diagnostic

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestSort(t *testing.T) {
	list := List{
		{File: "b", Line: 2, Column: 1, Message: "1"},
		{File: "a", Line: 1, Column: 1, Message: "2"},
		{File: "b", Line: 1, Column: 7, Message: "3"},
		{File: "b", Line: 1, Column: 2, Message: "4"},
		{File: "b", Line: 1, Column: 2, Message: "5"},
		{File: "a", Message: "6"},
	}
	list.Sort()
	var order strings.Builder
	for _, d := range list {
		order.WriteString(d.Message)
	}
	if order.String() != "453162" {
		t.Errorf("sorted to %s", order.String())
	}
}

func TestErr(t *testing.T) {
	list := List{{Severity: Warning, File: "f", Message: "odd"}}
	if err := list.Err("it"); err != nil {
		t.Errorf("a warning gives %v", err)
	}
	list = append(list, Diagnostic{Severity: Error, File: "f", Line: 3, Column: 4, Message: "bad", Hint: "mend it"})
	err := list.Err("it")
	if !fault.Is(err, fault.InvalidInput) || err.Error() != "f:3:4: bad" || fault.HintOf(err) != "mend it" {
		t.Errorf("got %v (%s)", err, fault.HintOf(err))
	}
	list = append(list, Diagnostic{Severity: Error, File: "g", Message: "worse", Hint: "mend that"})
	err = list.Err("it")
	if err.Error() != "it has 2 faults:\n  f:3:4: bad\n  g: worse" || fault.HintOf(err) != "" {
		t.Errorf("got %v (%s)", err, fault.HintOf(err))
	}
	if got := FromError(err, "x", "y"); !cmp.Equal(got, list.Errors()) {
		t.Errorf("the error gives back %v", got)
	}
	if text := list[0].String(); text != "f: warning: odd" {
		t.Errorf("a warning reads %q", text)
	}
}

func TestFromError(t *testing.T) {
	for _, test := range []struct {
		text         string
		line, column int
		message      string
	}{
		{"a:b.json:12:3: wrong: very", 12, 3, "wrong: very"},
		{"a:b.json: wrong", 0, 0, "wrong"},
		{"a:b.json:12: wrong", 0, 0, "a:b.json:12: wrong"},
		{"a:b.json:0:0: wrong", 0, 0, "a:b.json:0:0: wrong"},
		{"wrong", 0, 0, "wrong"},
		{"other.json:1:1: wrong", 0, 0, "other.json:1:1: wrong"},
	} {
		want := List{{Severity: Error, File: "a:b.json", Line: test.line, Column: test.column, Rule: "r", Message: test.message}}
		if diff := cmp.Diff(want, FromError(errors.New(test.text), "a:b.json", "r")); diff != "" {
			t.Errorf("%s:\n%s", test.text, diff)
		}
	}
	hinted := FromError(fault.New(fault.InvalidInput, "f:1:2: wrong").WithHint("right it"), "f", "r")
	if hinted[0].Hint != "right it" || hinted[0].Line != 1 {
		t.Errorf("got %+v", hinted)
	}
}
