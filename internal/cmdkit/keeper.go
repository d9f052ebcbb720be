package cmdkit

import (
	"context"
	"io"
)

// DataKeeper looks after the data directories of servers.
type DataKeeper interface {
	// Backup writes all that the directory holds to w. A server may be using it.
	Backup(ctx context.Context, dir string, w io.Writer) error
	// Verify reads a backup to its end. One that is not as it was written is
	// fault.InvalidInput.
	Verify(ctx context.Context, r io.Reader) (BackupSummary, error)
	// Restore makes a directory, which must be empty or not be there, from a
	// backup: as a whole or not at all.
	Restore(ctx context.Context, r io.Reader, dir string) (BackupSummary, error)
	// Check looks for damage in a directory that no server uses, and repairs
	// what can be repaired when asked to.
	Check(ctx context.Context, dir string, repair bool) ([]DataProblem, error)
}

// BackupSummary says what a backup holds.
type BackupSummary struct {
	Files int
	Bytes int64 // of all files together
}

// DataProblem is something wrong with a data directory.
type DataProblem struct {
	What     string // a sentence without a full stop
	Repaired bool
	// Kind and Storage say what it is about, "dataset", "key-value store" or
	// "request queue" with its id; "" when it is about none of them.
	Kind, Storage string
	// File is the file, below the data directory, that is damaged from Offset
	// on; "" when there is no such place.
	File   string
	Offset int64
}
