// Package store says what Greenroom keeps and what it promises about it:
// datasets, key-value stores, request queues, and the records of runs, builds
// and Actors with their logs. It holds interfaces only; localdir implements
// them on the folder people know, and the suite in storetest is what every
// implementation must pass.
//
// Promises of every implementation:
//   - A call that returned nil error has happened and survives the death of any
//     process. Nothing is ever half-visible.
//   - Any number of goroutines may use everything here at once; several
//     processes may share one Root.
//   - Names, keys and ids from outside never become file names unescaped.
//   - Missing things give a fault.NotFound error whose message names them.
//   - All methods honour ctx between steps; they do not leave partial effects.
package store

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Root is everything one platform keeps.
type Root interface {
	Datasets() Collection[Dataset]
	KeyValueStores() Collection[KeyValueStore]
	RequestQueues() Collection[RequestQueue]
	Runs() Records[api.Run]
	Builds() Records[api.Build]
	// Objects gives the records of a kind, which is a lower-case word or several
	// with hyphens, such as "run". RecordsOf makes Records of them.
	Objects(kind string) Objects
	// Logs are keyed by the id of their run or build.
	Logs() Logs
	// Secret gives 32 random bytes that nobody else knows. They were made when
	// the name, a lower-case word, was first asked for, and stay the same as long
	// as the root exists.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Close flushes what is only cached (access times, counts that can be
	// recomputed) and releases the root.
	Close() error
}

// Collection is all storages of one kind.
type Collection[S any] interface {
	// Open finds a storage by id or by name. "default" names the default
	// storage of a Root that has one.
	Open(ctx context.Context, idOrName string) (S, error)
	// Create makes a storage, or finds the one that has the name already (then
	// created is false). An empty name makes an unnamed storage. A name that
	// breaks the rules is fault.InvalidRequest.
	Create(ctx context.Context, opts CreateOptions) (s S, created bool, err error)
	// List gives the storages' metadata ordered by creation time.
	List(ctx context.Context, opts ListOptions) (ListPage, error)
}

// CreateOptions describe a storage to be created.
type CreateOptions struct {
	Name    string
	ID      string // "" lets the store choose; used for a run's default storages
	ActorID string
	RunID   string
	Schema  json.RawMessage
}

// ListOptions select a page of a listing. Limit 0 means no limit.
type ListOptions struct {
	Offset, Limit int
	Desc          bool
	Unnamed       bool // include unnamed storages too
}

// ListPage is a page of a listing of storages. Total counts all that match.
type ListPage struct {
	Total int
	Items []Info
}

// Info is what all storages have in common.
type Info struct {
	ID         string
	Name       string // empty for unnamed and default storages
	ActorID    string
	RunID      string
	CreatedAt  time.Time
	ModifiedAt time.Time
	AccessedAt time.Time
	Schema     json.RawMessage
	// Access is the general access that the storage was given, "" when none was.
	Access string
	Stats  Stats

	// Dataset; clean items are those with a field that is not hidden.
	ItemCount      int
	CleanItemCount int
	// RequestQueue
	TotalRequests      int
	HandledRequests    int
	HadMultipleClients bool
}

// Stats tell how much a storage was used since it was created. Reads and writes
// are of items, records and requests, one each. They are counted in memory and
// kept now and then: what a process counted last before it was killed is lost.
type Stats struct {
	Reads, Writes, Deletes int
	Lists                  int // pages of keys
	HeadReads              int // requests of a queue's head
	// Bytes is what the content takes, -1 where that is not known.
	Bytes int64
}

// Storage is what every kind of storage can do.
type Storage interface {
	// ID never changes while the storage lives.
	ID() string
	Info(ctx context.Context) (Info, error)
	// Schema gives the schema that the storage was created with or given last,
	// nil when it has none. It looks at memory only: every write asks for it.
	Schema() json.RawMessage
	// SetSchema replaces the schema; nil takes it away.
	SetSchema(ctx context.Context, schema json.RawMessage) error
	// SetAccess gives the storage a general access, which the store keeps and
	// does not heed.
	SetAccess(ctx context.Context, access string) error
	// Rename gives the storage a name; "" takes it away. A taken name is
	// fault.Conflict.
	Rename(ctx context.Context, name string) error
	// Delete removes the storage with all it holds.
	Delete(ctx context.Context) error
}

// Dataset is an append-only list of JSON objects.
type Dataset interface {
	Storage
	// Append adds the items in order, all or none. Each must be a JSON object.
	// No two appends, of whatever process, interleave or share a number.
	Append(ctx context.Context, items []json.RawMessage) error
	// Items yields the stored items from offset on (from the end when desc),
	// at most limit of them when limit is not negative. Each is compact or
	// indented JSON as stored; the bytes are valid until the next step.
	Items(ctx context.Context, offset, limit int, desc bool) iter.Seq2[json.RawMessage, error]
	// Statistics tell what is in the items' fields.
	Statistics(ctx context.Context) (Statistics, error)
}

// Statistics of a dataset: its top-level fields in the order in which they first
// appeared, up to a limit of some thousands.
type Statistics struct {
	Items  int
	Fields []FieldStatistics
}

// FieldStatistics tell what the items have in a field. Min and Max are of
// numbers, of the lengths of strings and arrays, of the sizes of objects and of
// booleans as 0 and 1; nil when there was none of these.
type FieldStatistics struct {
	Name     string
	Min, Max *float64
	Nulls    int // items in which it is null
	Empty    int // items without it
}

// RecordInfo describes a record of a key-value store. Size is in bytes.
type RecordInfo struct {
	Key         string
	ContentType string
	Size        int64 // of the content, decompressed
	ModifiedAt  time.Time
	// Encoding is how the content is compressed, as in Content-Encoding; "" when
	// it is not. Stored is then the size of what is compressed.
	Encoding string
	Stored   int64
}

// Record is an open record; the caller closes Body, which is compressed where
// there is an Encoding.
type Record struct {
	RecordInfo
	Body io.ReadSeekCloser
}

// KeyValueStore maps keys to bytes with a content type.
type KeyValueStore interface {
	Storage
	// Put stores what r gives until EOF under key, replacing what was there in
	// one step. A failing r leaves what was there. The content type is kept
	// byte for byte; an empty one counts as application/octet-stream. A key
	// that breaks the rules (api.md: 1-256 of a-zA-Z0-9!-_.'()) is
	// fault.InvalidRequest with type invalid-record-key.
	Put(ctx context.Context, key, contentType string, r io.Reader) (RecordInfo, error)
	Get(ctx context.Context, key string) (*Record, error)
	Stat(ctx context.Context, key string) (RecordInfo, error)
	// DeleteRecord removes a record; a missing one is not an error.
	DeleteRecord(ctx context.Context, key string) error
	// Keys lists records in the byte order of their keys.
	Keys(ctx context.Context, opts KeysOptions) (KeysPage, error)
}

// Compressing is what key-value stores can do, besides, that keep contents
// compressed as they came. Others are given what these come to.
type Compressing interface {
	// PutCompressed is Put of a content that is compressed.
	PutCompressed(ctx context.Context, key, contentType string, c Compressed) (RecordInfo, error)
}

// Compressed is a content that is compressed.
type Compressed struct {
	Encoding string
	// Reader gives the compressed content. It fails at its end at the latest if
	// that is not what Encoding says.
	io.Reader
	// Size is the size of the content decompressed. It is asked for after the
	// end of Reader.
	Size func() int64
}

// KeysOptions select a page of keys. Limit 0 means no limit.
type KeysOptions struct {
	ExclusiveStartKey string
	Prefix            string
	Limit             int
}

// KeysPage is a page of keys. More says that others follow the last one.
type KeysPage struct {
	Items []RecordInfo
	More  bool
}

// Request is an entry of a request queue. The fields are copies of what JSON
// holds; JSON is the whole request as the client sent it, unknown fields
// included, without lock state.
type Request struct {
	ID         string
	UniqueKey  string
	URL        string
	Method     string
	RetryCount int
	HandledAt  *time.Time
	JSON       json.RawMessage
}

// Client says who touches a queue. Locks belong to a ClientKey or, where RunID
// is set, to the run.
type Client struct {
	Key   string
	RunID string
}

// Registration tells what an add or update found.
type Registration struct {
	ID                string
	UniqueKey         string
	WasAlreadyPresent bool
	WasAlreadyHandled bool // before an update
}

// HeadItem is an entry of a queue's head.
type HeadItem struct {
	ID            string
	UniqueKey     string
	URL           string
	Method        string
	RetryCount    int
	LockExpiresAt time.Time // zero when not locked for the caller
}

// Head is the front of a queue.
type Head struct {
	ModifiedAt         time.Time
	HadMultipleClients bool
	HasLocked          bool // anyone holds a lock, counting those just handed out
	Items              []HeadItem
}

// RequestsPage is a page of requests in id order; NextID is the exclusive start
// of the next page, "" on the last.
type RequestsPage struct {
	Items  []Request
	NextID string
}

// RequestsFilter narrows a listing; the two are a union, none means all.
type RequestsFilter struct {
	Locked, Pending bool
}

// RequestQueue is a deduplicated queue of requests with locks. Request ids come
// from RequestID.
type RequestQueue interface {
	Storage
	// Add adds what is not there yet; requests with HandledAt count as handled.
	Add(ctx context.Context, reqs []Request, forefront bool, c Client) ([]Registration, error)
	Request(ctx context.Context, id string) (Request, error)
	// Update replaces a request, or adds it when missing. Setting HandledAt
	// takes it off the queue; otherwise it moves to the front or the back. Both
	// end its lock: the Python SDK relies on that, and the JavaScript SDK's
	// following lock deletion finds nothing left to do.
	Update(ctx context.Context, req Request, forefront bool, c Client) (Registration, error)
	// DeleteRequest removes a request; missing is fault.NotFound; locked by
	// another client is fault.Forbidden.
	DeleteRequest(ctx context.Context, id string, c Client) error
	// Head lists unhandled requests in order, those in progress included.
	Head(ctx context.Context, limit int, c Client) (Head, error)
	// Lock hands out up to limit requests nobody holds, atomically.
	Lock(ctx context.Context, limit int, d time.Duration, c Client) (Head, error)
	// Prolong moves the expiry of a lock held by c (or by nobody) to now+d.
	Prolong(ctx context.Context, id string, d time.Duration, forefront bool, c Client) (time.Time, error)
	// Release gives up a lock. A request nobody holds is not an error; one that
	// another client holds is fault.Forbidden, a missing one fault.NotFound.
	Release(ctx context.Context, id string, forefront bool, c Client) error
	// Unlock releases all locks of the client key and of the run, and counts them.
	Unlock(ctx context.Context, c Client) (int, error)
	Requests(ctx context.Context, exclusiveStartID string, limit int, f RequestsFilter) (RequestsPage, error)
}

// Logs keeps one append-only log per run or build.
type Logs interface {
	// Append adds p to the log of id, creating it.
	Append(ctx context.Context, id string, p []byte) error
	// Open reads the log of id from the given byte offset to its present end.
	// A log nobody appended to reads as empty.
	Open(ctx context.Context, id string, offset int64) (io.ReadCloser, error)
	// Cut leaves of the log of id only the bytes from one offset to another, in
	// one step. Offsets behind its end are its end. One process at a time may
	// write a log that is cut.
	Cut(ctx context.Context, id string, from, to int64) error
	Delete(ctx context.Context, id string) error
}
