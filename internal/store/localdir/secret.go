package localdir

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// secretLength is how many bytes a secret has.
const secretLength = 32

// Secret gives the random bytes of a name, which it makes the first time. They
// are in a file that only the owner can read.
func (r *Root) Secret(ctx context.Context, name string) ([]byte, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	path := r.path(privateFolder, "secrets", name)
	if secret, err := os.ReadFile(path); err == nil && len(secret) == secretLength {
		return secret, nil
	}
	fresh := make([]byte, secretLength)
	rand.Read(fresh) // never fails, by its contract
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, internal(err, "make the secret %q", name)
	}
	tmp, err := r.temporary()
	if err == nil {
		err = os.WriteFile(tmp, fresh, 0o600)
	}
	if err == nil {
		defer os.Remove(tmp)
		// Whoever is first made it, for all processes.
		if err = os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
			err = nil
		} else if err != nil { // a file system without links
			err = os.Rename(tmp, path)
		}
	}
	secret, readErr := os.ReadFile(path)
	if err = errors.Join(err, readErr); err != nil {
		return nil, internal(err, "make the secret %q", name)
	}
	return secret, nil
}
