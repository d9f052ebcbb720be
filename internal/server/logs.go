package server

import (
	"errors"
	"io"
	"net/http"

	"github.com/greenroom-dev/greenroom/internal/server/ansi"
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
	var strip ansi.Stripper
	buf := make([]byte, 32<<10)
	for {
		n, err := log.Read(buf)
		if n > 0 {
			piece := buf[:n]
			if !raw {
				piece = strip.Strip(piece)
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
