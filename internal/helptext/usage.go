package helptext

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/greenroom-dev/greenroom/internal/commandline"
)

// words of usage lines that stand for the options, not for an argument.
var standIns = map[string]bool{
	"options": true, "option": true, "flags": true, "flag": true, "opts": true, "opt": true, "arguments": true, "args": true, "global options": true,
	"global flags": true, "option...": true, "options...": true, "--": true, "parameters": true, "switches": true,
}

// usage reads a usage line: the program's name, which options are required, and
// the positional arguments.
func (r *reader) usage(text string) {
	p := r.program
	text = strings.TrimPrefix(strings.TrimSpace(text), "$ ")
	name, rest := token(text)
	p.Name = baseName(name)
	switch p.Name {
	case "python", "python3", "node", "sh", "bash", "npx", "ruby", "perl", "php", "go":
		// The program is what the interpreter is given.
		next, after := token(strings.TrimLeft(rest, " "))
		if p.Name == "go" && next == "run" || next == "-m" {
			next, after = token(strings.TrimLeft(after, " "))
		}
		if next != "" && !strings.HasPrefix(next, "[") && !strings.HasPrefix(next, "<") {
			p.Name, rest = baseName(next), after
		}
	}
	p.Apart = p.Name == "curl" // which knows no --option=value
	r.required = map[string]bool{}
	lastOption := ""
	rest = withoutCommand(rest)
	for n := 0; rest != "" && n < 10*most; n++ {
		rest = strings.TrimLeft(rest, " ")
		var tok string
		tok, rest = token(rest)
		if tok == "" {
			if rest == "" {
				return
			}
			rest = rest[1:] // a comma or a bar
			continue
		}
		if following := strings.TrimLeft(rest, " "); strings.HasPrefix(following, "...") {
			if strings.HasPrefix(tok, "{") && following != rest {
				p.Subcommands, rest = true, following[3:]
				continue
			}
			tok += "..."
			rest = following[3:]
		}
		if m := optionName.FindString(tok); m != "" {
			lastOption, _, _ = strings.Cut(tok, "=")
			r.required[lastOption] = true
			if strings.Contains(tok, "=") {
				lastOption = ""
			}
			continue
		}
		if r.bracketed(tok) {
			continue
		}
		if lastOption != "" && !strings.HasPrefix(tok, "[") && (tok == strings.ToUpper(tok) || strings.HasPrefix(tok, "<") || strings.HasPrefix(tok, "{")) {
			// The value of an option that is not in brackets.
			lastOption = ""
			continue
		}
		lastOption = ""
		var o entry
		o.Required = !strings.HasPrefix(tok, "[")
		o.positional(tok)
		if o.Name == "" {
			continue
		}
		if isCommand(o.Name) && o.Required {
			p.Subcommands = true
			continue
		}
		if last := len(p.Positionals) - 1; last >= 0 && strings.EqualFold(p.Positionals[last].Name, o.Name) {
			// "FILE [FILE ...]"
			p.Positionals[last].Repeated = true
			continue
		}
		if len(p.Positionals) < most {
			p.Positionals = append(p.Positionals, o.Option)
		}
	}
}

// isCommand tells the name of an argument that is a command of the program.
func isCommand(name string) bool {
	switch strings.ToLower(name) {
	case "command", "subcommand", "cmd":
		return true
	}
	return false
}

// plainWord matches the name of a command of a program.
var plainWord = regexp.MustCompile(`^[a-z][a-z-]*$`)

// withoutCommand passes over the command that a program is called with, as in
// "pip install [options] <name>": a plain word before what stands for options.
func withoutCommand(rest string) string {
	word, after := token(strings.TrimLeft(rest, " "))
	next, _ := token(strings.TrimLeft(after, " "))
	inner := strings.ToLower(strings.Trim(next, "[]<>."))
	if plainWord.MatchString(word) && strings.HasPrefix(next, "[") && (standIns[inner] || strings.HasPrefix(inner, "-")) {
		return after
	}
	return rest
}

// bracketed tells whether a word of the usage line is about options.
func (r *reader) bracketed(tok string) bool {
	inner := strings.Trim(strings.TrimRight(tok, "."), "[](){}<>")
	if standIns[strings.ToLower(inner)] && (tok != inner || strings.ToUpper(inner) == inner || strings.HasPrefix(strings.ToLower(inner), "opt") || strings.HasPrefix(strings.ToLower(inner), "flag")) {
		return strings.ToLower(inner) != "args" && strings.ToLower(inner) != "arguments" || strings.EqualFold(tok, "[args]") && r.program.GoFlags
	}
	if strings.HasPrefix(inner, "-") || inner == "" || inner == "=" || inner == "|" {
		if inner != "" && len(r.brackets) < most {
			r.brackets = append(r.brackets, strings.TrimSuffix(strings.TrimPrefix(tok, "["), "]"))
		}
		return true
	}
	// "(-a | -b)" and "[global options]"
	return strings.Contains(inner, " -") || strings.HasSuffix(strings.ToLower(inner), "options") || strings.HasPrefix(tok, "[+")
}

// positional reads how a positional argument is written: NAME, <name>, [name],
// NAME..., {a,b}, [NAME ...].
func (o *entry) positional(tok string) {
	if strings.Contains(tok, "...") || strings.Contains(tok, "…") {
		o.Repeated = true
		tok = strings.NewReplacer("...", "", "…", "").Replace(tok)
	}
	tok = strings.TrimSpace(tok)
	if strings.HasPrefix(tok, "{") && strings.Contains(tok, ",") {
		o.take(tok)
		o.Value = ""
		o.Name = "choice"
		if len(o.Choices) == 0 {
			o.Name = ""
		}
		return
	}
	inner := strings.Trim(tok, "[]<>(){}: ")
	if strings.HasPrefix(tok, "<") {
		inner = strings.ReplaceAll(inner, " ", "-")
	}
	inner, _, _ = strings.Cut(inner, " ")
	inner = strings.Trim(inner, "[]<>(){}:,|")
	letters := 0
	for _, c := range inner {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			letters++
		} else if !strings.ContainsRune("_-./|:=@#", c) {
			return
		}
	}
	if letters == 0 || len(inner) > 60 || strings.HasPrefix(inner, "-") {
		return
	}
	inner, _, _ = strings.Cut(inner, "|")
	o.Name, o.Value = inner, inner
}

// fromUsage takes the options from the usage line when there are no entries.
func (r *reader) fromUsage() {
	p := r.program
	for _, inner := range r.brackets {
		for alternative := range strings.SplitSeq(inner, " | ") {
			o, rest, ok := header(alternative)
			if !ok || rest != "" || len(p.Options) >= most {
				continue
			}
			letters, cluster := strings.CutPrefix(o.Long, "-")
			if o.Value != "" || o.Short != "" || !cluster || strings.HasPrefix(letters, "-") || len(letters) > 26 {
				p.Options = append(p.Options, o.Option)
				continue
			}
			for _, letter := range letters { // [-abc] is three options
				p.Options = append(p.Options, commandline.Option{Short: "-" + string(letter)})
			}
		}
	}
}
