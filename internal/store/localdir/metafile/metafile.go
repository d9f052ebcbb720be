// Package metafile reads and writes the file beside the content of a storage
// that tells about it, as the official SDKs have it.
package metafile

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Name is the name of the file.
const Name = "__metadata__.json"

// DefaultFolder is the folder of a default storage.
const DefaultFolder = "default"

// The folders of the kinds whose counts the file tells.
const (
	Datasets      = "datasets"
	RequestQueues = "request_queues"
)

// Metadata are the content of a storage's metadata file. It is written in
// camelCase, which all SDKs read; the snake_case of the Python SDK is read too.
type Metadata struct {
	Info store.Info
	// CleanOf is how many items the number of clean ones is of.
	CleanOf int
	// Others are fields of other programs, kept as they are.
	Others map[string]json.RawMessage
}

// Read understands a metadata file; one that is broken or of another
// shape gives false, and counts as absent.
func Read(data []byte, folder string) (Metadata, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		return Metadata{}, false
	}
	take := func(name string, into any) bool {
		found := false
		for _, n := range []string{name, snake(name)} {
			raw, ok := fields[n]
			delete(fields, n)
			if ok && !found && string(raw) != "null" {
				found = json.Unmarshal(raw, into) == nil
			}
		}
		return found
	}
	moment := func(name string) time.Time {
		var t api.Time
		take(name, &t)
		return t.Time
	}
	m := Metadata{Others: fields}
	i := &m.Info
	take("id", &i.ID)
	take("name", &i.Name)
	take("storageId", &i.ID)
	take("actId", &i.ActorID)
	take("actRunId", &i.RunID)
	var schema json.RawMessage
	take("schema", &schema)
	i.Schema, _ = store.CompactSchema(schema) // it was read as JSON
	i.CreatedAt, i.ModifiedAt, i.AccessedAt = moment("createdAt"), moment("modifiedAt"), moment("accessedAt")
	take("generalAccess", &i.Access)
	var stats api.StorageStats
	take("stats", &stats)
	i.Stats = store.Stats{
		Reads: stats.ReadCount, Writes: stats.WriteCount, Deletes: orZero(stats.DeleteCount),
		Lists: orZero(stats.ListCount), HeadReads: orZero(stats.HeadItemReadCount),
	}
	take("itemCount", &i.ItemCount)
	take("totalRequestCount", &i.TotalRequests)
	take("handledRequestCount", &i.HandledRequests)
	take("pendingRequestCount", new(int)) // total minus handled
	take("hadMultipleClients", &i.HadMultipleClients)
	if take("cleanItemCount", &i.CleanItemCount) {
		m.CleanOf = i.ItemCount
	}
	if IsDefault(folder) {
		// The JavaScript SDK calls the default storage "default".
		i.Name = ""
	}
	if i.ID == "" || i.ID == DefaultFolder {
		return m, false
	}
	return m, true
}

// Bytes renders the metadata file of a storage in the folder; kind is the folder
// of its kind.
//
// The JavaScript SDK takes a storage's folder from its name, or from its id
// when it has none; the Python SDK purges what has no name. Hence the default
// storage says that its id is its folder, and keeps the real one beside it.
func (m Metadata) Bytes(kind, folder string) []byte {
	i := m.Info
	var out bytes.Buffer
	out.WriteByte('{')
	put := func(name string, v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			return // a broken RawMessage of another program
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.WriteString("\n\t\"" + name + "\": ")
		out.Write(raw)
	}
	if IsDefault(folder) {
		put("id", DefaultFolder)
		put("storageId", i.ID)
	} else {
		put("id", i.ID)
	}
	if i.Name == "" {
		put("name", nil)
	} else {
		put("name", i.Name)
	}
	if i.ActorID != "" {
		put("actId", i.ActorID)
	}
	if i.RunID != "" {
		put("actRunId", i.RunID)
	}
	put("createdAt", api.TimeOf(i.CreatedAt))
	put("modifiedAt", api.TimeOf(i.ModifiedAt))
	put("accessedAt", api.TimeOf(i.AccessedAt))
	switch kind {
	case Datasets:
		put("itemCount", i.ItemCount)
		if m.CleanOf == i.ItemCount {
			put("cleanItemCount", i.CleanItemCount)
		}
	case RequestQueues:
		put("totalRequestCount", i.TotalRequests)
		put("handledRequestCount", i.HandledRequests)
		put("pendingRequestCount", i.TotalRequests-i.HandledRequests)
		put("hadMultipleClients", i.HadMultipleClients)
	}
	if i.Access != "" {
		put("generalAccess", i.Access)
	}
	if st := i.Stats; st != (store.Stats{}) {
		put("stats", api.StorageStats{
			ReadCount: st.Reads, WriteCount: st.Writes, DeleteCount: &st.Deletes, ListCount: &st.Lists, HeadItemReadCount: &st.HeadReads,
		})
	}
	if schema, err := store.CompactSchema(i.Schema); err == nil && schema != nil {
		// As it is, so that it can be compared with what it is to be: Marshal
		// would escape some of its characters.
		out.WriteString(",\n\t\"schema\": ")
		out.Write(schema)
	}
	for name, raw := range m.Others {
		quoted, _ := json.Marshal(name)
		put(strings.Trim(string(quoted), `"`), raw)
	}
	out.WriteString("\n}")
	return out.Bytes()
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// snake gives the Python SDK's spelling of a field.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// IsDefault reports whether a folder is that of the default storage.
func IsDefault(folder string) bool { return strings.EqualFold(folder, DefaultFolder) }
