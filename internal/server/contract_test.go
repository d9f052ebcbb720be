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
// with success and with failure.
func TestMain(m *testing.M) {
	status := m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" &&
		flag.Lookup("test.fuzz").Value.String() == "" && !testing.Short()
	if all && runtime.GOOS != "windows" {
		for _, missing := range theContract().unexercised() {
			fmt.Fprintln(os.Stderr, "no test exercises", missing)
			status = 1
		}
	}
	os.Exit(status)
}

// unexercised lists the operations of the document that are served and that no
// test got the named kind of answer from.
func (k *contract) unexercised() []string {
	s := &server{mux: http.NewServeMux()}
	var missing []string
	for _, r := range s.routes() {
		name := k.match(r.path)
		if _, known := k.paths[name][strings.ToLower(r.method)]; r.handle == nil || !known {
			continue
		}
		var good, bad bool
		for seen := range k.seen {
			if status, ok := strings.CutPrefix(seen, r.method+" "+name+" "); ok {
				good = good || status[0] == '2'
				bad = bad || status[0] == '4'
			}
		}
		if !good {
			missing = append(missing, "the success of "+r.method+" "+name)
		}
		if !bad {
			missing = append(missing, "a failure of "+r.method+" "+name)
		}
	}
	return missing
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
	if mediaType != "application/json" {
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
