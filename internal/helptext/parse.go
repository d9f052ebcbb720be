// Package helptext reads the text that a program's --help prints. It reads GNU,
// argparse, click, typer, commander, yargs, cobra, clap, docopt, Go flag, BSD and
// BusyBox texts; what it cannot tell it leaves out.
package helptext

import (
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
)

// entry is an option or argument while it is read.
type entry struct{ commandline.Option }

const (
	// longest is how much of a text is read; no help is longer.
	longest = 1 << 20
	// most is how many options are taken of it.
	most = 500
	// widest is how much of a line is looked at.
	widest = 2000
)

var (
	escapes    = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07\x1b]*(\x07|\x1b\\\\)|.\x08")
	usageLine  = regexp.MustCompile(`(?i)^\s*(?:usage|use|syntax)(?:\s+of)?\s*:?(?:\s+|$)(.*)$`)
	bareUsage  = regexp.MustCompile(`^[\w./-]+( [\w-]+)?(?: [<\[][^<>\[\]]+[>\]](?:\.\.\.)?)+$`)
	typeColumn = regexp.MustCompile(`^<[^<>]+>( \[[^\[\]]*\])?$`)
	goUsage    = regexp.MustCompile(`^Usage of (.+):$`)
	heading    = regexp.MustCompile(`^\s{0,4}([A-Za-z][\w /()-]{0,60}):\s*$`)
	arguments  = regexp.MustCompile(`(?i)^(positional )?(arguments|args|parameters|positionals)$`)
	commands   = regexp.MustCompile(`(?i)^((available |additional |core |basic |main )?(sub-?)?commands?|subcommands|.* commands)$`)
	readsStdin = regexp.MustCompile(`(?i)(with no [a-z]*file|reads?|read from|or from|from) (.{0,40})(standard input|\bstdin\b)|if no files?.{0,40}(standard input|\bstdin\b)|\(or stdin\)`)
)

// Parse reads a help text. What it does not understand it passes over; a text
// without a command line gives an empty Program.
func Parse(text string) *commandline.Program {
	lines := split(text)
	p := &commandline.Program{}
	r := reader{program: p}
	begun := false
	for i := 0; i < len(lines); i++ {
		if !begun && bareUsage.MatchString(lines[i]) {
			lines[i] = "Usage: " + lines[i] // as yargs writes it
		}
		begun = begun || lines[i] != ""
		if m := goUsage.FindStringSubmatch(lines[i]); m != nil {
			p.Name, p.GoFlags = baseName(strings.Trim(m[1], `"`)), true
			continue
		}
		if m := usageLine.FindStringSubmatch(lines[i]); m != nil && !r.seenUsage {
			usage, used := usageText(lines, i, m[1])
			if usage != "" {
				r.usage(usage)
				r.seenUsage = true
				i += used
				continue
			}
		}
		r.line(lines[i])
	}
	r.finish()
	if !r.stdinSeen {
		p.Stdin = readsStdin.MatchString(strings.Join(strings.Fields(strings.Join(lines, " ")), " "))
	}
	r.settle()
	return p
}

// split cleans a text and cuts it into lines: without escape sequences, boxes,
// and tabs.
func split(text string) []string {
	text = strings.ToValidUTF8(text[:min(len(text), longest)], "")
	text = escapes.ReplaceAllString(strings.ReplaceAll(text, "\r", ""), "")
	text = strings.NewReplacer("│", " ", "┃", " ", "\u00a0", " ").Replace(text)
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > widest {
			line = strings.ToValidUTF8(line[:widest], "")
		}
		if rest := strings.TrimLeft(line, " ╭╰┏┗┡├└"); strings.HasPrefix(rest, "─") || strings.HasPrefix(rest, "━") {
			// The edge of a box may have its heading in it.
			if name := strings.Trim(rest, " ─━╮╯┓┛"); name != "" {
				line = name + ":"
			} else {
				line = ""
			}
		}
		lines = append(lines, strings.TrimRight(expandTabs(line), " "))
	}
	return lines
}

// expandTabs replaces tabs by at least two spaces, so that they still divide
// what stands in columns.
func expandTabs(line string) string {
	if !strings.Contains(line, "\t") {
		return line
	}
	var out strings.Builder
	column := 0
	for _, c := range line {
		if c != '\t' {
			out.WriteRune(c)
			column++
			continue
		}
		n := 8 - column%8
		if n < 2 {
			n += 8
		}
		out.WriteString(strings.Repeat(" ", n))
		column += n
	}
	return out.String()
}

// usageText joins a usage line with those that continue it, and says how many
// there were. Of alternatives it takes the first.
func usageText(lines []string, at int, first string) (usage string, used int) {
	if i := at + 1; strings.TrimSpace(first) == "" {
		for i < len(lines) && lines[i] == "" && i < at+2 {
			i++
		}
		if i >= len(lines) || indent(lines[i]) == 0 {
			return "", 0
		}
		first, used = strings.TrimSpace(lines[i]), i-at
		at = i
	}
	own, _, _ := strings.Cut(strings.TrimSpace(first), " ")
	margin := indent(lines[at])
	inside := true
	for i := at + 1; i < len(lines) && i < at+100; i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || indent(lines[i]) == 0 {
			break
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(line, "or: "), " ")
		if strings.HasPrefix(line, "or:") || strings.TrimPrefix(word, "$ ") == own {
			inside = false // another way to call it
		}
		if n := indent(lines[i]); inside && n <= margin && !strings.HasPrefix(line, "[") && !strings.HasPrefix(line, "-") {
			break
		}
		if optionName.MatchString(line) && (strings.Contains(line, "  ") || indent(lines[i]) <= 8) {
			break // the first entry
		}
		used++
		if inside {
			first += " " + line
		}
	}
	return first, used
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func baseName(path string) string {
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		path = path[i+1:]
	}
	return path
}

// reader collects entries line by line.
type reader struct {
	program   *commandline.Program
	section   string
	seenUsage bool
	stdinSeen bool
	required  map[string]bool // of the usage line
	brackets  []string        // [-c count] of the usage line, without the brackets

	entry      *entry // the present one
	text       []string
	margin     int // its indentation
	column     int // where its description begins, 0 when not known
	positional bool

	described map[string]commandline.Option // positional arguments, by lower-case name
	order     []string
	prose     []string
	proseDone bool
}

// line takes a line that is no usage.
func (r *reader) line(line string) {
	trimmed := strings.TrimSpace(line)
	at := indent(line)
	if trimmed == "" {
		if r.entry != nil && len(r.text) > 0 {
			r.finish()
		}
		r.endProse()
		return
	}
	if strings.HasPrefix(trimmed, "* ") && optionName.MatchString(strings.TrimLeft(trimmed[2:], " ")) {
		// typer marks what is required so.
		trimmed = "[required] " + strings.TrimLeft(trimmed[2:], " ")
	}
	isOption := optionName.MatchString(strings.TrimPrefix(strings.TrimPrefix(trimmed, "[required] "), "[")) &&
		!strings.HasPrefix(trimmed, "- ") && (r.entry == nil || r.column == 0 || at < r.column || at <= r.margin+4)
	switch {
	case isOption && at <= 40:
		r.finish()
		r.begin(trimmed, at)
	case heading.MatchString(line) && (r.entry == nil || at <= r.margin && at == 0 || at < r.margin):
		r.finish()
		r.endProse()
		r.section = heading.FindStringSubmatch(line)[1]
		if commands.MatchString(r.section) {
			r.program.Subcommands = true
		}
		if r.section == "Flags" {
			r.program.Valued = true // as cobra writes it
		}
	case r.entry != nil && at > r.margin:
		if r.positional && at <= r.margin+2 && r.column > at {
			r.finish()
			r.argument(trimmed, at)
			return
		}
		if r.column == 0 {
			r.column = at
		}
		r.text = append(r.text, trimmed)
	case arguments.MatchString(r.section) && at > 0 && at <= 10:
		r.finish()
		r.argument(trimmed, at)
	default:
		r.finish()
		if at <= 4 && r.section == "" && !r.proseDone && !strings.Contains(trimmed, "multi-call binary") && !strings.HasSuffix(trimmed, ":") {
			r.prose = append(r.prose, trimmed)
		}
	}
}

func (r *reader) endProse() {
	if len(r.prose) > 0 {
		r.proseDone = true
	}
}

// columns divides an entry's first line at its first gap.
func columns(text string) (head, description string, at int) {
	i := strings.Index(text, "  ")
	if i < 0 {
		return text, "", 0
	}
	rest := strings.TrimLeft(text[i:], " ")
	if strings.HasPrefix(rest, "--no-") && strings.HasPrefix(text, "--") && !strings.Contains(text[:i], " ") {
		head, description, at = columns(rest)
		return text[:i] + " / " + head, description, at + len(text) - len(rest)
	}
	if strings.HasSuffix(text[:i], ",") || strings.HasPrefix(rest, "--") && optionName.MatchString(text) && len(text[:i]) <= 3 {
		// A gap between two spellings is none.
		head, description, at = columns(rest)
		return text[:i] + " " + head, description, at + len(text) - len(rest)
	}
	return text[:i], rest, len(text) - len(rest)
}

// begin starts an option's entry.
func (r *reader) begin(text string, at int) {
	text, required := strings.CutPrefix(text, "[required] ")
	head, description, column := columns(text)
	if strings.HasPrefix(head, "[") {
		head = strings.TrimSuffix(head[1:], "]")
	}
	o, rest, ok := header(head)
	if !ok || o.Long == "" && o.Short == "" || strings.HasPrefix(rest, "...") {
		return // "-0 ... -9" is a row of options that nobody can name
	}
	o.Required = required
	if rest != "" && o.Value == "" || rest != "" && description == "" {
		description = strings.TrimSpace(strings.TrimLeft(rest, ":-") + " " + description)
	}
	// typer writes the type in a column of its own.
	if word, after, found := strings.Cut(description, "  "); o.Value == "" && found && typerType(word) {
		kind, bounds, _ := strings.Cut(word, "> ")
		if bounds != "" {
			kind += ">"
		}
		o.take(kind)
		description = strings.TrimSpace(strings.TrimSpace(after) + " " + bounds)
	} else if o.Value == "" && typerType(description) && description != "" && column > 0 && r.section != "" {
		o.take(description)
		description = ""
	}
	r.entry, r.margin, r.positional, r.column, r.text = &o, at, false, 0, nil
	if column > 0 {
		r.column = at + column
	}
	if description != "" {
		r.text = append(r.text, description)
	}
}

func typerType(word string) bool {
	switch word {
	case "TEXT", "INTEGER", "FLOAT", "PATH", "FILE", "FILENAME", "DIRECTORY", "UUID", "BOOLEAN", "INTEGER RANGE", "FLOAT RANGE":
		return true
	}
	return typeColumn.MatchString(word) || strings.HasPrefix(word, "[") && strings.HasSuffix(word, "]") && strings.Contains(word, "|")
}

// argument starts the entry of a positional argument.
func (r *reader) argument(text string, at int) {
	text, required := strings.CutPrefix(text, "* ")
	text = strings.TrimLeft(text, " ")
	head, description, column := columns(text)
	if strings.HasPrefix(head, "{") {
		// argparse shows the choices of an argument in place of its name.
	} else if strings.ContainsAny(head, " ") && description == "" {
		return
	}
	tok, _ := token(head)
	o := entry{Option: commandline.Option{Required: required}}
	o.positional(tok)
	if o.Name == "" {
		return
	}
	if word, after, found := strings.Cut(description, "  "); found && typerType(word) {
		o.Value, description = word, strings.TrimSpace(after)
	}
	r.entry, r.margin, r.positional, r.column, r.text = &o, at, true, 0, nil
	if column > 0 {
		r.column = at + column
	}
	if description != "" {
		r.text = append(r.text, description)
	}
}

// finish ends the present entry.
func (r *reader) finish() {
	if r.entry == nil {
		return
	}
	o := r.entry
	r.entry = nil
	// Describing costs the most: what does not count is not described.
	if r.positional {
		if r.described == nil {
			r.described = map[string]commandline.Option{}
		}
		key := strings.ToLower(o.Name)
		if _, known := r.described[key]; !known && len(r.order) < most {
			describe(o, strings.Join(r.text, " "))
			r.described[key] = o.Option
			r.order = append(r.order, key)
		}
		return
	}
	known := slices.ContainsFunc(r.program.Options, func(k commandline.Option) bool { return k.Long == o.Long && k.Short == o.Short })
	if !known && len(r.program.Options) < most {
		describe(o, strings.Join(r.text, " "))
		r.program.Options = append(r.program.Options, o.Option)
	}
}

// settle brings together what the usage line and the entries say.
func (r *reader) settle() {
	p := r.program
	if p.Description == "" {
		p.Description = commandline.Shorten(strings.Join(r.prose, " "), 300)
	}
	for i := range p.Positionals {
		known, ok := r.described[strings.ToLower(p.Positionals[i].Name)]
		if !ok {
			continue
		}
		o := &p.Positionals[i]
		o.Description, o.Default, o.HasDefault = known.Description, known.Default, known.HasDefault
		if len(known.Choices) > 0 {
			o.Choices = known.Choices
		}
		if known.Value != "" {
			o.Value = known.Value
		}
		o.Repeated = o.Repeated || known.Repeated
		o.Required = o.Required && !known.HasDefault || known.Required
		delete(r.described, strings.ToLower(o.Name))
	}
	if !r.seenUsage || len(p.Positionals) == 0 {
		for _, key := range r.order {
			if o, left := r.described[key]; left {
				p.Positionals = append(p.Positionals, o)
			}
		}
	}
	if p.Subcommands {
		p.Positionals = slices.DeleteFunc(p.Positionals, func(o commandline.Option) bool { return isCommand(o.Name) })
	}
	if len(p.Options) == 0 {
		r.fromUsage()
	}
	for i := range p.Options {
		o := &p.Options[i]
		if r.required[o.Long] || r.required[o.Short] {
			o.Required = o.Long != "" && r.required[o.Long] || o.Short != "" && r.required[o.Short]
		}
	}
	p.Complete()
}
