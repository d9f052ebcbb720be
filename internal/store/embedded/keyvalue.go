package embedded

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// smallRecord is the size in bytes up to which a record lies in the database: a
// file of its own would cost two more waits for the disk.
const smallRecord = 8 << 10

const octetStream = "application/octet-stream"

// keyValueStore keeps its records in the database, large ones in files.
type keyValueStore struct{ *storage }

func newKeyValueStore(_ context.Context, s *storage) (store.KeyValueStore, error) {
	return &keyValueStore{s}, nil
}

func checkKey(key string) error {
	if store.ValidKey(key) {
		return nil
	}
	return fault.New(fault.InvalidRequest, "%q cannot be the key of a record", key).
		WithType("invalid-record-key").
		WithHint("use 1 to 256 of the characters a-zA-Z0-9!-_.'()")
}

// Put stores a record. Its content is on the disk before anything refers to it.
func (k *keyValueStore) Put(ctx context.Context, key, contentType string, r io.Reader) (store.RecordInfo, error) {
	return k.PutCompressed(ctx, key, contentType, store.Compressed{Reader: r})
}

// PutCompressed stores a record as it is, compressed or not.
func (k *keyValueStore) PutCompressed(ctx context.Context, key, contentType string, r store.Compressed) (store.RecordInfo, error) {
	if err := checkKey(key); err != nil {
		return store.RecordInfo{}, err
	}
	if err := database.Live(ctx); err != nil {
		return store.RecordInfo{}, err
	}
	contentType = cmp.Or(contentType, octetStream)
	content, err := k.root.content.Write(ctx, r.Reader, smallRecord)
	if err != nil {
		return store.RecordInfo{}, database.Failed(err, "store record %q", key)
	}
	var file, small any = content.ID, nil
	if content.ID == "" {
		file, small = nil, content.Small
	}
	i := store.RecordInfo{Key: key, ContentType: contentType, Size: content.Size}
	var plain any
	if r.Encoding != "" {
		i.Encoding, i.Stored, i.Size = r.Encoding, content.Size, r.Size()
		plain = i.Size
	}
	replaced := false
	err = k.write(ctx, func(tx *database.Tx, now int64) error {
		i.ModifiedAt = moment(now)
		if replaced, err = discard(tx, k.key, key, content.Size); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT OR REPLACE INTO record (storage, key, content_type, size, modified_at, file, small, encoding, plain)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, k.key, key, contentType, content.Size, now, file, small, i.Encoding, plain)
		return err
	})
	if content.ID != "" {
		if err != nil {
			k.root.content.Remove(content.ID)
		}
		k.root.content.Settle(content.ID)
	}
	if err != nil {
		return store.RecordInfo{}, database.Failed(err, "store record %q", key)
	}
	if replaced {
		k.root.reaper.wake()
	}
	k.use.Write(1)
	return i, nil
}

// discard notes the file of a record, if it has one, for removal, and changes
// the size of the store to what it is with size bytes in the record's place.
func discard(tx *database.Tx, storage int64, key string, size int64) (bool, error) {
	_, err := tx.Exec(`UPDATE storage SET bytes = bytes + ? - coalesce((SELECT size FROM record WHERE storage = ?2 AND key = ?3), 0)
		WHERE key = ?2`, size, storage, key)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec("INSERT INTO trash SELECT file FROM record WHERE storage = ? AND key = ? AND file IS NOT NULL", storage, key)
	return n > 0, err
}

const recordColumns = "key, content_type, size, modified_at, encoding, plain"

func scanRecord(scan func(dest ...any) error, more ...any) (i store.RecordInfo, err error) {
	var at int64
	var plain sql.NullInt64
	err = scan(append([]any{&i.Key, &i.ContentType, &i.Size, &at, &i.Encoding, &plain}, more...)...)
	i.ModifiedAt = moment(at)
	if i.Encoding != "" {
		i.Size, i.Stored = plain.Int64, i.Size
	}
	return i, err
}

// find reads the row of a record.
func (k *keyValueStore) find(ctx context.Context, key, columns string, more ...any) (store.RecordInfo, error) {
	if err := checkKey(key); err != nil {
		return store.RecordInfo{}, err
	}
	if err := database.Live(ctx); err != nil {
		return store.RecordInfo{}, err
	}
	if err := k.present(); err != nil {
		return store.RecordInfo{}, err
	}
	k.use.Touch()
	i, err := scanRecord(func(dest ...any) error {
		return k.root.db.Get(ctx, "SELECT "+recordColumns+columns+" FROM record WHERE storage = ? AND key = ?", []any{k.key, key}, dest...)
	}, more...)
	if errors.Is(err, sql.ErrNoRows) {
		return i, fault.New(fault.NotFound, "record %q was not found in key-value store %q", key, k.id)
	}
	return i, database.Failed(err, "read record %q", key)
}

// Get opens a record. What the caller reads is what was there at that moment,
// even if the record is replaced meanwhile.
func (k *keyValueStore) Get(ctx context.Context, key string) (*store.Record, error) {
	for last := ""; ; {
		var file sql.NullString
		var small []byte
		i, err := k.find(ctx, key, ", file, small", &file, &small)
		if err != nil {
			return nil, err
		}
		if last == "" {
			k.use.Read(1)
		}
		if !file.Valid {
			return &store.Record{RecordInfo: i, Body: body{bytes.NewReader(small)}}, nil
		}
		f, err := k.root.content.Open(file.String)
		switch {
		case err == nil:
			return &store.Record{RecordInfo: i, Body: f}, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, database.Failed(err, "open record %q", key)
		case file.String == last:
			return nil, fault.New(fault.Internal, "the content of record %q of key-value store %q is gone: %w", key, k.id, err).
				WithHint("check the data directory for damage")
		}
		last = file.String // replaced between the two steps: look again
	}
}

// body is a record that lies in memory.
type body struct{ *bytes.Reader }

func (body) Close() error { return nil }

// Stat describes a record.
func (k *keyValueStore) Stat(ctx context.Context, key string) (store.RecordInfo, error) {
	i, err := k.find(ctx, key, "")
	if err == nil {
		k.use.Read(1)
	}
	return i, err
}

// DeleteRecord removes a record.
func (k *keyValueStore) DeleteRecord(ctx context.Context, key string) error {
	_, err := k.find(ctx, key, "")
	if fault.Is(err, fault.NotFound) {
		return k.present() // there is nothing to write
	}
	if err != nil {
		return err
	}
	removed := false
	err = k.write(ctx, func(tx *database.Tx, _ int64) error {
		if removed, err = discard(tx, k.key, key, 0); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM record WHERE storage = ? AND key = ?", k.key, key)
		return err
	})
	if err != nil {
		return database.Failed(err, "delete record %q", key)
	}
	k.use.Delete(1)
	if removed {
		k.root.reaper.wake()
	}
	return nil
}

// Keys lists records in the byte order of their keys.
func (k *keyValueStore) Keys(ctx context.Context, opts store.KeysOptions) (page store.KeysPage, err error) {
	if err := database.Live(ctx); err != nil {
		return page, err
	}
	if err := k.present(); err != nil {
		return page, err
	}
	k.use.Touch()
	k.use.List(1)
	most := -1
	if opts.Limit > 0 {
		most = opts.Limit + 1
	}
	// No key has a byte above 0x7e.
	rows, err := k.root.db.Query(ctx, "SELECT "+recordColumns+` FROM record
		WHERE storage = ? AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`,
		k.key, opts.ExclusiveStartKey, opts.Prefix, opts.Prefix+"\x7f", most)
	if err != nil {
		return page, database.Failed(err, "list the keys of %q", k.id)
	}
	defer rows.Close()
	for rows.Next() {
		if opts.Limit > 0 && len(page.Items) == opts.Limit {
			page.More = true
			return page, nil
		}
		i, err := scanRecord(rows.Scan)
		if err != nil {
			return store.KeysPage{}, database.Failed(err, "list the keys of %q", k.id)
		}
		page.Items = append(page.Items, i)
	}
	if err := rows.Err(); err != nil {
		return store.KeysPage{}, database.Failed(err, "list the keys of %q", k.id)
	}
	return page, nil
}
