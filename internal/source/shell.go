package source

import (
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
)

var (
	shellArguments = regexp.MustCompile(`\$(\{?[1-9@*]|\{?#)|\bgetopts\b|\bfor\s+[A-Za-z_]\w*\s*;?\s*do\b`)
	shellNumber    = regexp.MustCompile(`\$\{?([1-9])`)
	shellAll       = regexp.MustCompile(`\$\{?[@*]|\bfor\s+[A-Za-z_]\w*\s*;?\s*do\b`)
	shellReads     = regexp.MustCompile(`(?m)(^|[;|&({]|\bwhile\s+(IFS=\S*\s+)?)\s*read\b|/dev/stdin|<&0|\$\(cat\)|(?m:^\s*(exec\s+)?(cat|sort|uniq|rev|tac|tr\s[^|<>]*?)(\s+-\S*)*\s*(\||$))`)
	shellFilters   = regexp.MustCompile(`^\s*(exec\s+)?(LC_ALL=\S+\s+)?(cat|sed|awk|gawk|grep|egrep|tr|sort|uniq|cut|wc|head|tail|tac|rev|nl|jq|fold|paste|column)\b`)
	getoptsCall    = regexp.MustCompile(`getopts\s+["']?:?([A-Za-z0-9:]+)["']?`)
)

// Shell finds what a shell script takes.
func Shell(name, text string) Found {
	found := Found{File: name}
	found.JSON = strings.Contains(text, "{\\\"") || strings.Contains(text, `{"`) || strings.Contains(text, "json") || strings.Contains(text, "jq ")
	code := stripComments(text)
	program := &commandline.Program{Name: name}
	reads := shellReads.MatchString(code)
	if !reads {
		// The first command of a script that names no file reads what comes in.
		for line := range strings.Lines(code) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "set ") || strings.HasPrefix(line, "export ") || assignment.MatchString(line) {
				continue
			}
			first, _, _ := strings.Cut(line, "|")
			words := strings.Fields(first)
			// A last word like a path is the file that it reads instead.
			reads = shellFilters.MatchString(line) && !strings.Contains(first, "<") &&
				(len(words) == 1 || !strings.ContainsAny(words[len(words)-1], "./$") || strings.ContainsAny(words[len(words)-1], `'"{`))
			break
		}
	}
	if m := getoptsCall.FindStringSubmatch(code); m != nil {
		for i := 0; i < len(m[1]); i++ {
			if m[1][i] == ':' {
				continue
			}
			o := commandline.Option{Short: "-" + m[1][i:i+1]}
			if i+1 < len(m[1]) && m[1][i+1] == ':' {
				o.Value = "value"
			}
			program.Options = append(program.Options, o)
		}
		program.Stdin = reads
		program.Complete()
		found.Parser, found.Program = "getopts", program
		return found
	}
	if !shellArguments.MatchString(code) {
		program.Stdin = reads
		program.Complete()
		found.Program = program
		return found
	}
	highest := byte('0')
	for _, m := range shellNumber.FindAllStringSubmatch(code, -1) {
		highest = max(highest, m[1][0])
	}
	for n := byte('1'); n <= highest; n++ {
		program.Positionals = append(program.Positionals, commandline.Option{Name: "argument" + string(n)})
	}
	if shellAll.MatchString(code) || highest == '0' {
		program.Positionals = append(program.Positionals, commandline.Option{Name: "arguments", Repeated: true})
	}
	program.Stdin = reads
	program.Complete()
	found.Parser, found.Program = "positional", program
	return found
}

var assignment = regexp.MustCompile(`^[A-Za-z_]\w*=("[^"]*"|'[^']*'|[^\s;|&]*)$`)

func stripComments(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			out.WriteString(line)
		}
	}
	return out.String()
}

var (
	scriptArguments = regexp.MustCompile(`\bARGV\b|\$argv\b|@ARGV\b`)
	scriptStdin     = regexp.MustCompile(`(?i)\bSTDIN\b`)
)

// Script finds what a script in a language without a parser of its own here
// takes: arguments or not, standard input or not.
func Script(name, text string) Found {
	program := &commandline.Program{Stdin: scriptStdin.MatchString(text)}
	found := Found{File: name, Program: program, JSON: strings.Contains(strings.ToLower(text), "json")}
	if scriptArguments.MatchString(text) {
		program.Positionals = []commandline.Option{rest("arguments")}
		found.Parser = "by hand"
	}
	program.Complete()
	return found
}
