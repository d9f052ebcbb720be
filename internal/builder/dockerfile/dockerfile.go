// Package dockerfile reads what a Dockerfile says about starting its image,
// without building it, and rewrites one for engines that know less of the
// language.
package dockerfile

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Start is what the last stage of a Dockerfile says about starting its image.
// What only the base image knows is not in it.
type Start struct {
	// Argv is ENTRYPOINT and CMD combined by Docker's rules; nil when the
	// Dockerfile has neither.
	Argv []string
	// Dir is the last WORKDIR, absolute, or "" when there is none.
	Dir string
	// Env is NAME=value for every ENV, the last one of a name only.
	Env []string
	// Ports are those of EXPOSE as written, with variables replaced.
	Ports []string
	// Copies are the COPY and ADD steps that take files of the build context,
	// in order.
	Copies []Copy
	// Base is the image that the stage stands on in the end.
	Base string
}

// Copy is one step that puts files of the build context into the image.
type Copy struct {
	// From are slash paths below the context, possibly with wildcards.
	From []string
	// To is the absolute slash path in the image. It ends in / when it must be
	// a folder.
	To string
}

// Command reads how the image of the Dockerfile at path starts. Errors are
// fault.InvalidInput.
func Command(path string) (Start, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Start{}, fault.Wrap(fault.InvalidInput, err, "the Dockerfile cannot be read")
	}
	start, err := Parse(text)
	if err != nil {
		return Start{}, fault.New(fault.InvalidInput, "%s cannot be read: %w", path, err).
			WithHint("correct the line that the message names")
	}
	return start, nil
}

// Parse is Command for a Dockerfile's text. Its errors name the line.
func Parse(text []byte) (Start, error) {
	result, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return Start{}, err
	}
	stages, metaArgs, err := instructions.Parse(result.AST, nil)
	if err != nil {
		return Start{}, err
	}
	if len(stages) == 0 {
		return Start{}, fmt.Errorf("no FROM line")
	}
	lex := shell.NewLex(result.EscapeToken)
	global := scope{lex: lex}
	for _, arg := range metaArgs {
		global.declare(&arg, nil)
	}

	states := make([]*state, 0, len(stages))
	for _, stage := range stages {
		base := stage.BaseName
		if expanded, err := lex.ProcessWordWithMatches(base, &global); err == nil {
			base = expanded.Result
		}
		s := &state{scope: scope{lex: lex}, base: base, shell: []string{"/bin/sh", "-c"}}
		// The latest earlier stage of that name is the base; the parser has
		// lower-cased the names.
		for i := len(states) - 1; i >= 0; i-- {
			if stages[i].Name != "" && strings.EqualFold(stages[i].Name, base) {
				s = states[i].child()
				break
			}
		}
		for _, command := range stage.Commands {
			if err := s.apply(command, &global); err != nil {
				return Start{}, err
			}
		}
		states = append(states, s)
	}
	return states[len(states)-1].start(), nil
}

// state is a stage as far as it has been read.
type state struct {
	scope
	base       string
	shell      []string
	entrypoint []string
	cmd        []string
	// ownCmd says that the CMD is this stage's own and not inherited.
	ownCmd bool
	// shellEntrypoint says that ENTRYPOINT was a shell line: CMD is then unused.
	shellEntrypoint bool
	dir             string
	ports           []string
	copies          []Copy
}

// child is the state of a stage that begins where s ends. ARG is not inherited.
func (s *state) child() *state {
	c := *s
	c.args = nil
	c.ownCmd = false
	c.env = slices.Clone(s.env)
	c.ports = slices.Clone(s.ports)
	c.copies = slices.Clone(s.copies)
	return &c
}

func (s *state) apply(command instructions.Command, global *scope) error {
	switch c := command.(type) {
	case *instructions.EnvCommand, *instructions.WorkdirCommand, *instructions.CopyCommand, *instructions.AddCommand:
		err := c.(instructions.SupportsSingleWordExpansion).Expand(func(word string) (string, error) {
			result, err := s.lex.ProcessWordWithMatches(word, &s.scope)
			return result.Result, err
		})
		if err != nil {
			return fmt.Errorf("line %d: %w", lineOf(command), err)
		}
	}
	switch c := command.(type) {
	case *instructions.ArgCommand:
		s.declare(c, global)
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			s.env = set(s.env, kv.Key, kv.Value)
		}
	case *instructions.WorkdirCommand:
		s.dir = s.absolute(c.Path)
	case *instructions.ShellCommand:
		s.shell = slices.Clone(c.Shell)
	case *instructions.CmdCommand:
		s.cmd, s.ownCmd = s.argv(c.ShellDependantCmdLine), true
	case *instructions.EntrypointCommand:
		s.entrypoint, s.shellEntrypoint = s.argv(c.ShellDependantCmdLine), c.PrependShell
		if !s.ownCmd {
			// A new ENTRYPOINT drops the CMD that came with the base.
			s.cmd = nil
		}
	case *instructions.ExposeCommand:
		for _, port := range c.Ports {
			if words, err := s.lex.ProcessWords(port, &s.scope); err == nil {
				s.ports = append(s.ports, words...)
			}
		}
	case *instructions.CopyCommand:
		if c.From == "" {
			s.copy(c.SourcesAndDest)
		}
	case *instructions.AddCommand:
		s.copy(c.SourcesAndDest)
	}
	return nil
}

func lineOf(command instructions.Command) int {
	if where := command.Location(); len(where) > 0 {
		return where[0].Start.Line
	}
	return 0
}

func (s *state) argv(line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	return append(slices.Clone(s.shell), strings.Join(line.CmdLine, " "))
}

func (s *state) copy(c instructions.SourcesAndDest) {
	if len(c.SourcePaths) == 0 {
		return
	}
	to := s.absolute(c.DestPath)
	folder := strings.HasSuffix(c.DestPath, "/") || strings.HasSuffix(c.DestPath, "/.") || c.DestPath == "."
	if folder && to != "/" {
		to += "/"
	}
	from := make([]string, 0, len(c.SourcePaths))
	for _, source := range c.SourcePaths {
		if strings.Contains(source, "://") {
			continue
		}
		// A path that climbs out of the context stays at its top, as in a build.
		from = append(from, strings.TrimPrefix(path.Clean("/"+source), "/"))
	}
	s.copies = append(s.copies, Copy{From: from, To: to})
}

// absolute is a path in the image, relative ones from the working directory.
func (s *state) absolute(p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join("/", s.dir, p)
}

func (s *state) start() Start {
	argv := s.entrypoint
	if len(argv) == 0 {
		argv = s.cmd
	} else if !s.shellEntrypoint {
		argv = append(slices.Clone(argv), s.cmd...)
	}
	if len(argv) == 0 {
		argv = nil
	}
	return Start{Argv: argv, Dir: s.dir, Env: s.env, Ports: s.ports, Copies: s.copies, Base: s.base}
}

// scope is what variables in a Dockerfile's words stand for. ENV wins over ARG.
type scope struct {
	lex  *shell.Lex
	args []string
	env  []string
}

var _ shell.EnvGetter = (*scope)(nil)

// Get gives the value of a variable.
func (s *scope) Get(name string) (string, bool) {
	for _, list := range [][]string{s.env, s.args} {
		for _, entry := range list {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return value, true
			}
		}
	}
	return "", false
}

// Keys gives the names of all variables.
func (s *scope) Keys() []string {
	var names []string
	for _, entry := range slices.Concat(s.env, s.args) {
		name, _, _ := strings.Cut(entry, "=")
		names = append(names, name)
	}
	return names
}

// declare takes an ARG's default. Inside a stage an ARG without one gets that
// of the ARG of the same name before the first FROM.
func (s *scope) declare(c *instructions.ArgCommand, global *scope) {
	for _, arg := range c.Args {
		value, known := "", false
		if arg.Value != nil {
			if result, err := s.lex.ProcessWordWithMatches(*arg.Value, s); err == nil {
				value, known = result.Result, true
			}
		} else if global != nil {
			value, known = global.Get(arg.Key)
		}
		if known {
			s.args = set(s.args, arg.Key, value)
		}
	}
}

// set gives the list with one variable set, in place or at the end.
func set(list []string, name, value string) []string {
	entry := name + "=" + value
	for i, old := range list {
		if strings.HasPrefix(old, name+"=") {
			list[i] = entry
			return list
		}
	}
	return append(list, entry)
}
