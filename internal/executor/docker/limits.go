package docker

import (
	"context"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/greenroom-dev/greenroom/internal/executor"
)

// localLogs is the log driver of Docker that escapes nothing and so needs the
// least space. Podman does not have it.
const localLogs = "local"

// keptLogs is where the output of a container is kept: at least the latest 32
// MB, which is more than the log of a run holds.
func keptLogs(without refusals) container.LogConfig {
	if without.localLogs {
		return container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "64m", "max-file": "2"}}
	}
	return container.LogConfig{Type: localLogs, Config: map[string]string{"max-size": "32m", "max-file": "2", "compress": "false"}}
}

// refusesLogs says whether creating a container failed for its log driver.
func refusesLogs(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "log driver") || strings.Contains(text, "log-driver") || strings.Contains(text, "logger")
}

// refusesDiskLimit says whether creating a container failed for its disk limit.
func refusesDiskLimit(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "storage-opt") || strings.Contains(text, "storage opt") || strings.Contains(text, "quota")
}

// Capabilities asks the engine what it enforces.
func (e *Executor) Capabilities(ctx context.Context) (executor.Capabilities, error) {
	info, err := e.cli.Info(ctx)
	if err != nil {
		return executor.Capabilities{}, e.explain(ctx, err, "asking the container engine what it can do")
	}
	c := executor.Capabilities{Survives: e.server != "", MemoryLimit: info.MemoryLimit}
	switch info.Driver {
	case "btrfs", "zfs", "devicemapper", "windowsfilter":
		c.DiskLimit = true
	case "overlay2", "overlay":
		// Whether quotas are on shows at the first container.
		for _, status := range info.DriverStatus {
			c.DiskLimit = c.DiskLimit || status[0] == "Backing Filesystem" && status[1] == "xfs"
		}
	}
	e.mu.Lock()
	c.DiskLimit = c.DiskLimit && !e.refused.diskLimit
	e.mu.Unlock()
	if !c.DiskLimit {
		c.Notices = append(c.Notices, "the container engine cannot limit the disk space of a run: its storage driver is "+info.Driver+
			"; it can with overlay2 on XFS that is mounted with pquota, with btrfs or with ZFS")
	}
	if !c.MemoryLimit {
		c.Notices = append(c.Notices, "the container engine cannot limit the memory of a run: the kernel's memory controller is off")
	}
	return c, nil
}

// wasTold says whether somebody has had the engine send a signal to a container
// since it was started. Engines remember the last few hundred events.
func (e *Executor) wasTold(ctx context.Context, name, started string) bool {
	const limit = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	messages, failed := e.cli.Events(ctx, events.ListOptions{
		Since: started, Until: time.Now().Format(time.RFC3339Nano),
		Filters: filters.NewArgs(filters.Arg("container", name), filters.Arg("event", "kill")),
	})
	select {
	case <-messages:
		return true
	case <-failed:
		return false
	}
}
