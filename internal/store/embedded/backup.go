package embedded

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/archive"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// Backup writes all that was answered before the call to w, as a tar stream for
// archive.Extract; what is written meanwhile may be in it too. The root stays in
// use, but files of what is deleted are removed only afterwards.
func (r *Root) Backup(ctx context.Context, w io.Writer) error {
	r.reaper.pin.RLock()
	defer r.reaper.pin.RUnlock()
	return database.Failed(r.backup(ctx, archive.NewWriter(ctx, w, r.dir)), "back up %s", r.dir)
}

func (r *Root) backup(ctx context.Context, out *archive.Writer) error {
	tmp, err := os.MkdirTemp(r.dir, "backup-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	path := filepath.Join(tmp, DatabaseName)
	if err := r.db.Snapshot(ctx, path); err != nil {
		return err
	}
	keys, files, err := describeCopy(ctx, path)
	if err != nil {
		return err
	}
	if err := out.AddAs(DatabaseName, path); err != nil {
		return err
	}
	for _, key := range keys {
		// Indexes can be made again, and might know of more than the copy has.
		if err := out.AddFolder(ItemsFolder(r.dir, key), ".seg"); err != nil {
			return err
		}
	}
	for _, id := range files {
		file, err := r.content.Path(id)
		if err == nil {
			err = out.Add(file)
		}
		if err != nil {
			return err
		}
	}
	if err := out.AddFolder(filepath.Join(r.dir, logsName), ".log"); err != nil {
		return err
	}
	return out.Close()
}

// describeCopy lists what a copy of the database refers to. The copy's numbers
// of items are of another moment than the segments, which know better.
func describeCopy(ctx context.Context, path string) (keys []int64, files []string, err error) {
	db, err := database.Open(path, database.Options{Migrations: Migrations()})
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	if keys, err = database.All[int64](ctx, db, "SELECT key FROM storage WHERE kind = ? AND deleted = 0", string(datasets)); err != nil {
		return nil, nil, err
	}
	if files, err = database.All[string](ctx, db, "SELECT file FROM record WHERE file IS NOT NULL"); err != nil {
		return nil, nil, err
	}
	err = db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec("UPDATE storage SET items = NULL WHERE kind = ?", string(datasets))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return keys, files, db.Close() // which leaves one file
}
