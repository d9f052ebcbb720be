package localdir

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// lockedRange lies far behind any content: a lock is mandatory on Windows, and
// one on the content would keep other processes from reading it.
func lockedRange() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 20} }

func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, lockedRange())
}

// tryLockFile fails at once if somebody else has the lock.
func tryLockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, lockedRange())
}

func unlockFile(f *os.File) {
	windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, lockedRange())
}

// folder is a directory by its path; Windows has no calls relative to an open
// one.
type folder struct{ path string }

func openFolder(path string) (folder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return folder{}, err
	}
	if !info.IsDir() {
		return folder{}, &fs.PathError{Op: "open", Path: path, Err: windows.ERROR_DIRECTORY}
	}
	return folder{path}, nil
}

func (d folder) close() {}

func (d folder) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(d.path, name))
	return err == nil
}

func (d folder) remove(name string) error { return os.Remove(filepath.Join(d.path, name)) }

func (d folder) read(name string, buf []byte) ([]byte, error) {
	return readFile(filepath.Join(d.path, name), buf)
}

// take moves a file into the folder, to a name that must be free; a taken one is
// fs.ErrExist.
func (d folder) take(path, name string) error {
	return move(path, filepath.Join(d.path, name), 0)
}

// replaceFile renames a file over whatever has the other name.
func replaceFile(from, to string) error {
	return move(from, to, windows.MOVEFILE_REPLACE_EXISTING)
}

// move renames, waiting a little for programs such as virus scanners that hold
// a file open for a moment after it was written.
func move(from, to string, flags uint32) error {
	src, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	dst, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	for wait := time.Millisecond; ; wait *= 2 {
		err = windows.MoveFileEx(src, dst, flags)
		held := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !held || wait > 200*time.Millisecond {
			break
		}
		time.Sleep(wait)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// writeUnfinished writes a file whose name is nobody else's: it is empty or does
// not exist yet.
func writeUnfinished(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
	}
	return err
}

func readFile(path string, buf []byte) ([]byte, error) {
	f, err := openShared(path)
	if err != nil {
		return buf, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	return append(buf, data...), err
}

// openShared opens a file for reading in a way that lets others replace or
// remove it meanwhile without disturbing the reader.
func openShared(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, fs.ErrNotExist
	}
	handle, err := windows.CreateFile(name, windows.GENERIC_READ,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// appendFile adds p to the end of a file.
func appendFile(path string, p []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	return errors.Join(err, f.Close())
}
