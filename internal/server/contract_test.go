package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// contract is the API's OpenAPI document (without prose), against which every
// answer that the tests get is validated.
type contract struct {
	compiler *jsonschema.Compiler
	paths    map[string]map[string]struct {
		Responses map[string]map[string]json.RawMessage `json:"responses"`
	}
	components struct {
		Responses map[string]json.RawMessage `json:"responses"`
	}

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema
	// seen counts answers by "METHOD path status".
	seen map[string]int
}

const documentURL = "mem:///openapi.json"

// theContract is loaded once, and collects what all tests saw.
var theContract = sync.OnceValue(func() *contract {
	text, err := os.ReadFile("testdata/openapi.json")
	if err != nil {
		panic(err)
	}
	k := &contract{compiled: map[string]*jsonschema.Schema{}, seen: map[string]int{}}
	document := struct {
		Paths      any `json:"paths"`
		Components any `json:"components"`
	}{&k.paths, &k.components}
	if err := json.Unmarshal(text, &document); err != nil {
		panic(err)
	}
	k.compiler = jsonschema.NewCompiler()
	k.compiler.Draft = jsonschema.Draft2020
	k.compiler.AssertFormat = true
	if err := k.compiler.AddResource(documentURL, bytes.NewReader(text)); err != nil {
		panic(err)
	}
	return k
})

// TestMain checks, after all tests, that they had every served operation answer
// as the document says it can.
func TestMain(m *testing.M) {
	status := m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" &&
		flag.Lookup("test.fuzz").Value.String() == "" && !testing.Short()
	if all && runtime.GOOS != "windows" {
		report, faults := theContract().coverage()
		for _, fault := range faults {
			fmt.Fprintln(os.Stderr, fault)
			status = 1
		}
		if testing.Verbose() {
			fmt.Fprintln(os.Stderr, report)
		}
	}
	os.Exit(status)
}

// impossible are statuses that the document lists for operations and that do
// not occur here, by status or by operation and status, with the reason. An
// operation of a run's or a last run's storage stands for the same one of a
// storage by its id, and is not listed.
var impossible = map[string]string{
	"302": "records come from this server itself, so there is nowhere to be sent to",
	"402": "nothing costs money here",
	"405": "a method that the document lists is served",
	"429": "there is no limit to how often anything is asked for",
}

// strict reports whether every documented status of an operation has to be seen:
// of storages, logs, users and tools. The others need a success and a failure.
func strict(path string) bool {
	for _, prefix := range []string{"/v2/datasets", "/v2/key-value-stores", "/v2/request-queues", "/v2/logs", "/v2/users", "/v2/tools", "/v2/browser-info"} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return true
		}
	}
	return strings.Contains(path, "/dataset") || strings.Contains(path, "/key-value-store") || strings.Contains(path, "/request-queue")
}

// coverage says how much of the document the tests have seen, and what is
// missing: statuses that were not seen, and entries of the table that are wrong.
func (k *contract) coverage() (report string, faults []string) {
	s := &server{mux: http.NewServeMux()}
	used := map[string]bool{}
	operations, documented, seen, excused := 0, 0, 0, 0
	for _, r := range s.routes() {
		name := k.match(r.path)
		operation, known := k.paths[name][strings.ToLower(r.method)]
		if r.handle == nil || !known {
			continue
		}
		operations++
		if !strict(name) {
			for _, class := range []string{"2", "4"} {
				if !k.saw(r.method+" "+name+" ", class) {
					faults = append(faults, fmt.Sprintf("no test exercises a %sxx of %s %s", class, r.method, name))
				}
			}
			continue
		}
		for status := range operation.Responses {
			documented++
			one := r.method + " " + name + " " + status
			entry := status
			if impossible[entry] == "" {
				entry = one
			}
			was := k.seen[one] > 0
			switch reason := impossible[entry]; {
			case was && reason != "":
				faults = append(faults, fmt.Sprintf("%s occurs, although the table says that it cannot: %s", one, reason))
			case was:
				seen++
			case reason != "":
				excused++
				used[entry] = true
			default:
				faults = append(faults, "no test exercises "+one)
			}
		}
	}
	for entry, reason := range impossible {
		if reason == "" {
			faults = append(faults, fmt.Sprintf("the table gives no reason for %s", entry))
		} else if !used[entry] {
			faults = append(faults, fmt.Sprintf("the table has %s, which no served operation has", entry))
		}
	}
	slices.Sort(faults)
	return fmt.Sprintf("%d operations served; of %d documented statuses of storages, logs, users and tools, %d were seen and %d cannot occur",
		operations, documented, seen, excused), faults
}

func (k *contract) saw(operation, class string) bool {
	for seen := range k.seen {
		if status, ok := strings.CutPrefix(seen, operation); ok && strings.HasPrefix(status, class) {
			return true
		}
	}
	return false
}

// match finds the document's name of a path; "" for paths of our own.
func (k *contract) match(path string) string {
	path = strings.Replace(path, "/v2/acts", "/v2/actors", 1)
	segments := strings.Split(path, "/")
	best, literals := "", -1
	for name := range k.paths {
		parts := strings.Split(name, "/")
		if len(parts) != len(segments) {
			continue
		}
		n := 0
		for i, part := range parts {
			switch {
			case part == segments[i]:
				n++
			case !strings.HasPrefix(part, "{"):
				n = -1000
			}
		}
		if n > literals {
			best, literals = name, n
		}
	}
	return best
}

// undeclared are statuses that the server answers with although the document
// does not list them for the operation. Their bodies must be errors all the same.
var undeclared = []int{
	http.StatusUnauthorized,   // nothing is public here
	http.StatusNotImplemented, // an option or an operation that this server lacks
	http.StatusConflict,       // a name that is taken
	http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType,
}

// check validates one answer.
func (k *contract) check(method, path string, status int, contentType string, body []byte) error {
	name := k.match(path)
	if name == "" {
		return nil
	}
	operation, known := k.paths[name][strings.ToLower(method)]
	if !known {
		operation.Responses = nil
	}
	k.mu.Lock()
	k.seen[fmt.Sprintf("%s %s %d", method, name, status)]++
	k.mu.Unlock()
	response, declared := operation.Responses[fmt.Sprint(status)]
	pointer := "/paths/" + escapePointer(name) + "/" + strings.ToLower(method) + "/responses/" + fmt.Sprint(status)
	switch {
	case status == http.StatusPartialContent, status == http.StatusRequestedRangeNotSatisfiable, status == http.StatusNotModified:
		// what HTTP itself makes of a Range header or a condition
		return nil
	case method == http.MethodHead && !known:
		return nil
	case !declared && (!known || slices.Contains(undeclared, status)):
		return k.validate("/components/schemas/ErrorResponse", body)
	case !declared:
		return fmt.Errorf("status %d is not declared", status)
	}
	if ref := response["$ref"]; ref != nil {
		var target string
		if err := json.Unmarshal(ref, &target); err != nil {
			return err
		}
		pointer = strings.TrimPrefix(target, "#")
		if err := json.Unmarshal(k.components.Responses[pointer[strings.LastIndex(pointer, "/")+1:]], &response); err != nil {
			return err
		}
	}
	var content map[string]json.RawMessage
	if response["content"] != nil {
		if err := json.Unmarshal(response["content"], &content); err != nil {
			return err
		}
	}
	if method == http.MethodHead || status == http.StatusNoContent || len(content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("a body where none is declared: %.200s", body)
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("content type %q: %v", contentType, err)
	}
	// Records and outputs of runs have whatever type they were stored with.
	if strings.Contains(name, "/records/") && status == http.StatusOK || strings.HasSuffix(name, "/run-sync") && status == http.StatusCreated {
		return nil
	}
	if _, ok := content[mediaType]; !ok && !(strings.HasSuffix(name, "get-dataset-items") && status == http.StatusCreated) {
		return fmt.Errorf("content type %q is not declared", contentType)
	}
	// Of a task's items the document says that they are one object.
	if mediaType != "application/json" || strings.HasPrefix(name, "/v2/actor-tasks/") && strings.HasSuffix(name, "get-dataset-items") {
		return nil
	}
	return k.validate(pointer+"/content/"+escapePointer(mediaType)+"/schema", body)
}

func (k *contract) validate(pointer string, body []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	schema := k.compiled[pointer]
	if schema == nil {
		var err error
		if schema, err = k.compiler.Compile(documentURL + "#" + pointer); err != nil {
			return fmt.Errorf("compiling %s: %w", pointer, err)
		}
		k.compiled[pointer] = schema
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("the body is not JSON: %w: %.200q", err, body)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("%#v\n%s", err, body)
	}
	return nil
}

func escapePointer(part string) string {
	part = strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	return strings.NewReplacer("{", "%7B", "}", "%7D").Replace(part)
}

// validating wraps the client's transport: every answer is checked.
type validating struct {
	t        testing.TB
	contract *contract
	next     http.RoundTripper
}

func (v validating) RoundTrip(r *http.Request) (*http.Response, error) {
	method := r.Method
	if override := r.URL.Query().Get("method"); override != "" {
		method = strings.ToUpper(override)
	}
	resp, err := v.next.RoundTrip(r)
	if err != nil || r.Header.Get("Upgrade") != "" || r.URL.Query().Get("stream") != "" {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err := v.contract.check(method, r.URL.Path, resp.StatusCode, resp.Header.Get("Content-Type"), body); err != nil {
		v.t.Errorf("%s %s answered %d against the contract: %v", method, r.URL.Path, resp.StatusCode, err)
	}
	if resp.Header.Get("X-RateLimit-Limit") == "" && strings.HasPrefix(r.URL.Path, "/v2/") {
		v.t.Errorf("%s %s: no X-RateLimit-Limit", method, r.URL.Path)
	}
	return resp, nil
}
