package server

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/internal/encoding"
	"github.com/greenroom-dev/greenroom/internal/signature"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func (s *server) storeRoutes(base string, open opener[store.KeyValueStore]) []route {
	open = guarded(open)
	with := func(handle func(*call, store.KeyValueStore) error) handler {
		return func(c *call) error {
			kvs, err := open(c)
			if err != nil {
				return err
			}
			return handle(c, kvs)
		}
	}
	record := base + "/records/{recordKey}"
	return append(s.stores.storageRoutes(base, open),
		route{"GET", base + "/keys", with(s.listKeys)},
		route{"GET", base + "/records", with(s.zipRecords)},
		route{"GET", record, with(s.getRecord)},
		route{"HEAD", record, with(s.headRecord)},
		route{"PUT", record, with(s.putRecord)},
		route{"POST", record, with(s.putRecord)},
		route{"DELETE", record, with(s.deleteRecord)},
	)
}

func (s *server) listKeys(c *call, kvs store.KeyValueStore) error {
	limit, err := c.integer("limit", maxPage)
	if err != nil {
		return err
	}
	if limit == 0 || limit > maxPage {
		limit = maxPage
	}
	selected, err := s.selection(c, kvs)
	if err != nil {
		return err
	}
	start := c.query().Get("exclusiveStartKey")
	found, err := selected.keys(c.ctx(), kvs, store.KeysOptions{ExclusiveStartKey: start, Limit: limit})
	if err != nil {
		return err
	}
	list := api.ListOfKeys{
		Items: make([]api.Key, len(found.Items)), Count: len(found.Items), Limit: limit,
		ExclusiveStartKey: orNull(start), IsTruncated: found.More,
	}
	key, err := s.signingKey(c.ctx(), kvs.ID())
	if err != nil {
		return err
	}
	// Those whom the store is merely open to get nothing that stays open.
	signed := c.refusal == nil || c.query().Get("signature") != ""
	for i, info := range found.Items {
		url := c.recordURL(kvs, info.Key)
		if signed {
			url += "?signature=" + signature.Sum(key, info.Key)
		}
		list.Items[i] = api.Key{Key: info.Key, Size: info.Size, RecordPublicURL: url}
	}
	if found.More && len(found.Items) > 0 {
		list.NextExclusiveStartKey = &list.Items[len(list.Items)-1].Key
	}
	return c.data(http.StatusOK, list)
}

func (c *call) recordURL(kvs store.KeyValueStore, key string) string {
	return c.url("v2", "key-value-stores", kvs.ID(), "records", key)
}

func (s *server) getRecord(c *call, kvs store.KeyValueStore) error {
	attachment, err := c.boolean("attachment")
	if err != nil {
		return err
	}
	record, err := kvs.Get(c.ctx(), c.recordKey)
	if err != nil {
		return err
	}
	asStored := c.recordHeaders(record.RecordInfo)
	if attachment {
		c.Header().Set("Content-Disposition", attachmentName(record.Key))
	}
	if c.recordUnchanged(record.RecordInfo, asStored) {
		return record.Body.Close()
	}
	if asStored && c.r.Header.Get("Range") != "" {
		defer record.Body.Close()
		c.Header().Del("Content-Length") // which is that of the part
		http.ServeContent(c, c.r, "", record.ModifiedAt, record.Body)
		return nil
	}
	return c.sendRecord(record, asStored, http.StatusOK)
}

// sendRecord sends what was announced by recordHeaders, and closes the record.
func (c *call) sendRecord(record *store.Record, asStored bool, status int) error {
	body := io.ReadCloser(record.Body)
	if !asStored {
		var err error
		if body, err = encoding.Plain(record); err != nil {
			return err
		}
	}
	defer body.Close()
	c.WriteHeader(status)
	c.copyBody(body)
	return nil
}

// recordUnchanged tells the caller of a record how to recognise it, and answers
// when they have it already. What has changed within this second may change
// again within it, and then its time says nothing.
func (c *call) recordUnchanged(info store.RecordInfo, asStored bool) bool {
	h := c.Header()
	h.Set("Cache-Control", "private, no-cache")
	if time.Since(info.ModifiedAt) < time.Second {
		return false
	}
	sum := sha256.Sum256(fmt.Append(nil, info.Key, " ", info.ModifiedAt.UnixNano(), " ", info.Size, " ", info.ContentType, " ", asStored))
	h.Set("Etag", `"`+base64.RawURLEncoding.EncodeToString(sum[:15])+`"`)
	h.Set("Last-Modified", info.ModifiedAt.UTC().Format(http.TimeFormat))
	if !c.unchanged() {
		return false
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition"} {
		h.Del(name)
	}
	c.WriteHeader(http.StatusNotModified)
	return true
}

// copyBody sends what was announced by recordHeaders, straight to the
// connection's own writer, which can hand files over to the kernel. A client
// that stops reading is no failure of ours.
func (c *call) copyBody(body io.Reader) {
	_, _ = io.Copy(c.ResponseWriter, body)
}

func (s *server) headRecord(c *call, kvs store.KeyValueStore) error {
	info, err := kvs.Stat(c.ctx(), c.recordKey)
	if err != nil {
		return err
	}
	if !c.recordUnchanged(info, c.recordHeaders(info)) {
		c.WriteHeader(http.StatusOK)
	}
	return nil
}

// recordHeaders describes a record. Its content type is sent byte for byte as
// it was stored. It reports whether the content is to be sent so, too: one that
// is compressed goes out decompressed to those who do not accept its encoding.
func (c *call) recordHeaders(info store.RecordInfo) (asStored bool) {
	h := c.Header()
	h["Content-Type"] = []string{info.ContentType}
	size := info.Size
	if asStored = info.Encoding == ""; !asStored {
		h["Vary"] = []string{"Accept-Encoding"}
		if asStored = encoding.Accepts(strings.Join(c.r.Header["Accept-Encoding"], ","), info.Encoding); asStored {
			h["Content-Encoding"] = []string{info.Encoding}
			size = info.Stored
		}
	}
	h["Content-Length"] = []string{strconv.FormatInt(size, 10)}
	if asStored {
		h["Accept-Ranges"] = []string{"bytes"}
	}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	if mayRunScripts(info.ContentType) {
		// What an Actor stored must not act in the name of this server.
		h["Content-Security-Policy"] = []string{sandbox}
	}
	return asStored
}

// sandbox lets a document run scripts, but as one of nowhere: it can neither use
// what the browser has of this server nor ask it for anything.
const sandbox = "sandbox allow-scripts allow-forms allow-popups allow-downloads allow-modals"

// mayRunScripts reports whether a browser may execute what a document of that
// type contains.
func mayRunScripts(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return true
	}
	return mediaType == "text/html" || strings.HasSuffix(mediaType, "xml") || strings.HasSuffix(mediaType, "/xsl")
}

// attachmentName is the header that makes browsers save a body under a name.
func attachmentName(name string) string {
	return "attachment; filename*=UTF-8''" + url.PathEscape(name)
}

// putRecord stores the body as it arrives, of any size, unless the store's schema
// says what is to be in it: then it is read first, and the limit for other
// bodies holds for it.
func (s *server) putRecord(c *call, kvs store.KeyValueStore) error {
	schema, err := s.storeSchemas.of(kvs.Schema())
	if err != nil {
		return err
	}
	contentType := c.r.Header.Get("Content-Type")
	if schema != nil {
		var body []byte
		needed := schema.NeedsBody(c.recordKey)
		if needed {
			if body, err = c.read(); err != nil {
				return err
			}
		}
		if err := schema.CheckRecord(c.recordKey, contentType, body); err != nil {
			return err
		}
		if needed {
			if _, err := kvs.Put(c.writeCtx(), c.recordKey, contentType, bytes.NewReader(body)); err != nil {
				return err
			}
			return c.created(c.recordURL(kvs, c.recordKey))
		}
	}
	if into, content := c.keepCompressed(kvs); content != nil {
		defer content.Close()
		_, err := into.PutCompressed(c.writeCtx(), c.recordKey, contentType, store.Compressed{
			Encoding: c.encodings()[0], Reader: content, Size: func() int64 { return content.size },
		})
		if content.failure != nil {
			return content.failure
		}
		if err != nil {
			return err
		}
		return c.created(c.recordURL(kvs, c.recordKey))
	}
	content, err := c.content()
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = kvs.Put(c.writeCtx(), c.recordKey, contentType, content)
	if content.failure != nil {
		return content.failure
	}
	if err != nil {
		return err
	}
	return c.created(c.recordURL(kvs, c.recordKey))
}

func (s *server) deleteRecord(c *call, kvs store.KeyValueStore) error {
	if err := kvs.DeleteRecord(c.writeCtx(), c.recordKey); err != nil {
		return err
	}
	return c.noContent()
}

// zipRecords sends all records as one archive, made while it is sent.
func (s *server) zipRecords(c *call, kvs store.KeyValueStore) error {
	selected, err := s.selection(c, kvs)
	if err != nil {
		return err
	}
	options := store.KeysOptions{Limit: maxPage}
	page, err := selected.keys(c.ctx(), kvs, options)
	if err != nil {
		return err
	}
	h := c.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", attachmentName("key_value_store_"+kvs.ID()+".zip"))
	archive := zip.NewWriter(c)
	for {
		for _, info := range page.Items {
			if err := zipRecord(c, archive, kvs, info.Key); err != nil {
				return err
			}
		}
		if !page.More || len(page.Items) == 0 {
			return archive.Close()
		}
		options.ExclusiveStartKey = page.Items[len(page.Items)-1].Key
		if page, err = selected.keys(c.ctx(), kvs, options); err != nil {
			return err
		}
	}
}

func zipRecord(c *call, archive *zip.Writer, kvs store.KeyValueStore, key string) error {
	record, err := kvs.Get(c.ctx(), key)
	if fault.Is(err, fault.NotFound) {
		return nil // deleted since it was listed
	}
	if err != nil {
		return err
	}
	body, err := encoding.Plain(record)
	if err != nil {
		return err
	}
	defer body.Close()
	// A key of dots would be a path outside the directory it is unpacked in.
	if strings.Trim(key, ".") == "" {
		key = "_" + key
	}
	file, err := archive.CreateHeader(&zip.FileHeader{Name: key, Method: zip.Deflate, Modified: record.ModifiedAt})
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	return err
}
