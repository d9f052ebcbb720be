package jsonschema

import "github.com/greenroom-dev/greenroom/internal/schema/jsonc"

// vocabulary are the keywords for one type of instance, in the order in which
// AJV judges them.
type vocabulary struct {
	kind     jsonc.Kind // "" for all
	keywords []keyword
}

// keyword is one of them. The rule may be nil when there is nothing to judge;
// without build the keyword means something only to others.
type keyword struct {
	name  string
	build func(b *builder, name string, value *jsonc.Value) rule
}

var vocabularies = map[Draft][]vocabulary{}

// It is filled here because the keywords refer to it in turn.
func init() {
	anything := []keyword{
		{"$comment", nil}, {"id", (*builder).id}, {"$ref", (*builder).ref},
		{"type", nil}, {"nullable", nil}, {"const", (*builder).constant}, {"enum", (*builder).enum},
		{"not", (*builder).not}, {"anyOf", (*builder).anyOf}, {"oneOf", (*builder).oneOf}, {"allOf", (*builder).allOf},
		{"if", (*builder).conditional}, {"then", nil}, {"else", nil},
	}
	numbers := []keyword{
		{"maximum", (*builder).limit}, {"minimum", (*builder).limit},
		{"exclusiveMaximum", (*builder).limit}, {"exclusiveMinimum", (*builder).limit},
		{"multipleOf", (*builder).multipleOf}, {"format", (*builder).numberFormat},
	}
	strings := []keyword{
		{"maxLength", (*builder).length}, {"minLength", (*builder).length},
		{"pattern", (*builder).textPattern}, {"format", (*builder).stringFormat},
	}
	arrays := []keyword{
		{"maxItems", (*builder).itemCount}, {"minItems", (*builder).itemCount},
		{"additionalItems", (*builder).additionalItems}, {"items", (*builder).items},
		{"contains", (*builder).contains}, {"uniqueItems", (*builder).uniqueItems},
	}
	objects := []keyword{
		{"maxProperties", (*builder).memberCount}, {"minProperties", (*builder).memberCount},
		{"required", (*builder).required}, {"propertyNames", (*builder).propertyNames},
		{"additionalProperties", (*builder).additionalProperties}, {"dependencies", (*builder).dependencies},
		{"properties", (*builder).properties}, {"patternProperties", (*builder).patternProperties},
	}
	vocabularies[Draft07] = []vocabulary{
		{"", anything}, {jsonc.Number, numbers}, {jsonc.String, strings}, {jsonc.Array, arrays}, {jsonc.Object, objects},
	}
	vocabularies[Draft201909] = []vocabulary{
		{"", append([]keyword{
			{"$dynamicAnchor", (*builder).anchor}, {"$dynamicRef", (*builder).dynamicRef},
			{"$recursiveAnchor", (*builder).anchor}, {"$recursiveRef", (*builder).dynamicRef},
		}, anything...)},
		{jsonc.Number, numbers},
		{jsonc.String, strings},
		{jsonc.Array, append(arrays[:len(arrays):len(arrays)],
			keyword{"maxContains", nil}, keyword{"minContains", nil}, keyword{"unevaluatedItems", (*builder).unevaluatedItems})},
		{jsonc.Object, append(objects[:len(objects):len(objects)],
			keyword{"dependentRequired", (*builder).dependentRequired}, keyword{"dependentSchemas", (*builder).dependentSchemas},
			keyword{"unevaluatedProperties", (*builder).unevaluatedProperties})},
	}
}

func (c *compiler) vocabulary() []vocabulary { return vocabularies[c.opts.Draft] }

// keywordNames are the keywords that keep a schema from allowing everything.
func keywordNames(d Draft) map[string]bool {
	names := map[string]bool{}
	for _, g := range vocabularies[d] {
		for _, k := range g.keywords {
			names[k.name] = true
		}
	}
	return names
}
