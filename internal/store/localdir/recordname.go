package localdir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/filetype"
	"github.com/greenroom-dev/greenroom/internal/store/localdir/metafile"
)

// sidecarSuffix ends the names of the files that say what the name of a
// record's file cannot: its exact content type or its exact key.
const sidecarSuffix = ".__metadata__.json"

// longestPlain is the longest key that is its own file name: the longest suffix
// must fit in the 255 bytes that file systems allow.
const longestPlain = 255 - len(sidecarSuffix)

// escapeMark is in the name of every escaped record and in no key.
const escapeMark = "~"

// recordName is where a record is stored.
type recordName struct {
	file    string // in the store's folder
	sidecar string // beside it, whether or not it is needed
	needed  bool   // the sidecar is needed to read key and content type back
}

// plainKey reports whether a key can be part of a file name as it is.
func plainKey(key string) bool {
	return len(key) <= longestPlain && !reservedOnWindows(key) &&
		!strings.Contains(strings.ToLower(key), "__metadata__")
}

// escapedBase gives the file name, less the extension, of a key that cannot be
// its own: a readable beginning and a digest that no other key shares.
func escapedBase(key string) string {
	digest := sha256.Sum256([]byte(key))
	readable := strings.ReplaceAll(strings.ToLower(key[:min(len(key), 40)]), "__metadata__", "")
	return "key-" + readable + escapeMark + hex.EncodeToString(digest[:16])
}

// nameRecord gives the place of a record by the JavaScript SDK's rules: the
// extension follows the content type, unless the key has it already. Escaped
// asks for the name that no other key can have.
func nameRecord(key, contentType string, escaped bool) recordName {
	base := key
	if escaped || !plainKey(key) {
		base = escapedBase(key)
	}
	n := recordName{sidecar: base + sidecarSuffix}
	if base == key && namedByKey(key, contentType) {
		n.file = key
	} else {
		n.file = base + "." + filetype.ExtensionFor(contentType)
	}
	readKey, readType := readName(n.file)
	n.needed = readKey != key || readType != contentType
	return n
}

// namedByKey reports whether a key carries the extension of the content type,
// so that it is the whole file name.
func namedByKey(key, contentType string) bool {
	own := filetype.TypeOfName(key)
	return own != "" && strings.HasPrefix(own, contentType)
}

// readName tells the key and the content type of a file without a sidecar: the
// key is the name less its last extension. An unknown type is "".
func readName(file string) (key, contentType string) {
	key = file
	// A dot at the very start is not that of an extension.
	if dot := strings.LastIndexByte(file, '.'); dot > 0 {
		key = file[:dot]
	}
	return key, filetype.TypeOfName(file)
}

// sidecar is the content of such a file. The first three fields are what the
// JavaScript SDK honours.
type sidecar struct {
	Key         string `json:"key"`
	ContentType string `json:"contentType"`
	Extension   string `json:"extension,omitempty"`
	// Next is there while a record is being replaced by one that needs another
	// sidecar: it holds as soon as its file has this size and date.
	Next *nextRecord `json:"next,omitempty"`
	// python says that the file has the Python SDK's fields.
	python bool
}

// nextRecord describes a record that is about to take the place of another.
type nextRecord struct {
	File        string `json:"file"`
	ContentType string `json:"contentType"`
	Size        int64  `json:"size"`
	Modified    int64  `json:"modified"` // nanoseconds since 1970
}

// readSidecar understands a sidecar of any SDK. The JavaScript SDK writes them
// encoded twice.
func readSidecar(data []byte) (sidecar, bool) {
	var twice string
	if json.Unmarshal(data, &twice) == nil {
		data = []byte(twice)
	}
	var s struct {
		sidecar
		Python string `json:"content_type"`
	}
	if json.Unmarshal(data, &s) != nil || s.Key == "" {
		return sidecar{}, false
	}
	if s.Python != "" {
		s.ContentType, s.python = s.Python, true
	}
	return s.sidecar, true
}

// fileOfForeignKey is the name under which the Python SDK keeps a key.
func fileOfForeignKey(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "+", "%20")
}

// isContent reports whether a file of a store's folder holds a record.
func isContent(file string) bool {
	lower := strings.ToLower(file)
	return lower != metafile.Name && !strings.HasSuffix(lower, sidecarSuffix)
}

func validKey(key string) bool { return store.ValidKey(key) }
