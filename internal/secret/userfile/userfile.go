// Package userfile is the file in which a user keeps secrets for the environment
// variables of Actors: the official CLI's, one JSON object of names and values
// below the home directory. Nobody but the user can read what this package
// writes. Values are in no error.
package userfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"unicode/utf16"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Limits of the official CLI, in UTF-16 code units.
const (
	MaxNameLength  = 100
	MaxValueLength = 50_000
)

// Path is where the secrets are, below a home directory.
func Path(home string) string { return filepath.Join(home, ".apify", "secrets.json") }

// Load reads the secrets of the user whose home directory is given. A missing
// file means none, and so does a user without a home directory ("").
func Load(home string) (map[string]string, error) {
	if home == "" {
		return map[string]string{}, nil
	}
	file := Path(home)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err != nil && behindFile(file) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "cannot read the secrets")
	}
	secrets := map[string]string{}
	if err := json.Unmarshal(data, &secrets); err != nil || secrets == nil {
		// The decoder's message could quote a value, so it is not repeated.
		return nil, fault.New(fault.InvalidInput, "%s: the secrets must be one JSON object with strings as values", file)
	}
	return secrets, nil
}

// behindFile reports whether a path cannot exist because what should be a
// directory is a file. Systems differ in how they say so.
func behindFile(path string) bool {
	info, err := os.Stat(filepath.Dir(path))
	return err == nil && !info.IsDir()
}

// Add keeps a secret. One of the same name is replaced when replace is set, else
// it is fault.Conflict. Changes of other processes at the same time are kept.
func Add(home, name, value string, replace bool) error {
	switch {
	case name == "":
		return fault.New(fault.Usage, "the name of the secret is empty")
	case length(name) > MaxNameLength:
		return fault.New(fault.Usage, "the name of the secret has %d characters, at most %d are allowed", length(name), MaxNameLength)
	case value == "":
		return fault.New(fault.Usage, "the value of secret %q is empty", name)
	case length(value) > MaxValueLength:
		return fault.New(fault.Usage, "the value of secret %q has %d characters, at most %d are allowed", name, length(value), MaxValueLength)
	}
	return change(home, func(secrets map[string]string) error {
		if _, ok := secrets[name]; ok && !replace {
			return fault.New(fault.Conflict, "secret %q already exists", name).
				WithHint("add --force to replace it")
		}
		secrets[name] = value
		return nil
	})
}

func length(s string) int { return len(utf16.Encode([]rune(s))) }

// Remove forgets a secret. A missing one is fault.InvalidRequest.
func Remove(home, name string) error {
	missing := fault.New(fault.InvalidRequest, "secret %q does not exist", name).
		WithHint("apify secrets ls lists those that do")
	if secrets, err := Load(home); err != nil {
		return err
	} else if _, ok := secrets[name]; !ok {
		return missing // before anything is made
	}
	return change(home, func(secrets map[string]string) error {
		if _, ok := secrets[name]; !ok {
			return missing
		}
		delete(secrets, name)
		return nil
	})
}

// Protect takes the right to read the file from everybody but the user; the
// official CLI leaves it to all. changed tells whether that was necessary.
func Protect(home string) (changed bool, err error) {
	info, err := os.Stat(Path(home))
	if errors.Is(err, fs.ErrNotExist) || runtime.GOOS == "windows" {
		return false, nil
	}
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return false, err
	}
	return true, os.Chmod(Path(home), 0o600)
}

// change reads, changes and writes the secrets while nobody else does.
func change(home string, do func(map[string]string) error) error {
	if home == "" {
		return fault.New(fault.Unavailable, "there is no home directory to keep secrets in").
			WithHint("set HOME")
	}
	dir := filepath.Dir(Path(home))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "keep the secrets")
	}
	unlock, err := lock(dir)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "lock the secrets")
	}
	defer unlock()
	secrets, err := Load(home)
	if err != nil {
		return err
	}
	if err := do(secrets); err != nil {
		return err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(secrets); err != nil {
		return fault.Wrap(fault.Internal, err, "keep the secrets")
	}
	if err := write(Path(home), text.Bytes()); err != nil {
		return fault.Wrap(fault.Unavailable, err, "keep the secrets")
	}
	return nil
}

// write replaces the file in one step. A link stays one: people keep such files
// elsewhere.
func write(path string, text []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".secrets-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails when all went well
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
