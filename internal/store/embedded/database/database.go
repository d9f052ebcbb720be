// Package database is one SQLite file with one writer and many readers. Writes
// that come together share a transaction, and so the one wait for the disk that
// makes them last.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Options say how a database is opened.
type Options struct {
	// Relaxed lets power loss take the last writes back; the death of the
	// process never does.
	Relaxed bool
	// Migrations are the steps that make the schema, each one or more
	// statements. Steps are only ever added: step n makes version n+1 of n.
	Migrations []string
}

// DB is an open database. Its methods may be used by many goroutines.
type DB struct {
	path   string
	reader *sql.DB
	writer *sql.DB

	prepared sync.Map // query → *sql.Stmt of reader

	jobs   chan *job
	closed chan struct{} // closed by Close: no more jobs
	done   chan struct{} // closed when the writer has ended
	once   sync.Once
	err    error // of closing
}

// dsn names the file for the driver. What comes from a path is escaped.
func dsn(path string, pragmas ...string) string {
	p := filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		p = "/" + p
	}
	q := url.Values{}
	for _, pragma := range pragmas {
		q.Add("_pragma", pragma)
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: p, RawQuery: q.Encode()}).String()
}

// Open opens or creates the database and brings its schema up to date. A schema
// that is newer than the migrations is fault.Conflict.
func Open(path string, o Options) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, failed(err, "find the database %s", path)
	}
	synchronous := "synchronous(FULL)"
	if o.Relaxed {
		synchronous = "synchronous(NORMAL)"
	}
	// The order counts: the time to wait comes first, so that it holds for the
	// rest. A full fsync matters where fsync alone leaves data in the drive.
	writer, err := sql.Open("sqlite", dsn(path, "busy_timeout(10000)", "journal_mode(WAL)", synchronous,
		"fullfsync(1)", "checkpoint_fullfsync(1)", "foreign_keys(1)", "cache_size(-65536)", "temp_store(MEMORY)",
		"journal_size_limit(67108864)"))
	if err != nil {
		return nil, failed(err, "open the database %s", path)
	}
	writer.SetMaxOpenConns(1)
	db := &DB{
		path: path, writer: writer,
		jobs: make(chan *job, 256), closed: make(chan struct{}), done: make(chan struct{}),
	}
	if err := migrate(writer, path, o.Migrations); err != nil {
		writer.Close()
		return nil, err
	}
	db.reader, err = sql.Open("sqlite", dsn(path, "busy_timeout(10000)", "query_only(1)", "cache_size(-8192)", "temp_store(MEMORY)"))
	if err != nil {
		writer.Close()
		return nil, failed(err, "open the database %s", path)
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	conn, err := writer.Conn(context.Background())
	if err != nil {
		db.reader.Close()
		writer.Close()
		return nil, failed(err, "open the database %s", path)
	}
	go db.write(conn)
	return db, nil
}

// Close ends the writer after what it was given, and closes the file. It may be
// called again.
func (db *DB) Close() error {
	db.once.Do(func() {
		close(db.closed)
		<-db.done
		db.prepared.Range(func(_, s any) bool {
			s.(*sql.Stmt).Close()
			return true
		})
		db.err = errors.Join(db.reader.Close(), db.writer.Close())
	})
	return db.err
}

// statement prepares a query for the readers, once.
func (db *DB) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := db.prepared.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := db.reader.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if other, loaded := db.prepared.LoadOrStore(query, s); loaded {
		s.Close()
		return other.(*sql.Stmt), nil
	}
	return s, nil
}

// Query reads what was committed. The caller closes the rows.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := db.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// Get reads one row into dest. No row is sql.ErrNoRows.
func (db *DB) Get(ctx context.Context, query string, args []any, dest ...any) error {
	s, err := db.statement(ctx, query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(ctx, args...).Scan(dest...)
}

// All reads the only column of all rows of a query.
func All[T any](ctx context.Context, db *DB, query string, args ...any) (all []T, err error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// Snapshot writes a copy of all that is committed to a new file at path, while
// the database is in use.
func (db *DB) Snapshot(ctx context.Context, path string) error {
	// The readers may not write at all, not even to another file.
	conn, err := sql.Open("sqlite", dsn(db.path, "busy_timeout(10000)"))
	if err == nil {
		_, err = conn.ExecContext(ctx, "VACUUM INTO ?", path)
		err = errors.Join(err, conn.Close())
	}
	return failed(err, "copy the database to %s", path)
}

// Size is how many bytes the file and its journal take.
func (db *DB) Size() (bytes int64, err error) {
	for _, path := range []string{db.path, db.path + "-wal"} {
		info, err := os.Stat(path)
		if err == nil {
			bytes += info.Size()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return 0, failed(err, "look at the database %s", db.path)
		}
	}
	return bytes, nil
}

// Check gives what SQLite finds wrong with the file, nothing when it is sound.
func (db *DB) Check(ctx context.Context) (faults []string, err error) {
	rows, err := db.reader.QueryContext(ctx, "PRAGMA integrity_check")
	if err != nil {
		return []string{err.Error()}, nil
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, failed(err, "check the database")
		}
		if line != "ok" {
			faults = append(faults, line)
		}
	}
	if err := rows.Err(); err != nil {
		faults = append(faults, err.Error())
	}
	return faults, nil
}

func failed(err error, format string, args ...any) error {
	return fault.Wrap(fault.Internal, err, format, args...)
}

// Live gives ctx's error, with the code that fits.
func Live(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Aborted, err, "stopped before the storage was touched")
	}
	return nil
}

// Failed says what failed because of err. An error that has a code already stays
// as it is, and nil nil.
func Failed(err error, format string, args ...any) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Aborted, err, format, args...)
	}
	return failed(err, format, args...)
}

// ValidID reports whether an id from outside may be given to something: it could
// be one element of a path.
func ValidID(id string) bool {
	return id != "" && len(id) <= 128 && id[0] != '.' && !strings.ContainsAny(id, "/\\:\x00")
}

// migrate brings the schema to the newest version, each step in a transaction
// of its own together with its number.
func migrate(db *sql.DB, path string, steps []string) error {
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return failed(err, "open the database %s", path)
	}
	if version > len(steps) {
		return fault.New(fault.Conflict, "the database %s has version %d, newer than this program's %d", path, version, len(steps)).
			WithHint("use the newer version of this program that wrote it")
	}
	for ; version < len(steps); version++ {
		tx, err := db.Begin()
		if err == nil {
			if _, err = tx.Exec(steps[version]); err == nil {
				_, err = tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", version+1))
			}
			if err == nil {
				err = tx.Commit()
			} else {
				tx.Rollback()
			}
		}
		if err != nil {
			return failed(err, "bring the database %s to version %d", path, version+1)
		}
	}
	return nil
}
