package image

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	control "github.com/moby/buildkit/api/services/control"
)

// tailLines is how much of a failed step's output an error repeats.
const tailLines = 20

// progress turns what BuildKit reports into plain lines: the name of each step
// as it starts, and below it its output. Steps of different stages run at the
// same time; a step that goes on after another one spoke is named again.
type progress struct {
	log   io.Writer
	steps map[string]*step
	// speaking is the digest of the step whose output was written last.
	speaking string
	failed   *step
}

type step struct {
	name    string
	shown   bool // its name was written
	done    bool
	partial []byte // output after the last line break
	tail    []string
	err     string
}

func newProgress(log io.Writer) *progress {
	return &progress{log: log, steps: map[string]*step{}}
}

func (p *progress) step(digest string) *step {
	s := p.steps[digest]
	if s == nil {
		s = &step{}
		p.steps[digest] = s
	}
	return s
}

func (p *progress) vertex(v *control.Vertex) {
	s := p.step(v.Digest)
	s.name = oneLine(v.Name)
	if v.Started != nil && !s.shown && !v.Cached && !s.internal() {
		p.name(v.Digest, s, "")
	}
	if v.Completed == nil || s.done {
		return
	}
	s.done = true
	p.endLine(v.Digest, s)
	switch {
	case v.Error != "":
		s.err = v.Error
		// Steps that were stopped because another one failed are not the cause.
		if p.failed == nil || strings.Contains(p.failed.err, "context canceled") {
			p.failed = s
		}
	case v.Cached && !s.shown && !s.internal():
		p.name(v.Digest, s, " (cached)")
	}
}

// internal steps are BuildKit's own housekeeping.
func (s *step) internal() bool {
	return strings.HasPrefix(s.name, "[internal] ") || strings.HasPrefix(s.name, "[auth] ")
}

func (p *progress) name(digest string, s *step, note string) {
	s.shown = true
	p.speaking = digest
	fmt.Fprintf(p.log, "%s%s\n", s.name, note)
}

// output writes the whole lines of what a step printed, and keeps the rest.
func (p *progress) output(digest string, data []byte) {
	s := p.step(digest)
	s.partial = append(s.partial, data...)
	for {
		i := bytes.IndexByte(s.partial, '\n')
		if i < 0 {
			break
		}
		p.line(digest, s, s.partial[:i])
		s.partial = s.partial[i+1:]
	}
	if len(s.partial) > 64<<10 {
		p.endLine(digest, s)
	}
}

func (p *progress) endLine(digest string, s *step) {
	if len(s.partial) > 0 {
		p.line(digest, s, s.partial)
		s.partial = nil
	}
}

func (p *progress) line(digest string, s *step, line []byte) {
	// Only what a terminal would still show: a progress bar rewrites its line.
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if i := bytes.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	if p.speaking != digest {
		p.name(digest, s, "")
	}
	fmt.Fprintf(p.log, "  %s\n", line)
	if len(s.tail) == tailLines {
		s.tail = s.tail[1:]
	}
	s.tail = append(s.tail, string(line))
}

// flush writes what steps printed without ending the line.
func (p *progress) flush() {
	for digest, s := range p.steps {
		p.endLine(digest, s)
	}
}

// failure combines the engine's error with what is known of the step.
func (p *progress) failure(text string) *failure {
	f := &failure{text: text}
	if p.failed != nil {
		f.step, f.tail = p.failed.name, p.failed.tail
		if p.failed.err != "" {
			f.text = p.failed.err
		}
	}
	return f
}

// oneLine is a step's name without line breaks, and not longer than a terminal
// shows sensibly.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const limit = 200
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}
