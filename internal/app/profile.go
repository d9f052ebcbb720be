package app

import (
	"debug/elf"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/executor"
)

// user is who the platform believes to work for.
type user struct{ ID, Name, ProxyPassword string }

// localUser is the user that the official CLI is logged in as, so that Actors
// see the names and the proxy they see on the platform; without one it is a
// user of our own. The file's token is not used: nothing here needs the cloud.
func localUser() user {
	me := user{ID: "local000000000000", Name: "local"}
	home, err := os.UserHomeDir()
	if err != nil {
		return me
	}
	text, err := os.ReadFile(filepath.Join(home, ".apify", "auth.json"))
	if err != nil {
		return me
	}
	var auth struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		Proxy    struct {
			Password string `json:"password"`
		} `json:"proxy"`
	}
	if json.Unmarshal(text, &auth) != nil || auth.ID == "" || auth.Username == "" {
		return me
	}
	return user{auth.ID, auth.Username, auth.Proxy.Password}
}

// actorEnvironment is an Actor's own environment with its secrets.
type actorEnvironment struct {
	values  map[string]string
	secrets []string
}

func environment(d *definition.Actor, opts cmdkit.PlatformOptions) (actorEnvironment, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	secrets, err := definition.LoadSecrets(home)
	if err != nil {
		return actorEnvironment{}, err
	}
	env, err := d.ResolveEnvironment(secrets, opts.AllowMissingSecrets)
	if err != nil {
		return actorEnvironment{}, err
	}
	for _, warning := range env.Warnings {
		opts.Notice("warning: " + warning)
	}
	values := maps.Clone(env.Variables)
	if values == nil {
		values = map[string]string{}
	}
	maps.Copy(values, opts.Env)
	return actorEnvironment{values, env.SecretValues()}, nil
}

// actorBinary finds an actor command that runs where the executor runs things:
// the one beside this executable, else, where the system is the same, this
// executable itself, which is both. "" when there is none. GREENROOM_ACTOR names
// another one.
func actorBinary(exec executor.Executor) string {
	if path := os.Getenv("GREENROOM_ACTOR"); path != "" {
		return path
	}
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	if resolved, err := filepath.EvalSymlinks(self); err == nil {
		self = resolved
	}
	dir := filepath.Dir(self)
	goos := runtime.GOOS
	if exec.Name() == "docker" {
		goos = "linux"
	}
	names := []string{"actor-" + goos + "-" + runtime.GOARCH}
	if goos == runtime.GOOS {
		names = append(names, "actor")
	}
	for _, name := range names {
		if goos == "windows" {
			name += ".exe"
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	if goos == runtime.GOOS {
		return self
	}
	return ""
}

// needsLibraries reports whether a program starts only where a dynamic loader is:
// it runs on the machine it was built on, and in few containers.
func needsLibraries(program string) bool {
	file, err := elf.Open(program)
	if err != nil {
		return false // no ELF program, so not for containers at all
	}
	defer file.Close()
	return slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}
