package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/greenroom-dev/greenroom/internal/executor"
	"github.com/greenroom-dev/greenroom/internal/executor/docker/connect"
	"github.com/greenroom-dev/greenroom/internal/executor/owner"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

const (
	// commandName is what code calls to speak to the platform.
	commandName = "actor"

	// defaultPath is what engines set when the image has no PATH.
	defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

	// hasOwn stands for a target where there is none because the image brings
	// the command.
	hasOwn = "-"

	// rememberedImages bounds the number of files in the cache.
	rememberedImages = 256
)

// contentID is an image id that says what is in the image, so that what was
// found out about it stays true.
var contentID = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// commandTargets remembers where the actor command goes in which image, in this
// process and in the user's cache: finding out takes several round trips.
type commandTargets struct {
	known sync.Map // key to target
}

// commandTarget is where the actor command is put in a container of spec, or ""
// when the image has one of its own on the PATH.
func (e *Executor) commandTarget(ctx context.Context, spec executor.Spec) (string, error) {
	searchPath := envValue(spec.Env, "PATH")
	sum := sha256.Sum256([]byte(spec.Image + "\x00" + searchPath))
	key := hex.EncodeToString(sum[:16])
	lasting := contentID.MatchString(spec.Image)
	if lasting {
		if target, ok := e.commands.load(key); ok {
			return target, nil
		}
	}
	target, err := e.findCommandTarget(ctx, spec, searchPath)
	if err == nil && lasting {
		e.commands.store(key, target)
	}
	return target, err
}

func (e *Executor) findCommandTarget(ctx context.Context, spec executor.Spec, searchPath string) (string, error) {
	image, err := e.cli.ImageInspect(ctx, spec.Image)
	if err != nil {
		return "", err
	}
	if searchPath == "" && image.Config != nil {
		searchPath = envValue(image.Config.Env, "PATH")
	}
	if searchPath == "" {
		searchPath = defaultPath
	}
	var dirs []string
	for dir := range strings.SplitSeq(searchPath, ":") {
		if path.IsAbs(dir) && !slices.Contains(dirs, path.Clean(dir)) {
			dirs = append(dirs, path.Clean(dir))
		}
	}
	own, err := e.hasCommand(ctx, spec, dirs)
	if err != nil || own {
		return "", err
	}
	// Well-known directories first: others may be volumes or belong to a user.
	for _, dir := range []string{"/usr/local/bin", "/usr/bin", "/bin"} {
		if slices.Contains(dirs, dir) {
			return path.Join(dir, commandName), nil
		}
	}
	if len(dirs) > 0 {
		return path.Join(dirs[0], commandName), nil
	}
	return path.Join("/usr/local/bin", commandName), nil
}

// hasCommand looks for the command in the image. An image can only be looked
// into through a container of it, which is never started.
func (e *Executor) hasCommand(ctx context.Context, spec executor.Spec, dirs []string) (bool, error) {
	config, host, err := e.describe(executor.Spec{RunID: spec.RunID, Image: spec.Image, Command: []string{commandName}}, refusals{})
	if err != nil {
		return false, err
	}
	host.NetworkMode, host.LogConfig = "none", container.LogConfig{Type: "none"}
	// It ends with us even when others are detached.
	delete(config.Labels, ServerLabel)
	config.Labels[OwnerLabel] = owner.Self().String()
	name := probeName()
	defer e.removeQuietly(name)
	if _, err := e.cli.ContainerCreate(ctx, config, host, nil, nil, name); err != nil {
		return false, err
	}
	for _, dir := range dirs {
		stat, err := e.cli.ContainerStatPath(ctx, name, path.Join(dir, commandName))
		switch {
		case err == nil && !stat.Mode.IsDir():
			return true, nil
		case err != nil && !errdefs.IsNotFound(err) && isGone(err):
			return false, err
		}
	}
	return false, nil
}

// copyCommand puts the command into a container whose engine cannot mount it.
func (e *Executor) copyCommand(ctx context.Context, name, source, target string) error {
	f, err := os.Open(source)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the actor command cannot be read")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the actor command cannot be read")
	}
	archive, w := io.Pipe()
	go func() {
		t := tar.NewWriter(w)
		// The file alone: directories on the way that are missing get made, and
		// those that are links stay links.
		err := t.WriteHeader(&tar.Header{Name: strings.TrimPrefix(target, "/"), Mode: 0o755, Size: info.Size(), ModTime: info.ModTime()})
		if err == nil {
			_, err = io.CopyN(t, f, info.Size())
		}
		w.CloseWithError(errors.Join(err, t.Close()))
	}()
	defer archive.Close()
	return e.cli.CopyToContainer(ctx, name, "/", archive, container.CopyToContainerOptions{})
}

func (c *commandTargets) load(key string) (target string, ok bool) {
	if v, ok := c.known.Load(key); ok {
		return v.(string), true
	}
	dir, err := cacheDir()
	if err != nil {
		return "", false
	}
	data, err := os.ReadFile(filepath.Join(dir, key))
	switch target = string(data); {
	case err != nil:
		return "", false
	case target == hasOwn:
		target = ""
	case !path.IsAbs(target):
		return "", false
	}
	c.known.Store(key, target)
	return target, true
}

// store remembers a target. A cache that cannot be written is no error.
func (c *commandTargets) store(key, target string) {
	c.known.Store(key, target)
	dir, err := cacheDir()
	if err != nil || os.MkdirAll(dir, 0o700) != nil {
		return
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) >= rememberedImages {
		for _, e := range entries {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	if target == "" {
		target = hasOwn
	}
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return
	}
	_, err = f.WriteString(target)
	if errors.Join(err, f.Close()) == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, key))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}

func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "greenroom", "images"), err
}

// mountsWork says whether the engine at host can be expected to see this
// machine's files and to let containers execute them.
func mountsWork(host string) bool {
	if runtime.GOOS != "linux" || !connect.Local(host) {
		return false
	}
	// SELinux keeps containers from files that are not labelled for them, and
	// labelling a program of the host would take it away from others.
	enforced, err := os.ReadFile("/sys/fs/selinux/enforce")
	return err != nil || strings.TrimSpace(string(enforced)) != "1"
}

// refusesMount says whether creating a container failed for the mounted file.
func refusesMount(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "bind source path does not exist") || strings.Contains(text, "mounts denied") ||
		strings.Contains(text, "statfs") || strings.Contains(text, "no such file or directory")
}

// envValue is the last value of a variable, or "".
func envValue(env []string, name string) string {
	for _, entry := range slices.Backward(env) {
		if key, value, ok := strings.Cut(entry, "="); ok && key == name {
			return value
		}
	}
	return ""
}
