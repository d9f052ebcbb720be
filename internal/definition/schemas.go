package definition

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/dataset"
	inputschema "github.com/greenroom-dev/greenroom/internal/schema/input"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/keyvalue"
	"github.com/greenroom-dev/greenroom/internal/schema/output"
	"github.com/greenroom-dev/greenroom/internal/schema/shape"
	"github.com/greenroom-dev/greenroom/internal/schema/webserver"
)

// schemaKey tells schemas of files apart.
type schemaKey struct {
	file string
	kind Kind
}

// linked is a schema that a definition holds or links. The schema itself is nil
// when it has errors.
type linked struct {
	file   string
	root   *jsonc.Value
	schema any
}

// judge gives the schema of a kind that stands in doc at root, nil when the list
// has errors.
func judge(kind Kind, doc *jsonc.Document, root *jsonc.Value) (any, diagnostic.List) {
	switch kind {
	case KindInput:
		return schemaOf(inputschema.Check(doc, root))
	case KindOutput:
		return schemaOf(output.Check(doc, root))
	case KindDataset:
		return schemaOf(dataset.Check(doc, root))
	case KindKeyValueStore:
		return schemaOf(keyvalue.Check(doc, root))
	default:
		return schemaOf(webserver.Check(doc, root))
	}
}

// schemaOf makes no interface of a nil pointer.
func schemaOf[S any](schema *S, list diagnostic.List) (any, diagnostic.List) {
	if schema == nil || len(list.Errors()) > 0 {
		return nil, list
	}
	return schema, list
}

// weight says how much a fault of a schema matters. No run needs the description
// of the web server.
func (k Kind) weight() weight {
	if k == KindWebServer {
		return refused
	}
	return broken
}

// schema reads what a field holds or links: nil when the field is absent, or
// when there is something wrong.
func (r *reader) schema(kind Kind, v *jsonc.Value) *linked {
	switch {
	case v == nil:
		return nil
	case v.Kind == jsonc.Object:
		r.parts = append(r.parts, Part{kind, r.doc.File, shape.Path(r.doc.Root, v.Start)})
		schema, list := judge(kind, r.doc, v)
		r.add(kind.weight(), list...)
		return &linked{r.doc.File, v, schema}
	case v.Kind == jsonc.String:
		file, ok := r.link(v)
		if !ok || !r.mustBe(kind.weight(), v, file, isFile, "file") {
			return nil
		}
		l := r.schemaFile(kind, file)
		if l != nil {
			r.inlined[v] = l.root
		}
		return l
	default:
		r.wrongType(v, "a path or an object")
		return nil
	}
}

// schemaFile reads a schema from a file of its own, once.
func (r *reader) schemaFile(kind Kind, file string) *linked {
	key := schemaKey{resolved(file), kind}
	if l, ok := r.schemas[key]; ok {
		return l
	}
	r.parts = append(r.parts, Part{Kind: kind, File: file})
	doc, ok := r.documents[key.file]
	if !ok {
		var list diagnostic.List
		_, doc, list = document(file)
		r.add(kind.weight(), list...)
		r.documents[key.file] = doc
	}
	var l *linked
	if doc != nil {
		schema, list := judge(kind, doc, doc.Root)
		r.add(kind.weight(), list...)
		l = &linked{file, doc.Root, schema}
	}
	r.schemas[key] = l
	return l
}

// schemasOf reads all the schemas of an actor.json.
func (r *reader) schemasOf(root *jsonc.Value, f fields) {
	a := r.actor
	input := r.pick(f, "input", "inputSchema")
	if input.Value != nil {
		r.input(r.schema(KindInput, input.Value))
	} else if file := r.findInput(); file != "" {
		r.input(r.schemaFile(KindInput, file))
	}
	result := r.pick(f, "output", "outputSchema")
	if l := r.schema(KindOutput, result.Value); l != nil {
		a.Output, _ = l.schema.(*output.Schema)
	}
	data, store := r.storages(f)
	if a.Output != nil {
		r.add(broken, a.Output.CheckStorages(slices.Sorted(maps.Keys(a.Datasets)))...)
	}
	web := r.pick(f, "webServerSchema", "webServerOpenapi")
	if web.Name == "webServerOpenapi" {
		r.otherSpelling(web, "webServerSchema")
	}
	if l := r.schema(KindWebServer, web.Value); l != nil {
		a.WebServer, _ = l.schema.(*webserver.Schema)
	}
	r.document(root, map[string]jsonc.Member{
		"input": input, "output": result, "webServerSchema": web, "dataset": data, "keyValueStore": store,
	})
}

// input keeps the input schema.
func (r *reader) input(l *linked) {
	if l != nil {
		r.actor.Input, _ = l.schema.(*inputschema.Schema)
		r.actor.InputFile = l.file
		r.inputRoot = l.root
	}
}

// otherSpelling says that a field is read though the platform knows it by
// another name only.
func (r *reader) otherSpelling(m jsonc.Member, name string) {
	r.tellMember(advice, m, "spelling", "%s is a spelling that the platform does not know; write %s", shape.Name(shape.Path(r.doc.Root, m.Value.Start)), name)
}

// defaultAlias is the dataset that every run has.
const defaultAlias = "default"

// maxDatasets is how many datasets the platform lets an Actor name.
const maxDatasets = 10

var aliasPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,100}$`)

// storageFields are the fields of storages that have a meaning.
var storageFields = []string{"dataset", "datasets", "keyValueStore", "keyValueStores", "requestQueue"}

// storages reads the schemas of storages, in storages or under the names that
// the whitepaper gives them in the definition itself. It gives the members that
// counted as dataset and keyValueStore.
func (r *reader) storages(f fields) (data, store jsonc.Member) {
	inner := fields{}
	if v := f.value("storages"); r.object(v, "an object") {
		inner = r.fieldsOf(v, refused, storageFields)
	}
	all := fields{}
	for _, name := range []string{"datasetSchema", "dataset", "keyValueStoreSchema", "keyValueStore"} {
		if m, ok := f[name]; ok {
			all["top "+name] = m
		}
	}
	maps.Copy(all, inner)
	if queue, ok := inner["requestQueue"]; ok {
		r.tellMember(useless, queue, "storages", "storages.requestQueue has no effect: there are no schemas of request queues, and the platform refuses the field")
	}
	data = r.pick(all, "dataset", "top dataset", "top datasetSchema")
	if data.Value != nil && data.At != inner["dataset"].At {
		r.otherSpelling(data, "storages.dataset")
	}
	r.datasets(data, inner["datasets"])

	store = r.pick(all, "keyValueStore", "top keyValueStore", "top keyValueStoreSchema")
	if store.Value != nil && store.At != inner["keyValueStore"].At {
		r.otherSpelling(store, "storages.keyValueStore")
	}
	if m, ok := inner["keyValueStores"]; ok {
		store = r.keyValueStores(m, store)
	}
	if l := r.schema(KindKeyValueStore, store.Value); l != nil {
		r.actor.KeyValueStore, _ = l.schema.(*keyvalue.Schema)
	}
	return data, store
}

// datasets reads the schema of the default dataset, or those of several by
// alias.
func (r *reader) datasets(one, several jsonc.Member) {
	keep := func(alias string, l *linked) {
		if l == nil {
			return
		}
		if r.actor.Datasets == nil {
			r.actor.Datasets = map[string]*dataset.Schema{}
		}
		r.actor.Datasets[alias], _ = l.schema.(*dataset.Schema)
	}
	keep(defaultAlias, r.schema(KindDataset, one.Value))
	v := several.Value
	if v == nil {
		return
	}
	if one.Value != nil {
		r.tellMember(broken, several, "storages", "storages.datasets and %s exclude each other: the one dataset is the one called %q",
			r.name(one.Value), defaultAlias)
		return
	}
	if !r.object(v, "an object of schemas by alias") {
		return
	}
	members := v.Unique()
	if v.Get(defaultAlias) == nil {
		r.tell(broken, v, "storages", "must hold a dataset called %q, found %s", defaultAlias, aliases(members))
	}
	if len(members) > maxDatasets {
		r.tell(broken, v, "storages", "may hold %d datasets at most, found %d", maxDatasets, len(members))
	}
	for _, m := range members[:min(len(members), maxDatasets)] {
		if !aliasPattern.MatchString(m.Name) {
			r.tellMember(broken, m, "storages", "%s cannot be the alias of a dataset: it must be a letter followed by at most 100 letters, digits and underscores", shape.Quote(m.Name))
		}
		keep(m.Name, r.schema(KindDataset, m.Value))
	}
}

// aliases says which aliases there are.
func aliases(members []jsonc.Member) string {
	if len(members) == 0 {
		return "none"
	}
	var names []string
	for _, m := range members[:min(len(members), maxDatasets)] {
		names = append(names, shape.Quote(m.Name))
	}
	return strings.Join(names, ", ")
}

// keyValueStores reads storages.keyValueStores, a spelling by analogy with
// datasets that only the default store can have, beside the store that is
// already known. It gives the member that counts.
func (r *reader) keyValueStores(several, one jsonc.Member) jsonc.Member {
	if !r.object(several.Value, "an object of schemas by alias") {
		return one
	}
	for _, m := range several.Value.Unique() {
		switch {
		case m.Name != defaultAlias:
			r.tellMember(useless, m, "storages", "%s has no effect: Actors have one key-value store, called %q", r.name(m.Value), defaultAlias)
		case one.Value != nil:
			r.tellMember(useless, m, "two-names", "%s has no effect beside %s: they are two names of one field", r.name(m.Value), r.name(one.Value))
		default:
			one = m
		}
	}
	r.tellMember(refused, several, "spelling", "storages.keyValueStores is a spelling that the platform refuses; write storages.keyValueStore")
	return one
}
