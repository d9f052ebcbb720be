package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// rejecting is an API that rejects every push with that error.data.
func rejecting(t *testing.T, data string) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"type":"schema-validation-error","message":"Schema validation failed","data":` + data + `}}`))
	}))
	t.Cleanup(s.Close)
	c, err := New(Options{BaseURL: s.URL, Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPushSaysWhatIsWrong(t *testing.T) {
	const data = `{"invalidItems":[
		{"itemPosition":0,"validationErrors":[
			{"instancePath":"","keyword":"required","params":{"missingProperty":"name"},"message":"must have required property 'name'"},
			{"instancePath":"/sizes/1/a~1b","keyword":"type","params":{"type":"integer"},"message":"must be integer"}]},
		{"itemPosition":7,"validationErrors":[
			{"instancePath":"/unit","keyword":"enum","params":{"allowedValues":["g","kg",1]},"message":"must be equal to one of the allowed values"},
			{"instancePath":"/v","keyword":"const","params":{"allowedValue":2},"message":"must be equal to constant"},
			{"instancePath":"","keyword":"additionalProperties","params":{"additionalProperty":"x y"},"message":"must NOT have additional properties"}]}]}`
	_, err := rejecting(t, data).Dataset("d").Push(t.Context(), []json.RawMessage{[]byte(`{}`)})
	const want = `schema validation failed, and no item was stored:
  item 1: must have required property 'name'
  item 1: sizes.1.a/b must be integer
  item 8: unit must be equal to one of the allowed values: "g", "kg", 1
  item 8: v must be equal to constant: 2
  item 8: must NOT have additional properties such as "x y"`
	var e *fault.Error
	if !errors.As(err, &e) || e.Error() != want {
		t.Fatalf("got  %v\nwant %s", err, want)
	}
	if e.Code != fault.InvalidInput || e.Type != "schema-validation-error" || e.Data == nil {
		t.Errorf("got %+v", e)
	}
}

// However much is wrong, the error says it is the schema, and lists the first.
func TestPushSaysWhatIsWrongWithMany(t *testing.T) {
	one := `{"itemPosition":1,"validationErrors":[{"instancePath":"/a","message":"must be string"}]}`
	data := `{"invalidItems":[` + strings.Repeat(one+",", 10_000) + one + `]}`
	_, err := rejecting(t, data).Dataset("d").Push(t.Context(), []json.RawMessage{[]byte(`{}`)})
	if !fault.Is(err, fault.InvalidInput) || !strings.HasSuffix(err.Error(), "\n  item 2: a must be string\n  and 9981 more") {
		t.Errorf("got %v", err)
	}
}

// What another API says about it is shown as it comes.
func TestPushSaysWhatItGets(t *testing.T) {
	for _, data := range []string{`{}`, `{"invalidItems":[]}`, `{"invalidItems":{"4":["name is required"]}}`} {
		_, err := rejecting(t, data).Dataset("d").Push(t.Context(), []json.RawMessage{[]byte(`{}`)})
		if !fault.Is(err, fault.InvalidInput) || err.Error() != "Schema validation failed" {
			t.Errorf("%s: got %v", data, err)
		}
	}
}
