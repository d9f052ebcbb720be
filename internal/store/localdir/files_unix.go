//go:build unix

package localdir

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func lockFile(f *os.File) error {
	return retry(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) })
}

// tryLockFile fails at once if somebody else has the lock.
func tryLockFile(f *os.File) error {
	return retry(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
}

func unlockFile(f *os.File) { unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// retry repeats a call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// folder is an open directory. Files in it are reached relative to it and
// through plain system calls: package os would offer each file to the poller,
// which takes none, and resolve the whole path again for each.
type folder struct{ fd int }

func openFolder(path string) (folder, error) {
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return folder{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return folder{fd}, nil
}

func (d folder) close() { unix.Close(d.fd) }

func (d folder) exists(name string) bool {
	var st unix.Stat_t
	return retry(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) }) == nil
}

func (d folder) remove(name string) error { return unix.Unlinkat(d.fd, name, 0) }

// read appends the file's content to buf.
func (d folder) read(name string, buf []byte) ([]byte, error) {
	return readAt(d.fd, name, buf)
}

// take moves a file into the folder, to a name that must be free; a taken one is
// fs.ErrExist.
func (d folder) take(path, name string) error {
	err := renameExclusive(unix.AT_FDCWD, path, d.fd, name)
	if err == unix.EINVAL || err == unix.ENOSYS || err == unix.ENOTSUP {
		// File systems without exclusive renames have links, which are.
		if err = unix.Linkat(unix.AT_FDCWD, path, d.fd, name, 0); err == nil {
			unix.Unlink(path)
		}
	}
	return err
}

func readFile(path string, buf []byte) ([]byte, error) { return readAt(unix.AT_FDCWD, path, buf) }

// writeUnfinished writes a file whose name is nobody else's: it is empty or does
// not exist yet.
func writeUnfinished(name string, data []byte) error {
	const dir = unix.AT_FDCWD
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o666)
		return err
	})
	if err != nil {
		return &fs.PathError{Op: "create", Path: name, Err: err}
	}
	for len(data) > 0 && err == nil {
		var n int
		n, err = unix.Write(fd, data)
		if err == unix.EINTR {
			n, err = 0, nil
		}
		data = data[max(n, 0):]
	}
	if closed := unix.Close(fd); err == nil && closed != unix.EINTR {
		err = closed
	}
	if err != nil {
		unix.Unlinkat(dir, name, 0)
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

func readAt(dir int, name string, buf []byte) ([]byte, error) {
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return buf, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(4096, len(buf)))...)[:len(buf)]
		}
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return buf, &fs.PathError{Op: "read", Path: name, Err: err}
		case n == 0:
			return buf, nil
		default:
			buf = buf[:len(buf)+n]
		}
	}
}

// openShared opens a file for reading. Replacing or removing it meanwhile does
// not disturb the reader.
func openShared(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		f.Close()
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	return f, nil
}

// appendFile adds p to the end of a file in one write.
func appendFile(path string, p []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	n, err := f.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return errors.Join(err, f.Close())
}
