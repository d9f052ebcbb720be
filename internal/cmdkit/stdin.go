package cmdkit

import (
	"io/fs"
	"os"
)

// Piped tells whether somebody has connected something to In: a pipe, a socket
// or a file, but no terminal and not /dev/null, which stands for nothing.
func (s *IO) Piped() bool {
	file, ok := s.In.(*os.File)
	if !ok {
		return s.In != nil
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice == 0
}
