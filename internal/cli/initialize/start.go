package initialize

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/commandline"
	"github.com/greenroom-dev/greenroom/internal/helptext"
	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// plain starts an Actor that needs nothing between it and the run.
func (w *work) plain() {
	p := w.project
	w.start = p.Start
	if p.Image != nil && !w.makeDockerfile {
		w.start = p.Image.Argv
	}
	if p.Main != "" {
		w.start = []string{"/usr/local/bin/" + w.name}
	}
	program := &commandline.Program{Description: p.Description}
	w.schema = program.InputSchema(title(w.name))
	w.next = append(w.next, "describe the input in .actor/input_schema.json")
}

// scrapy runs one spider and prints its items as JSON lines; Scrapy's log goes
// to standard error.
func (w *work) scrapy() {
	program := &commandline.Program{Description: w.project.Description}
	var words []string
	// The fields are made here, as the command line of Scrapy has one of its own.
	add := func(o commandline.Option, word string) {
		program.Positionals = append(program.Positionals, o)
		words = append(words, word)
	}
	spider := commandline.Option{Name: "spider", Kind: commandline.Text, Required: true, Description: "the spider to run"}
	taken := []string{"spider", "arguments", "settings", "loglevel"}
	var arguments []string
	for _, one := range w.project.Scrapy.Spiders {
		spider.Choices = append(spider.Choices, one.Name)
		for _, argument := range one.Arguments {
			if field := commandline.FieldName(argument); field != "" && !slices.Contains(taken, field) {
				taken, arguments = append(taken, field), append(arguments, argument)
			}
		}
	}
	if len(spider.Choices) > 0 {
		spider.Default, spider.HasDefault, spider.Required = spider.Choices[0], true, false
	}
	add(spider, "{{spider}}")
	for _, name := range arguments {
		add(commandline.Option{Name: name, Kind: commandline.Text, Description: "the spider's argument " + name},
			"-a"+name+"={{"+commandline.FieldName(name)+"}}")
	}
	add(commandline.Option{Name: "arguments", Kind: commandline.Text, Repeated: true, Description: "further arguments of the spider, as name=value"},
		"{{-a arguments}}")
	add(commandline.Option{Name: "settings", Kind: commandline.Text, Repeated: true, Description: "Scrapy settings, as NAME=value"},
		"{{-s settings}}")
	add(commandline.Option{Name: "loglevel", Kind: commandline.Text, Choices: []string{"CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"},
		Default: "INFO", HasDefault: true, Description: "how much goes to the log"}, "--loglevel={{loglevel}}")
	w.program, w.adapted = program, true
	w.schema = program.InputSchema(title(w.name))
	w.start = slices.Concat([]string{"actor", "exec", "--output", "json", "--", "python3", "-m", "scrapy", "crawl"}, words[:1], []string{"-o", "-:jsonlines"}, words[1:])
}

// adapt starts a program that knows nothing of Actors through actor exec.
func (w *work) adapt() {
	p := w.project
	var command []string
	switch {
	case w.derived || p.Image != nil && !w.makeDockerfile:
		command = p.Image.Argv
	case p.Main != "":
		command = []string{"/usr/local/bin/" + w.name}
	default:
		command = p.Start
	}
	program := w.program
	if program == nil {
		program = &commandline.Program{}
		if len(command) > 0 {
			program.Positionals = []commandline.Option{{Name: "arguments", Repeated: true, Description: "the program's arguments, in their order"}}
			w.missing = append(w.missing, "it was not found which arguments the program takes, so the input has one list of them")
			program.Complete()
		}
	}
	if program.Description == "" {
		program.Description = p.Description
	}
	if program.Subcommands {
		w.missing = append(w.missing, "the program does several things by the name of a command; choose one, as in --from-help \"PROGRAM COMMAND --help\"")
		if len(program.Positionals) == 0 {
			// Until then whoever runs it can.
			program.Positionals = []commandline.Option{{Name: "arguments", Kind: commandline.Text, Repeated: true, Description: "the command and its arguments, in their order"}}
		}
	}
	w.program = program
	w.skipped = program.Skipped
	w.schema = program.InputSchema(title(w.name))
	if len(command) == 0 {
		return
	}
	binding := program.Bind()
	w.adapted = true
	w.start = []string{"actor", "exec"}
	if binding.Stdin != "" {
		w.start = append(w.start, "--stdin", binding.Stdin)
		if !p.PrintsJSON {
			w.start = append(w.start, "--output", "lines")
		}
	}
	w.start = append(w.start, "--")
	w.start = append(w.start, withArguments(command, len(binding.Words) > 0)...)
	w.start = append(w.start, binding.Words...)
}

// withArguments makes room for arguments behind a line that a shell runs.
func withArguments(command []string, arguments bool) []string {
	if !arguments || len(command) < 3 || command[len(command)-2] != "-c" {
		return command
	}
	switch path.Base(command[0]) {
	case "sh", "bash", "ash", "dash", "zsh":
	default:
		return command
	}
	out := slices.Clone(command)
	return append(append(out[:len(out)-1], strings.TrimRight(out[len(out)-1], " \n")+` "$@"`), path.Base(command[0]))
}

// title makes "page-check" "Page check".
func title(name string) string {
	words := strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// helpSize is how much of what the command of --from-help prints is read.
const helpSize = 1 << 20

// helpTime is how long that command may take; a test waits less.
var helpTime = 15 * time.Second

var helpFlag = regexp.MustCompile(`\s+(--help|-help|-h|-\?|--help-all|help)(\s+(all|full|long))?\s*(2>&1)?\s*$`)

// fromHelp reads the program's command line from a help text.
func (w *work) fromHelp(ctx context.Context) error {
	given := w.options.FromHelp
	var text []byte
	evidence := given
	command := ""
	file := given
	if !filepath.IsAbs(file) {
		file = filepath.Join(w.root, file)
	}
	info, statErr := os.Stat(given)
	if statErr != nil {
		info, statErr = os.Stat(file)
	} else {
		file = given
	}
	var err error
	switch {
	case given == "-":
		evidence = "standard input"
		text, err = io.ReadAll(io.LimitReader(w.options.factory.IO.In, helpSize))
	case statErr == nil && info.Mode().IsRegular() && info.Mode()&0o111 == 0:
		var f *os.File
		if f, err = os.Open(file); err == nil {
			text, err = io.ReadAll(io.LimitReader(f, helpSize))
			_ = f.Close()
		}
	default:
		command = given
		text, err = w.runHelp(ctx, command)
	}
	if err != nil {
		if fault.CodeOf(err) != fault.Internal {
			return err
		}
		return fault.Wrap(fault.Unavailable, err, "the help text of --from-help cannot be read")
	}
	program := helptext.Parse(string(text))
	w.busybox = bytes.Contains(text, []byte("BusyBox"))
	if program.Empty() {
		w.missing = append(w.missing, "the help text of --from-help shows no options and no arguments")
		return nil
	}
	w.program = program
	w.project.Facts = slices.DeleteFunc(w.project.Facts, func(f project.Fact) bool { return f.Name == "arguments" })
	w.project.Facts = append(w.project.Facts, project.Fact{Name: "arguments", Value: "help text", Evidence: evidence})
	if command != "" && w.project.Main == "" {
		w.startFrom(command)
	}
	return nil
}

// startFrom takes the program's start from the command that prints its help.
func (w *work) startFrom(command string) {
	line := helpFlag.ReplaceAllString(command, "")
	words := strings.Fields(line)
	if line == command || len(words) == 0 || strings.ContainsAny(line, "|&;<>()$`\\\"'*?") {
		return
	}
	p := w.project
	if len(p.Start) > 0 && strings.Join(p.Start, " ") == line {
		return
	}
	p.Start = words
	p.Facts = slices.DeleteFunc(p.Facts, func(f project.Fact) bool { return f.Name == "start" })
	p.Facts = append(p.Facts, project.Fact{Name: "start", Value: line, Evidence: "--from-help"})
	p.Missing = slices.DeleteFunc(p.Missing, func(m string) bool {
		return strings.HasPrefix(m, "no program was found") || strings.HasPrefix(m, "it was not found what starts") || strings.HasPrefix(m, "several ")
	})
}

// runHelp runs a command in the project's directory, with nothing to read and
// for a limited time, and gives what it prints to either stream: some programs
// print their help to standard error, and fail.
func (w *work) runHelp(ctx context.Context, command string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, helpTime)
	defer cancel()
	argv := []string{"/bin/sh", "-c", command}
	if runtime.GOOS == "windows" {
		argv = []string{"cmd", "/d", "/c", command}
	}
	cmd := exec.CommandContext(limited, argv[0], argv[1:]...)
	cmd.Dir = w.root
	cmd.Env = append(os.Environ(), "COLUMNS=120", "NO_COLOR=1", "TERM=dumb", "PAGER=cat", "PYTHONDONTWRITEBYTECODE=1")
	out := &capped{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	text := out.Bytes()
	if limited.Err() != nil && ctx.Err() == nil {
		return nil, fault.New(fault.Unavailable, "%s did not end within %s", command, helpTime).
			WithHint("give a command that only prints help, or a file with the text")
	}
	if ctx.Err() != nil {
		return nil, fault.New(fault.Aborted, "interrupted: nothing was written")
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, fault.New(fault.Unavailable, "%s cannot be run: %w", command, err)
	} else if err != nil && (exit.ExitCode() == 127 || exit.ExitCode() == 126 || helptext.Parse(string(text)).Empty()) {
		return nil, fault.New(fault.Unavailable, "%s fails: %w: %s", command, err, strings.TrimSpace(string(text[:min(len(text), 400)])))
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fault.New(fault.Unavailable, "%s prints nothing", command)
	}
	return text, nil
}

// capped keeps the beginning of what is written.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if room := helpSize - c.Len(); room > 0 {
		c.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
