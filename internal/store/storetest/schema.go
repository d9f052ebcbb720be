package storetest

import (
	"encoding/json"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// testSchema tests that a storage keeps the schema that it has.
func testSchema[S store.Storage](t *testing.T, open opener, of func(store.Root) store.Collection[S]) {
	has := func(t *testing.T, s S, want string) {
		t.Helper()
		wantEqual(t, "schema", string(s.Schema()), want)
		wantEqual(t, "schema in the metadata", string(info(t, s).Schema), want)
	}
	// Characters that encoders like to escape must stay what they are.
	const first, second = `{"title":"a <b> & c","n":1.50}`, `{"title":"é\u2028"}`
	t.Run("Created", func(t *testing.T) {
		p := newPlace(t, open)
		s, _, err := of(p).Create(t.Context(), store.CreateOptions{Name: "with-schema", Schema: json.RawMessage("{ \"title\": \"a <b> & c\",\n\"n\": 1.50 }")})
		must(t, "create", err)
		has(t, s, first)
		has(t, create(t, of(p), "without"), "")
		again, _, err := of(p).Create(t.Context(), store.CreateOptions{Name: "with-schema", Schema: json.RawMessage(second)})
		must(t, "create again", err)
		has(t, again, first) // only SetSchema replaces it
		p.reopen()
		has(t, openStorage(t, of(p), s.ID()), first)
		has(t, openStorage(t, of(p), "without"), "")
	})
	t.Run("Replaced", func(t *testing.T) {
		p := newPlace(t, open)
		s := create(t, of(p), "s")
		for _, schema := range []string{first, second, second, "", first, ""} {
			must(t, "set "+schema, s.SetSchema(t.Context(), json.RawMessage(schema)))
			has(t, s, schema)
			has(t, openStorage(t, of(p.another()), "s"), schema)
		}
		p.reopen()
		has(t, openStorage(t, of(p), "s"), "")
	})
	t.Run("Default", func(t *testing.T) {
		p := newPlace(t, open)
		if open.has(NoDefault) {
			_, err := of(p).Open(t.Context(), "default")
			wantCode(t, "open the default storage", err, fault.NotFound)
			return
		}
		s := openStorage(t, of(p), "default")
		must(t, "take away what is not there", s.SetSchema(t.Context(), nil))
		must(t, "set", s.SetSchema(t.Context(), json.RawMessage(first)))
		p.reopen()
		s = openStorage(t, of(p), "default")
		has(t, s, first)
		must(t, "take away", s.SetSchema(t.Context(), nil))
		p.reopen()
		has(t, openStorage(t, of(p), "default"), "")
	})
	t.Run("Refused", func(t *testing.T) {
		p := newPlace(t, open)
		_, _, err := of(p).Create(t.Context(), store.CreateOptions{Name: "s", Schema: json.RawMessage(`{`)})
		wantCode(t, "create with what is no JSON", err, fault.InvalidRequest)
		s := create(t, of(p), "s")
		wantCode(t, "set what is no JSON", s.SetSchema(t.Context(), json.RawMessage(`[1`)), fault.InvalidRequest)
		if err := s.SetSchema(cancelled(t), json.RawMessage(first)); err == nil {
			t.Error("set after the context was cancelled")
		}
		must(t, "delete", s.Delete(t.Context()))
		wantCode(t, "set after deletion", s.SetSchema(t.Context(), json.RawMessage(first)), fault.NotFound)
	})
}
