package server

import (
	"context"
	"encoding/json"
	"time"

	"github.com/coder/websocket"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// eventWriteTimeout is how long a listener may take to accept one event.
const eventWriteTimeout = 10 * time.Second

// runEvents sends the events of a run over a WebSocket until the run has ended.
// The SDKs send no header with the token, so that it is part of the URL, and
// nothing else either: what they send is read only to answer pings.
func (s *server) runEvents(c *call) error {
	if c.r.Header.Get("Upgrade") == "" {
		return fault.New(fault.InvalidRequest, "the events of a run are read over a WebSocket")
	}
	events, cancel, err := s.Engine.Events(c.param("runId"))
	if err != nil {
		return err
	}
	defer cancel()
	// The origin was checked like that of every request.
	conn, err := websocket.Accept(c.ResponseWriter, c.r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	c.wroteHeader = true // whatever there was to answer, Accept did
	if err != nil {
		return nil
	}
	defer conn.CloseNow()
	// The request's own context ends with its handler only, not with the
	// connection, once that is a WebSocket.
	ctx := conn.CloseRead(context.WithoutCancel(c.ctx()))
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-events:
			if !open {
				_ = conn.Close(websocket.StatusNormalClosure, "the run has ended")
				return nil
			}
			text, err := json.Marshal(event)
			if err != nil {
				s.Logger.Error("an event cannot be encoded", "event", event.Name, "error", err)
				continue
			}
			write, stop := context.WithTimeout(ctx, eventWriteTimeout)
			err = conn.Write(write, websocket.MessageText, text)
			stop()
			if err != nil {
				return nil
			}
		}
	}
}
