package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/store/embedded"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/archive"
	"github.com/greenroom-dev/greenroom/internal/store/embedded/fsck"
	"github.com/greenroom-dev/greenroom/internal/token"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// keysFolder is where in the data directory the keys of secret inputs lie.
const keysFolder = "keys"

// besidesStore are the files and folders of a data directory that are not the
// store's, and without which a restored server would not be the same.
func besidesStore() []string { return append(token.Files(), keysFolder) }

// keeper looks after data directories. It is a cmdkit.DataKeeper.
type keeper struct{}

// Backup copies what a directory holds: through the server that has it, or, when
// none has, on its own.
func (keeper) Backup(ctx context.Context, dir string, w io.Writer) error {
	if err := isDataDir(dir); err != nil {
		return err
	}
	root, err := embedded.Open(dir, embedded.Options{})
	if fault.Is(err, fault.Conflict) {
		return backupThroughServer(ctx, dir, w)
	}
	if err != nil {
		return err
	}
	return errors.Join(root.Backup(ctx, w, besidesStore()...), root.Close())
}

func isDataDir(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, embedded.DatabaseName)); err != nil {
		return fault.New(fault.NotFound, "%s is not the data directory of a server: %w", dir, err).
			WithHint("name the directory that apify serve uses with --data-dir")
	}
	return nil
}

func backupThroughServer(ctx context.Context, dir string, w io.Writer) error {
	address, err := publishedAddress(dir)
	if err != nil {
		return err
	}
	tokens, err := token.Open(dir)
	if err != nil {
		return err
	}
	owner, err := tokens.Owner()
	if err = errors.Join(err, tokens.Close()); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/greenroom/backup", nil)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "reach the server that uses %s", dir)
	}
	r.Header.Set("Authorization", "Bearer "+owner)
	r.Host = "localhost" // which every server answers to, wherever it listens
	// No proxy stands between this machine and itself.
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "reach the server that uses %s", dir)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var problem api.ErrorEnvelope
		if json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&problem) != nil {
			problem.Error.Message = answer.Status
		}
		return fault.New(fault.Unavailable, "the server at %s makes no backup: %s", address, problem.Error.Message)
	}
	if _, err := io.Copy(w, answer.Body); err != nil {
		return fault.New(fault.Unavailable, "the backup broke off: %w", err).WithHint("the server's log may say why")
	}
	return nil
}

// backup is what the running server itself answers with.
func (d *daemon) backup(ctx context.Context, w io.Writer) error {
	return d.store.Backup(ctx, w, besidesStore()...)
}

// Verify reads a backup and writes nothing.
func (keeper) Verify(ctx context.Context, r io.Reader) (cmdkit.BackupSummary, error) {
	s, err := archive.Verify(ctx, r)
	return cmdkit.BackupSummary(s), err
}

// Restore makes a directory from a backup.
func (keeper) Restore(ctx context.Context, r io.Reader, dir string) (cmdkit.BackupSummary, error) {
	s, err := archive.Extract(ctx, r, dir)
	return cmdkit.BackupSummary(s), err
}

// Check looks for damage.
func (keeper) Check(ctx context.Context, dir string, repair bool) ([]cmdkit.DataProblem, error) {
	problems, err := fsck.Check(ctx, dir, repair)
	told := make([]cmdkit.DataProblem, len(problems))
	for i, p := range problems {
		told[i] = cmdkit.DataProblem(p)
	}
	return told, err
}
