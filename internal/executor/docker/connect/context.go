package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/docker/docker/client"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// contextEngine is the engine of the Docker context in use, or nil when that is
// the default one. explicit says that DOCKER_CONTEXT named it.
//
// The files are those of the docker command: config.json names the context, and
// contexts/meta/<sha256 of the name>/meta.json says where its engine is.
func contextEngine() (e *engine, explicit bool, err error) {
	dir := configDir()
	name := os.Getenv("DOCKER_CONTEXT")
	explicit = name != ""
	if name == "" {
		var config struct {
			CurrentContext string `json:"currentContext"`
		}
		// A broken or missing configuration of another program is no reason not
		// to try the usual places.
		if data, err := os.ReadFile(filepath.Join(dir, "config.json")); err == nil {
			_ = json.Unmarshal(data, &config)
		}
		name = config.CurrentContext
	}
	if name == "" || name == "default" {
		return nil, false, nil
	}

	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	var meta struct {
		Endpoints map[string]struct {
			Host string `json:"Host"`
		} `json:"Endpoints"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "contexts", "meta", id, "meta.json"))
	if err == nil {
		err = json.Unmarshal(data, &meta)
	}
	host := meta.Endpoints["docker"].Host
	switch {
	case err == nil && host != "":
	case !explicit:
		return nil, false, nil
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return nil, true, fault.New(fault.Unavailable, "there is no Docker context named %q with a container engine", name).
			WithHint("check DOCKER_CONTEXT")
	default:
		return nil, true, fault.New(fault.Unavailable, "the Docker context %q cannot be read: %w", name, err).
			WithHint("check DOCKER_CONTEXT")
	}

	e = &engine{host: host}
	tls := filepath.Join(dir, "contexts", "tls", id, "docker")
	if _, err := os.Stat(filepath.Join(tls, "ca.pem")); err == nil {
		e.tls = tls
	}
	return e, explicit, nil
}

// tlsOption makes the client show the context's certificate and check the
// engine's.
func (e engine) tlsOption() client.Opt {
	return client.WithTLSClientConfig(filepath.Join(e.tls, "ca.pem"), filepath.Join(e.tls, "cert.pem"), filepath.Join(e.tls, "key.pem"))
}

func configDir() string {
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".docker")
}
