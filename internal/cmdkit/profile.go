package cmdkit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Profile is who a user is to an API, as a login has kept it in ~/.apify. The
// official CLI reads and writes the same file; APIURL is an addition of ours.
type Profile struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Token    string `json:"token"`
	// Backend is "keyring" when the token lies in the system's keyring instead.
	Backend string `json:"secretsBackend"`
	// APIURL is the origin of the API that the token belongs to; empty for the
	// cloud's, and for what the official CLI has written.
	APIURL string `json:"apiBaseUrl"`
}

// ProfileFile is where the profile lies, whether or not there is one.
func ProfileFile() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.New(fault.Usage, "there is no home directory to keep a profile in: %w", err)
	}
	return filepath.Join(home, ".apify", "auth.json"), nil
}

// LoadProfile reads the profile; none gives an empty one. A file that is
// something else is fault.Unauthenticated.
func LoadProfile() (Profile, error) {
	file, err := ProfileFile()
	if err != nil {
		return Profile{}, nil // nobody can have logged in
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Profile{}, nil
	}
	if err != nil {
		return Profile{}, fault.New(fault.Unauthenticated, "read the profile: %w", err)
	}
	var p Profile
	if err := json.Unmarshal(text, &p); err != nil {
		return Profile{}, fault.New(fault.Unauthenticated, "%s is not the profile of a user: %w", file, err).
			WithHint("set APIFY_TOKEN, or log in again")
	}
	return p, nil
}

// SaveProfile keeps a token with the account it belongs to, a JSON object as the
// API describes it, in a file that only the user can read. It appears in one
// step: nobody finds half of it.
func SaveProfile(account json.RawMessage, token, apiURL string) error {
	file, err := ProfileFile()
	if err != nil {
		return err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(account, &fields); err != nil {
		return fault.New(fault.Unavailable, "the API's answer does not describe a user: %w", err)
	}
	delete(fields, "apiBaseUrl")
	for name, text := range map[string]string{"token": token, "secretsBackend": "file", "apiBaseUrl": apiURL} {
		if text == "" {
			continue
		}
		if fields[name], err = json.Marshal(text); err != nil {
			return err
		}
	}
	compact, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, compact, "", "\t"); err != nil {
		return err
	}
	return fault.Wrap(fault.Unavailable, replaceFile(file, text.Bytes()), "the profile cannot be kept")
}

func replaceFile(file string, text []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, ".auth-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}

// DropProfile forgets the profile, and tells whether there was one.
func DropProfile() (bool, error) {
	file, err := ProfileFile()
	if err != nil {
		return false, nil
	}
	err = os.Remove(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, fault.Wrap(fault.Unavailable, err, "the profile cannot be removed")
}
