package localdir

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/internal/store/localdir/filetype"
)

// candidates finds the files of a key by the names that they can have, without
// listing the folder. More than one are there only when a process was killed
// between adding one and removing the other, or when another program did it.
func (k *keyValueStore) candidates(dir view, key string) []found {
	var files []found
	try := func(file, contentType string) bool {
		if slices.ContainsFunc(files, func(f found) bool { return f.file == file }) {
			return true
		}
		if !dir.exists(file) {
			return false
		}
		info, err := os.Stat(k.path(file))
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
		files = append(files, found{file: file, contentType: contentType, size: info.Size(), modified: info.ModTime()})
		return true
	}
	bases := []string{key, escapedBase(key)}
	if !plainKey(key) {
		bases = bases[1:]
	}
	if foreign := fileOfForeignKey(key); foreign != key {
		bases = append(bases, foreign)
	}
	for _, base := range bases {
		s, ok := k.sidecarOf(dir, base+sidecarSuffix)
		ok = ok && (s.Key == key || base == key)
		if ok && s.Next != nil && try(s.Next.File, s.Next.ContentType) {
			f := &files[len(files)-1]
			f.contentType = s.typeOf(*f)
			f.current = s.Next.describes(*f)
		}
		if file := k.known[key]; !ok && base == key && file != "" {
			if stem, own := readName(file); stem == key && try(file, own) {
				return files
			}
		}
		kept := ""
		if ok {
			kept = s.ContentType
			if s.Extension == "" || namedByKey(key, s.ContentType) {
				try(base, s.ContentType)
			}
			if s.Extension != "" {
				try(base+"."+s.Extension, s.ContentType)
			}
			if len(files) > 0 && s.Next == nil {
				continue
			}
		} else if base != key {
			continue // an escaped name means nothing without its sidecar
		}
		for _, m := range &filetype.All {
			file := base + "." + m.Extension
			if dir.exists(file) && k.owns(dir, key, file) {
				try(file, orElse(kept, m.ContentType))
			}
		}
		if base == key && !strings.ContainsRune(base, '.') {
			_, own := readName(base)
			try(base, orElse(kept, own))
		}
	}
	return files
}

func orElse(s, fallback string) string {
	if s != "" {
		return s
	}
	return fallback
}

// newest picks the file that was written last, unless a sidecar decides.
func newest(files []found) found {
	return slices.MaxFunc(files, func(a, b found) int {
		if a.current != b.current {
			if a.current {
				return 1
			}
			return -1
		}
		return a.modified.Compare(b.modified)
	})
}

// lookUp finds the record of a key; the store is locked.
func (k *keyValueStore) lookUp(key string) (found, error) {
	dir, err := openFolder(k.path())
	if errors.Is(err, fs.ErrNotExist) {
		return found{}, k.noRecord(key)
	}
	if err != nil {
		return found{}, internal(err, "open key-value store %q", k.folder)
	}
	defer dir.close()
	files := k.candidates(view{folder: dir}, key)
	if len(files) == 0 {
		files = k.search(dir, key)
	}
	if len(files) == 0 {
		return found{}, k.noRecord(key)
	}
	f := newest(files)
	k.remember(key, f.file)
	if f.contentType == "" {
		f.contentType = k.sniff(f)
	}
	return f, nil
}

// remember keeps the file of a key, which saves looking for it the next time.
func (k *keyValueStore) remember(key, file string) {
	const most = 10000
	if k.known == nil || len(k.known) >= most {
		k.known = map[string]string{}
	}
	k.known[key] = file
}

// sniff tells the content type of a file whose name does not. A file without an
// extension may be JSON or text; one with an unknown extension is bytes.
func (k *keyValueStore) sniff(f found) string {
	const largest = 16 << 20
	if strings.ContainsRune(f.file, '.') || f.size > largest {
		return filetype.OctetStream
	}
	data, err := readFile(k.path(f.file), nil)
	switch {
	case err != nil || bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data):
		return filetype.OctetStream
	case json.Valid(data):
		return "application/json; charset=utf-8"
	}
	return "text/plain; charset=utf-8"
}
