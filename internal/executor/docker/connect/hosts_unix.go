//go:build !windows

package connect

import (
	"os"
	"path/filepath"

	"github.com/docker/docker/client"
)

// usualHosts are the sockets where engines listen by default: Docker, rootless
// Docker, Docker Desktop, rootless Podman and Podman. Those that do not exist
// are left out, save the first, which errors then speak of.
func usualHosts() []string {
	hosts := []string{client.DefaultDockerHost}
	var sockets []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, filepath.Join(dir, "docker.sock"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		sockets = append(sockets, filepath.Join(home, ".docker", "run", "docker.sock"))
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, filepath.Join(dir, "podman", "podman.sock"))
	}
	sockets = append(sockets, "/run/podman/podman.sock")
	for _, socket := range sockets {
		if _, err := os.Stat(socket); err == nil {
			hosts = append(hosts, "unix://"+socket)
		}
	}
	return hosts
}
