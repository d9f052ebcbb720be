package localdir

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// journal is the content of a queue's lock file: which requests changed, and
// who holds those that are locked, until when. Locks are nowhere else: they end
// by themselves, so the requests' files need not follow. A process that has read it up to some point
// reads the rest to learn what others did meanwhile, instead of the whole
// queue. It begins with the journal's own id; another id means that what was
// known is worth nothing.
type journal struct {
	id     string
	offset int64
}

// longestJournal is where a journal starts anew.
const longestJournal = 8 << 20

const journalIDLength = 17

// change is a line of the journal: a request's file is about to change, or,
// with an expiry, the request is locked and its file stays as it is. An expiry
// that is over is the request's place, as long as its file has an earlier one.
type change struct {
	id     string
	holder store.Client
	expiry ticks // negative for the front, 0 for no lock
}

func (c change) line() string {
	return c.id + "\t" + url.QueryEscape(c.holder.Key) + "\t" + url.QueryEscape(c.holder.RunID) + "\t" +
		strconv.FormatInt(int64(c.expiry), 10) + "\n"
}

// news reads what was added since the last time; restarted says that the
// journal is another one. The file is locked, or nobody ever wrote it.
func (j *journal) news(l *fileLock) (changes []change, restarted bool, err error) {
	if l.file == nil {
		return nil, false, nil
	}
	info, err := l.file.Stat()
	if err != nil {
		return nil, false, internal(err, "read %s", l.path)
	}
	if info.Size() <= journalIDLength {
		return nil, true, j.restart(l, nil)
	}
	var id [journalIDLength]byte
	if _, err := l.file.ReadAt(id[:], 0); err != nil {
		return nil, false, internal(err, "read %s", l.path)
	}
	if string(id[:]) != j.id || info.Size() < j.offset {
		j.id, j.offset, restarted = string(id[:]), journalIDLength+1, true
	}
	if info.Size() == j.offset {
		return nil, restarted, nil
	}
	data := make([]byte, info.Size()-j.offset)
	if _, err := l.file.ReadAt(data, j.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, internal(err, "read %s", l.path)
	}
	j.offset = info.Size()
	for line := range bytes.Lines(data) {
		fields := strings.Split(strings.TrimSuffix(string(line), "\n"), "\t")
		if len(fields) != 4 {
			continue // a process was killed while it wrote this line
		}
		expiry, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil || !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		key, _ := url.QueryUnescape(fields[1])
		run, _ := url.QueryUnescape(fields[2])
		changes = append(changes, change{fields[0], store.Client{Key: key, RunID: run}, ticks(expiry)})
	}
	return changes, restarted, nil
}

// add announces changes. That comes before making them: whoever reads about one
// looks at the request's file, which tells whether it was made.
func (j *journal) add(l *fileLock, changes []change) error {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(c.line())
	}
	n, err := l.file.WriteAt([]byte(b.String()), j.offset)
	j.offset += int64(n)
	if err != nil {
		return internal(err, "write %s", l.path)
	}
	return nil
}

// restart begins a journal that knows only the holders of locks.
func (j *journal) restart(l *fileLock, holders []change) error {
	var b strings.Builder
	j.id = store.NewID()
	b.WriteString(j.id + "\n")
	for _, c := range holders {
		b.WriteString(c.line())
	}
	if err := l.file.Truncate(0); err != nil {
		return internal(err, "write %s", l.path)
	}
	if _, err := l.file.WriteAt([]byte(b.String()), 0); err != nil {
		return internal(err, "write %s", l.path)
	}
	j.offset = int64(b.Len())
	return nil
}
