package keyvaluestores

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// temporary begins the names of files that are not complete.
const temporary = ".apify-sync-"

func isTemporary(name string) bool { return strings.HasPrefix(name, temporary) }

// push makes records like the files.
func (s *sync) push(ctx context.Context) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	var bad []string
	for name := range files {
		if !validKey(name) {
			bad = append(bad, name)
		}
	}
	if err := refused(bad, "cannot be a key: 1 to 256 of a-zA-Z0-9!-_.'() can"); err != nil {
		return err
	}
	records, err := s.records(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		size, there := records[name]
		if there && size == files[name] {
			same, err := s.same(ctx, name)
			if err != nil && !fault.Is(err, fault.NotFound) { // deleted since it was listed
				return err
			}
			if same {
				continue
			}
		}
		action := "add"
		if there {
			action = "replace"
		}
		if !s.dry {
			if err := s.upload(ctx, name, there); err != nil {
				return err
			}
		}
		s.tell(action, name, files[name])
	}
	if !s.delete {
		return nil
	}
	for _, key := range extras(files, records) {
		if !s.dry {
			if err := s.store.DeleteRecord(ctx, key); err != nil {
				return err
			}
		}
		s.tell("delete", key, records[key])
	}
	return nil
}

func (s *sync) upload(ctx context.Context, name string, there bool) error {
	file, err := s.root.Open(name)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "read %s", name)
	}
	defer file.Close()
	contentType := typeOf(name)
	if contentType == unknownType && there {
		record, err := s.store.Record(ctx, name)
		if err == nil {
			_ = record.Body.Close() // its head says enough
			contentType = record.ContentType
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return s.store.Put(ctx, name, contentType, file)
}

// pull makes files like the records.
func (s *sync) pull(ctx context.Context) error {
	records, err := s.records(ctx)
	if err != nil {
		return err
	}
	files, err := s.files()
	if err != nil {
		return err
	}
	if err := checkNames(records); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(records)) {
		size, there := files[key]
		if there && size == records[key] {
			same, err := s.same(ctx, key)
			if fault.Is(err, fault.NotFound) {
				continue // deleted since it was listed
			}
			if err != nil {
				return err
			}
			if same {
				continue
			}
		}
		action := "add"
		if there {
			action = "replace"
		}
		if !s.dry {
			err := s.download(ctx, key)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
		}
		s.tell(action, key, records[key])
	}
	if !s.delete {
		return nil
	}
	for _, name := range extras(records, files) {
		if !s.dry {
			if err := s.root.Remove(name); err != nil {
				return fault.Wrap(fault.Unavailable, err, "delete %s", name)
			}
		}
		s.tell("delete", name, files[name])
	}
	return nil
}

// download writes a record's file, whole or not at all.
func (s *sync) download(ctx context.Context, key string) (err error) {
	record, err := s.store.Record(ctx, key)
	if err != nil {
		return err
	}
	defer record.Body.Close()
	name := temporary + rand.Text()
	file, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "write %s", key)
	}
	err = show(ctx, file, record.Body)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = s.root.Rename(name, key)
	}
	if err == nil {
		return nil
	}
	if removing := s.root.Remove(name); removing != nil {
		err = errors.Join(err, removing)
	}
	return fault.Wrap(fault.Unavailable, err, "write %s", key)
}

// same tells whether a file and the record of its name have the same content,
// reading no more than it takes.
func (s *sync) same(ctx context.Context, name string) (bool, error) {
	record, err := s.store.Record(ctx, name)
	if err != nil {
		return false, err
	}
	defer record.Body.Close()
	file, err := s.root.Open(name)
	if err != nil {
		return false, fault.Wrap(fault.Unavailable, err, "read %s", name)
	}
	defer file.Close()
	return equal(ctx, record, file)
}

func equal(ctx context.Context, record *client.Record, file io.Reader) (bool, error) {
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	source := &reading{r: record.Body}
	for {
		n, err := io.ReadFull(source, a)
		if source.err != nil {
			return false, cut(ctx, source.err)
		}
		ended := err != nil
		m, err := io.ReadFull(file, b[:n])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, fault.Wrap(fault.Unavailable, err, "compare files")
		}
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		if ended {
			more, err := file.Read(b[:1])
			return more == 0 && err == io.EOF, nil
		}
	}
}

// validKey is the platform's rule of keys.
func validKey(key string) bool {
	for _, b := range []byte(key) {
		letter := 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9'
		if !letter && strings.IndexByte("!-_.'()", b) < 0 {
			return false
		}
	}
	return 1 <= len(key) && len(key) <= 256
}

// checkNames refuses keys that no file can have here: an API is not trusted to
// send none of them.
func checkNames(records map[string]int64) error {
	var bad, twice []string
	folded := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(records)) {
		// A name that only Windows reserves is refused there alone.
		if !validKey(key) || !filepath.IsLocal(key) || key == "." || len(key) > 255 || isTemporary(key) ||
			runtime.GOOS == "windows" && strings.HasSuffix(key, ".") {
			bad = append(bad, key)
		}
		if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
			lower := strings.ToLower(key)
			if folded[lower] != "" {
				twice = append(twice, key)
			}
			folded[lower] = key
		}
	}
	if err := refused(bad, "cannot be the name of a file"); err != nil {
		return err
	}
	return refused(twice, "differs from another key in case only, which files here cannot")
}
