// Package snapshot copies the directory of a store that is in use.
package snapshot

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/archive"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/content"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
)

// Source is a directory and how it is laid out. Nobody may remove files from it
// while it is copied.
type Source struct {
	Dir        string
	Database   string // the name of the database's file
	DB         *database.DB
	Migrations []string
	Content    *content.Dir
	// Items gives the folder of a dataset's segments.
	Items func(key int64) string
	// Logs is the folder of logs.
	Logs string
	// Also names further files and folders of the directory; they need not be
	// there.
	Also []string
}

// Write writes all that was committed before the call to w, as a tar stream for
// archive.Extract; what is written meanwhile may be in it too.
func Write(ctx context.Context, w io.Writer, s Source) error {
	out := archive.NewWriter(ctx, w, s.Dir)
	tmp, err := os.MkdirTemp(s.Dir, prefix+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	path := filepath.Join(tmp, s.Database)
	if err := s.DB.Snapshot(ctx, path); err != nil {
		return err
	}
	keys, files, err := s.describe(ctx, path)
	if err != nil {
		return err
	}
	if err := out.AddAs(s.Database, path); err != nil {
		return err
	}
	for _, key := range keys {
		// Indexes can be made again, and might know of more than the copy has.
		if err := out.AddFolder(s.Items(key), ".seg"); err != nil {
			return err
		}
	}
	for _, id := range files {
		file, err := s.Content.Path(id)
		if err == nil {
			err = out.Add(file)
		}
		if err != nil {
			return err
		}
	}
	if err := out.AddFolder(s.Logs, ".log"); err != nil {
		return err
	}
	for _, name := range s.Also {
		if err := add(out, filepath.Join(s.Dir, name)); err != nil {
			return err
		}
	}
	return out.Close()
}

// add adds a file, or the files of a folder.
func add(out *archive.Writer, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return out.AddFolder(path, "")
	}
	return out.Add(path)
}

// describe lists what a copy of the database refers to. The copy's numbers of
// items are of another moment than the segments, which know better.
func (s Source) describe(ctx context.Context, path string) (keys []int64, files []string, err error) {
	db, err := database.Open(path, database.Options{Migrations: s.Migrations})
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	if keys, err = database.All[int64](ctx, db, "SELECT key FROM storage WHERE kind = 'dataset' AND deleted = 0"); err != nil {
		return nil, nil, err
	}
	if files, err = database.All[string](ctx, db, "SELECT file FROM record WHERE file IS NOT NULL"); err != nil {
		return nil, nil, err
	}
	err = db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec("UPDATE storage SET items = NULL WHERE kind = 'dataset'")
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return keys, files, db.Close() // which leaves one file
}

// prefix is the beginning of the names of folders that copies of the database
// lie in while they are written.
const prefix = "backup-"

// Clear removes what was left by a Write that was broken off by the death of its
// process.
func Clear(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
