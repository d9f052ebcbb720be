package connect

import "github.com/docker/docker/client"

// usualHosts are the pipes where engines listen by default: Docker's, Docker
// Desktop's and that of Podman's machine.
func usualHosts() []string {
	return []string{
		client.DefaultDockerHost,
		"npipe:////./pipe/dockerDesktopLinuxEngine",
		"npipe:////./pipe/podman-machine-default",
	}
}
