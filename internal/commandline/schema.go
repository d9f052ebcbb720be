package commandline

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TextField is the field that a filter reads as its standard input.
const TextField = "text"

// Binding says which fields of an input a command line takes, and how. Words are
// those of adapter.Command; Stdin is the field for the standard input, or "".
type Binding struct {
	Words []string
	Stdin string
}

// Bind gives the command line's own words: a placeholder for every option and
// argument, the options first.
func (p *Program) Bind() Binding {
	names := p.fields()
	var b Binding
	for i := range p.Options {
		o := &p.Options[i]
		b.Words = append(b.Words, p.word(o, names[o]))
	}
	if len(p.Positionals) > 0 && p.dashDash() {
		b.Words = append(b.Words, "--")
	}
	for i := range p.Positionals {
		o := &p.Positionals[i]
		b.Words = append(b.Words, "{{"+at(o)+names[o]+"}}")
	}
	if p.Stdin {
		b.Stdin = p.stdinField(names)
	}
	return b
}

func at(o *Option) string {
	if o.Kind == File {
		return "@"
	}
	return ""
}

// stdinField is TextField, unless an option has taken that name.
func (p *Program) stdinField(names map[*Option]string) string {
	for _, name := range names {
		if name == TextField {
			return "standardInput"
		}
	}
	return TextField
}

// word is how an option is given. --option=value is what no value can break out
// of, so it comes first where the program knows it.
func (p *Program) word(o *Option, field string) string {
	spelling := o.Label()
	long := strings.HasPrefix(spelling, "--")
	switch {
	case o.Kind == Switch && (p.GoFlags || p.Valued && long):
		return spelling + "={{" + field + "}}"
	case o.Kind == Switch && o.Negative != "":
		return "{{" + spelling + "|" + o.Negative + " " + field + "}}"
	case o.Kind == Switch:
		return "{{" + spelling + " " + field + "}}"
	case o.Spread:
		return "{{" + spelling + "... " + at(o) + field + "}}"
	case p.GoFlags, long && !p.Apart:
		return spelling + "={{" + at(o) + field + "}}"
	case o.Joined:
		return spelling + "{{" + at(o) + field + "}}"
	}
	return "{{" + spelling + " " + at(o) + field + "}}"
}

// property is a field of an input schema, its members in the order in which
// people write them.
type property struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Editor      string   `json:"editor,omitempty"`
	IsSecret    bool     `json:"isSecret,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Minimum     any      `json:"minimum,omitempty"`
	Maximum     any      `json:"maximum,omitempty"`
	Items       any      `json:"items,omitempty"`
	Default     any      `json:"default,omitempty"`
}

// stringItems and choiceItems say what an array holds.
type (
	stringItems struct {
		Type string `json:"type"`
	}
	choiceItems struct {
		Type string   `json:"type"`
		Enum []string `json:"enum"`
	}
)

// InputSchema gives the input schema of the program: JSON indented by two
// spaces, a field for each option and argument, as the platform takes it.
func (p *Program) InputSchema(title string) []byte {
	names := p.fields()
	var properties []member
	var required []string
	add := func(o *Option) {
		properties = append(properties, member{names[o], p.property(o)})
		if o.Required && o.Kind != Switch {
			required = append(required, names[o])
		}
	}
	if p.Stdin {
		field := p.stdinField(names)
		properties = append(properties, member{field, property{Title: "Text", Type: "string",
			Description: "The text that the program reads.", Editor: "textarea"}})
		if len(p.Positionals) == 0 {
			required = append(required, field)
		}
	}
	for i := range p.Positionals {
		add(&p.Positionals[i])
	}
	for i := range p.Options {
		add(&p.Options[i])
	}
	root := []member{{"title", title}, {"type", "object"}, {"schemaVersion", 1}}
	if p.Description != "" {
		root = append(root, member{"description", p.Description})
	}
	root = append(root, member{"properties", ordered(properties)})
	if len(required) > 0 {
		root = append(root, member{"required", required})
	}
	var out bytes.Buffer
	// The text is our own marshalling: it is JSON.
	_ = json.Indent(&out, ordered(root).json(), "", "  ")
	out.WriteByte('\n')
	return out.Bytes()
}

func (p *Program) property(o *Option) property {
	f := property{Title: title(o.Label()), Description: o.Description, Editor: "textfield", Type: "string"}
	if f.Description == "" {
		f.Description = "The program's argument " + o.Label() + "."
		if !o.Positional() {
			f.Description = "The program's option " + o.Label() + "."
		}
	} else if !o.Positional() && o.Long == "" {
		f.Title = title(o.Label()) + ": " + Shorten(firstSentence(o.Description), 60)
	}
	switch o.Kind {
	case Switch:
		f.Type, f.Editor = "boolean", "checkbox"
		f.Default = o.HasDefault && o.Default == "true" && (o.Negative != "" || p.GoFlags || p.Valued)
		return f
	case Integer, Number:
		f.Type, f.Editor = "integer", "number"
		if o.Kind == Number {
			f.Type = "number"
		}
		f.Minimum, f.Maximum = o.number(o.Minimum), o.number(o.Maximum)
		if o.HasDefault && !o.Repeated {
			f.Default = o.number(o.Default)
		}
	case File:
		f.Editor = "textarea"
		f.Description = sentence(f.Description) + " What stands here reaches the program as a file."
	}
	if o.Repeated {
		f.Minimum, f.Maximum = nil, nil
		f.Type, f.Editor, f.Items, f.Default = "array", "stringList", stringItems{"string"}, nil
		switch {
		case len(o.Choices) > 0:
			f.Editor, f.Items = "select", choiceItems{"string", unique(o.Choices)}
		case o.Kind == Integer:
			f.Editor, f.Items = "json", stringItems{"integer"}
		case o.Kind == Number:
			f.Editor, f.Items = "json", stringItems{"number"}
		}
		return f
	}
	switch {
	case len(o.Choices) > 0:
		f.Editor, f.Enum = "select", unique(o.Choices)
		if o.HasDefault {
			f.Default = o.Default
		}
	case o.Secret:
		f.IsSecret = true
	case o.Kind == Text && o.HasDefault:
		f.Default = o.Default
	}
	return f
}

// number gives a bound or default as it is written, if JSON can have it, else
// nothing.
func (o *Option) number(text string) any {
	if o.Kind == Integer {
		if n, err := strconv.ParseInt(text, 10, 53); err == nil {
			return n
		}
		return nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && isNumber(text) {
		return n
	}
	return nil
}

func unique(choices []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, c := range choices {
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return out
}

func sentence(text string) string {
	if text = strings.TrimSpace(text); strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

func firstSentence(text string) string {
	text, _, _ = strings.Cut(text, ". ")
	text, _, _ = strings.Cut(text, "; ")
	return strings.TrimSuffix(text, ".")
}

// member is a name and a value of a JSON object; ordered are the members of one.
type (
	member struct {
		name  string
		value any
	}
	ordered []member
)

// MarshalJSON implements json.Marshaler.
func (m ordered) MarshalJSON() ([]byte, error) { return m.json(), nil }

func (m ordered) json() []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	out.WriteByte('{')
	write := func(v any) {
		if nested, ok := v.(ordered); ok {
			out.Write(nested.json())
		} else if err := encoder.Encode(v); err != nil {
			panic(err) // strings, numbers and structs of them have a JSON form
		} else {
			out.Truncate(out.Len() - 1)
		}
	}
	for i, member := range m {
		if i > 0 {
			out.WriteByte(',')
		}
		write(member.name)
		out.WriteByte(':')
		write(member.value)
	}
	out.WriteByte('}')
	return out.Bytes()
}

// Shorten cuts a text that has more than n characters, and ends it with "…".
func Shorten(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	runes := []rune(text)[:n-1]
	return strings.TrimRight(string(runes), " ,.;") + "…"
}
