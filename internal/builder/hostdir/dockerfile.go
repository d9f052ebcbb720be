package hostdir

import (
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/builder/dockerfile"
	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// dockerfile plans what the Dockerfile's last stage starts, with paths in the
// image replaced by those they were copied from.
func (f *finder) dockerfile() (*plan, error) {
	if f.actor.Dockerfile == "" {
		return nil, nil
	}
	start, err := dockerfile.Command(f.actor.Dockerfile)
	if err != nil {
		return nil, err
	}
	if start.Argv == nil {
		f.nearly = append(f.nearly, fmt.Sprintf("%s has neither CMD nor ENTRYPOINT", f.relative(f.actor.Dockerfile)))
		return nil, nil
	}
	image := &imagePaths{start: start, context: f.actor.ContextDir}
	argv, err := f.hostCommand(image, withoutInit(start.Argv))
	if err != nil {
		return nil, err
	}
	p := &plan{argv: argv, summary: fmt.Sprintf("command of %s: %s", f.relative(f.actor.Dockerfile), strings.Join(start.Argv, " "))}
	for _, entry := range start.Env {
		// These name places in the image, or belong to its user.
		if name, _, _ := strings.Cut(entry, "="); name != "PATH" && name != "HOME" && name != "LD_LIBRARY_PATH" {
			p.env = append(p.env, entry)
		}
	}
	return p, nil
}

// withoutInit drops the tiny init programs that images put before their
// command: here nothing needs them, and few machines have them.
func withoutInit(argv []string) []string {
	switch path.Base(argv[0]) {
	case "tini", "dumb-init", "docker-init":
	default:
		return argv
	}
	if _, err := exec.LookPath(argv[0]); err == nil {
		return argv
	}
	rest := argv[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return argv
	}
	return rest
}

// hostCommand turns a command of the image into one of this machine.
func (f *finder) hostCommand(image *imagePaths, argv []string) ([]string, error) {
	if isShellLine(argv) {
		return f.hostShellLine(image, argv)
	}
	out := make([]string, len(argv))
	for i, word := range argv[1:] {
		out[i+1] = word
		// A relative path that leads somewhere from here stays as it is: it may
		// also be a name, as in python -m name.
		if !path.IsAbs(word) && exists(f.path(filepath.FromSlash(word))) {
			continue
		}
		if host, ok := image.host(word); ok {
			out[i+1] = host
		}
	}
	name := argv[0]
	if strings.Contains(name, "/") {
		if host, ok := image.host(name); ok && isFile(host) {
			p, err := f.runFile(host)
			if err != nil {
				return nil, err
			}
			return append(p.argv, out[1:]...), nil
		}
		if path.IsAbs(name) && isFile(name) {
			out[0] = name
			return out, nil
		}
		if !path.IsAbs(name) {
			return nil, fault.New(fault.InvalidInput, "the Dockerfile starts %s, which is not in the project", name).
				WithHint("it is made while the image is built: use --executor docker, or name another command with --entrypoint")
		}
		// An interpreter that lies elsewhere here.
		name = path.Base(name)
	} else if host, ok := image.installed(name); ok {
		p, err := f.runFile(host)
		if err != nil {
			return nil, err
		}
		return append(p.argv, out[1:]...), nil
	}
	if strings.HasPrefix(name, "python") {
		py, err := f.interpreter()
		if err != nil {
			return nil, err
		}
		out[0] = py.program
		return out, nil
	}
	program, err := lookup(name, nil)
	if err != nil {
		if fault.HintOf(err) == "" || install[name] == "" {
			return nil, fault.New(fault.Unavailable, "%s, which the Dockerfile starts, is not on the PATH", name).
				WithHint("install it on this machine, use --executor docker, or name another command with --entrypoint")
		}
		return nil, err
	}
	out[0] = program
	return out, nil
}

// isShellLine tells whether a command is a line for a shell, whichever way it
// was written: the last argument after -c.
func isShellLine(argv []string) bool {
	if len(argv) < 3 {
		return false
	}
	switch path.Base(argv[0]) {
	case "sh", "bash", "ash", "dash", "zsh":
		option := argv[len(argv)-2]
		return strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "--") && strings.HasSuffix(option, "c")
	}
	return false
}

func (f *finder) hostShellLine(image *imagePaths, argv []string) ([]string, error) {
	line := argv[len(argv)-1]
	if words := strings.Fields(line); simple.MatchString(strings.TrimSpace(line)) {
		if words[0] == "exec" && len(words) > 1 {
			words = words[1:]
		}
		// A line whose first word is no program is for the shell after all.
		command, err := f.hostCommand(image, words)
		if err == nil || install[path.Base(words[0])] != "" {
			return command, err
		}
	}
	program := argv[0]
	if !path.IsAbs(program) || !isFile(program) {
		var err error
		if program, err = lookup(path.Base(program), nil); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(argv)
	out[0], out[len(out)-1] = program, image.line(line)
	return out, nil
}

// imagePaths finds the files of the build context behind paths in the image.
type imagePaths struct {
	start   dockerfile.Start
	context string
}

// host gives the file or folder that a path in the image was copied from.
// Relative paths are those from the image's working directory.
func (m *imagePaths) host(p string) (string, bool) {
	if p == "" || strings.HasPrefix(p, "-") {
		return "", false
	}
	if !path.IsAbs(p) {
		p = path.Join("/", m.start.Dir, p)
	}
	p = path.Clean(p)
	// A later COPY covers an earlier one.
	for i := len(m.start.Copies) - 1; i >= 0; i-- {
		if host, ok := m.from(m.start.Copies[i], p); ok {
			return host, true
		}
	}
	return "", false
}

func (m *imagePaths) from(c dockerfile.Copy, p string) (string, bool) {
	to := path.Clean(c.To)
	for _, pattern := range c.From {
		for _, source := range m.sources(pattern) {
			var host string
			switch {
			case isDir(source):
				// The content of a folder is copied, not the folder.
				rest, ok := below(p, to)
				if !ok {
					continue
				}
				host = filepath.Join(source, filepath.FromSlash(rest))
			case p == to && !strings.HasSuffix(c.To, "/"), p == path.Join(to, filepath.Base(source)):
				host = source
			default:
				continue
			}
			if exists(host) {
				return host, true
			}
		}
	}
	return "", false
}

// below gives what of p lies below dir: "" for dir itself.
func below(p, dir string) (string, bool) {
	if dir == "/" {
		return strings.TrimPrefix(p, "/"), true
	}
	rest, ok := strings.CutPrefix(p, dir)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// sources are the files and folders of the context that a COPY source names.
func (m *imagePaths) sources(pattern string) []string {
	plain := filepath.Join(m.context, filepath.FromSlash(pattern))
	if !strings.ContainsAny(pattern, "*?[") {
		return []string{plain}
	}
	return project.Glob(m.context, filepath.FromSlash(pattern))
}

// installed finds a bare command name that a COPY put on the image's PATH.
func (m *imagePaths) installed(name string) (string, bool) {
	for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		if host, ok := m.host(path.Join(dir, name)); ok && isFile(host) {
			return host, true
		}
	}
	return "", false
}

var (
	// pathWord matches absolute paths in a shell line that stand alone, or are
	// the value of an option.
	pathWord = regexp.MustCompile(`(^|[\s=;&|(])(/[\w@%+./-]+)`)
	plain    = regexp.MustCompile(`^[\w@%+=:,./-]+$`)
)

// line replaces the image's paths in a line for the shell.
func (m *imagePaths) line(line string) string {
	return pathWord.ReplaceAllStringFunc(line, func(match string) string {
		parts := pathWord.FindStringSubmatch(match)
		host, ok := m.host(parts[2])
		if !ok {
			return match
		}
		if !plain.MatchString(host) {
			host = "'" + strings.ReplaceAll(host, "'", `'\''`) + "'"
		}
		return parts[1] + host
	})
}
