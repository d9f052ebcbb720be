package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// scrubbed are the prefixes of variables that belong to a platform. Those of
// whatever we run in are not those of the run.
var scrubbed = []string{"ACTOR_", "APIFY_", "CRAWLEE_"}

// Environment is what the code sees: the host's variables without those of a
// platform, then the run's. commandDir, if any, comes first on the PATH.
func Environment(host, run []string, dir, commandDir string) []string {
	env := make([]string, 0, len(host)+len(run)+2)
	for _, entry := range host {
		name, _, ok := cutEntry(entry)
		// The shell's notes on directories speak of ours, not of the code's.
		if !ok || sameName(name, "PWD") || sameName(name, "OLDPWD") || isScrubbed(name) {
			continue
		}
		env = append(env, entry)
	}
	env = append(env, "PWD="+dir)
	env = append(env, run...)
	if commandDir == "" {
		return env
	}
	if path := Value(env, "PATH"); path != "" {
		commandDir += string(os.PathListSeparator) + path
	}
	return append(env, "PATH="+commandDir)
}

func isScrubbed(name string) bool {
	return slices.ContainsFunc(scrubbed, func(prefix string) bool {
		return len(name) >= len(prefix) && sameName(name[:len(prefix)], prefix)
	})
}

// cutEntry splits NAME=value. Windows has names that begin with "=".
func cutEntry(entry string) (name, value string, ok bool) {
	if entry == "" {
		return "", "", false
	}
	i := strings.IndexByte(entry[1:], '=')
	if i < 0 {
		return "", "", false
	}
	return entry[:i+1], entry[i+2:], true
}

// Value is the last value of a variable, which is the one that counts.
func Value(env []string, name string) string {
	for _, entry := range slices.Backward(env) {
		if n, value, ok := cutEntry(entry); ok && sameName(n, name) {
			return value
		}
	}
	return ""
}

// Contains says whether there is an entry NAME=value.
func Contains(env []string, entry string) bool { return slices.Contains(env, entry) }

// LookPath finds a command as a shell in dir would, by the PATH of the code
// rather than ours.
func LookPath(command, dir, path string) (string, error) {
	if filepath.Base(command) != command {
		if !filepath.IsAbs(command) {
			command = filepath.Join(dir, command)
		}
		return executable(command)
	}
	found := error(exec.ErrNotFound)
	for _, entry := range filepath.SplitList(path) {
		if !filepath.IsAbs(entry) {
			entry = filepath.Join(dir, entry)
		}
		file, err := executable(filepath.Join(entry, command))
		if err == nil {
			return file, nil
		}
		if os.IsPermission(err) {
			found = err
		}
	}
	return "", found
}
