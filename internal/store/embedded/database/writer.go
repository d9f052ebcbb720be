package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// mostJobs is how many writes share a transaction at most: the first one waits
// for all of them.
const mostJobs = 128

// Tx is the writer's view inside a transaction; it sees its own changes.
type Tx struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// job is one write that waits for its turn and its result.
type job struct {
	ctx    context.Context
	change func(*Tx) error
	result chan error
	taken  atomic.Bool // by the writer, or given up by its caller
}

// Write runs change in a transaction and returns when it is on the disk, or
// with an error and no effect. Other writes may share the transaction: change
// must not wait for anything, and undoes nothing itself. An error of change is
// returned as it is.
func (db *DB) Write(ctx context.Context, change func(*Tx) error) error {
	if err := Live(ctx); err != nil {
		return err
	}
	j := &job{ctx: ctx, change: change, result: make(chan error, 1)}
	select {
	case <-db.closed:
		return errClosed
	case db.jobs <- j:
	}
	select {
	case err := <-j.result:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return fault.Wrap(fault.Aborted, ctx.Err(), "stopped before the storage was touched")
		}
	case <-db.done:
		// The writer ended; it may have answered, or never have seen the job.
		select {
		case err := <-j.result:
			return err
		default:
			return errClosed
		}
	}
	return <-j.result
}

var errClosed = fault.New(fault.Unavailable, "the store is closed")

// write is the goroutine of the only connection that writes.
func (db *DB) write(conn *sql.Conn) {
	defer close(db.done)
	tx := &Tx{conn: conn, prepared: map[string]*sql.Stmt{}}
	defer func() {
		for _, s := range tx.prepared {
			s.Close()
		}
		conn.Close()
	}()
	for {
		var batch []*job
		select {
		case j := <-db.jobs:
			batch = append(batch, j)
		case <-db.closed:
			select {
			case j := <-db.jobs:
				batch = append(batch, j)
			default:
				return
			}
		}
	more:
		for len(batch) < mostJobs {
			select {
			case j := <-db.jobs:
				batch = append(batch, j)
			default:
				break more
			}
		}
		tx.run(batch)
	}
}

// run commits the jobs together and tells each its result.
func (tx *Tx) run(batch []*job) {
	var live []*job
	for _, j := range batch {
		if j.taken.CompareAndSwap(false, true) {
			live = append(live, j)
		}
	}
	if len(live) == 0 {
		return
	}
	results := make([]error, len(live))
	err := tx.begin()
	if err == nil {
		good := 0
		for i, j := range live {
			if results[i], err = tx.apply(j, len(live) > 1); err != nil {
				break
			}
			if results[i] == nil {
				good++
			}
		}
		switch {
		case err != nil:
		case good == 0:
			_, err = tx.Exec("ROLLBACK")
		default:
			_, err = tx.Exec("COMMIT")
		}
		if err != nil {
			// SQLite has undone the transaction itself, or does it now.
			tx.Exec("ROLLBACK")
		}
	}
	for i, j := range live {
		if results[i] == nil && err != nil {
			results[i] = failed(err, "write to the database")
		}
		j.result <- results[i]
	}
}

func (tx *Tx) begin() error {
	_, err := tx.Exec("BEGIN IMMEDIATE")
	if err != nil {
		// An earlier transaction that could not be ended, as on a full disk.
		tx.Exec("ROLLBACK")
		_, err = tx.Exec("BEGIN IMMEDIATE")
	}
	return err
}

// apply runs one job. The first error is the job's own, the second one ends the
// transaction for all.
func (tx *Tx) apply(j *job, shared bool) (own, all error) {
	if shared {
		if _, err := tx.Exec("SAVEPOINT job"); err != nil {
			return nil, err
		}
	}
	own = tx.call(j)
	if !shared {
		return own, nil // alone, the transaction is what is undone
	}
	if own != nil {
		if _, err := tx.Exec("ROLLBACK TO job"); err != nil {
			return own, errors.Join(err, own)
		}
	}
	_, all = tx.Exec("RELEASE job")
	return own, all
}

// call runs the change; a panic must not end the writer of everybody.
func (tx *Tx) call(j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Internal, "a write panicked: %s", fmt.Sprint(p))
		}
	}()
	return j.change(tx)
}

// statement prepares a query once for the writer's connection.
func (tx *Tx) statement(query string) (*sql.Stmt, error) {
	if s, ok := tx.prepared[query]; ok {
		return s, nil
	}
	s, err := tx.conn.PrepareContext(context.Background(), query)
	if err == nil {
		tx.prepared[query] = s
	}
	return s, err
}

// Exec changes something and counts the rows.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := tx.statement(query)
	if err != nil {
		return 0, err
	}
	r, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Insert adds a row and gives its number.
func (tx *Tx) Insert(query string, args ...any) (int64, error) {
	s, err := tx.statement(query)
	if err != nil {
		return 0, err
	}
	r, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// Get reads one row into dest. No row is sql.ErrNoRows.
func (tx *Tx) Get(query string, args []any, dest ...any) error {
	s, err := tx.statement(query)
	if err != nil {
		return err
	}
	return s.QueryRow(args...).Scan(dest...)
}

// Query reads rows. They must be closed before the next statement.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	s, err := tx.statement(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}
