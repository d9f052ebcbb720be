package catalog

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// checkFiles refuses source files that could not be written: names that lead out
// of the Actor's directory, two things of one name, and contents that are not
// what they are said to be.
func checkFiles(files []api.SourceFile) error {
	seen := map[string]bool{} // by name: whether it is a folder
	for i, f := range files {
		name, err := CleanName(f.Name)
		if err != nil {
			return err
		}
		if folder, known := seen[name]; known && !(folder && f.Folder) {
			return invalid("invalid-value", "sourceFiles[%d]: there are two things named %q", i, f.Name)
		}
		seen[name] = f.Folder
		if f.Folder {
			continue
		}
		switch f.Format {
		case "", "TEXT":
		case "BASE64":
			if f.Content != nil {
				if _, err := DecodeBase64(*f.Content); err != nil {
					return invalid("invalid-value", "sourceFiles[%d]: the content of %q is not valid base64: %v", i, f.Name, err)
				}
			}
		default:
			return invalid("invalid-value", "sourceFiles[%d]: format must be TEXT or BASE64, got %.40q", i, f.Format)
		}
	}
	for name := range seen {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if folder, known := seen[dir]; known && !folder {
				return invalid("invalid-value", "sourceFiles: %q is a file, and so nothing can be in it, but %q is", dir, name)
			}
		}
	}
	return nil
}

// DecodeBase64 reads base64 with and without padding, line ends passed over.
func DecodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("\r", "", "\n", "").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

// CleanName gives the slash path of a source file below the Actor's directory. A
// name that leads anywhere else, on any system, is refused.
func CleanName(name string) (string, error) {
	slashed := strings.ReplaceAll(name, `\`, "/")
	cleaned := path.Clean(slashed)
	switch {
	case name == "" || len(name) > 1024 || strings.ContainsRune(name, 0),
		strings.HasPrefix(slashed, "/"), len(slashed) > 1 && slashed[1] == ':',
		cleaned == ".", slices.Contains(strings.Split(slashed, "/"), ".."):
		return "", invalid("invalid-value", "the name of a source file must be a path below the Actor's directory, got %.200q", name)
	}
	return cleaned, nil
}
