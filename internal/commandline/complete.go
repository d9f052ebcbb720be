package commandline

import (
	"regexp"
	"strconv"
	"strings"
)

// Patterns of names of values and options that say what they take.
var (
	fileWord    = regexp.MustCompile(`(?i)^(in|input|src|source|config|conf|script|rules?|pattern|data|json|csv|yaml|xml|text|cert|key|ca)?[-_]?(file|files|filename|file[-_]?name|file[-_]?path|infile)s?$`)
	integerWord = regexp.MustCompile(`(?i)^(n|num|int|ints|int range|integer|int32|int64|uint|uint16|uint32|uint64|count|port|depth|limit|max|min|retries|lines?|secs?|seconds|ms|millis|milliseconds|minutes|level|cols?|columns|width|height|len|length|integer range|times|attempts|threads|workers|jobs|pages?|days|k|rounds?)$`)
	numberWord  = regexp.MustCompile(`(?i)^(float|float32|float64|float range|ratio|factor|rate|real|number|double|fraction|probability)$`)
	secretWord  = regexp.MustCompile(`(?i)(^|[-_])(password|passwd|token|secret|secret-?key|api-?key|apikey|access-?key|private-?key|passphrase)$`)
	writesWord  = regexp.MustCompile(`(?i)\b(write|writes|save|saves|store|dump|output)\b.{0,40}\b(to|into|in|file)\b|\boutput file\b`)
	outWord     = regexp.MustCompile(`(?i)^(-o|-+(out|output|outfile|out-?file|output-?file|log-?file|output-?path|out-?path|dest|destination|output-?document))$`)
	outFile     = regexp.MustCompile(`(?i)^[<\[]?out(put)?[-_]?file[>\]]?$`)
	dirWord     = regexp.MustCompile(`(?i)^(dir|directory|folder|path|out(put)?[-_]?(dir|file|path)?|dest|destination|outfile)$`)
)

// Complete finds out what is left to find: kinds, and what has no place in an
// input. Whoever makes a Program by hand calls it at the end, once.
func (p *Program) Complete() {
	var options []Option
	for _, o := range p.Options {
		if reason := o.unfit(); reason != "" {
			if reason != "help" {
				p.Skipped = append(p.Skipped, Skipped{o.Label(), reason})
			}
			continue
		}
		o.settle()
		options = append(options, o)
	}
	p.Options = options
	var positionals []Option
	optional := true
	for _, o := range p.Positionals {
		o.settle()
		switch lower := strings.ToLower(o.Name); {
		case outWord.MatchString("--" + lower):
			p.Skipped = append(p.Skipped, Skipped{o.Name, "it names a file to write; what the program prints becomes the result"})
			continue
		case o.Name == "choice" && p.Subcommands:
			continue // argparse shows its subcommands so
		}
		if o.Required {
			optional = false
		}
		positionals = append(positionals, o)
	}
	p.Positionals = positionals
	// A filter reads files or its standard input: one of the two is enough.
	if p.Stdin && optional && len(p.Positionals) == 1 && (p.Positionals[0].Kind == File) {
		p.Positionals = nil
	} else if p.Stdin && !optional {
		// The text may well mean what a file named "-" stands for.
		p.Stdin = false
	}
}

// unfit gives the reason why an option has no place in an input, or "".
func (o *Option) unfit() string {
	words := strings.ToLower(o.Description)
	switch o.Long {
	case "--help", "-help", "--version", "-version", "--usage", "--help-all", "--full-help", "--show-completion", "--install-completion":
		return "help"
	}
	if o.Long == "" && o.Value == "" {
		switch o.Short {
		case "-h", "-?":
			if words == "" || strings.Contains(words, "help") || strings.Contains(words, "usage") {
				return "help"
			}
		case "-V", "-v":
			if strings.Contains(words, "version") {
				return "help"
			}
		}
	}
	file := fileWord.MatchString(strings.Trim(o.Value, "<>[]")) || dirWord.MatchString(strings.Trim(o.Value, "<>[]"))
	if o.Value != "" && len(o.Choices) == 0 && (outWord.MatchString(o.Long) || outWord.MatchString(o.Short) && file) &&
		(file || writesWord.MatchString(o.Description)) || file && writesWord.MatchString(o.Description) && len(o.Choices) == 0 {
		return "it names a file to write; what the program prints becomes the result"
	}
	if outFile.MatchString(o.Value) {
		return "it names a file to write; what the program prints becomes the result"
	}
	if strings.Contains(o.Value, " ") && !strings.HasPrefix(o.Value, "[") && strings.Contains(o.Value, "> <") {
		return "it takes several values at once"
	}
	if fields := strings.Fields(o.Value); len(fields) > 1 && !strings.ContainsAny(o.Value, "[]<>{}\"'") {
		return "it takes several values at once"
	}
	return ""
}

// settle decides the kind and drops a default that does not fit it.
func (o *Option) settle() {
	value := strings.Trim(o.Value, `<>[](){}"'`)
	bare := strings.TrimSuffix(strings.TrimPrefix(value, ":"), "...")
	switch strings.ToLower(bare) {
	case "strings", "stringarray", "stringslice", "list", "ints", "durations":
		o.Repeated = true
	}
	def := strings.Trim(strings.TrimSpace(o.Default), `"'`)
	name := strings.TrimLeft(o.Label(), "-")
	switch {
	case o.Kind != "":
	case o.Value == "" && !o.Positional(), strings.EqualFold(bare, "bool"), strings.EqualFold(bare, "boolean"):
		o.Kind = Switch
	case len(o.Choices) > 0:
		o.Kind = Text
	case fileWord.MatchString(bare):
		o.Kind = File
	case numberWord.MatchString(bare):
		o.Kind = Number
	case integerWord.MatchString(bare):
		o.Kind = Integer
	default:
		o.Kind = Text
		if o.HasDefault && !o.Repeated && def == o.Default {
			// What is not in quotes may be a number, if it is written as one.
			if n, err := strconv.ParseInt(def, 10, 53); err == nil && strconv.FormatInt(n, 10) == def {
				o.Kind = Integer
			} else if isNumber(def) && strings.Contains(def, ".") {
				o.Kind = Number
			}
		}
	}
	if _, err := strconv.ParseInt(def, 10, 53); o.Kind == Number && strings.EqualFold(bare, "number") && err == nil {
		o.Kind = Integer
	}
	if o.Kind == Integer && o.HasDefault && strings.Contains(def, ".") && isNumber(def) {
		o.Kind = Number
	}
	if o.Kind == Integer && (strings.Contains(o.Minimum, ".") || strings.Contains(o.Maximum, ".")) {
		o.Kind = Number
	}
	if o.Kind != Integer && o.Kind != Number {
		o.Minimum, o.Maximum = "", ""
	}
	if o.Kind == Text && len(o.Choices) == 0 && !o.Repeated && secretWord.MatchString(name) {
		o.Secret = true
	}
	if o.Kind == Switch {
		switch def = strings.ToLower(def); {
		case def == "yes" || def == "on" || o.Negative != "" && "--"+def == o.Long:
			def = "true"
		}
	}
	if o.HasDefault && (o.Joined || !o.fits(def)) {
		// Of an option whose value may be left out, the default is that of the
		// value, not of the option.
		o.HasDefault = false
	}
	o.Default = def
	if !o.HasDefault {
		o.Default = ""
	}
	if o.HasDefault && o.Kind != Switch {
		o.Required = false
	}
}

func isNumber(text string) bool {
	if text == "" || strings.ContainsAny(text, "xXpP_nNiI") {
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// fits tells whether a default is a value that can be given again, and not a
// description of one.
func (o *Option) fits(def string) bool {
	switch {
	case o.Kind == Switch:
		return def == "true" || def == "false"
	case o.Secret, o.Repeated, o.Kind == File:
		return false
	case o.Kind == Integer:
		_, err := strconv.ParseInt(def, 10, 53)
		return err == nil
	case o.Kind == Number:
		return isNumber(def)
	case len(o.Choices) > 0:
		for _, c := range o.Choices {
			if c == def {
				return true
			}
		}
		return false
	}
	switch strings.ToLower(def) {
	case "", "none", "null", "nil", "undefined", "stdin", "stdout", "stderr", "off", "unset", "empty", "false", "true", "auto", "the", "a", "all", "current", "no", "unlimited", "disabled":
		return false
	}
	quoted := strings.HasPrefix(strings.TrimSpace(o.Default), `"`) || strings.HasPrefix(strings.TrimSpace(o.Default), `'`)
	return !strings.ContainsAny(def, "$~<>{}[]\\") && (quoted || !strings.ContainsAny(def, " ")) && len(def) < 200
}
