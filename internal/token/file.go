package token

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	tokensFile = "tokens.json"
	ownerFile  = "owner-token"
	lockFile   = "tokens.lock"

	formatVersion = 1
)

// hash is what is kept of a token. A password would need a slow, salted hash,
// because people choose what can be guessed. A token has 214 random bits: nobody
// finds it by trying, however fast the hash, and no two are alike, so that salt
// would hide nothing. A fast one is what a look-up in every request can pay for.
type hash [sha256.Size]byte

func hashOf(token string) hash { return sha256.Sum256([]byte(token)) }

// MarshalText implements encoding.TextMarshaler.
func (h hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *hash) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(h) {
		return errors.New("a hash has 64 digits")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// record is a token as the file has it.
type record struct {
	Token
	Hash hash `json:"sha256"`
}

type document struct {
	Version int      `json:"version"`
	Tokens  []record `json:"tokens"`
}

// decode reads the file of tokens. What it does not understand it refuses:
// guessing here would open doors.
func decode(text []byte) ([]record, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, err
	}
	if d.Version > formatVersion {
		return nil, errors.New("a newer version of this program has written it")
	}
	if d.Version != formatVersion {
		return nil, errors.New("it has no version")
	}
	ids := map[string]bool{}
	for _, r := range d.Tokens {
		if ids[r.ID] || r.ID != OwnerID && (len(r.ID) != idLength || !alphanumeric(r.ID)) {
			return nil, errors.New("it has a token with a bad id")
		}
		ids[r.ID] = true
		if _, err := ParseScope(string(r.Scope)); err != nil {
			return nil, errors.New("it has a token with a bad scope")
		}
		if r.Hash == (hash{}) || checkName(r.Name) != nil {
			return nil, errors.New("it has a token without a hash or with a bad name")
		}
	}
	return d.Tokens, nil
}

func encode(records []record) ([]byte, error) {
	if records == nil {
		records = []record{}
	}
	text, err := json.MarshalIndent(document{formatVersion, records}, "", "  ")
	return append(text, '\n'), err
}

// load reads the tokens of a directory; a missing file means none.
func load(dir string) ([]record, error) {
	path := filepath.Join(dir, tokensFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read the API tokens")
	}
	records, err := decode(text)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "%s is not a file of API tokens", path)
	}
	return records, nil
}

func save(dir string, records []record) error {
	text, err := encode(records)
	if err == nil {
		err = write(filepath.Join(dir, tokensFile), text)
	}
	return fault.Wrap(fault.Unavailable, err, "keep the API tokens")
}

// loadOwner reads the owner's token, "" when there is none.
func loadOwner(dir string) (string, error) {
	path := filepath.Join(dir, ownerFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "read the owner's token")
	}
	token := strings.TrimSpace(string(text))
	if !WellFormed(token) {
		// What the file holds may be a secret, so it is not repeated.
		return "", fault.New(fault.InvalidInput, "%s does not hold an API token", path).
			WithHint("delete the file to get a new one")
	}
	return token, protect(path)
}

func saveOwner(dir, token string) error {
	return fault.Wrap(fault.Unavailable, write(filepath.Join(dir, ownerFile), []byte(token+"\n")), "keep the owner's token")
}

// protect takes the right to read a file from everybody but its owner: a copy or
// a backup may have given it.
func protect(path string) error {
	if runtime.GOOS == "windows" {
		return nil // there, the directory's access list holds
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = os.Chmod(path, 0o600)
	}
	return fault.Wrap(fault.Unavailable, err, "protect the owner's token from other users")
}

// write replaces a file in one step.
func write(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".token-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails when all went well
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := replace(temp.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// replace renames a file. On Windows that fails for as long as another process
// has the old one open, which is never long.
func replace(from, to string) error {
	err := os.Rename(from, to)
	for wait := time.Millisecond; runtime.GOOS == "windows" && errors.Is(err, fs.ErrPermission) && wait < time.Second; wait *= 2 {
		time.Sleep(wait)
		err = os.Rename(from, to)
	}
	return err
}

// Files are the names of the files in a data directory that hold its tokens.
func Files() []string { return []string{tokensFile, ownerFile} }
