package create

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/template"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// build makes the project and what belongs to it.
func (o *Options) build(ctx context.Context, at place, t template.Template) (made, error) {
	m := made{
		Name: at.name, Dir: at.dir, ActorJSONPath: filepath.Join(at.dir, ".actor", "actor.json"),
		Template: t.Name, NextSteps: o.nextSteps(at.dir, t), Warnings: []string{},
	}
	if t.Note != "" {
		m.PostCreate = &t.Note
	}
	warn := func(warning string) {
		if warning != "" {
			m.Warnings = append(m.Warnings, warning)
			o.notice("warning: %s", warning)
		}
	}
	repository := !o.SkipGit && !insideRepository(ctx, at.dir)
	gitWarning := ""
	err := at.fill(ctx, func(dir string) error {
		if err := t.Write(dir, at.name); err != nil {
			return err
		}
		if err := writeInput(dir); err != nil {
			return err
		}
		if repository {
			gitWarning = initRepository(ctx, dir)
			m.GitRepositoryInitialized = gitWarning == ""
		}
		return nil
	})
	if err != nil {
		return made{}, err
	}
	warn(gitWarning)

	steps, err := dependencies(at.dir, o.OmitOptionalDeps)
	if err != nil {
		return made{}, err
	}
	switch {
	case steps == nil:
		m.DependenciesInstalled = true
	case o.SkipInstall:
		m.NextSteps = withInstall(m.NextSteps, steps)
	default:
		o.notice("installing dependencies: %s", repeat(steps))
		warning, err := o.install(ctx, at.dir, steps)
		if err != nil {
			return made{}, err
		}
		warn(warning)
		if m.DependenciesInstalled = warning == ""; !m.DependenciesInstalled {
			m.NextSteps = withInstall(m.NextSteps, steps)
		}
	}
	return m, nil
}

// nextSteps are the template's, as far as this program can take them, after a
// change to the project's directory.
func (o *Options) nextSteps(dir string, t template.Template) []string {
	steps := []string{}
	if here := fromHere(dir); here != "." {
		steps = append(steps, "cd "+quote(here))
	}
	for _, step := range t.NextSteps {
		if words := strings.Fields(step); words[0] != "apify" || o.has(words[1:]...) {
			steps = append(steps, step)
		}
	}
	return steps
}

// withInstall puts the installation before the first step that is no cd.
func withInstall(steps []string, install [][]string) []string {
	at := slices.IndexFunc(steps, func(step string) bool { return !strings.HasPrefix(step, "cd ") })
	if at < 0 {
		at = len(steps)
	}
	return slices.Insert(steps, at, repeat(install))
}

// quote makes one word of a path for a shell.
func quote(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return strings.ContainsRune(" \t'\"$&|;<>()*?[]`!#~\\", r) }) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// writeInput stores the input that the first run gets: the prefills of the input
// schema. The runs leave it alone, so it is the place to try another.
func writeInput(dir string) error {
	actor, err := definition.Load(dir)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the template is broken")
	}
	if actor.Input == nil {
		return nil
	}
	var text bytes.Buffer
	if err := json.Indent(&text, actor.Input.Prefilled(), "", "    "); err != nil {
		return fault.Wrap(fault.Internal, err, "the template's input is broken")
	}
	text.WriteByte('\n')
	store := filepath.Join(dir, "storage", "key_value_stores", "default")
	if err := os.MkdirAll(store, 0o777); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the Actor's input cannot be written")
	}
	if err := os.WriteFile(filepath.Join(store, "INPUT.json"), text.Bytes(), 0o666); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the Actor's input cannot be written")
	}
	return nil
}

// gitCommand runs git in a directory. What a surrounding git (a hook, say) tells
// its children about its own repository must not count here.
func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "GIT_DIR" || name == "GIT_WORK_TREE" || name == "GIT_INDEX_FILE"
	})
	return cmd
}

// insideRepository tells whether a directory, which need not be there yet, lies
// in the work tree of a git repository.
func insideRepository(ctx context.Context, dir string) bool {
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	out, err := gitCommand(ctx, dir, "rev-parse", "--is-inside-work-tree").Output()
	return err == nil && strings.TrimSpace(string(out)) == "true"
}

// initRepository makes a git repository, and gives what to warn about.
func initRepository(ctx context.Context, dir string) (warning string) {
	if _, err := exec.LookPath("git"); err != nil {
		return "git is not installed, so that there is no repository"
	}
	if out, err := gitCommand(ctx, dir, "init", "--quiet").CombinedOutput(); err != nil {
		_ = os.RemoveAll(filepath.Join(dir, ".git")) // half of one is worse than none
		return "there is no git repository, git init failed: " + strings.TrimSpace(string(out)+" "+err.Error())
	}
	return ""
}
