package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/token"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestBackup(t *testing.T) {
	p := newPlatform(t)
	tokens := p.withTokens()
	p.do("GET", backupPath, nil).fails(404, "page-not-found")
	p.server.Backup = func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "everything")
		return err
	}
	got := p.do("GET", backupPath, nil).want(200)
	if string(got.body) != "everything" || got.header.Get("Content-Type") != "application/x-tar" {
		t.Errorf("got %q as %s", got.body, got.header.Get("Content-Type"))
	}
	p.do("POST", backupPath, nil).fails(405, "method-not-allowed")
	p.as("", "GET", backupPath, nil).fails(401, "token-not-provided")
	for _, scope := range []token.Scope{token.Full, token.ReadOnly, token.OneRun("abcdefghij1234567")} {
		p.as(newToken(t, tokens, scope), "GET", backupPath, nil).fails(403, "insufficient-permissions")
	}
	p.do("GET", backupPath, nil, "Host", "evil.example").want(403)

	p.server.Backup = func(context.Context, io.Writer) error { return fault.New(fault.Unavailable, "the store is closed") }
	p.do("GET", backupPath, nil).fails(503, "service-unavailable")

	// One that breaks off must not look whole.
	p.server.Backup = func(_ context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half", 10_000))
		return errors.New("the disk is on fire")
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+backupPath+"?token="+ownerToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	if err == nil {
		t.Error("half a backup came as a whole one")
	}
	if !strings.Contains(p.log.String(), "the disk is on fire") {
		t.Errorf("the log says %q", p.log.String())
	}
	p.log.Reset()
}
