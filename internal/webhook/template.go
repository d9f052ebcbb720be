package webhook

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/jsvalue"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// DefaultPayload is the template of webhooks that have none.
const DefaultPayload = `{
    "userId": {{userId}},
    "createdAt": {{createdAt}},
    "eventType": {{eventType}},
    "eventData": {{eventData}},
    "resource": {{resource}}
}`

// MaxRequest is how many bytes a payload may come to, which is what the API
// takes in one request.
const MaxRequest = 9 << 20

// Variables are what templates may use.
type Variables struct {
	UserID    string               `json:"userId"`
	CreatedAt api.Time             `json:"createdAt"`
	EventType string               `json:"eventType"`
	EventData api.WebhookEventData `json:"eventData"`
	Resource  any                  `json:"resource"` // anything that marshals
	Globals   Globals              `json:"globals"`
}

// Globals are variables that have nothing to do with the event.
type Globals struct {
	DateISO  api.Time `json:"dateISO"`
	DateUnix int64    `json:"dateUnix"` // seconds
}

// Payload makes the body of a webhook's request. What is wrong with the template
// is fault.InvalidRequest.
func Payload(w api.Webhook, v Variables) ([]byte, error) {
	template := DefaultPayload
	if w.PayloadTemplate != nil && strings.TrimSpace(*w.PayloadTemplate) != "" {
		template = *w.PayloadTemplate
	}
	value, err := render("payload", template, w.ShouldInterpolateStrings, v)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return []byte("null"), nil
	}
	return jsvalue.AppendJSON(nil, value), nil
}

// Headers makes the headers that a webhook's template adds to its request, by
// their names as they are written there.
func Headers(w api.Webhook, v Variables) (map[string]string, error) {
	headers := map[string]string{}
	if w.HeadersTemplate == nil || strings.TrimSpace(*w.HeadersTemplate) == "" {
		return headers, nil
	}
	value, err := render("headers", *w.HeadersTemplate, w.ShouldInterpolateStrings, v)
	if err != nil {
		return nil, err
	}
	if !value.Is(jsonc.Object) {
		return nil, errTemplate("headers", "it must make a JSON object")
	}
	for _, m := range value.Members {
		if !m.Value.Is(jsonc.String) {
			return nil, errTemplate("headers", "the value of "+strconv.Quote(m.Name)+" must be a string")
		}
		headers[m.Name] = m.Value.Text
	}
	return headers, nil
}

func errTemplate(kind, complaint string) error {
	return fault.New(fault.InvalidRequest, "the %s template is not valid: %s", kind, complaint).WithType("invalid-value")
}

// render makes the value of a template; nil is JavaScript's undefined.
func render(kind, template string, interpolate bool, v Variables) (*jsonc.Value, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the variables of a webhook cannot be written")
	}
	variables, err := jsonc.ParseStrict("variables", text)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the variables of a webhook cannot be read")
	}
	return expand(kind, template, interpolate, variables.Root)
}

// expand is render with the variables as the members of an object.
func expand(kind, template string, interpolate bool, variables *jsonc.Value) (*jsonc.Value, error) {
	x := &expansion{kind: kind, variables: variables}
	value, err := x.outside(template)
	if err == nil && interpolate {
		value, err = x.inside(value)
	}
	return value, err
}

// expansion fills a template by the platform's rules. They are not those that
// one would choose, but the ones that existing templates were written for:
// api.md has them, and a test compares with the platform's own library.
type expansion struct {
	kind      string
	variables *jsonc.Value
	// out is the template up to the place that is looked at, filled; quotes is
	// how many quotation marks in it have no backslash before them.
	out    []byte
	quotes int
	// doubtful says that a quotation mark has two backslashes before it: then the
	// count may be wrong about what is inside a string.
	doubtful bool
}

// outside replaces the variables that stand outside of strings with JSON, and
// reads the result.
func (x *expansion) outside(template string) (*jsonc.Value, error) {
	rest := template
	for {
		at := strings.Index(rest, "{{")
		if at < 0 {
			return x.parse(rest)
		}
		x.write(rest[:at])
		rest = rest[at:]
		if x.doubtful { // it is finished as soon as it is JSON
			if value, err := x.parse(rest); err == nil {
				return value, nil
			}
		}
		if x.quotes%2 == 1 {
			x.write(rest[:2])
			rest = rest[2:]
			continue
		}
		end := strings.Index(rest, "}}")
		if end < 0 {
			return nil, errTemplate(x.kind, "a variable has no }}")
		}
		value, err := x.variable(rest[2:end])
		if err != nil {
			return nil, err
		}
		if jsvalue.Truthy(value) {
			x.write(string(jsvalue.AppendJSON(nil, value)))
		} else {
			x.write("null")
		}
		rest = rest[end+2:]
		if len(x.out) > MaxRequest {
			return nil, errTemplate(x.kind, "it makes more than "+strconv.Itoa(MaxRequest)+" bytes")
		}
	}
}

// parse reads what is written, followed by rest.
func (x *expansion) parse(rest string) (*jsonc.Value, error) {
	document, err := jsonc.ParseStrict(x.kind+" template", append(x.out, rest...))
	if err != nil {
		return nil, errTemplate(x.kind, "with its variables filled in it must be JSON: "+err.Error())
	}
	return document.Root, nil
}

func (x *expansion) write(text string) {
	from := len(x.out)
	x.out = append(x.out, text...)
	for i := from; i < len(x.out); i++ {
		if x.out[i] != '"' {
			continue
		}
		if i == 0 || x.out[i-1] != '\\' {
			x.quotes++
		} else if i > 1 && x.out[i-2] == '\\' {
			x.doubtful = true
		}
	}
}

// variable finds a variable by its name; nil when there is none of a known root.
func (x *expansion) variable(name string) (*jsonc.Value, error) {
	path := strings.Split(name, ".")
	value := x.variables.Get(path[0])
	if value == nil {
		return nil, errTemplate(x.kind, "there is no variable "+strconv.Quote(name)+
			", known are userId, createdAt, eventType, eventData, resource and globals")
	}
	for i, step := range path[1:] {
		switch {
		case value.Is(jsonc.Object):
			value = value.Get(step)
		case value.Is(jsonc.Array):
			value = element(value, step)
		default:
			value = null
		}
		if value == nil && i < len(path)-2 {
			return null, nil
		}
	}
	return value, nil
}

var null = &jsonc.Value{Kind: jsonc.Null, Text: "null"}

// element gives what JavaScript finds in an array under a name.
func element(array *jsonc.Value, name string) *jsonc.Value {
	if name == "length" {
		return &jsonc.Value{Kind: jsonc.Number, Text: strconv.Itoa(len(array.Items))}
	}
	if i, ok := jsvalue.Index(name); ok && i < int64(len(array.Items)) {
		return array.Items[i]
	}
	return nil
}

// inside replaces the variables in all strings of a value, but for the names of
// members. A string that is nothing but a variable becomes the variable's value.
func (x *expansion) inside(v *jsonc.Value) (_ *jsonc.Value, err error) {
	switch v.Kind {
	case jsonc.String:
		return x.text(v)
	case jsonc.Array:
		for i, item := range v.Items {
			if item, err = x.inside(item); err != nil {
				return nil, err
			}
			if item == nil {
				item = null
			}
			v.Items[i] = item
		}
	case jsonc.Object:
		var members []jsonc.Member
		for _, m := range jsvalue.Members(v) {
			if m.Value, err = x.inside(m.Value); err != nil {
				return nil, err
			}
			if m.Value != nil {
				members = append(members, m)
			}
		}
		return &jsonc.Value{Kind: jsonc.Object, Members: members}, nil
	}
	return v, nil
}

func (x *expansion) text(v *jsonc.Value) (*jsonc.Value, error) {
	var b strings.Builder
	rest := v.Text
	for {
		at, end := placeholder(rest)
		if at < 0 {
			b.WriteString(rest)
			return &jsonc.Value{Kind: jsonc.String, Text: b.String()}, nil
		}
		value, err := x.variable(rest[at+2 : end-2])
		if err != nil {
			return nil, err
		}
		if at == 0 && end == len(v.Text) {
			return value, nil
		}
		b.WriteString(rest[:at])
		b.WriteString(asText(value))
		rest = rest[end:]
		if b.Len() > MaxRequest {
			return nil, errTemplate(x.kind, "it makes more than "+strconv.Itoa(MaxRequest)+" bytes")
		}
	}
}

// placeholder finds the first variable in a text; at is -1 when there is none.
func placeholder(text string) (at, end int) {
	for from := 0; ; {
		i := strings.Index(text[from:], "{{")
		if i < 0 {
			return -1, -1
		}
		at = from + i
		end = at + 2
		for end < len(text) && (text[end] == '.' || '0' <= text[end] && text[end] <= '9' ||
			'a' <= text[end] && text[end] <= 'z' || 'A' <= text[end] && text[end] <= 'Z') {
			end++
		}
		if end > at+2 && strings.HasPrefix(text[end:], "}}") {
			return at, end + 2
		}
		from = at + 1
	}
}

// asText is JavaScript's String of a value.
func asText(v *jsonc.Value) string {
	switch {
	case v == nil:
		return "undefined"
	case v.Kind == jsonc.Number:
		return jsvalue.NumberText(jsvalue.Number(v))
	case v.Kind == jsonc.Object:
		return "[object Object]"
	case v.Kind == jsonc.Array:
		parts := make([]string, len(v.Items))
		for i, item := range v.Items {
			if item.Kind != jsonc.Null {
				parts[i] = asText(item)
			}
		}
		return strings.Join(parts, ",")
	}
	return v.Text
}
