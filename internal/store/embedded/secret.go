package embedded

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// Secret gives the random bytes of a name, which it makes the first time. They
// are part of a backup.
func (r *Root) Secret(ctx context.Context, name string) (secret []byte, err error) {
	const find = "SELECT value FROM secret WHERE name = ?"
	err = r.db.Get(ctx, find, []any{name}, &secret)
	if err == nil {
		return secret, nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		fresh := make([]byte, 32)
		rand.Read(fresh) // never fails, by its contract
		err = r.db.Write(ctx, func(tx *database.Tx) error {
			if _, err := tx.Exec("INSERT OR IGNORE INTO secret VALUES (?, ?)", name, fresh); err != nil {
				return err
			}
			return tx.Get(find, []any{name}, &secret)
		})
	}
	return secret, database.Failed(err, "find the secret %q", name)
}
