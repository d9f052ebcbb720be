// Package queue keeps the requests of one queue in the database, ordered, with
// locks that end by themselves.
//
// An unhandled request has a place, a number of nanoseconds: that of the moment
// when it was added, negative when it went to the front. A locked one has the
// moment when its lock ends for a place. So those that wait are the places
// between minus now and now, those that are locked are the ones outside, a lock
// that ends needs nobody to end it, and one index serves every operation,
// however many requests there are.
package queue

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/access"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Queue is the requests of one storage.
type Queue struct {
	db  *database.DB
	key int64  // of the storage
	id  string // of the storage, for messages
	use *access.Use

	mu     sync.Mutex
	client *string // the only client seen so far
	many   bool    // more than one was seen

	// The clock of places never goes back, whatever the system's does: it
	// starts where the last process left it.
	start  time.Time
	offset int64
	last   int64 // the last place given out
}

// Open gives the queue of a storage as the database has it.
func Open(ctx context.Context, db *database.DB, key int64, id string, use *access.Use) (*Queue, error) {
	q := &Queue{db: db, key: key, id: id, use: use, start: time.Now()}
	err := db.Get(ctx, "SELECT last_place, clients FROM storage WHERE key = ?", []any{key}, &q.last, &q.many)
	if err != nil {
		return nil, database.Failed(err, "read request queue %q", id)
	}
	q.offset = max(0, q.last-q.start.UnixNano())
	return q, nil
}

// now is the moment that parts those who wait from the locked ones.
func (q *Queue) now() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.nowLocked()
}

func (q *Queue) nowLocked() int64 {
	return max(q.last, q.start.Add(time.Since(q.start)).UnixNano()+q.offset)
}

// places gives n places in the order of the requests that get them.
func (q *Queue) places(n int, forefront bool) []int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	places := make([]int64, n)
	for i := range places {
		q.last = max(q.last+1, q.nowLocked())
		if forefront {
			places[n-1-i] = -q.last // so that the first comes first
		} else {
			places[i] = q.last
		}
	}
	return places
}

// time gives the moment of a place as the system's clock has it.
func (q *Queue) time(place int64) time.Time {
	if place < 0 {
		place = -place
	}
	return time.Unix(0, place-q.offset).UTC()
}

// meet notes who uses the queue. One that does not say who it is counts as
// another every time.
func (q *Queue) meet(ctx context.Context, c store.Client) error {
	q.mu.Lock()
	news := !q.many && q.client != nil && (*q.client != c.Key || c.Key == "")
	q.client = &c.Key
	q.many = q.many || news
	q.mu.Unlock()
	if !news {
		return nil
	}
	return q.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec("UPDATE storage SET clients = 1 WHERE key = ?", q.key)
		return err
	})
}

// Many reports whether more than one client has used the queue.
func (q *Queue) Many() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.many
}

func (q *Queue) missing() error {
	return fault.New(fault.NotFound, "request queue %q was not found", q.id)
}

func (q *Queue) noRequest(id string) error {
	return fault.New(fault.NotFound, "request %q was not found in request queue %q", id, q.id)
}

func held(id string) error {
	return fault.New(fault.Forbidden, "request %q is locked by another client", id).
		WithHint("wait until the lock expires, or use the client key that took it")
}

// errUnchanged ends a change that found nothing to do.
var errUnchanged = errors.New("nothing changed")

// delta is what a change adds to the counts of the queue.
type delta struct {
	total, handled int
	bytes          int // of the requests' JSON
	writes         int // to single requests, for the statistics
}

// change is a write to the queue: what it adds to the counts goes into the same
// transaction. With errUnchanged nothing is written.
func (q *Queue) change(ctx context.Context, f func(tx *database.Tx, now int64) (delta, error)) error {
	var d delta
	err := q.db.Write(ctx, func(tx *database.Tx) (err error) {
		d, err = f(tx, q.now())
		if err != nil {
			return err
		}
		q.mu.Lock()
		last := q.last
		q.mu.Unlock()
		at := time.Now().UnixNano()
		n, err := tx.Exec(`UPDATE storage SET total = total + ?, handled = handled + ?, bytes = bytes + ?,
			last_place = max(last_place, ?), modified_at = ?, accessed_at = ? WHERE key = ? AND deleted = 0`,
			d.total, d.handled, d.bytes, last, at, at, q.key)
		if err == nil && n == 0 {
			return q.missing()
		}
		return err
	})
	if errors.Is(err, errUnchanged) {
		return q.present(ctx)
	}
	if err == nil {
		q.use.Write(d.writes)
	}
	return q.told(err)
}

// told gives an error from below the words of this queue.
func (q *Queue) told(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return database.Failed(err, "write to request queue %q", q.id)
}

// present fails for a queue that was deleted.
func (q *Queue) present(ctx context.Context) error {
	var one int
	err := q.db.Get(ctx, "SELECT 1 FROM storage WHERE key = ? AND deleted = 0", []any{q.key}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return q.missing()
	}
	if err != nil {
		return database.Failed(err, "read request queue %q", q.id)
	}
	return nil
}

// validID reports whether an id from outside can be one of a request.
func validID(id string) bool {
	return id != "" && len(id) <= 64 &&
		strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// complete checks a request from outside and completes its id, method and JSON.
// What the client sent stays as it is; id and handling time are added if
// missing, since readers of the request expect them in it.
func complete(r store.Request) (store.Request, error) {
	if r.UniqueKey == "" {
		return r, fault.New(fault.InvalidRequest, "a request needs a uniqueKey")
	}
	if r.ID == "" {
		r.ID = store.RequestID(r.UniqueKey)
	}
	if !validID(r.ID) {
		return r, fault.New(fault.InvalidRequest, "%q cannot be the id of a request", r.ID)
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	sent := bytes.TrimSpace(r.JSON)
	if len(sent) == 0 {
		sent = []byte("{}")
	}
	var text bytes.Buffer
	var has struct {
		ID        *string `json:"id"`
		URL       *string `json:"url"`
		UniqueKey *string `json:"uniqueKey"`
		HandledAt *string `json:"handledAt"`
	}
	if sent[0] != '{' || json.Compact(&text, sent) != nil || json.Unmarshal(text.Bytes(), &has) != nil {
		return r, fault.New(fault.InvalidRequest, "request %q is not a JSON object", r.ID)
	}
	add := func(missing bool, name string, v any) {
		if !missing {
			return
		}
		text.Truncate(text.Len() - 1)
		if text.Len() > 1 {
			text.WriteByte(',')
		}
		text.WriteString(`"` + name + `":`)
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if e.Encode(v) == nil {
			text.Truncate(text.Len() - 1) // the encoder ends each value with a line feed
		}
		text.WriteByte('}')
	}
	add(has.UniqueKey == nil, "uniqueKey", r.UniqueKey)
	add(has.URL == nil && r.URL != "", "url", r.URL)
	add(has.ID == nil, "id", r.ID)
	if r.HandledAt != nil {
		add(has.HandledAt == nil, "handledAt", api.TimeOf(*r.HandledAt))
	}
	r.JSON = text.Bytes()
	return r, nil
}
