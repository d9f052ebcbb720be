package localdir

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
)

// ticks count time in 1/1024 of a millisecond since 1970. A request's place in
// the queue is a number of them: as milliseconds it is what the JavaScript SDK
// reads and writes, the fraction keeps requests of one millisecond in order,
// and a power of two is exact in its floating-point numbers.
type ticks int64

const perMillisecond = 1024

func ticksOf(t time.Time) ticks { return ticks(t.UnixMicro() * perMillisecond / 1000) }

func (t ticks) time() time.Time {
	return time.UnixMicro(int64(math.Ceil(float64(t) * 1000 / perMillisecond))).UTC()
}

// abs is the moment of a place, whichever end of the queue it is counted from.
func (t ticks) abs() ticks {
	if t < 0 {
		return -t
	}
	return t
}

// requestFile is a request's file as the JavaScript SDK has it. OrderNo is null
// once handled, negative at the front, and in the future while locked.
type requestFile struct {
	ID         string   `json:"id"`
	JSON       string   `json:"json"`
	Method     string   `json:"method"`
	OrderNo    *float64 `json:"orderNo"`
	RetryCount int      `json:"retryCount"`
	UniqueKey  string   `json:"uniqueKey"`
	URL        string   `json:"url"`
}

// place is OrderNo in ticks; handled requests have none.
func (f *requestFile) place() (t ticks, handled bool) {
	if f.OrderNo == nil || *f.OrderNo == 0 {
		return 0, true
	}
	return ticks(math.Round(*f.OrderNo * perMillisecond)), false
}

func (f *requestFile) setPlace(t ticks) {
	ms := float64(t) / perMillisecond
	f.OrderNo = &ms
}

// readRequestFile understands a file of a queue's folder. Those of other
// programs, such as the Python SDK's, give false.
func readRequestFile(name string, data []byte) (requestFile, bool) {
	var f requestFile
	if json.Unmarshal(data, &f) != nil || f.JSON == "" || f.ID+".json" != name || !json.Valid([]byte(f.JSON)) {
		return requestFile{}, false
	}
	return f, true
}

// bytes renders the file.
func (f *requestFile) bytes() []byte {
	var b bytes.Buffer
	b.Grow(len(f.JSON)*5/4 + 512)
	put := func(separator, name string, v any) {
		b.WriteString(separator + "\n\t\"" + name + "\": ")
		writeJSON(&b, v)
	}
	put("{", "id", f.ID)
	put(",", "json", f.JSON)
	put(",", "method", f.Method)
	b.WriteString(",\n\t\"orderNo\": ")
	if f.OrderNo == nil {
		b.WriteString("null")
	} else {
		b.WriteString(strconv.FormatFloat(*f.OrderNo, 'f', -1, 64))
	}
	put(",", "retryCount", f.RetryCount)
	put(",", "uniqueKey", f.UniqueKey)
	put(",", "url", f.URL)
	b.WriteString("\n}")
	return b.Bytes()
}

// writeJSON writes v without escaping what HTML would need escaped.
func writeJSON(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if e.Encode(v) == nil {
		b.Truncate(b.Len() - 1) // the encoder ends each value with a line feed
	}
}

// fileOf makes the file of a request from outside, its place not yet set. What
// the client sent stays as it is; id and handling time are added if missing,
// since readers of the request expect them in it.
func fileOf(r store.Request, id string) (requestFile, bool) {
	sent := bytes.TrimSpace(r.JSON)
	if len(sent) == 0 {
		sent = []byte("{}")
	}
	var compact bytes.Buffer
	if sent[0] != '{' || json.Compact(&compact, sent) != nil {
		return requestFile{}, false
	}
	var has struct {
		ID        *string `json:"id"`
		URL       *string `json:"url"`
		UniqueKey *string `json:"uniqueKey"`
		HandledAt *string `json:"handledAt"`
	}
	if json.Unmarshal(compact.Bytes(), &has) != nil {
		return requestFile{}, false
	}
	add := func(missing bool, name string, v any) {
		if !missing {
			return
		}
		compact.Truncate(compact.Len() - 1)
		if compact.Len() > 1 {
			compact.WriteByte(',')
		}
		compact.WriteString(`"` + name + `":`)
		writeJSON(&compact, v)
		compact.WriteByte('}')
	}
	add(has.UniqueKey == nil, "uniqueKey", r.UniqueKey)
	add(has.URL == nil && r.URL != "", "url", r.URL)
	add(has.ID == nil, "id", id)
	if r.HandledAt != nil {
		add(has.HandledAt == nil, "handledAt", api.TimeOf(*r.HandledAt))
	}
	f := requestFile{ID: id, JSON: compact.String(), Method: r.Method, RetryCount: r.RetryCount, UniqueKey: r.UniqueKey, URL: r.URL}
	if f.Method == "" {
		f.Method = "GET"
	}
	return f, true
}

// request gives a stored request as the interface has it.
func (f *requestFile) request() store.Request {
	r := store.Request{
		ID: f.ID, UniqueKey: f.UniqueKey, URL: f.URL, Method: f.Method, RetryCount: f.RetryCount,
		JSON: json.RawMessage(f.JSON),
	}
	if _, handled := f.place(); handled {
		var has struct {
			HandledAt string `json:"handledAt"`
		}
		json.Unmarshal(r.JSON, &has)
		at, _ := api.ParseTime(has.HandledAt)
		r.HandledAt = &at
	}
	return r
}

// validRequestID reports whether an id may be part of a file name.
func validRequestID(id string) bool {
	return id != "" && len(id) <= 64 && !reservedOnWindows(id) &&
		strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}
