package helptext

import (
	"regexp"
	"strconv"
	"strings"
)

// Patterns of what descriptions say about a value. Each finds it together with
// the brackets around it, so that it can be taken out of the text.
var (
	defaultMark  = regexp.MustCompile(`(?i)[\[(]\s*(?:the )?defaults?(?:\s+(?:is|value|to|value is))?\s*[:=]?\s*("[^"]*"|'[^']*'|\[[^\]]*\]|[^)\](;,]*[^)\](;, .])\s*\.?([;,][^)\]]*)?[\])]`)
	defaultProse = regexp.MustCompile(`(?i)\bdefaults?(?:\s+(?:is|value|value is)|\s+to|\s*[:=])\s*:?\s*("[^"]*"|'[^']*'|[^\s,;()]+[^\s,;().])`)
	choicesMark  = regexp.MustCompile(`(?i)[\[(]\s*(?:possible values|choices|choose from|one of|allowed values|possible)\s*:?\s*([^)\]]+)[\])]`)
	choicesProse = regexp.MustCompile(`(?i)\b(?:one of|possible values:?|choices:|choose from:?|can be|must be)\s*:?\s+((?:["']?[\w.+-]+["']?\s*(?:,|\||/)\s*(?:or )?)+(?:or )?["']?[\w.+-]+["']?)`)
	requiredMark = regexp.MustCompile(`(?i)\s*[\[(]required[\])]|;\s*required(\])`)
	repeatedMark = regexp.MustCompile(`(?i)(can|may) be (repeated|specified|given|used|passed|set)( multiple times| several times| more than once| repeatedly)?|multiple times|\(repeatable\)|repeatable|comma[- ]separated list is not|\[array\]`)
	rangeMark    = regexp.MustCompile(`(-?[\d.]+)\s*<=?\s*x\s*<=?\s*(-?[\d.]+)|x\s*>=\s*(-?[\d.]+)|x\s*<=\s*(-?[\d.]+)`)
	typeMark     = regexp.MustCompile(`(?i)\s*\[(string|number|boolean|array|count)\]`)
	together     = regexp.MustCompile(`(?i)\((choices: [^()]*), (default: [^()]*)\)`)
	quotedList   = regexp.MustCompile(`((?:["'‘][\w.+-]+["'’](?:, or |, | or ))+["'‘][\w.+-]+["'’])`)
	beforeStop   = regexp.MustCompile(`\s+([.,;:])`)
	emptyMark    = regexp.MustCompile(`\s*[\[(]\s*[;,]?\s*[\])]`)
	fileWord     = regexp.MustCompile(`(?i)^(in|input|src|source|config|conf|script|rules?|pattern|data|json|csv|yaml|xml|text|cert|key|ca)?[-_]?(file|files|filename|file[-_]?name|file[-_]?path|infile)s?$`)
	integerWord  = regexp.MustCompile(`(?i)^(n|num|int|ints|int range|integer|int32|int64|uint|uint16|uint32|uint64|count|port|depth|limit|max|min|retries|lines?|secs?|seconds|ms|millis|milliseconds|minutes|level|cols?|columns|width|height|len|length|integer range|times|attempts|threads|workers|jobs|pages?|days|k|rounds?)$`)
	numberWord   = regexp.MustCompile(`(?i)^(float|float32|float64|float range|ratio|factor|rate|real|number|double|fraction|probability)$`)
	secretWord   = regexp.MustCompile(`(?i)(^|[-_])(password|passwd|token|secret|secret-?key|api-?key|apikey|access-?key|private-?key|passphrase)$`)
	writesWord   = regexp.MustCompile(`(?i)\b(write|writes|save|saves|store|dump|output)\b.{0,40}\b(to|into|in|file)\b|\boutput file\b`)
	outWord      = regexp.MustCompile(`(?i)^(-o|-+(out|output|outfile|out-?file|output-?file|log-?file|output-?path|out-?path|dest|destination|output-?document))$`)
	outFile      = regexp.MustCompile(`(?i)^[<\[]?out(put)?[-_]?file[>\]]?$`)
	dirWord      = regexp.MustCompile(`(?i)^(dir|directory|folder|path|out(put)?[-_]?(dir|file|path)?|dest|destination|outfile)$`)
)

// describe takes an entry's text apart.
func describe(o *Option, text string) {
	text = together.ReplaceAllString(strings.Join(strings.Fields(text), " "), "($1) ($2)")
	if len(text) > 4000 {
		text = shorten(text, 3000)
	}
	if m := typeMark.FindStringSubmatch(text); m != nil {
		switch strings.ToLower(m[1]) {
		case "array":
			o.Repeated = true
			fallthrough
		case "string":
			o.setValue("string")
		case "number":
			o.setValue("number")
		}
		text = typeMark.ReplaceAllString(text, "")
	}
	if requiredMark.MatchString(text) {
		o.Required = true
		text = requiredMark.ReplaceAllString(text, "$1")
	}
	if m := rangeMark.FindStringSubmatch(text); m != nil {
		o.Minimum, o.Maximum = m[1]+m[3], m[2]+m[4]
		text = rangeMark.ReplaceAllString(text, "")
	}
	if strings.Contains(text, "[choices:") {
		o.setValue("string")
	}
	if o.Value != "" || o.Positional() || o.Negative != "" || strings.HasPrefix(o.Long, "-") {
		text = o.findDefault(text)
	}
	if o.Value != "" || o.Positional() {
		text = o.findChoices(text)
	}
	if repeatedMark.MatchString(text) && (o.Value != "" || o.Positional()) {
		o.Repeated = true
	}
	text = beforeStop.ReplaceAllString(emptyMark.ReplaceAllString(text, ""), "$1")
	o.Description = strings.TrimSpace(strings.Trim(strings.TrimSpace(text), ":;"))
}

func (o *Option) setValue(v string) {
	if o.Value == "" {
		o.Value = v
	}
}

func (o *Option) findDefault(text string) string {
	if o.HasDefault {
		return text
	}
	if at := defaultMark.FindStringSubmatchIndex(text); at != nil {
		o.Default, o.HasDefault = text[at[2]:at[3]], true
		kept := ""
		if at[4] >= 0 {
			kept = "[" + strings.TrimLeft(text[at[4]:at[5]], ";, ") + "]"
		}
		return strings.TrimSpace(text[:at[0]] + kept + text[at[1]:])
	}
	if m := defaultProse.FindStringSubmatch(text); m != nil {
		o.Default, o.HasDefault = m[1], true
	}
	return text
}

func (o *Option) findChoices(text string) string {
	if len(o.Choices) > 0 {
		return text
	}
	at := choicesMark.FindStringSubmatchIndex(text)
	prose := at == nil
	if prose {
		if at = choicesProse.FindStringSubmatchIndex(text); at == nil {
			at = quotedList.FindStringSubmatchIndex(text)
		}
	}
	if at == nil {
		return text
	}
	var choices []string
	for _, c := range strings.FieldsFunc(text[at[2]:at[3]], func(r rune) bool { return r == ',' || r == '|' || prose && r == '/' }) {
		c = strings.TrimSpace(c)
		c = strings.TrimSpace(strings.TrimPrefix(c, "or "))
		if a, b, found := strings.Cut(c, " or "); found {
			choices = append(choices, strings.Trim(strings.TrimSpace(a), `"'‘’`))
			c = b
		}
		c = strings.Trim(strings.TrimSpace(c), `"'‘’`)
		if c == "" || strings.Contains(c, " ") || len(c) > 100 {
			return text
		}
		choices = append(choices, c)
	}
	if len(choices) < 2 {
		return text
	}
	o.Choices = choices
	if prose {
		return text
	}
	return strings.TrimSpace(text[:at[0]] + text[at[1]:])
}

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
	if o.HasDefault && !o.fits(def) {
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
	return !strings.ContainsAny(def, "$~<>{}") && (quoted || !strings.ContainsAny(def, " ")) && len(def) < 200
}
