package localdir

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

const metadataFile = "__metadata__.json"

// metadata is the content of a storage's metadata file. It is written in
// camelCase, which all SDKs read; the snake_case of the Python SDK is read too.
type metadata struct {
	info store.Info
	// others are fields of other programs, kept as they are.
	others map[string]json.RawMessage
}

// readMetadata understands a metadata file; one that is broken or of another
// shape gives false, and counts as absent.
func readMetadata(data []byte, folder string) (metadata, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		return metadata{}, false
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
	m := metadata{others: fields}
	i := &m.info
	take("id", &i.ID)
	take("name", &i.Name)
	take("storageId", &i.ID)
	take("actId", &i.ActorID)
	take("actRunId", &i.RunID)
	var schema json.RawMessage
	take("schema", &schema)
	i.Schema, _ = compactSchema(schema) // it was read as JSON
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
	i.CleanItemCount = i.ItemCount
	if isDefault(folder) {
		// The JavaScript SDK calls the default storage "default".
		i.Name = ""
	}
	if i.ID == "" || i.ID == DefaultFolder {
		return m, false
	}
	return m, true
}

// bytes renders the metadata file of a storage in the folder.
//
// The JavaScript SDK takes a storage's folder from its name, or from its id
// when it has none; the Python SDK purges what has no name. Hence the default
// storage says that its id is its folder, and keeps the real one beside it.
func (m metadata) bytes(k kind, folder string) []byte {
	i := m.info
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
	if isDefault(folder) {
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
	switch k {
	case datasets:
		put("itemCount", i.ItemCount)
	case requestQueues:
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
	if schema, err := compactSchema(i.Schema); err == nil && schema != nil {
		// As it is, so that it can be compared with what it is to be: Marshal
		// would escape some of its characters.
		out.WriteString(",\n\t\"schema\": ")
		out.Write(schema)
	}
	for name, raw := range m.others {
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

func isDefault(folder string) bool { return strings.EqualFold(folder, DefaultFolder) }
