// Package shape judges the outer form of a schema file: which members an object
// has, of what kind they are, and which of them nobody knows. What it finds is
// collected with its place, in words that say what was found and what is
// allowed.
package shape

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

// maxFaults bounds how much is said about one file: more helps nobody, and each
// costs memory.
const maxFaults = 1000

// Report collects what there is to say about a document.
type Report struct {
	Doc *jsonc.Document
	// Rule is the sort of complaint that the judging package makes.
	Rule string
	List diagnostic.List
}

// Error reports that v is not allowed. The text follows the name of v's place:
// Error(v, "must not be empty").
func (r *Report) Error(v *jsonc.Value, format string, args ...any) {
	r.add(diagnostic.Error, r.Rule, v.Start, r.Path(v), format, args)
}

// Warn reports something about v that does not stop its use, under a rule of
// its own.
func (r *Report) Warn(rule string, v *jsonc.Value, format string, args ...any) {
	r.add(diagnostic.Warning, rule, v.Start, r.Path(v), format, args)
}

// WarnMember reports something about a member, at its name.
func (r *Report) WarnMember(rule string, m jsonc.Member, format string, args ...any) {
	r.add(diagnostic.Warning, rule, m.At, r.Path(m.Value), format, args)
}

// ErrorMember reports that a member is not allowed, at its name.
func (r *Report) ErrorMember(m jsonc.Member, format string, args ...any) {
	r.add(diagnostic.Error, r.Rule, m.At, r.Path(m.Value), format, args)
}

func (r *Report) add(severity diagnostic.Severity, rule string, at int, path, format string, args []any) {
	if r.Full() {
		return
	}
	line, column := r.Doc.LineColumn(at)
	r.List = append(r.List, diagnostic.Diagnostic{
		Severity: severity, File: r.Doc.File, Line: line, Column: column, Path: path, Rule: rule,
		Message: Name(path) + " " + fmt.Sprintf(format, args...),
	})
}

// Full reports that nothing more will be told, so that there is no need to look
// for it.
func (r *Report) Full() bool { return len(r.List) >= maxFaults }

// Add takes over what another judge has found in the part of the document that
// begins with root, and whose paths begin there.
func (r *Report) Add(root *jsonc.Value, list diagnostic.List) {
	base := r.Path(root)
	for _, d := range list[:min(len(list), max(0, maxFaults-len(r.List)))] {
		d.Path = base + d.Path
		d.Message = Name(d.Path) + ": " + d.Message
		r.List = append(r.List, d)
	}
}

// Path gives the place of a value in the document as a JSON Pointer.
func (r *Report) Path(v *jsonc.Value) string { return Path(r.Doc.Root, v.Start) }

// Path gives the JSON Pointer of the value that begins at an offset, from root.
func Path(root *jsonc.Value, offset int) string {
	var path strings.Builder
	for at := root; at != nil && at.Start != offset; {
		switch at.Kind {
		case jsonc.Object:
			i := last(len(at.Members), func(i int) int { return at.Members[i].Value.Start }, offset)
			if i < 0 {
				return path.String()
			}
			path.WriteString("/" + jsonc.PointerPart(at.Members[i].Name))
			at = at.Members[i].Value
		case jsonc.Array:
			i := last(len(at.Items), func(i int) int { return at.Items[i].Start }, offset)
			if i < 0 {
				return path.String()
			}
			fmt.Fprintf(&path, "/%d", i)
			at = at.Items[i]
		default:
			return path.String()
		}
	}
	return path.String()
}

// last finds the last of n places in ascending order that is not behind offset.
func last(n int, start func(int) int, offset int) int {
	low, high := 0, n
	for low < high {
		if mid := (low + high) / 2; start(mid) <= offset {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low - 1
}

// Name says a JSON Pointer as people write places: "views.overview.title".
func Name(path string) string {
	if path == "" {
		return "the schema"
	}
	var name strings.Builder
	for part := range strings.SplitSeq(path[1:], "/") {
		part = jsonc.PointerName(part)
		switch {
		case part == "" || strings.ContainsAny(part, ". []\"\n\t") || utf8.RuneCountInString(part) > maxShown:
			fmt.Fprintf(&name, "[%s]", Quote(part))
		case name.Len() > 0:
			name.WriteString("." + part)
		default:
			name.WriteString(part)
		}
	}
	return name.String()
}

// maxShown is how many characters of a text a message repeats.
const maxShown = 60

// Quote gives a text in quotes, shortened when it is long.
func Quote(text string) string {
	if utf8.RuneCountInString(text) > maxShown {
		return fmt.Sprintf("%q…", string([]rune(text)[:maxShown]))
	}
	return fmt.Sprintf("%q", text)
}

// Describe says what a value is, in few words.
func Describe(v *jsonc.Value) string {
	switch v.Kind {
	case jsonc.Null:
		return "null"
	case jsonc.Boolean:
		return v.Text
	case jsonc.Number:
		if len(v.Text) > maxShown {
			return "a number of " + fmt.Sprint(len(v.Text)) + " digits"
		}
		return "the number " + v.Text
	case jsonc.Array:
		if len(v.Items) == 0 {
			return "an empty array"
		}
		return "an array"
	case jsonc.Object:
		return "an object"
	default:
		return "the string " + Quote(v.Text)
	}
}

// article names a kind.
var article = map[jsonc.Kind]string{
	jsonc.Null: "null", jsonc.Boolean: "true or false", jsonc.Number: "a number",
	jsonc.String: "a string", jsonc.Array: "an array", jsonc.Object: "an object",
}

// Is reports whether v, which may be absent, is of the kind; one of another kind
// is an error.
func (r *Report) Is(v *jsonc.Value, kind jsonc.Kind) bool {
	if v == nil {
		return false
	}
	if v.Kind != kind {
		r.Error(v, "must be %s, found %s", article[kind], Describe(v))
		return false
	}
	return true
}

// Text gives a string member of an object, "" when it is absent or wrong.
func (r *Report) Text(object *jsonc.Value, name string) string {
	if v := object.Get(name); r.Is(v, jsonc.String) {
		return v.Text
	}
	return ""
}

// Flag gives a boolean member of an object, false when it is absent or wrong.
func (r *Report) Flag(object *jsonc.Value, name string) bool {
	v := object.Get(name)
	return r.Is(v, jsonc.Boolean) && v.True()
}

// Texts gives a member that is an array of different strings, at least one.
func (r *Report) Texts(object *jsonc.Value, name string) []string {
	v := object.Get(name)
	if !r.Is(v, jsonc.Array) {
		return nil
	}
	if len(v.Items) == 0 {
		r.Error(v, "must name at least one, found an empty array; leave it out to name none")
		return nil
	}
	texts := make([]string, 0, len(v.Items))
	seen := make(map[string]bool, len(v.Items))
	for _, item := range v.Items {
		switch {
		case item.Kind != jsonc.String:
			r.Error(item, "must be a string, found %s", Describe(item))
		case seen[item.Text]:
			r.Error(item, "repeats %s", Quote(item.Text))
		default:
			seen[item.Text] = true
			texts = append(texts, item.Text)
		}
	}
	return texts
}

// Version demands that a member is there and is the number 1, the only version
// there is.
func (r *Report) Version(object *jsonc.Value, name string) {
	switch v := object.Get(name); {
	case v == nil:
		r.Error(object, "needs %q: 1, which is missing", name)
	case v.Kind != jsonc.Number || !isOne(v.Text):
		r.Error(v, "must be 1, found %s", Describe(v))
	}
}

// isOne reports whether a number is 1, however it is written.
func isOne(number string) bool {
	var f float64
	n, err := fmt.Sscanf(number, "%g", &f)
	return n == 1 && err == nil && f == 1
}

// Closest gives the name among the allowed ones that a wrong one is most like,
// "" when none is near.
func Closest(wrong string, allowed []string) string {
	best, closest, lower := 1+min(4, (len(wrong)+1)/3), "", strings.ToLower(wrong)
	for _, name := range allowed[:min(len(allowed), maxAllowed)] {
		if name == wrong {
			return "" // it is wrong for another reason
		}
		if strings.EqualFold(name, wrong) {
			return name
		}
		if len(wrong)-len(name) < best && len(name)-len(wrong) < best {
			if d := distance(lower, strings.ToLower(name), best); d < best {
				best, closest = d, name
			}
		}
	}
	return closest
}

// Meant is the end of a message that suggests the closest allowed name, or "".
func Meant(wrong string, allowed []string) string {
	if name := Closest(wrong, allowed); name != "" {
		return fmt.Sprintf("; did you mean %q?", name)
	}
	return ""
}

// Names are compared up to this length, and each with so many allowed ones.
const (
	maxCompared = 64
	maxAllowed  = 300
)

// distance counts the edits that turn a into b: letters put in, left out, changed,
// or swapped with the next. From limit on it does not go on counting.
func distance(a, b string, limit int) int {
	if len(a) > maxCompared || len(b) > maxCompared {
		return limit
	}
	var rows [3][maxCompared + 1]int
	earlier, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		earlier, above, row = above, row, earlier
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := above[j]
			if a[i] != b[j] {
				cost++
			}
			row[j+1] = min(cost, row[j]+1, above[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], earlier[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least > limit {
			return limit // a swap can save one edit at most
		}
	}
	return row[len(b)]
}

// Unknown gives the members of an object that are not among the known ones.
func Unknown(object *jsonc.Value, known []string) (unknown []jsonc.Member) {
	for _, m := range object.Members {
		if !slices.Contains(known, m.Name) {
			unknown = append(unknown, m)
		}
	}
	return unknown
}
