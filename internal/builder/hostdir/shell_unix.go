//go:build !windows

package hostdir

// shellCommand runs a line in the system's shell.
func shellCommand(line string) ([]string, error) {
	return []string{"/bin/sh", "-c", line}, nil
}
