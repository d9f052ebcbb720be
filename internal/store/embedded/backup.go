package embedded

import (
	"context"
	"io"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/store/embedded/database"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/snapshot"
)

// Backup writes all that was answered before the call to w, as a tar stream for
// archive.Extract; what is written meanwhile may be in it too. The root stays in
// use, but files of what is deleted are removed only afterwards. Files and
// folders of others in the same directory come along when also names them; it
// does not matter whether they are there.
func (r *Root) Backup(ctx context.Context, w io.Writer, also ...string) error {
	r.reaper.pin.RLock()
	defer r.reaper.pin.RUnlock()
	err := snapshot.Write(ctx, w, snapshot.Source{
		Dir: r.dir, Database: DatabaseName, DB: r.db, Migrations: Migrations(), Content: r.content,
		Items: func(key int64) string { return ItemsFolder(r.dir, key) },
		Logs:  filepath.Join(r.dir, logsName), Also: also,
	})
	return database.Failed(err, "back up %s", r.dir)
}
