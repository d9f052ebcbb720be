package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestEveryCodeHasAMeaning(t *testing.T) {
	for _, c := range Codes() {
		if c.ExitStatus() == 0 {
			t.Errorf("%s: an error must not exit 0", c)
		}
		if c.HTTPStatus() < 400 {
			t.Errorf("%s: HTTP %d is not an error", c, c.HTTPStatus())
		}
		if c.WireType() == "" {
			t.Errorf("%s: no wire type", c)
		}
	}
	if Code("no-such").ExitStatus() != 1 || Code("no-such").HTTPStatus() != 500 {
		t.Error("an unknown code must count as internal")
	}
}

func TestCodeAndHintSurviveWrapping(t *testing.T) {
	inner := New(NotFound, "record %q was not found", "X").WithHint("list the keys")
	err := fmt.Errorf("reading: %w", inner)
	if CodeOf(err) != NotFound || HintOf(err) != "list the keys" {
		t.Fatalf("code %q, hint %q", CodeOf(err), HintOf(err))
	}
	outer := Wrap(Unavailable, err, "starting")
	if CodeOf(outer) != Unavailable {
		t.Errorf("the outermost code must win, got %q", CodeOf(outer))
	}
	if HintOf(outer) != "list the keys" {
		t.Errorf("the inner hint was lost: %q", HintOf(outer))
	}
}

func TestNewKeepsTheCause(t *testing.T) {
	err := New(Internal, "reading: %w", io.ErrUnexpectedEOF)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if got, want := err.Error(), "reading: unexpected EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if Wrap(Internal, nil, "x") != nil {
		t.Error("wrapping nil must give nil")
	}
}
