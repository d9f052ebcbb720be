package definition

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/oracletest"
)

// TestJudge compares what Check says about thousands of generated definitions
// with the verdict of the platform's own meta-schema. Differences that are meant
// stand in testdata/differences.txt.
func TestJudge(t *testing.T) {
	n := 4000
	if testing.Short() {
		n = 400
	}
	root := project(t, map[string]string{
		"Dockerfile": "", "README.md": "", ".actor/input.json": someSchema, ".actor/dataset.json": someDataset,
		".actor/store.json": someStore, ".actor/web.json": someServer, ".actor/output.json": someOutput,
	})
	g := &generator{rand: rand.New(rand.NewPCG(20, 26))}
	cases := make([]json.RawMessage, n)
	for i := range cases {
		cases[i] = g.definition()
	}
	verdicts := oracletest.Ask[verdict](t, cases, filepath.Join("testdata", "judge.cjs"))
	known := readDifferences(t)
	valid, failed := 0, 0
	for i, text := range cases {
		list := read(root, filepath.Join(root, ".actor", "actor.json"), text, (*reader).current).diagnostics(checking)
		accepted := len(list.Errors()) == 0
		if accepted {
			valid++
		}
		if accepted == verdicts[i].Valid || explained(known, accepted, list) {
			continue
		}
		if failed++; failed <= 5 {
			t.Errorf("accepted here: %v, by the platform: %v (%s)\n%s\n%v", accepted, verdicts[i].Valid, verdicts[i].Why, text, list)
		}
	}
	if failed > 5 {
		t.Errorf("and %d more", failed-5)
	}
	if valid < n/20 || valid > n*19/20 {
		t.Errorf("%d of %d cases are valid: they must be of both sorts", valid, n)
	}
	for _, d := range known {
		if !d.used && !testing.Short() {
			t.Errorf("differences.txt: nothing differs any more because of %q", d.pattern)
		}
	}
}

const someOutput = `{"actorOutputSchemaVersion":1,"properties":{"a":{"type":"string","template":"{{links.apiRunUrl}}"}}}`

type verdict struct {
	Valid bool   `json:"valid"`
	Why   string `json:"why"`
}

// difference is a line of differences.txt.
type difference struct {
	accepted bool
	pattern  *regexp.Regexp
	used     bool
}

func readDifferences(t *testing.T) (list []*difference) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "differences.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verb, pattern, _ := strings.Cut(line, " ")
		if verb != "accepted" && verb != "rejected" {
			t.Fatalf("differences.txt: %q", line)
		}
		list = append(list, &difference{accepted: verb == "accepted", pattern: regexp.MustCompile(pattern)})
	}
	return list
}

// explained tells whether differences are the reason for all errors, or for some
// warning where there are none.
func explained(known []*difference, accepted bool, list diagnostic.List) bool {
	explains := func(d diagnostic.Diagnostic) bool {
		i := slices.IndexFunc(known, func(k *difference) bool {
			return k.accepted == accepted && k.pattern.MatchString(fmt.Sprintf("%s: %s", d.Rule, d.Message))
		})
		if i >= 0 {
			known[i].used = true
		}
		return i >= 0
	}
	if accepted {
		return slices.ContainsFunc(list.Warnings(), explains)
	}
	return !slices.ContainsFunc(list.Errors(), func(d diagnostic.Diagnostic) bool { return !explains(d) })
}

// generator makes definitions of which about a half is valid.
type generator struct{ rand *rand.Rand }

func (g *generator) pick(list ...string) string { return list[g.rand.IntN(len(list))] }

// junk are values that are wrong in most places.
var junk = []string{"null", "true", "0", "1.5", `""`, `"x"`, "[]", `["a"]`, "{}", `{"a":1}`, "-1", "1e400"}

// values are what each field may have, the wrong ones seldom.
var values = []struct {
	name   string
	chance int // of being there, in percent
	values []string
}{
	{"actorSpecification", 98, []string{"1", "1", "1", "1", "1.0", "1e0"}},
	{"name", 98, []string{`"my-actor"`, `"abc"`, `"My-Actor-1"`, `"a_b"`, `"me/abc"`}},
	{"version", 98, []string{`"0.0"`, `"0.1"`, `"1.2.3"`, `"100.0"`, `"1"`, `"1.x"`, `"01.02"`}},
	{"$schema", 10, []string{`"x"`}},
	{"title", 20, []string{`"T"`, `""`}},
	{"description", 20, []string{`"D"`}},
	{"buildTag", 20, []string{`"beta"`}},
	{"environmentVariables", 30, []string{`{}`, `{"A":"1"}`, `{"A":"@s","B":""}`, `{"A":1}`, `{"":"x"}`, `{"A=B":"x"}`}},
	{"dockerfile", 20, []string{`"../Dockerfile"`, `"./none"`}},
	{"dockerContextDir", 10, []string{`".."`, `"."`}},
	{"readme", 20, []string{`"../README.md"`, `"none.md"`}},
	{"changelog", 10, []string{`"../README.md"`}},
	{"minMemoryMbytes", 20, []string{"128", "256", "4096", "127", "32768", "32769", "256.0", "256.5"}},
	{"maxMemoryMbytes", 20, []string{"128", "256", "4096", "127", "32768", "32769"}},
	{"defaultMemoryMbytes", 20, []string{"128", "1000", "64", "512.5", `"1024"`, `"input.a * 2"`, `"1 +"`, "1e3"}},
	{"input", 20, []string{`"./input.json"`, someSchema, `"none.json"`, `{}`}},
	{"inputSchema", 10, []string{`"./input.json"`, someSchema}},
	{"output", 20, []string{`"./output.json"`, someOutput, `{}`, `{"actorOutputSchemaVersion":2,"properties":{}}`}},
	{"outputSchema", 10, []string{`"./output.json"`, someOutput}},
	{"usesStandbyMode", 20, []string{"true", "false"}},
	{"webServerSchema", 20, []string{`"./web.json"`, someServer, `{}`}},
	{"webServerMcpPath", 20, []string{`"/mcp"`, `"mcp"`, `""`}},
	{"meta", 10, []string{`{}`, `{"templateId":"x"}`}},
	{"labels", 10, []string{`{}`, `{"a":"b"}`}},
	{"scripts", 10, []string{`{"run":"x"}`, `{"run":1}`, `{"test":"x"}`}},
	{"template", 5, []string{`"x"`}},
	{"id", 5, []string{`"x"`}},
	{"webServerOpenapi", 3, []string{`"./web.json"`}},
	{"datasetSchema", 3, []string{`"./dataset.json"`}},
	{"dataset", 3, []string{`"./dataset.json"`}},
	{"keyValueStoreSchema", 3, []string{`"./store.json"`}},
	{"keyValueStore", 3, []string{`"./store.json"`}},
	{"unknown", 5, []string{"1"}},
}

var storageValues = map[string][]string{
	"dataset":        {`"./dataset.json"`, someDataset, "{}"},
	"keyValueStore":  {`"./store.json"`, someStore, "{}"},
	"requestQueue":   {`"x"`},
	"keyValueStores": {`{"default":"./store.json"}`, `{}`},
	"other":          {`{}`},
	"datasets": {
		`{"default":"./dataset.json"}`, `{"default":` + someDataset + `,"a_1":"./dataset.json"}`, `{"a":"./dataset.json"}`,
		`{"default":"./dataset.json","1a":"./dataset.json"}`, `{"default":"./dataset.json","a-b":"./dataset.json"}`, `{"default":{}}`,
		`{"default":"./dataset.json","a":"./dataset.json","b":"./dataset.json","c":"./dataset.json","d":"./dataset.json","e":"./dataset.json","f":"./dataset.json","g":"./dataset.json","h":"./dataset.json","i":"./dataset.json"}`,
		`{"default":"./dataset.json","a":"./dataset.json","b":"./dataset.json","c":"./dataset.json","d":"./dataset.json","e":"./dataset.json","f":"./dataset.json","g":"./dataset.json","h":"./dataset.json","i":"./dataset.json","j":"./dataset.json"}`,
	},
}

// value gives a field's value: mostly the first of its values, now and then junk.
func (g *generator) value(values []string) string {
	switch n := g.rand.IntN(100); {
	case n < 2:
		return g.pick(junk...)
	case n < 70:
		return values[0]
	default:
		return g.pick(values...)
	}
}

func (g *generator) definition() []byte {
	var members []string
	for _, field := range values {
		if g.rand.IntN(100) < field.chance {
			members = append(members, fmt.Sprintf("%q:%s", field.name, g.value(field.values)))
		}
	}
	if g.rand.IntN(100) < 40 {
		members = append(members, `"storages":`+g.storages())
	}
	g.rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return []byte("{" + strings.Join(members, ",") + "}")
}

func (g *generator) storages() string {
	if g.rand.IntN(50) == 0 {
		return g.pick(junk...)
	}
	var members []string
	for _, name := range []string{"dataset", "datasets", "keyValueStore", "requestQueue", "keyValueStores", "other"} {
		chance := map[string]int{"dataset": 30, "datasets": 30, "keyValueStore": 50}[name]
		if g.rand.IntN(100) < max(chance, 3) {
			members = append(members, fmt.Sprintf("%q:%s", name, g.value(storageValues[name])))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}
