package runs

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/internal/cli/session"
	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
)

// TestFrames looks at what is drawn on a terminal: over what was there, every line
// cleared behind its end, and nothing of what an Actor says acted upon.
func TestFrames(t *testing.T) {
	var out bytes.Buffer
	c, err := client.New(client.Options{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	message := "\x1b[2Jclear"
	run := client.Answer[api.Run]{Value: api.Run{ID: "R1", ActorID: "A1", Status: api.StatusRunning, StatusMessage: &message}}
	d := &top{Session: session.New(&cmdkit.Factory{IO: &cmdkit.IO{Out: &out}}), client: c, names: map[string]string{"A1": "me/one"}, interval: time.Second, limit: 1}
	if err := d.frame([]client.Answer[api.Run]{run}, 3, nil); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if !strings.HasPrefix(text, home) || !strings.HasSuffix(text, restBelow) || !strings.Contains(text, "me/one") || !strings.Contains(text, "2 more are running") {
		t.Errorf("drawn %q", text)
	}
	if n := strings.Count(text, "\n"); n != strings.Count(text, endOfLine) || n != 5 {
		t.Errorf("%d lines: %q", n, text)
	}
	if strings.Contains(text, "\x1b[2J") {
		t.Errorf("an Actor has cleared the screen: %q", text)
	}
	out.Reset()
	if err := d.frame(nil, 0, errors.New("the API cannot be reached")); err != nil || !strings.Contains(out.String(), "cannot be reached") {
		t.Errorf("%v: %q", err, out.String())
	}
}
