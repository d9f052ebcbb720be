// Package commandline describes how a program is called: its options and its
// positional arguments. What is known of them becomes an Actor's input schema and
// the command line that the input's fields are put into; what has no place in an
// input is left out and named.
package commandline

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what an option takes.
type Kind string

// The kinds. A Switch takes nothing; a File names a file that is read.
const (
	Switch  Kind = "switch"
	Text    Kind = "text"
	Integer Kind = "integer"
	Number  Kind = "number"
	File    Kind = "file"
)

// Option is an option or a positional argument.
type Option struct {
	// Long and Short are the spellings with their dashes, "" when there is none.
	// Long may have one dash. Positional arguments have a Name instead.
	Long, Short string
	// Negative is the spelling that switches it off, "" when there is none.
	Negative string
	Name     string

	Kind Kind
	// Value is what the text calls the value, as it is written there.
	Value   string
	Choices []string
	// Default is the default as text, when HasDefault.
	Default    string
	HasDefault bool
	// Minimum and Maximum are bounds as they are written, "" for none.
	Minimum, Maximum string

	Required bool
	// Repeated takes several values: the option with each of them, or, when
	// Spread, the option once and then all of them.
	Repeated, Spread bool
	// Joined takes its value only as --option=value.
	Joined      bool
	Secret      bool
	Description string
}

// Positional tells a positional argument from an option.
func (o *Option) Positional() bool { return o.Long == "" && o.Short == "" }

// Label is how people know the option: its long spelling, or what there is.
func (o *Option) Label() string {
	switch {
	case o.Long != "":
		return o.Long
	case o.Short != "":
		return o.Short
	}
	return o.Name
}

// Skipped is something of the command line that has no place in an input.
type Skipped struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Program is a program's command line.
type Program struct {
	// Name is what the usage line calls it, "" when there is none.
	Name        string
	Description string
	Options     []Option
	Positionals []Option
	// Stdin says that the program reads its standard input.
	Stdin bool
	// Subcommands says that it does several things by the name of a command.
	Subcommands bool
	// GoFlags says that the options are those of Go's flag package: -name=value.
	GoFlags bool
	// Valued says that switches take --option=false.
	Valued bool
	// Apart says that it takes values as words of their own only.
	Apart   bool
	Skipped []Skipped
}

// Empty says that nothing of a command line was found.
func (p *Program) Empty() bool {
	return len(p.Options) == 0 && len(p.Positionals) == 0 && !p.Stdin && !p.Subcommands && len(p.Skipped) == 0
}

// All gives the options and then the positional arguments.
func (p *Program) All() []*Option {
	var all []*Option
	for i := range p.Options {
		all = append(all, &p.Options[i])
	}
	for i := range p.Positionals {
		all = append(all, &p.Positionals[i])
	}
	return all
}

// dashDash says whether "--" ends the options, so that no value of a positional
// argument is taken for one.
func (p *Program) dashDash() bool {
	for _, o := range p.Options {
		if len(o.Long) > 2 && !strings.HasPrefix(o.Long, "--") && !p.GoFlags {
			return false
		}
	}
	return len(p.Options) > 0
}

// fields gives every option the name of its field: camel case, each once.
func (p *Program) fields() map[*Option]string {
	taken := map[string]bool{}
	names := map[*Option]string{}
	for _, o := range p.All() {
		base := camel(o.Label())
		if base == "" {
			base = "argument"
		}
		name := base
		for i := 2; taken[name]; i++ {
			name = base + strconv.Itoa(i)
		}
		taken[name] = true
		names[o] = name
	}
	return names
}

// camel makes --max-count, MAX_COUNT and <max count> maxCount.
func camel(label string) string {
	words := strings.FieldsFunc(label, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	var out strings.Builder
	for _, w := range words {
		if w == strings.ToUpper(w) && len(w) > 1 {
			w = strings.ToLower(w)
		}
		if out.Len() == 0 {
			if len(w) > 1 {
				w = strings.ToLower(w[:1]) + w[1:]
			}
		} else {
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		out.WriteString(w)
		if out.Len() > 60 {
			break
		}
	}
	name := out.String()
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "n" + name
	}
	return name
}

// humps finds where the words of a name in camel case meet.
var humps = regexp.MustCompile(`([a-z])([A-Z])`)

// title makes --max-count "Max count".
func title(label string) string {
	if strings.HasPrefix(label, "-") && utf8.RuneCountInString(label) == 2 {
		return "Option " + label
	}
	words := strings.FieldsFunc(humps.ReplaceAllString(label, "$1 $2"), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		if w == strings.ToUpper(w) || i > 0 {
			w = strings.ToLower(w)
		}
		if i == 0 {
			r, size := utf8.DecodeRuneInString(w)
			w = string(unicode.ToUpper(r)) + w[size:]
		}
		words[i] = w
	}
	if len(words) == 0 {
		return "Argument"
	}
	return strings.Join(words, " ")
}

// FieldName is the name of the field that a label gets: --max-count, MAX_COUNT
// and "max count" all give maxCount.
func FieldName(label string) string { return camel(label) }
