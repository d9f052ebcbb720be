// Package docker runs Actors in containers, on any engine that serves the
// Docker API: Docker and Podman, with or without root. It never starts the
// docker command.
package docker
