package source

import (
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
	"github.com/greenroom-dev/greenroom/internal/helptext"
)

var (
	usesCommander  = regexp.MustCompile(`(require\(|from\s+|import\(?\s*)["']commander["']`)
	usesYargs      = regexp.MustCompile(`(require\(|from\s+|import\(?\s*)["']yargs(/yargs)?["']`)
	usesParseArgs  = regexp.MustCompile(`\bparseArgs\s*\(`)
	usesMinimist   = regexp.MustCompile(`(require\(|from\s+|import\(?\s*)["'](minimist|mri|arg|meow|cac|getopts)["']`)
	jsArgvIndex    = regexp.MustCompile(`process\.argv\[([2-9])\]`)
	jsReadsStdin   = regexp.MustCompile(`process\.stdin\b|readFileSync\(\s*0\b|readFileSync\(\s*process\.stdin|/dev/stdin`)
	jsSubcommand   = regexp.MustCompile(`\.command\(\s*["'\x60][a-z]`)
	localImport    = regexp.MustCompile(`(?:require\(|from\s+|import\(?\s*)["'](\.{1,2}/[\w./-]+)["']`)
	jsIdentifier   = regexp.MustCompile(`^[A-Za-z_$][\w$]*$`)
	optionVariable = regexp.MustCompile(`(?m)\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*(?::[^=\n]+)?=\s*\{`)
)

// JavaScript looks for what reads the arguments in the file that is started and
// in the project's own files that it loads.
func JavaScript(read Reader, entry string) Found {
	found := Found{File: entry}
	if read(entry) == "" {
		// What is built from TypeScript lies in src.
		base := entry[strings.LastIndexByte(entry, '/')+1:]
		entry = "src/" + strings.TrimSuffix(base, ".js") + ".ts"
		if read(entry) == "" {
			found.Missing = []string{"the source of " + found.File + " was not found, so its arguments are not known"}
			return found
		}
		found.File = entry
	}
	queue, seen := []string{entry}, map[string]bool{entry: true}
	reads, highest, slice := false, byte('1'), false
	for i := 0; i < len(queue) && i < 50; i++ {
		source := jsSyntax.strip(read(queue[i]))
		found.JSON = found.JSON || strings.Contains(source, "JSON.stringify")
		reads = reads || jsReadsStdin.MatchString(source)
		if parser, program := jsParser(source); program != nil {
			program.Stdin = program.Stdin || reads && len(program.Positionals) == 0
			found.Parser, found.Program, found.File = parser, program, queue[i]
			return found
		}
		for _, m := range jsArgvIndex.FindAllStringSubmatch(source, -1) {
			highest = max(highest, m[1][0])
		}
		slice = slice || strings.Contains(source, "process.argv.slice(2)")
		for _, m := range localImport.FindAllStringSubmatch(source, 50) {
			for _, extension := range []string{"", ".js", ".mjs", ".cjs", ".ts", "/index.js", "/index.ts"} {
				next := cleanJoin(queue[i], m[1]+extension)
				if next != "" && !seen[next] && read(next) != "" {
					seen[next] = true
					queue = append(queue, next)
					break
				}
			}
		}
	}
	program := &commandline.Program{}
	for n := byte('2'); n <= highest; n++ {
		program.Positionals = append(program.Positionals, commandline.Option{Name: "argument" + string(n-1)})
	}
	if slice && highest == '1' {
		program.Positionals = append(program.Positionals, rest("arguments"))
	}
	if len(program.Positionals) > 0 {
		found.Parser = "process.argv"
	} else {
		program.Stdin = reads
	}
	program.Complete()
	found.Program = program
	return found
}

// jsParser finds the library that reads the arguments; program is nil when there
// is none.
func jsParser(source string) (parser string, program *commandline.Program) {
	switch {
	case usesCommander.MatchString(source):
		return "commander", commanderProgram(source)
	case usesYargs.MatchString(source):
		return "yargs", yargsProgram(source)
	case usesParseArgs.MatchString(source):
		return "parseArgs", parseArgsProgram(source)
	case usesMinimist.MatchString(source):
		program = &commandline.Program{Positionals: []commandline.Option{rest("arguments")}}
		program.Complete()
		return usesMinimist.FindStringSubmatch(source)[2], program
	}
	return "", nil
}

// cleanJoin resolves an import relative to a file; "" leads out of the project.
func cleanJoin(file, relative string) string {
	parts := strings.Split(file, "/")
	parts = parts[:len(parts)-1]
	for part := range strings.SplitSeq(relative, "/") {
		switch part {
		case ".", "":
		case "..":
			if len(parts) == 0 {
				return ""
			}
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

// commanderProgram writes the calls as the help text that commander would print
// of them, which is then read as any other.
func commanderProgram(source string) *commandline.Program {
	var usage, arguments, options strings.Builder
	line := func(out *strings.Builder, spelling, description, def string) {
		if def != "" {
			description += " (default: " + def + ")"
		}
		out.WriteString("  " + spelling + "  " + strings.Join(strings.Fields(description), " ") + "\n")
	}
	required := map[string]bool{}
	for _, call := range []string{".option(", ".requiredOption("} {
		for _, args := range jsSyntax.calls(source, call) {
			if len(args) == 0 || !args[0].lit || !strings.HasPrefix(args[0].text, "-") {
				continue
			}
			description, def := "", ""
			for i, a := range args[1:] {
				switch {
				case i == 0 && a.lit:
					description = a.text
				case i > 0 && a.lit:
					def = `"` + a.text + `"`
				case i > 0 && (isNumeral(a.raw) || a.raw == "true" || a.raw == "false"):
					def = a.raw
				}
			}
			if call == ".requiredOption(" {
				required[args[0].text] = true
				description = strings.TrimSpace(description) + " [required]"
			}
			line(&options, args[0].text, description, def)
		}
	}
	// new Option(flags, description).choices([…]).default(…)
	for from := 0; ; {
		i := strings.Index(source[from:], "new Option(")
		if i < 0 {
			break
		}
		from += i + len("new Option(")
		args, end := jsSyntax.arguments(source[from:])
		if end == 0 || len(args) == 0 || !args[0].lit {
			continue
		}
		description, def := "", ""
		if len(args) > 1 {
			description = args[1].text
		}
		from += end
		for {
			method, rest, ok := strings.Cut(strings.TrimLeft(source[from:], " \r\n\t"), "(")
			method, chained := strings.CutPrefix(method, ".")
			if !ok || !chained || !jsIdentifier.MatchString(method) {
				break
			}
			values, end := jsSyntax.arguments(rest)
			if end == 0 {
				break
			}
			from = len(source) - len(rest) + end
			switch {
			case method == "choices" && len(values) > 0:
				if choices := jsSyntax.list(values[0].raw); len(choices) > 0 {
					description += ` (choices: "` + strings.Join(choices, `", "`) + `")`
				}
			case method == "default" && len(values) > 0 && values[0].lit:
				def = `"` + values[0].text + `"`
			case method == "default" && len(values) > 0 && isNumeral(values[0].raw):
				def = values[0].raw
			case method == "makeOptionMandatory":
				description += " [required]"
			}
		}
		line(&options, args[0].text, description, def)
	}
	for _, args := range jsSyntax.calls(source, ".argument(") {
		if len(args) == 0 || !args[0].lit {
			continue
		}
		usage.WriteString(" " + args[0].text)
		if len(args) > 1 && args[1].lit {
			def := ""
			if last := args[len(args)-1]; len(args) > 2 && last.lit {
				def = `"` + last.text + `"`
			} else if len(args) > 2 && isNumeral(last.raw) {
				def = last.raw
			}
			line(&arguments, strings.Trim(args[0].text, "<>[]."), args[1].text, def)
		}
	}
	for _, args := range jsSyntax.calls(source, ".arguments(") {
		if len(args) > 0 && args[0].lit {
			usage.WriteString(" " + args[0].text)
		}
	}
	description := ""
	for _, args := range jsSyntax.calls(source, ".description(") {
		if len(args) > 0 && args[0].lit {
			description = args[0].text
			break
		}
	}
	p := helptext.Parse("Usage: program [options]" + usage.String() + "\n\n" + strings.ReplaceAll(description, "\n", " ") +
		"\n\nArguments:\n" + arguments.String() + "\nOptions:\n" + options.String())
	p.Subcommands = jsSubcommand.MatchString(source)
	return p
}

// yargsProgram reads .option(name, {…}), .options({…}) and .positional(name, {…}).
func yargsProgram(source string) *commandline.Program {
	p := &commandline.Program{}
	add := func(name string, object []argument, positional bool) {
		o := jsOption(name, object, positional)
		if positional {
			p.Positionals = append(p.Positionals, o)
		} else {
			p.Options = append(p.Options, o)
		}
	}
	for _, call := range []string{".option(", ".positional("} {
		for _, args := range jsSyntax.calls(source, call) {
			if len(args) > 0 && args[0].lit {
				var object []argument
				if len(args) > 1 {
					object = jsSyntax.object(args[1].raw)
				}
				add(args[0].text, object, call == ".positional(")
			}
		}
	}
	for _, args := range jsSyntax.calls(source, ".options(") {
		if len(args) > 0 {
			for _, member := range jsSyntax.object(args[0].raw) {
				add(member.name, jsSyntax.object(member.raw), false)
			}
		}
	}
	p.Subcommands = len(jsSyntax.calls(source, ".command(")) > 1
	p.Complete()
	return p
}

// jsOption makes an option of an object that describes it, as yargs and
// parseArgs have them.
func jsOption(name string, object []argument, positional bool) commandline.Option {
	var o commandline.Option
	if positional {
		o.Name = name
	} else {
		o.Long = "--" + name
		if len(name) == 1 {
			o.Short, o.Long = "-"+name, ""
		}
	}
	kind, o2 := "", &o
	for _, m := range object {
		switch m.name {
		case "type":
			kind = m.text
		case "alias", "short":
			if len(m.text) == 1 && !positional {
				o2.Short = "-" + m.text
			}
		case "describe", "description", "desc":
			o.Description = strings.Join(strings.Fields(m.text), " ")
		case "choices":
			o.Choices = jsSyntax.list(m.raw)
			o.Value = "value"
		case "array", "multiple":
			o.Repeated = m.raw == "true"
		case "boolean":
			kind = "boolean"
		case "demandOption", "required", "demand":
			o.Required = m.raw == "true"
		case "default":
			switch {
			case m.lit:
				o.Default, o.HasDefault = `"`+m.text+`"`, true
			case isNumeral(m.raw), m.raw == "true", m.raw == "false":
				o.Default, o.HasDefault = m.raw, true
			}
		}
	}
	switch kind {
	case "boolean", "count":
		o.Kind = commandline.Switch
	case "number":
		o.Value = "number"
	case "array":
		o.Value, o.Repeated = "value", true
	case "string":
		o.Value = "value"
	default:
		if o.Value == "" && (positional || o.HasDefault && o.Default != "true" && o.Default != "false" || len(object) == 0) {
			o.Value = "value"
		} else if o.Value == "" {
			o.Kind = commandline.Switch
		}
	}
	return o
}

// parseArgsProgram reads the options object of Node's own parseArgs.
func parseArgsProgram(source string) *commandline.Program {
	p := &commandline.Program{}
	for _, args := range jsSyntax.calls(source, "parseArgs(") {
		if len(args) == 0 {
			continue
		}
		config := jsSyntax.object(args[0].raw)
		for _, m := range config {
			raw := m.raw
			if m.name == "" && m.raw == "options" || m.name == "options" && jsIdentifier.MatchString(m.raw) {
				raw = jsVariable(source, m.raw)
			} else if m.name == "allowPositionals" && m.raw == "true" {
				p.Positionals = append(p.Positionals, rest("arguments"))
				continue
			} else if m.name != "options" {
				continue
			}
			for _, option := range jsSyntax.object(raw) {
				if option.name != "" {
					p.Options = append(p.Options, jsOption(option.name, jsSyntax.object(option.raw), false))
				}
			}
		}
	}
	p.Complete()
	return p
}

// jsVariable gives the object literal that a variable begins as, or "".
func jsVariable(source, name string) string {
	for _, m := range optionVariable.FindAllStringSubmatchIndex(source, 100) {
		if source[m[2]:m[3]] == name {
			return source[m[1]-1:]
		}
	}
	return ""
}
