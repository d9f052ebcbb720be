package input

// input makes an input for a schema, of which much is as the schema wants it.
func (g generator) input(schema *object) *object {
	in := new(object)
	fields, _ := schema.get("properties").(*object)
	if fields == nil {
		return in
	}
	for _, m := range fields.members {
		if g.maybe(85) {
			in.set(m.name, g.value(m.value, 3))
		}
	}
	g.sometimes(in, 15, "extra", 1)
	return in
}

// value makes a value for a field.
func (g generator) value(field any, depth int) any {
	f, ok := field.(*object)
	if !ok || depth == 0 || g.maybe(12) {
		return pick[any](g, nil, true, false, 0, 1, 7, 100, -1.5, "", "a", "zz", []any{}, []any{"a", "a"}, new(object), new(object).set("b0", 1), encryptedText, encryptedJSON, staleJSON)
	}
	typ := f.get("type")
	if list, ok := typ.([]any); ok && len(list) > 0 {
		typ = pick(g, list...)
	}
	editor := f.get("editor")
	if f.get("isSecret") == true && g.maybe(40) {
		return pick[any](g, encryptedText, encryptedJSON, staleJSON, "plain")
	}
	switch typ {
	case "string":
		if enum, ok := f.get("enum").([]any); ok && len(enum) > 0 && g.maybe(60) {
			return pick(g, enum...)
		}
		return pick(g, words...)
	case "boolean":
		return g.maybe(50)
	case "integer":
		return g.IntN(40) - 5
	case "number":
		return pick[any](g, 1, 1.5, -2, 1e22, 1e-8, 3)
	case "array":
		list := []any{}
		for range g.IntN(4) {
			switch editor {
			case "requestListSources":
				list = append(list, pick[any](g, new(object).set("url", pick(g, words...)), new(object).set("requestsFromUrl", pick(g, words...)),
					new(object).set("url", "http://a.b").set("requestsFromUrl", pick(g, words...)), nil, "http://a.b", new(object)))
			default:
				list = append(list, g.value(f.get("items"), depth-1))
			}
		}
		return list
	case "object":
		if editor == "proxy" {
			return g.proxy()
		}
		o := new(object)
		if fields, ok := f.get("properties").(*object); ok {
			for _, m := range fields.members {
				if g.maybe(75) {
					o.set(m.name, g.value(m.value, depth-1))
				}
			}
		}
		g.sometimes(o, 20, "extra", "x")
		return o
	}
	return nil
}

func (g generator) proxy() *object {
	o := new(object)
	g.sometimes(o, 60, "useApifyProxy", g.maybe(60))
	g.sometimes(o, 40, "apifyProxyGroups", []any{"A"})
	g.sometimes(o, 40, "apifyProxyCountry", pick(g, "US", "XK", "us", "XX", "", "GB"))
	if g.maybe(40) {
		list := []any{}
		for range g.IntN(3) {
			list = append(list, pick(g, "http://a.b:1", "http://u:p@a.b:80", "socks5h://h.x:9", "ftp://a.b:1", "http://a.b", " https://1.2.3.4:80 ", "", "HTTP://a.b:1"))
		}
		o.set("proxyUrls", list)
	}
	return o
}

// Encrypted values: a text, an object or array whose schema is not said, and one
// of a schema that is none of ours.
const (
	encryptedText = "ENCRYPTED_VALUE:aaaa:bbbb"
	encryptedJSON = "ENCRYPTED_JSON:aaaa:bbbb"
	staleJSON     = "ENCRYPTED_JSON:0123456789:aaaa:bbbb"
)
