package input

// soup makes a schema whose fields have any keywords with likely values.
func (g generator) soup() *object {
	fields := new(object)
	for _, name := range g.names(1+g.IntN(2), "a") {
		fields.set(name, g.soupField(1))
	}
	return new(object).set("title", "t").set("type", "object").set("schemaVersion", 1).set("properties", fields)
}

func (g generator) soupField(depth int) *object {
	f := new(object).set("title", "t").set("description", "d").set("type", pick(g, allTypes...))
	g.sometimes(f, 80, "editor", pick(g, editors...))
	for range g.IntN(5) {
		name := pick(g, keywords...)
		f.set(name, g.likely(name, depth))
	}
	return f
}

// likely makes a value that suits a keyword.
func (g generator) likely(keyword string, depth int) any {
	switch keyword {
	case "type":
		return pick[any](g, allTypes[g.IntN(6)], []any{"string", "array"})
	case "editor":
		return pick(g, editors...)
	case "nullable", "isSecret", "uniqueItems", "additionalProperties":
		return g.maybe(50)
	case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum":
		return pick[any](g, 0, 1, 5, 1.5)
	case "enum", "enumTitles", "enumSuggestedValues", "required":
		return pick(g, []any{"a", "b"}, []any{"a"}, []any{"a", "a"}, []any{})
	case "resourceType":
		return pick(g, "dataset", "keyValueStore", "requestQueue", "mcpConnector")
	case "resourcePermissions":
		return pick(g, []any{"READ"}, []any{"WRITE"}, []any{"READ", "WRITE"}, []any{})
	case "mcpServers":
		return []any{new(object).set("url", pick(g, "", "https://x"))}
	case "dateType":
		return pick(g, "absolute", "relative", "absoluteOrRelative")
	case "pattern":
		return pick(g, append(badRegexp, patterns...)...)
	case "errorMessage":
		return new(object).set(pick(g, keywords...), "own text")
	case "properties":
		fields := new(object)
		if depth > 0 {
			for _, name := range g.names(g.IntN(3), "b") {
				fields.set(name, g.soupField(depth-1))
			}
		}
		return fields
	case "items":
		items := g.items(pick(g, editors...), depth)
		if g.maybe(20) {
			name := pick(g, keywords...)
			items.set(name, g.anything())
		}
		return items
	case "default", "prefill", "example":
		return g.anything()
	}
	return "x"
}

// mutate spoils a schema in one place.
func (g generator) mutate(schema *object) {
	var all []*object
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case *object:
			all = append(all, v)
			for _, m := range v.members {
				collect(m.value)
			}
		case []any:
			for _, item := range v {
				collect(item)
			}
		}
	}
	collect(schema)
	o := pick(g, all...)
	if len(o.members) == 0 || g.maybe(25) {
		o.set(pick(g, keywords...), g.anything())
		return
	}
	i := g.IntN(len(o.members))
	m := &o.members[i]
	switch g.IntN(8) {
	case 0:
		o.members = append(o.members[:i:i], o.members[i+1:]...)
	case 1:
		m.name += "s"
	case 2:
		m.name = pick(g, keywords...)
	case 3:
		if list, ok := m.value.([]any); ok && len(list) > 0 {
			m.value = append(list[:len(list):len(list)], list[0])
			return
		}
		m.value = g.anything()
	case 4:
		m.value = nil
	case 5:
		o.set("type", pick[any](g, "string", "boolean", "integer", "number", "object", "array", "null", "any", []any{"string", "array"}, []any{}))
	case 6:
		o.set("editor", pick(g, editors...))
	default:
		m.value = g.anything()
	}
	// A name twice would make two libraries look at different schemas.
	seen := map[string]bool{}
	for i := len(o.members) - 1; i >= 0; i-- {
		if seen[o.members[i].name] {
			o.members = append(o.members[:i:i], o.members[i+1:]...)
			continue
		}
		seen[o.members[i].name] = true
	}
}

// anything makes a value that stands in schemas somewhere.
func (g generator) anything() any {
	switch g.IntN(12) {
	case 0:
		return nil
	case 1:
		return g.maybe(50)
	case 2:
		return g.IntN(5) - 1
	case 3:
		return 1.5
	case 4:
		return pick(g, words...)
	case 5:
		return pick(g, editors...)
	case 6:
		return pick(g, allTypes...)
	case 7:
		return []any{pick(g, words...), pick(g, words...)}
	case 8:
		return []any{}
	case 9:
		return new(object).set(pick(g, keywords...), pick(g, words...))
	case 10:
		return pick(g, badRegexp...)
	default:
		return new(object)
	}
}
