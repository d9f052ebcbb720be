package dockerfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Text is a Dockerfile and the files that it needs besides those of its context.
type Text struct {
	Bytes []byte
	Files []File
}

// File is a file to be added to the build context, for the build only.
type File struct {
	Path string // slash path below the context
	Data []byte
}

// filesDir is the folder of added files in the context.
const filesDir = ".greenroom-heredocs"

// WithoutHeredocs gives a Dockerfile that means the same as text and has no
// here-documents, for engines older than they are (Docker before 23). RUN gets
// its script as one argument of the shell, COPY and ADD get files. Lines keep
// their numbers. A Dockerfile without here-documents is given back as it is.
//
// Two differences remain: a step that copies the whole context also copies the
// added files, and an ENV of the base image is not known where a COPY
// here-document uses it.
func WithoutHeredocs(text []byte) (Text, error) {
	result, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return Text{}, err
	}
	r := &rewriter{
		lines:  bytes.SplitAfter(text, []byte{'\n'}),
		global: scope{lex: shell.NewLex(result.EscapeToken)},
	}
	r.stage("")
	for _, node := range result.AST.Children {
		command, err := instructions.ParseInstruction(node)
		if err != nil {
			return Text{}, err
		}
		if err := r.instruction(node, command); err != nil {
			return Text{}, err
		}
	}
	if !r.changed {
		return Text{Bytes: text}, nil
	}
	return Text{Bytes: bytes.Join(r.lines, nil), Files: r.files}, nil
}

type rewriter struct {
	lines   [][]byte
	files   []File
	changed bool

	global scope
	inFrom bool
	state  *state
	named  map[string]*state
}

func (r *rewriter) stage(base string) {
	if parent, ok := r.named[strings.ToLower(base)]; ok {
		r.state = parent.child()
		return
	}
	r.state = &state{scope: scope{lex: r.global.lex}, shell: []string{"/bin/sh", "-c"}}
}

func (r *rewriter) instruction(node *parser.Node, parsed any) error {
	switch c := parsed.(type) {
	case *instructions.Stage:
		r.inFrom = true
		r.stage(c.BaseName)
		if c.Name != "" {
			if r.named == nil {
				r.named = map[string]*state{}
			}
			r.named[strings.ToLower(c.Name)] = r.state
		}
		return nil
	case *instructions.ArgCommand:
		if !r.inFrom {
			r.global.declare(c, nil)
			return nil
		}
		r.state.declare(c, &r.global)
		return nil
	case *instructions.RunCommand:
		if len(node.Heredocs) > 0 {
			return r.run(node, c)
		}
	case *instructions.CopyCommand:
		if len(node.Heredocs) > 0 {
			return r.copy(node, "COPY", c.SourcesAndDest)
		}
	case *instructions.AddCommand:
		if len(node.Heredocs) > 0 {
			return r.copy(node, "ADD", c.SourcesAndDest)
		}
	case instructions.Command:
		// ENV and SHELL decide what later steps mean. An error in another step
		// is the engine's to report.
		_ = r.state.apply(c, &r.global)
	}
	return nil
}

// run passes the script as the shell's argument. A here-document that is the
// whole command is the script; others the shell reads itself.
func (r *rewriter) run(node *parser.Node, c *instructions.RunCommand) error {
	if len(c.CmdLine) != 1 || len(c.Files) == 0 {
		return fmt.Errorf("line %d: unexpected here-document", node.StartLine)
	}
	script := c.CmdLine[0]
	if parser.MustParseHeredoc(script) != nil {
		f := c.Files[0]
		script = f.Data
		if f.Chomp {
			script = parser.ChompHeredocContent(script)
		}
		if strings.HasPrefix(script, "#!") {
			script = runAsFile(script, f.Name)
		}
	} else {
		for _, f := range c.Files {
			script += "\n" + f.Data + f.Name
		}
	}
	argv := append(slices.Clone(r.state.shell), script)
	return r.replace(node, "RUN", argv)
}

// runAsFile is a shell script that runs another script by its first line.
func runAsFile(script, name string) string {
	// The end mark must not be a line of the script.
	for strings.Contains("\n"+script, "\n"+name+"\n") {
		name += "_"
	}
	return "f=$(mktemp) && cat >\"$f\" <<'" + name + "'\n" + script + name + "\n" +
		"chmod 700 \"$f\" && \"$f\"; c=$?; rm -f \"$f\"; exit $c"
}

// copy makes files of the here-documents and copies those.
func (r *rewriter) copy(node *parser.Node, name string, c instructions.SourcesAndDest) error {
	dir := fmt.Sprintf("%s/line-%d", filesDir, node.StartLine)
	sources := slices.Clone(c.SourcePaths)
	for _, content := range c.SourceContents {
		data := content.Data
		if content.Expand {
			// Quotes are text here; only variables and backslashes count.
			lex := shell.NewLex('\\')
			lex.SkipProcessQuotes = true
			result, err := lex.ProcessWordWithMatches(data, &r.state.scope)
			if err != nil {
				return fmt.Errorf("line %d: %w", node.StartLine, err)
			}
			data = result.Result
		}
		if !validName(content.Path) {
			return fmt.Errorf("line %d: the name of the here-document cannot be a file's", node.StartLine)
		}
		file := path.Join(dir, content.Path)
		r.files = append(r.files, File{Path: file, Data: []byte(data)})
		sources = append(sources, file)
	}
	return r.replace(node, name, append(sources, c.DestPath))
}

func validName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, `/\`)
}

// replace puts an instruction in JSON form in the place of a node, and empty
// lines where the rest of it was.
func (r *rewriter) replace(node *parser.Node, name string, argv []string) error {
	var args bytes.Buffer
	encoder := json.NewEncoder(&args)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(argv); err != nil {
		return err
	}
	line := strings.Join(append(append([]string{name}, node.Flags...), args.String()), " ")
	for i := node.StartLine - 1; i < node.EndLine && i < len(r.lines); i++ {
		r.lines[i] = []byte{'\n'}
	}
	r.lines[node.StartLine-1] = []byte(line)
	r.changed = true
	return nil
}
