package image

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// hashVersion is part of every hash: change it when the way images are made
// changes, so that those of an earlier version are built anew.
const hashVersion = "greenroom-source-1"

// settle is how old a file's last change must be before its digest is kept. A
// second change within the clock's step would leave size and times as they
// were.
const settle = 2 * time.Second

// hash is the digest of everything that decides what the image will be: the
// Dockerfile, the ignore rules, the name, mode and content of every file, the
// build arguments and the platform. cache may be nil.
func (s *source) hash(ctx context.Context, args map[string]string, platform string, cache *digestCache) (string, error) {
	if err := s.digest(ctx, cache); err != nil {
		return "", err
	}
	h := sha256.New()
	field(h, hashVersion)
	field(h, platform)
	field(h, string(s.dockerfile))
	for _, name := range slices.Sorted(maps.Keys(args)) {
		field(h, name)
		field(h, args[name])
	}
	count(h, len(s.patterns))
	for _, p := range s.patterns {
		field(h, p)
	}
	for _, e := range s.entries {
		field(h, e.path)
		count(h, int(e.permissions()))
		field(h, e.link)
		h.Write(e.sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// field writes s so that no two lists of fields look the same.
func field(h hash.Hash, s string) {
	count(h, len(s))
	io.WriteString(h, s)
}

func count(h hash.Hash, n int) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

type digest [sha256.Size]byte

// digest fills in the digest of every file's content, reading only what the
// cache does not know.
func (s *source) digest(ctx context.Context, cache *digestCache) error {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	keys := make([]fileKey, len(s.entries))
	for i := range s.entries {
		e := &s.entries[i]
		if !e.info.Mode().IsRegular() {
			continue
		}
		keys[i] = keyOf(e.info)
		var ok bool
		if e.sum, ok = cache.get(e.path, keys[i]); ok {
			continue
		}
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			e.sum, err = digestFile(s.hostPath(e.path))
			return err
		})
	}
	if err := group.Wait(); err != nil || cache == nil {
		return err
	}
	keep := make(map[string]cached, len(s.entries))
	for i, e := range s.entries {
		if e.info.Mode().IsRegular() && keys[i].changedBefore(began.Add(-settle)) {
			keep[e.path] = cached{keys[i], e.sum}
		}
	}
	cache.replace(keep)
	return nil
}

var buffers = sync.Pool{New: func() any { return new(make([]byte, 64<<10)) }}

func digestFile(path string) (d digest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return d, err
	}
	defer f.Close()
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	h := sha256.New()
	// A File would bring a buffer of its own for every copy.
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, *buffer); err != nil {
		return d, err
	}
	h.Sum(d[:0])
	return d, nil
}
