package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/export"
	datasetschema "github.com/greenroom-dev/greenroom/internal/schema/dataset"
	"github.com/greenroom-dev/greenroom/internal/store"
)

// unlimited is the limit that answers name when the caller gave none.
const unlimited = 999999999999

// writeItems answers with a dataset's items. The pagination headers count
// stored items, before any are unwound or dropped.
func (s *server) writeItems(c *call, dataset store.Dataset, status int) error {
	view, err := s.transformation(c, dataset)
	if err != nil {
		return err
	}
	o, err := c.exportOptions(view)
	if err != nil {
		return err
	}
	offset, limit, desc, err := c.itemRange(view)
	if err != nil {
		return err
	}
	attachment, err := c.boolean("attachment")
	if err != nil {
		return err
	}
	info, err := dataset.Info(c.ctx())
	if err != nil {
		return err
	}
	if o.Format == export.RSS {
		c.feed(&o, info)
	}
	page := itemPage{dataset: dataset, total: info.ItemCount, offset: offset, count: max(0, info.ItemCount-offset), desc: desc}
	shown := unlimited
	if limit >= 0 {
		page.count = min(page.count, limit)
		shown = limit
	}
	h := c.Header()
	h["Content-Type"] = []string{o.Format.ContentType()}
	h["X-Apify-Pagination-Total"] = []string{strconv.Itoa(page.total)}
	h["X-Apify-Pagination-Offset"] = []string{strconv.Itoa(offset)}
	h["X-Apify-Pagination-Limit"] = []string{strconv.Itoa(shown)}
	h["X-Apify-Pagination-Count"] = []string{strconv.Itoa(page.count)}
	h["X-Apify-Pagination-Desc"] = []string{strconv.FormatBool(desc)}
	if attachment {
		h.Set("Content-Disposition", attachmentName("dataset_"+info.ID+"."+string(o.Format)))
	}
	items := page.items(c.ctx())
	if status == http.StatusOK { // of what exists; the items of a run just made are new in any case
		if err := c.itemValidators(info, page, o); err != nil {
			return err
		}
		if c.unchanged() {
			h.Del("Content-Type")
			h.Del("Content-Disposition")
			c.WriteHeader(http.StatusNotModified)
			return nil
		}
		if c.r.Method == http.MethodGet && c.r.Header.Get("Range") != "" {
			document, err := export.Open(c.ctx(), items, o)
			if err != nil {
				c.forgetValidators()
				return err
			}
			defer document.Close()
			http.ServeContent(c, c.r, "", time.Time{}, document)
			return nil
		}
	}
	if c.r.Method == http.MethodHead {
		c.WriteHeader(status)
		return nil
	}
	if err = export.Write(c.ctx(), &delayedStatus{c, status}, items, o); err != nil && !c.wroteHeader {
		c.forgetValidators()
	}
	return err
}

// feed describes the channel of a dataset's feed.
func (c *call) feed(o *export.Options, info store.Info) {
	label := info.Name
	if label == "" {
		label = info.ID
	}
	q := c.query()
	if o.FeedTitle = q.Get("feedTitle"); o.FeedTitle == "" {
		o.FeedTitle = "Dataset " + label
	}
	if o.FeedDescription = q.Get("feedDescription"); o.FeedDescription == "" {
		o.FeedDescription = fmt.Sprintf("Items in dataset with id %q.", info.ID)
	}
	o.FeedLink = c.url("v2", "datasets", info.ID, "items")
}

// itemPage is a part of a dataset as it was when the answer began.
type itemPage struct {
	dataset       store.Dataset
	total         int // of items in the dataset
	offset, count int
	desc          bool
}

// items yields the items of the page, the same ones every time: items that are
// added meanwhile do not come in.
func (p itemPage) items(ctx context.Context) export.Items {
	return func(yield func(json.RawMessage, error) bool) {
		if p.count == 0 {
			return
		}
		offset := p.offset
		if p.desc { // counted from an end that may have moved
			info, err := p.dataset.Info(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			offset += max(0, info.ItemCount-p.total)
		}
		p.dataset.Items(ctx, offset, p.count, p.desc)(yield)
	}
}

// itemValidators sets the headers by which a caller recognises an answer that it
// has already. What has changed within this second may change again within it,
// and then its time says nothing.
func (c *call) itemValidators(info store.Info, p itemPage, o export.Options) error {
	what, err := json.Marshal([]any{
		info.ID, info.CreatedAt.UnixNano(), info.ModifiedAt.UnixNano(), p.total, p.offset, p.count, p.desc, o,
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(what)
	h := c.Header()
	h.Set("Etag", `"`+base64.RawURLEncoding.EncodeToString(sum[:15])+`"`)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Cache-Control", "private, no-cache")
	if c.query().Get("view") == "" && info.ModifiedAt.Unix() < time.Now().Unix() {
		h.Set("Last-Modified", info.ModifiedAt.UTC().Format(http.TimeFormat))
	}
	return nil
}

// forgetValidators takes back what was said of an answer that is not coming.
func (c *call) forgetValidators() {
	for _, name := range []string{"Etag", "Last-Modified", "Accept-Ranges"} {
		c.Header().Del(name)
	}
}

// unchanged tells whether the caller has the answer already, by the rules of
// RFC 9110 for If-None-Match and If-Modified-Since.
func (c *call) unchanged() bool {
	tag, modified := c.Header().Get("Etag"), c.Header().Get("Last-Modified")
	if given := c.r.Header.Values("If-None-Match"); len(given) > 0 {
		for known := range strings.SplitSeq(strings.Join(given, ","), ",") {
			if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == tag {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(c.r.Header.Get("If-Modified-Since"))
	if err != nil || modified == "" {
		return false
	}
	changed, err := http.ParseTime(modified)
	return err == nil && !changed.After(since)
}

// exportOptions reads what the caller wants to see of the items. A view stands
// for the parameters that are not given.
func (c *call) exportOptions(view datasetschema.Transformation) (export.Options, error) {
	q := c.query()
	format, err := export.ParseFormat(q.Get("format"))
	if err != nil {
		return export.Options{}, err
	}
	list := func(name string, otherwise []string) []string {
		if given := c.list(name); len(given) > 0 {
			return given
		}
		return otherwise
	}
	o := export.Options{
		Format: format, Fields: list("fields", view.Fields), OutputFields: c.list("outputFields"),
		Omit: list("omit", view.Omit), Unwind: list("unwind", view.Unwind), Flatten: list("flatten", view.Flatten),
		SkipHidden: view.SkipHidden, SkipEmpty: view.SkipEmpty,
		Delimiter: q.Get("delimiter"), XMLRoot: q.Get("xmlRoot"), XMLRow: q.Get("xmlRow"),
	}
	clean, simplified := view.Clean, false
	for name, into := range map[string]*bool{
		"clean": &clean, "skipHidden": &o.SkipHidden, "skipEmpty": &o.SkipEmpty,
		"skipFailedPages": &o.SkipFailed, "skipHeaderRow": &o.SkipHeaderRow, "simplified": &simplified,
	} {
		if !q.Has(name) {
			continue
		}
		if *into, err = c.boolean(name); err != nil {
			return o, err
		}
	}
	if o.BOM, err = c.optionalBoolean("bom"); err != nil {
		return o, err
	}
	if clean {
		o.SkipHidden, o.SkipEmpty = true, true
	}
	if simplified { // what the first crawlers of the platform produced
		o.Fields = []string{"url", "pageFunctionResult", "errorInfo"}
		o.Unwind = []string{"pageFunctionResult"}
	}
	return o, o.Validate()
}

// itemRange reads which stored items are meant; a limit of -1 is none, and so
// is the 0 that the Python client sends for it. A view stands for the parameters
// that are not given.
func (c *call) itemRange(view datasetschema.Transformation) (offset, limit int, desc bool, err error) {
	if offset, err = c.integer("offset", 0); err != nil {
		return 0, 0, false, err
	}
	if limit, err = c.integer("limit", view.Limit); err != nil {
		return 0, 0, false, err
	}
	if limit == 0 {
		limit = -1
	}
	if c.query().Get("desc") == "" {
		return offset, limit, view.Desc, nil
	}
	desc, err = c.boolean("desc")
	return offset, limit, desc, err
}

// delayedStatus sends a status with the first byte, so that an error before it
// can still be answered.
type delayedStatus struct {
	c      *call
	status int
}

func (w *delayedStatus) Write(p []byte) (int, error) {
	if !w.c.wroteHeader {
		w.c.WriteHeader(w.status)
	}
	return w.c.Write(p)
}

// Flush sends what the connection still holds back.
func (w *delayedStatus) Flush() error {
	if !w.c.wroteHeader {
		return nil
	}
	return http.NewResponseController(w.c.ResponseWriter).Flush()
}
