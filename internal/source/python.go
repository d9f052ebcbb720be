package source

import (
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
	"github.com/greenroom-dev/greenroom/internal/helptext"
)

var (
	importsArgparse = regexp.MustCompile(`(?m)^\s*(import|from)\s+argparse\b`)
	importsClick    = regexp.MustCompile(`(?m)^\s*(import|from)\s+(rich_)?click\b`)
	importsTyper    = regexp.MustCompile(`(?m)^\s*(import|from)\s+typer\b`)
	importsDocopt   = regexp.MustCompile(`(?m)^\s*(import|from)\s+docopt\b`)
	argvIndex       = regexp.MustCompile(`sys\.argv\[(\d)\]`)
	readsStdin      = regexp.MustCompile(`\bsys\.stdin\b|\bfileinput\b|\bopen\(0\b|/dev/stdin|(^|[^\w.])input\(\)`)
	typerFunction   = regexp.MustCompile(`(?m)^@\w+\.(?:command|callback)\([^\n]*\)\s*\n(?:@[^\n]*\n)*(?:async\s+)?def\s+\w+\(`)
	typerRun        = regexp.MustCompile(`\btyper\.run\((\w+)\)`)
	pythonName      = regexp.MustCompile(`^[A-Za-z_]\w*$`)
	placeholderMark = regexp.MustCompile(`\s*[\[(]\s*(?i:defaults?)\s*(?:is|to|:|=)?\s*%\(default\)\w\s*[\])]|%\(default\)\w`)
)

// Python looks in source files, in their order, for what reads the arguments.
func Python(read Reader, files []string) Found {
	found := Found{}
	reads, slice := false, false
	highest := byte('0')
	for _, file := range files {
		text := read(file)
		source := pythonSyntax.strip(text)
		found.JSON = found.JSON || strings.Contains(source, "json")
		reads = reads || readsStdin.MatchString(source)
		parser, program := pythonParser(source, text)
		if program != nil {
			program.Stdin = program.Stdin || reads && len(program.Positionals) == 0
			if parser != "docopt" {
				program.Complete()
			}
			found.Parser, found.Program, found.File = parser, program, file
			return found
		}
		for _, m := range argvIndex.FindAllStringSubmatch(source, -1) {
			highest, found.File = max(highest, m[1][0]), file
		}
		if strings.Contains(source, "sys.argv[1:") {
			slice, found.File = true, file
		}
	}
	program := &commandline.Program{}
	for n := byte('1'); n <= highest; n++ {
		program.Positionals = append(program.Positionals, commandline.Option{Name: "argument" + string(n)})
	}
	if slice {
		program.Positionals = append(program.Positionals, rest("arguments"))
	}
	if len(program.Positionals) > 0 {
		found.Parser = "sys.argv"
	} else {
		program.Stdin = reads
		if len(files) > 0 {
			found.File = files[0]
		}
	}
	program.Complete()
	found.Program = program
	return found
}

// pythonParser finds the library that reads the arguments; program is nil when
// there is none.
func pythonParser(source, original string) (parser string, program *commandline.Program) {
	switch {
	case importsArgparse.MatchString(source) && strings.Contains(source, ".add_argument("):
		return "argparse", argparseProgram(source)
	case importsTyper.MatchString(source):
		return "typer", typerProgram(source)
	case importsClick.MatchString(source) && (strings.Contains(source, "option(") || strings.Contains(source, "argument(")):
		return "click", clickProgram(source)
	case importsDocopt.MatchString(source):
		if text := docstring(original); text != "" {
			return "docopt", helptext.Parse(text)
		}
	}
	return "", nil
}

// docstring is the text literal that a module begins with.
func docstring(source string) string {
	for source = strings.TrimSpace(source); strings.HasPrefix(source, "#"); {
		_, source, _ = strings.Cut(source, "\n")
		source = strings.TrimSpace(source)
	}
	if !strings.HasPrefix(source, `"""`) && !strings.HasPrefix(source, "'''") {
		return ""
	}
	text, _ := pythonSyntax.literal(source[:pythonSyntax.text(source, 0)])
	return text
}

func argparseProgram(source string) *commandline.Program {
	p := &commandline.Program{Subcommands: strings.Contains(source, ".add_subparsers(")}
	for _, args := range pythonSyntax.calls(source, "ArgumentParser(") {
		if d, ok := named(args, "description"); ok && d.lit {
			p.Description = strings.Join(strings.Fields(d.text), " ")
			break
		}
	}
	for _, args := range pythonSyntax.calls(source, ".add_argument(") {
		var o commandline.Option
		for _, a := range args {
			if a.name == "" && a.lit {
				spell(&o, a.text)
			}
		}
		if o.Label() == "" {
			continue
		}
		pythonType(&o, args)
		action, _ := named(args, "action")
		switch {
		case action.text == "store_true", action.text == "store_false", action.text == "store_const", action.text == "append_const":
			o.Kind = commandline.Switch
		case action.text == "help", action.text == "version":
			continue
		case action.text == "append", action.text == "extend":
			o.Repeated = true
		case action.text == "count":
			o.Kind = commandline.Switch
		case strings.HasSuffix(action.raw, "BooleanOptionalAction"):
			o.Kind, o.Negative = commandline.Switch, "--no-"+strings.TrimPrefix(o.Long, "--")
			if d, ok := named(args, "default"); ok {
				o.Default, o.HasDefault = strings.ToLower(d.raw), true
			}
		}
		o.Required = o.Positional()
		if nargs, ok := named(args, "nargs"); ok {
			switch {
			case nargs.text == "?":
				o.Required = false
			case nargs.text == "*", strings.HasSuffix(nargs.raw, "REMAINDER"):
				o.Required, o.Repeated, o.Spread = false, true, !o.Positional()
			case nargs.text == "+":
				o.Repeated, o.Spread = true, !o.Positional()
			case isNumeral(nargs.raw) && nargs.raw != "1":
				p.Skipped = append(p.Skipped, commandline.Skipped{Name: o.Label(), Reason: "it takes several values at once"})
				continue
			}
		}
		if r, ok := named(args, "required"); ok && r.raw == "True" {
			o.Required = true
		}
		if o.Positional() {
			p.Positionals = append(p.Positionals, o)
		} else {
			p.Options = append(p.Options, o)
		}
	}
	return p
}

// spell adds a spelling to an option, or makes it a positional argument.
func spell(o *commandline.Option, text string) {
	switch {
	case strings.HasPrefix(text, "--"), strings.HasPrefix(text, "-") && len(text) > 2:
		if o.Long == "" {
			o.Long = text
		}
	case strings.HasPrefix(text, "-"):
		if o.Short == "" {
			o.Short = text
		}
	case o.Name == "" && o.Long == "" && o.Short == "":
		o.Name = text
	}
}

// pythonType reads the keyword arguments that argparse and click share.
func pythonType(o *commandline.Option, args []argument) {
	kind, _ := named(args, "type")
	raw := strings.TrimPrefix(strings.TrimPrefix(kind.raw, "click."), "argparse.")
	o.Value = "value"
	switch lower := strings.ToLower(raw); {
	case raw == "int", lower == "int" || strings.HasPrefix(raw, "IntRange("):
		o.Kind = commandline.Integer
	case raw == "float", lower == "float" || strings.HasPrefix(raw, "FloatRange("):
		o.Kind = commandline.Number
	case strings.HasPrefix(raw, "FileType("), strings.HasPrefix(raw, "File("), raw == "File":
		o.Value = "FILE"
		if strings.Contains(raw, "'w") || strings.Contains(raw, `"w`) || strings.Contains(raw, "'a'") {
			o.Value = "OUTFILE"
		}
	case raw == "bool", raw == "BOOL":
		o.Kind = commandline.Text
		o.Choices = []string{"True", "False"}
	case strings.HasPrefix(raw, "Choice("):
		o.Choices = pythonSyntax.list(raw[len("Choice(") : len(raw)-1])
		if inner, end := pythonSyntax.arguments(raw[len("Choice("):]); end > 0 && len(inner) > 0 {
			o.Choices = pythonSyntax.list(inner[0].raw)
		}
	}
	if bounds, end := pythonSyntax.arguments(strings.TrimPrefix(strings.TrimPrefix(raw, "IntRange("), "FloatRange(")); end > 0 && strings.Contains(raw, "Range(") {
		for i, b := range bounds {
			if !isNumeral(b.raw) {
				continue
			}
			if b.name == "min" || b.name == "" && i == 0 {
				o.Minimum = b.raw
			} else if b.name == "max" || b.name == "" && i == 1 {
				o.Maximum = b.raw
			}
		}
	}
	if metavar, ok := named(args, "metavar"); ok && metavar.lit && o.Value == "value" {
		o.Value = metavar.text
	}
	if choices, ok := named(args, "choices"); ok {
		o.Choices = pythonSyntax.list(choices.raw)
		o.Kind = ""
	}
	if help, ok := named(args, "help"); ok && help.lit {
		o.Description = strings.Join(strings.Fields(placeholderMark.ReplaceAllString(help.text, "")), " ")
	}
	if def, ok := named(args, "default"); ok {
		switch {
		case def.lit:
			o.Default, o.HasDefault = `"`+def.text+`"`, true
		case isNumeral(def.raw), def.raw == "True", def.raw == "False":
			o.Default, o.HasDefault = strings.ReplaceAll(def.raw, "_", ""), true
		}
	}
}

func clickProgram(source string) *commandline.Program {
	p := &commandline.Program{Subcommands: strings.Contains(source, ".group(")}
	for _, call := range []string{"option(", "argument("} {
		for _, prefix := range []string{"@click.", "@"} {
			for _, args := range pythonSyntax.calls(source, prefix+call) {
				o, fit := clickOption(p, args)
				if !fit {
					continue
				}
				if call == "option(" {
					p.Options = append(p.Options, o)
				} else {
					p.Positionals = append(p.Positionals, o)
				}
			}
		}
	}
	return p
}

func clickOption(p *commandline.Program, args []argument) (o commandline.Option, fit bool) {
	for _, a := range args {
		if a.name != "" || !a.lit {
			continue
		}
		on, off, both := strings.Cut(a.text, "/")
		if !strings.HasPrefix(on, "-") && o.Label() != "" {
			continue // the name of the parameter
		}
		spell(&o, strings.TrimSpace(on))
		if both && strings.HasPrefix(strings.TrimSpace(off), "--") {
			o.Negative, o.Kind = strings.TrimSpace(off), commandline.Switch
		}
	}
	if o.Label() == "" {
		return o, false
	}
	isSwitch := o.Kind
	pythonType(&o, args)
	if isSwitch != "" {
		o.Kind = isSwitch
	}
	if flag, ok := named(args, "is_flag"); ok && flag.raw == "True" {
		o.Kind = commandline.Switch
	}
	if count, ok := named(args, "count"); ok && count.raw == "True" {
		o.Kind = commandline.Switch
	}
	if multiple, ok := named(args, "multiple"); ok && multiple.raw == "True" {
		o.Repeated = true
	}
	if o.Kind == commandline.Switch {
		o.Default = strings.ToLower(o.Default)
	}
	o.Required = o.Positional() && !o.HasDefault
	if nargs, ok := named(args, "nargs"); ok && nargs.raw == "-1" {
		o.Repeated, o.Required = true, false
	} else if ok && isNumeral(nargs.raw) && nargs.raw != "1" {
		p.Skipped = append(p.Skipped, commandline.Skipped{Name: o.Label(), Reason: "it takes several values at once"})
		return o, false
	}
	if r, ok := named(args, "required"); ok {
		o.Required = r.raw == "True"
	}
	return o, true
}

// typerProgram reads the parameters of the function that typer calls.
func typerProgram(source string) *commandline.Program {
	p := &commandline.Program{}
	at := typerFunction.FindAllStringIndex(source, 10)
	if len(at) == 0 {
		m := typerRun.FindStringSubmatch(source)
		if m == nil {
			return p
		}
		i := strings.Index(source, "def "+m[1]+"(")
		if i < 0 {
			return p
		}
		at = [][]int{{i, i + len("def "+m[1]+"(")}}
	}
	if len(at) > 1 {
		p.Subcommands = true
	}
	params, _ := pythonSyntax.arguments(source[at[0][1]:])
	for _, param := range params {
		typerParameter(p, param)
	}
	return p
}

// typerParameter reads "name: Annotated[int, typer.Option(help=…)] = 3" and
// "name: int = typer.Option(3, help=…)".
func typerParameter(p *commandline.Program, param argument) {
	raw := param.raw
	if param.name != "" {
		raw = param.name + " = " + param.raw
	}
	name, rest, _ := strings.Cut(raw, ":")
	name = strings.TrimSpace(name)
	if before, after, plain := strings.Cut(name, "="); plain {
		name, rest = strings.TrimSpace(before), " = "+after
	}
	if !pythonName.MatchString(name) {
		return
	}
	kind, def := rest, ""
	if i := topLevel(rest, '='); i >= 0 {
		kind, def = rest[:i], strings.TrimSpace(rest[i+1:])
	}
	var args []argument
	isArgument, isOption := strings.Contains(raw, "typer.Argument("), strings.Contains(raw, "typer.Option(")
	for _, call := range []string{"typer.Argument(", "typer.Option("} {
		if found := pythonSyntax.calls(raw, call); len(found) > 0 {
			args = found[0]
			if strings.HasPrefix(def, call) {
				def = ""
				if len(args) > 0 && args[0].name == "" {
					def = args[0].raw
					args = args[1:]
				}
			}
		}
	}
	var o commandline.Option
	if isOption || !isArgument && def != "" {
		o.Long = "--" + strings.ReplaceAll(name, "_", "-")
		for _, a := range args {
			if a.name == "" && strings.HasPrefix(a.text, "-") {
				on, _, _ := strings.Cut(a.text, "/")
				if strings.HasPrefix(on, "--") {
					o.Long = on
				} else {
					o.Short = on
				}
			}
		}
	} else {
		o.Name = name
	}
	pythonType(&o, args)
	o.Kind = ""
	bare := strings.TrimSpace(kind)
	bare = strings.TrimPrefix(bare, "Annotated[")
	bare = strings.TrimPrefix(strings.TrimPrefix(bare, "Optional["), "typing.")
	if strings.HasPrefix(strings.ToLower(bare), "list[") {
		o.Repeated = true
		bare = bare[len("list["):]
	}
	word := strings.FieldsFunc(bare, func(r rune) bool { return strings.ContainsRune(" ,]|[", r) })
	if len(word) > 0 {
		switch word[0] {
		case "int":
			o.Kind = commandline.Integer
		case "float":
			o.Kind = commandline.Number
		case "bool":
			o.Kind = commandline.Switch
			if !o.Positional() {
				o.Negative = "--no-" + strings.TrimPrefix(o.Long, "--")
			}
		}
	}
	text, lit := pythonSyntax.literal(def)
	switch {
	case lit:
		o.Default, o.HasDefault = `"`+text+`"`, true
	case isNumeral(def), def == "True", def == "False":
		o.Default, o.HasDefault = strings.ToLower(def), true
	}
	o.Required = def == "" || def == "..."
	if o.Positional() {
		p.Positionals = append(p.Positionals, o)
	} else {
		p.Options = append(p.Options, o)
	}
}

// topLevel finds a character outside of brackets and texts, or gives -1.
func topLevel(raw string, want byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '"', '\'':
			i = pythonSyntax.text(raw, i) - 1
		case want:
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}
