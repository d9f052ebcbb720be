package typegen

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// typescriptBanner keeps linters and formatters away from generated files.
const typescriptBanner = `// biome-ignore-all lint: generated
// biome-ignore-all format: generated
/* eslint-disable */
/* prettier-ignore-start */
/*
 * Generated from the Actor's schemas by "apify actor generate-schema-types".
 * Change the schemas and run it again instead of editing this file.
 */

`

// typescript prints the declarations of one schema: the type itself, and the
// definitions that it refers to.
func typescript(t *typ) string {
	name := t.name
	simplify(t, map[*typ]bool{})
	t.name = name // a file without its type would be of no use
	var aliases, interfaces []string
	declareAliases(t, map[*typ]bool{}, &aliases)
	t.walk(func(t *typ) {
		if t.name != "" && t.kind == recordType {
			interfaces = append(interfaces, layout(concat{comment(t), "export interface " + t.name + " ", recordBody(t)}))
		}
	})
	var blocks []string
	for _, list := range [][]string{aliases, interfaces} {
		if len(list) > 0 {
			blocks = append(blocks, strings.Join(list, "\n"))
		}
	}
	return strings.Join(blocks, "\n\n") + "\n"
}

// simplify makes unions and intersections what they amount to: anything when
// one of them is anything, and nothing twice. What is in tuples stays as it is,
// as in the official tool.
func simplify(t *typ, seen map[*typ]bool) {
	if t == nil || seen[t] {
		return
	}
	seen[t] = true
	for _, f := range t.fields {
		simplify(f.typ, seen)
	}
	simplify(t.index, seen)
	simplify(t.elem, seen)
	if t.kind != unionType && t.kind != intersectionType {
		return
	}
	for _, m := range t.members {
		simplify(m, seen)
	}
	if slices.ContainsFunc(t.members, func(m *typ) bool { return m.kind == unknownType && m.name == "" }) {
		*t = typ{kind: unknownType}
		return
	}
	texts := map[string]*typ{}
	var members []*typ
	for _, m := range t.members {
		text := layout(typeDoc(m, false))
		if first := texts[text]; first != nil {
			first.integer = first.integer && m.integer // TypeScript has one type for both
			continue
		}
		texts[text] = m
		members = append(members, m)
	}
	t.members = members
}

// declareAliases declares the named types that are no interfaces: members
// before a list, after a union.
func declareAliases(t *typ, seen map[*typ]bool, out *[]string) {
	if t == nil || seen[t] {
		return
	}
	seen[t] = true
	own := func() {
		if t.name != "" {
			*out = append(*out, layout(concat{comment(t), "export type " + t.name, aliasBody(t), ";"}))
		}
	}
	switch t.kind {
	case recordType:
		for _, f := range t.fields {
			declareAliases(f.typ, seen, out)
		}
		declareAliases(t.index, seen, out)
	case arrayType:
		declareAliases(t.elem, seen, out)
		own()
	case unionType, intersectionType, tupleType:
		own()
		for _, m := range t.members {
			declareAliases(m, seen, out)
		}
		declareAliases(t.rest, seen, out)
	default:
		own()
	}
}

// aliasBody is what stands behind the name of a type alias.
func aliasBody(t *typ) doc {
	body := lengths(unnamed(t))
	if members := effective(body); body.kind == unionType && len(members) > 1 && !hugs(members) {
		return &group{of: concat{" =", &group{of: indent{concat{space, unionBody(body)}}}}}
	}
	return concat{" = ", typeDoc(body, false)}
}

func unnamed(t *typ) *typ {
	body := *t
	body.name = ""
	return &body
}

func comment(t *typ) doc {
	if !t.commented() {
		return ""
	}
	out := concat{"/**", hard{}}
	if t.deprecated {
		out = append(out, " * @deprecated", hard{})
	}
	if t.doc != "" {
		for text := range strings.SplitSeq(t.doc, "\n") {
			// Two spaces at the end of a line mean a break in Markdown: Prettier
			// leaves them, and no other blanks.
			trimmed := strings.TrimRightFunc(" * "+text, unicode.IsSpace)
			if trimmed != " *" && strings.HasSuffix(text, "  ") {
				trimmed += "  "
			}
			out = append(out, trimmed, hard{})
		}
	}
	return append(out, " */", hard{})
}

// recordBody is an object type; one that has members is never on one line.
func recordBody(t *typ) doc {
	var members concat
	add := func(name string, of *typ) {
		members = append(members, hard{})
		if of.name == "" {
			members = append(members, comment(of))
		}
		members = append(members, name+": ", typeDoc(of, true), ";")
	}
	for _, f := range t.fields {
		name := propertyName(f.name)
		if !f.required {
			name += "?"
		}
		add(name, f.typ)
	}
	if t.index != nil {
		add("[k: string]", t.index)
	}
	if members == nil {
		return "{}"
	}
	return concat{"{", indent{members}, hard{}, "}"}
}

// propertyName quotes names that are no identifiers.
func propertyName(name string) string {
	for i, c := range name {
		if c != '_' && c != '$' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return quote(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

// quote writes a string with the quotes that need fewer escapes.
func quote(text string) string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return `""` // strings always marshal
	}
	quoted := strings.TrimSuffix(out.String(), "\n")
	quoted = strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029").Replace(quoted) // JavaScript writes these two as they are
	if strings.Count(text, `"`) > strings.Count(text, `'`) {
		inner := strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		return `'` + strings.ReplaceAll(inner, `'`, `\'`) + `'`
	}
	return quoted
}

// effective gives the members that are printed: a union of one is that one.
func effective(t *typ) []*typ {
	if t.kind == unionType || t.kind == intersectionType {
		return t.members
	}
	return nil
}

// hugs reports whether a union is an object or nothing, which is printed without
// breaks.
func hugs(members []*typ) bool {
	objects, rest := 0, 0
	for _, m := range members {
		switch {
		case isObject(m):
			objects++
		case m.kind != nullType || m.name != "":
			rest++
		}
	}
	return objects == 1 && rest == 0
}

// isObject reports whether a type is printed in braces.
func isObject(t *typ) bool {
	if t.name != "" {
		return false
	}
	if t.kind == literalType {
		_, ok := t.literal.([]member)
		return ok
	}
	if members := effective(t); len(members) == 1 {
		return isObject(members[0])
	}
	return t.kind == recordType
}

// typeDoc prints a type. field says that it is the type of a member, where
// unions are indented when they are broken.
func typeDoc(t *typ, field bool) doc {
	if t.name != "" {
		return t.name
	}
	switch t.kind {
	case neverType:
		return "never"
	case booleanType:
		return "boolean"
	case numberType:
		return "number"
	case stringType:
		return "string"
	case nullType:
		return "null"
	case literalType:
		return literalDoc(t.literal)
	case arrayType:
		return concat{operand(t.elem), "[]"}
	case tupleType:
		if all := lengths(t); all != t {
			return typeDoc(all, field)
		}
		return tupleOf(t.members, t.rest)
	case recordType:
		return recordBody(t)
	case unionType, intersectionType:
		switch members := t.members; {
		case len(members) == 0:
			return "never"
		case len(members) == 1:
			return typeDoc(members[0], field)
		case t.kind == intersectionType:
			return intersectionDoc(members)
		case hugs(members):
			return join(" | ", members)
		case field:
			return &group{of: indent{concat{softline, unionBody(t)}}}
		default:
			return unionBody(t)
		}
	}
	return "unknown"
}

func join(separator string, members []*typ) doc {
	var out concat
	for i, m := range members {
		if i > 0 {
			out = append(out, separator)
		}
		out = append(out, operand(m))
	}
	return out
}

// combined gives the union or intersection of several that a type is printed as.
func combined(t *typ) *typ {
	for t = lengths(t); t.name == "" && (t.kind == unionType || t.kind == intersectionType); t = lengths(t.members[0]) {
		if len(t.members) > 1 {
			return t
		}
		if len(t.members) == 0 {
			return nil
		}
	}
	return nil
}

// operand prints a type where unions and intersections need parentheses.
func operand(t *typ) doc {
	c := combined(t)
	switch {
	case c == nil:
		return typeDoc(t, false)
	case c.kind == unionType && !hugs(c.members):
		return concat{"(", &group{of: concat{indent{concat{softline, unionBody(c)}}, softline}}, ")"}
	}
	return concat{"(", typeDoc(c, false), ")"}
}

// unionBody prints the members of a union, each on a line of its own and behind
// a bar when they do not fit one.
func unionBody(t *typ) doc {
	parts := concat{ifBroken("| ")}
	var members []*typ
	for _, m := range t.members {
		if all := lengths(m); all != m {
			members = append(members, all.members...)
			continue
		}
		members = append(members, m)
	}
	for i, m := range members {
		if i > 0 {
			parts = append(parts, space, "| ")
		}
		parts = append(parts, indent{operand(m)})
	}
	return &group{of: parts}
}

// intersectionDoc keeps objects and what is no object on one line, and breaks
// between two that are none.
func intersectionDoc(members []*typ) doc {
	var out concat
	indented := false
	for i, m := range members {
		printed := operand(m)
		if i == 0 {
			out = append(out, printed)
			continue
		}
		before, now := isObject(members[i-1]), isObject(m)
		switch {
		case before && now:
			if indented {
				printed = indent{printed}
			}
			out = append(out, " & ", printed)
		case !before && !now:
			out = append(out, indent{concat{" &", space, printed}})
		default:
			if i > 1 {
				indented = true
				printed = indent{printed}
			}
			out = append(out, " & ", printed)
		}
	}
	return &group{of: out}
}

// lengths gives a list of a fixed form whose last elements may be missing as the
// union of all its lengths; other types as they are.
func lengths(t *typ) *typ {
	if t.kind != tupleType || t.name != "" || len(t.members) <= t.least {
		return t
	}
	out := &typ{kind: unionType}
	for n := t.least; n <= len(t.members); n++ {
		one := &typ{kind: tupleType, members: t.members[:n], least: n}
		if n == len(t.members) {
			one.rest = t.rest
		}
		out.members = append(out.members, one)
	}
	return out
}

func tupleOf(members []*typ, rest *typ) doc {
	var parts concat
	count := len(members)
	if rest != nil {
		count++
	}
	for i, m := range members {
		if i > 0 {
			parts = append(parts, ",", space)
		}
		printed := typeDoc(m, false)
		if c := combined(m); c != nil && c.kind == unionType && count > 1 && !hugs(c.members) {
			printed = &group{of: concat{indent{concat{ifBroken("("), softline, unionBody(c)}}, softline, ifBroken(")")}}
		}
		parts = append(parts, printed)
	}
	if rest != nil {
		if len(members) > 0 {
			parts = append(parts, ",", space)
		}
		parts = append(parts, concat{"...", operand(rest), "[]"})
	}
	if count == 0 {
		return "[]"
	}
	return &group{of: concat{"[", indent{concat{softline, parts}}, softline, "]"}}
}

// literalDoc prints a value as a type.
func literalDoc(v any) doc {
	switch v := v.(type) {
	case string:
		return quote(v)
	case float64:
		return number(v)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		var parts concat
		for i, item := range v {
			if i > 0 {
				parts = append(parts, ",", space)
			}
			parts = append(parts, literalDoc(item))
		}
		return &group{of: concat{"[", indent{concat{softline, parts}}, softline, "]"}}
	case []member:
		if len(v) == 0 {
			return "{}"
		}
		var parts concat
		for i, m := range v {
			if i > 0 {
				parts = append(parts, ";", space)
			}
			parts = append(parts, propertyName(m.name)+": ", literalDoc(m.value))
		}
		return &group{of: concat{"{", indent{concat{softline, parts}}, softline, ifBroken(";"), "}"}}
	}
	return "null"
}

// number writes a number as JavaScript does.
func number(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		text := strconv.FormatFloat(f, 'e', -1, 64)
		mantissa, exponent, _ := strings.Cut(text, "e")
		n, _ := strconv.Atoi(exponent)
		return mantissa + "e" + strconv.Itoa(n)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
