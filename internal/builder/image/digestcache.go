package image

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"
)

// digestCache remembers the content digests of one project's files between
// runs. A nil cache knows nothing and forgets everything.
type digestCache struct {
	file  string
	known map[string]cached
}

type cached struct {
	key    fileKey
	digest digest
}

// fileKey is what tells, without reading it, that a file is still the one that
// was read. ctime and inode are 0 where the system does not give them.
type fileKey struct {
	size  int64
	mtime int64 // nanoseconds since 1970
	ctime int64
	inode uint64
}

func keyOf(info fs.FileInfo) fileKey {
	ctime, inode := changeIdentity(info)
	return fileKey{size: info.Size(), mtime: info.ModTime().UnixNano(), ctime: ctime, inode: inode}
}

func (k fileKey) changedBefore(t time.Time) bool {
	return max(k.mtime, k.ctime) < t.UnixNano()
}

const cacheMagic = "greenroom digests 1\n"

// openDigestCache reads the cache of a context directory. A cache that is
// missing, damaged or out of reach is empty: it only makes things faster.
func openDigestCache(contextDir string) *digestCache {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	c := &digestCache{file: filepath.Join(dir, "greenroom", "hash", shortHash(contextDir, 32))}
	data, err := os.ReadFile(c.file)
	if err != nil {
		return c
	}
	c.known = decodeDigests(data)
	return c
}

func (c *digestCache) get(path string, key fileKey) (digest, bool) {
	if c == nil {
		return digest{}, false
	}
	e, ok := c.known[path]
	return e.digest, ok && e.key == key
}

// replace stores the digests when they differ from what is stored. A reader
// sees the old file or the new one; failures are of no consequence.
func (c *digestCache) replace(next map[string]cached) {
	if maps.Equal(c.known, next) {
		return
	}
	c.known = next
	dir := filepath.Dir(c.file)
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return
	}
	_, err = f.Write(encodeDigests(next))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), c.file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
}

func encodeDigests(entries map[string]cached) []byte {
	b := make([]byte, 0, len(entries)*128)
	b = append(b, cacheMagic...)
	for path, e := range entries {
		b = binary.AppendUvarint(b, uint64(len(path)))
		b = append(b, path...)
		b = binary.BigEndian.AppendUint64(b, uint64(e.key.size))
		b = binary.BigEndian.AppendUint64(b, uint64(e.key.mtime))
		b = binary.BigEndian.AppendUint64(b, uint64(e.key.ctime))
		b = binary.BigEndian.AppendUint64(b, e.key.inode)
		b = append(b, e.digest[:]...)
	}
	return b
}

func decodeDigests(b []byte) map[string]cached {
	b, ok := bytes.CutPrefix(b, []byte(cacheMagic))
	if !ok {
		return nil
	}
	const fixed = 4*8 + len(digest{})
	entries := make(map[string]cached, len(b)/100)
	for len(b) > 0 {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)) || len(b) < used+int(n)+fixed {
			return nil
		}
		b = b[used:]
		path := string(b[:n])
		b = b[n:]
		entries[path] = cached{
			key: fileKey{
				size:  int64(binary.BigEndian.Uint64(b)),
				mtime: int64(binary.BigEndian.Uint64(b[8:])),
				ctime: int64(binary.BigEndian.Uint64(b[16:])),
				inode: binary.BigEndian.Uint64(b[24:]),
			},
			digest: digest(b[32:fixed]),
		}
		b = b[fixed:]
	}
	return entries
}
