// Package docker runs Actors in containers, on any engine that serves the
// Docker API: Docker and Podman, with or without root. It never starts the
// docker command.
package docker

import (
	"context"

	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/internal/executor/docker/connect"
)

// Connect finds a container engine and returns a client that speaks its API
// version, see connect.Engine.
func Connect(ctx context.Context) (*client.Client, error) { return connect.Engine(ctx) }
