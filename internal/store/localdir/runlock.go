package localdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("locked by another process")

// LockRuns makes the caller the only one that starts runs on this root, until
// it closes what it got or dies. The default storages can serve one run at a
// time: a second one would purge them under the first. When another process
// has the lock, the error is fault.Conflict and names it.
func (r *Root) LockRuns(ctx context.Context) (io.Closer, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	path := r.path(privateFolder, "locks", "runs")
	f, err := openLockFile(path, true)
	if err != nil {
		return nil, internal(err, "open the lock file %s", path)
	}
	if err := tryLockFile(f); err != nil {
		holder := make([]byte, 32)
		n, _ := f.ReadAt(holder, 0)
		f.Close()
		if !errors.Is(err, errLocked) {
			return nil, internal(err, "lock %s", path)
		}
		who := "another run"
		if pid := strings.TrimSpace(string(holder[:n])); pid != "" {
			who += " (process " + pid + ")"
		}
		return nil, fault.New(fault.Conflict, "%s is using the storages in %s", who, r.dir).
			WithHint("wait until it has ended, or give this one storages of its own with --storage-dir")
	}
	// Only for the message above: a failure to write it changes nothing.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return f, nil // closing the file gives up the lock
}
