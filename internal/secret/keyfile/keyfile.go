// Package keyfile keeps the key pairs of Actors' secret inputs as files, one for
// each Actor, so that an input that was encrypted once can be decrypted later,
// and that not every run makes a key.
package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Folder is a directory of keys. It is made when the first key is; nobody but its
// owner can read it. Any number of processes may use it.
type Folder struct{ dir string }

// In gives the folder of that name; nothing is opened.
func In(dir string) Folder { return Folder{dir} }

// Key gives the key pair of an Actor, and makes it when there is none.
func (f Folder) Key(actorID string) (*secret.PrivateKey, error) {
	if actorID == "" || strings.Trim(actorID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return nil, fault.New(fault.InvalidRequest, "%q is not the id of an Actor", actorID)
	}
	path := filepath.Join(f.dir, actorID+".pem")
	key, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key, err = secret.GenerateKey()
	if err != nil {
		return nil, err
	}
	if err := write(path, key); errors.Is(err, fs.ErrExist) {
		return read(path) // another process was faster
	} else if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "keep the key of secret inputs")
	}
	return key, nil
}

func read(path string) (*secret.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := secret.ParsePrivateKey(string(text), "")
	if err != nil {
		return nil, fault.New(fault.Internal, "%s: %w", path, err).
			WithHint("delete the file to have a new key made; secret inputs that are stored encrypted must then be entered again")
	}
	return key, nil
}

// write puts the key there in one step, unless there is one.
func write(path string, key *secret.PrivateKey) error {
	text, err := key.PEM()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, ".key-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	err = os.Link(temp.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems have no links.
	return os.Rename(temp.Name(), path)
}
