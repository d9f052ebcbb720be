package server

import (
	"errors"
	"io"
	"net/http"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s *server) runLog(c *call) error {
	run, err := s.pathRun(c)
	if err != nil {
		return err
	}
	return s.writeLog(c, run.ID)
}

func (s *server) buildLog(c *call) error {
	build, err := s.Actors.Build(c.ctx(), c.param("buildId"))
	if err != nil {
		return err
	}
	return s.writeLog(c, build.ID)
}

func (s *server) anyLog(c *call) error { return s.writeLog(c, c.param("buildOrRunId")) }

// writeLog sends a log; with stream it goes on as the log grows and ends with
// the run.
func (s *server) writeLog(c *call, id string) error {
	stream, err := c.boolean("stream")
	if err != nil {
		return err
	}
	raw, err := c.boolean("raw")
	if err != nil {
		return err
	}
	download, err := c.boolean("download")
	if err != nil {
		return err
	}
	log, err := s.openLog(c, id, stream)
	if err != nil {
		return err
	}
	defer log.Close()
	h := c.Header()
	h["Content-Type"] = []string{"text/plain; charset=utf-8"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	if download {
		h.Set("Content-Disposition", attachmentName(id+".txt"))
	}
	c.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	return c.copyLog(log, raw, stream)
}

// openLog opens the log of a build or of a run.
func (s *server) openLog(c *call, id string, follow bool) (io.ReadCloser, error) {
	if s.Catalog != nil {
		log, err := s.Builds.Log(c.ctx(), id, follow)
		if !fault.Is(err, fault.NotFound) {
			return log, err
		}
	}
	return s.Engine.Log(c.ctx(), id, follow)
}

// copyLog passes a log on, and each piece at once when it is followed.
func (c *call) copyLog(log io.Reader, raw, flush bool) error {
	control := http.NewResponseController(c.ResponseWriter)
	if flush {
		_ = control.Flush() // the client waits for the header before anything else
	}
	var strip ansiStripper
	buf := make([]byte, 32<<10)
	for {
		n, err := log.Read(buf)
		if n > 0 {
			piece := buf[:n]
			if !raw {
				piece = strip.strip(piece)
			}
			if _, err := c.Write(piece); err != nil {
				return nil // nobody reads any more
			}
			if flush {
				_ = control.Flush()
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// ansiStripper removes terminal escape sequences and control characters from a
// text that comes in pieces. The zero value is ready.
type ansiStripper struct{ state ansiState }

type ansiState byte

const (
	ansiText         ansiState = iota
	ansiEscape                 // after ESC
	ansiControl                // in a CSI sequence, until its final byte
	ansiString                 // in an OSC or a similar string, until BEL or ESC \
	ansiStringEscape           // after ESC inside such a string
	ansiCharset                // one more byte belongs to the sequence
)

// strip works in place and gives the shortened piece.
func (a *ansiStripper) strip(piece []byte) []byte {
	out := piece[:0]
	for _, b := range piece {
		switch a.state {
		case ansiText:
			switch {
			case b == 0x1b:
				a.state = ansiEscape
			case b >= ' ' && b != 0x7f, b == '\n', b == '\t', b == '\r':
				out = append(out, b)
			}
		case ansiEscape:
			switch {
			case b == '[':
				a.state = ansiControl
			case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_':
				a.state = ansiString
			case b >= ' ' && b <= '/':
				a.state = ansiCharset
			case b == 0x1b:
			case b == '\n':
				a.state = ansiText
				out = append(out, b)
			default:
				a.state = ansiText
			}
		case ansiControl:
			switch {
			case b == '\n': // cut off: the line matters more
				a.state = ansiText
				out = append(out, b)
			case b >= '@' && b <= '~':
				a.state = ansiText
			}
		case ansiString:
			switch b {
			case 0x07:
				a.state = ansiText
			case 0x1b:
				a.state = ansiStringEscape
			case '\n':
				a.state = ansiText
				out = append(out, b)
			}
		case ansiStringEscape:
			a.state = ansiText
			if b == '\n' {
				out = append(out, b)
			}
		case ansiCharset:
			if b < ' ' || b > '/' {
				a.state = ansiText
			}
		}
	}
	return out
}
