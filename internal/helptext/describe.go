package helptext

import (
	"regexp"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
)

// Patterns of what descriptions say about a value. Each finds it together with
// the brackets around it, so that it can be taken out of the text.
var (
	defaultMark  = regexp.MustCompile(`(?i)[\[(]\s*(?:the )?defaults?(?:\s+(?:is|value|to|value is))?\s*[:=]?\s*("[^"]*"|'[^']*'|\[[^\]]*\]|[^)\](;,]*[^)\](;, .])\s*\.?([;,][^)\]]*)?[\])]`)
	defaultProse = regexp.MustCompile(`(?i)\bdefaults?(?:\s+(?:is|value|value is)|\s+to|\s*[:=])\s*:?\s*("[^"]*"|'[^']*'|[^\s,;()]*[^\s,;().])`)
	choicesMark  = regexp.MustCompile(`(?i)[\[(]\s*(?:possible values|choices|choose from|one of|allowed values|possible)\s*:?\s*([^)\]]+)[\])]`)
	choicesProse = regexp.MustCompile(`(?i)\b(?:one of|possible values:?|choices:|choose from:?|can be|must be)\s*:?\s+((?:["']?[\w.+-]+["']?\s*(?:,|\||/)\s*(?:or )?)+(?:or )?["']?[\w.+-]+["']?)`)
	requiredMark = regexp.MustCompile(`(?i)\s*[\[(]required[\])]|;\s*required(\])`)
	repeatedMark = regexp.MustCompile(`(?i)(can|may) be (repeated|specified|given|used|passed|set)( multiple times| several times| more than once| repeatedly)?|multiple times|\(repeatable\)|repeatable|comma[- ]separated list is not|\[array\]`)
	rangeMark    = regexp.MustCompile(`(-?[\d.]+)\s*<=?\s*x\s*<=?\s*(-?[\d.]+)|x\s*>=\s*(-?[\d.]+)|x\s*<=\s*(-?[\d.]+)`)
	typeMark     = regexp.MustCompile(`(?i)\s*\[(string|number|boolean|array|count)\]`)
	certain      = regexp.MustCompile(`^(["'].*["']|-?[0-9.]+|(?i:true|false))$`)
	together     = regexp.MustCompile(`(?i)\((choices: [^()]*), (default: [^()]*)\)`)
	quotedList   = regexp.MustCompile(`((?:["'‘][\w.+-]+["'’](?:, or |, | or ))+["'‘][\w.+-]+["'’])`)
	beforeStop   = regexp.MustCompile(`\s+([.,;:])`)
	emptyMark    = regexp.MustCompile(`\s*[\[(]\s*[;,]?\s*[\])]`)
)

// describe takes an entry's text apart.
func describe(o *entry, text string) {
	text = together.ReplaceAllString(strings.Join(strings.Fields(text), " "), "($1) ($2)")
	if len(text) > 4000 {
		text = commandline.Shorten(text, 3000)
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
	o.Description = strings.Join(strings.Fields(strings.Trim(strings.TrimSpace(text), ":;")), " ")
}

func (o *entry) setValue(v string) {
	if o.Value == "" {
		o.Value = v
	}
}

func (o *entry) findDefault(text string) string {
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
	if m := defaultProse.FindStringSubmatch(text); m != nil && certain.MatchString(m[1]) {
		o.Default, o.HasDefault = m[1], true
	}
	return text
}

func (o *entry) findChoices(text string) string {
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
