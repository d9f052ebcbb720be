package initialize

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
	"github.com/greenroom-dev/greenroom/internal/definition"
	"github.com/greenroom-dev/greenroom/internal/project"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// run finds out everything first and then writes everything.
func (o *Options) run(ctx context.Context) error {
	root, err := filepath.Abs(o.Dir)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "cannot find the directory %s", o.Dir)
	}
	if info, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "there is no directory %s", root).WithHint("make a new Actor with: apify create")
	} else if err != nil || !info.IsDir() {
		return fault.New(fault.InvalidInput, "%s is not a directory", root)
	}
	if o.Name != "" {
		if err := checkName(o.Name); err != nil {
			return err
		}
	}
	w := &work{options: o, root: root}
	if err := w.existing(); err != nil {
		return err
	}
	if w.project, err = project.Detect(root); err != nil {
		return err
	}
	if o.Scrapy && w.project.Scrapy == nil {
		return fault.New(fault.InvalidInput, "there is no scrapy.cfg in %s, so it is not a Scrapy project", root).
			WithHint("name the directory of the project, or make an Actor of anything else with: apify init")
	}
	if err := w.namedDockerfile(); err != nil {
		return err
	}
	if err := w.lookBehind(); err != nil {
		return err
	}
	if o.FromHelp != "" {
		if err := w.fromHelp(ctx); err != nil {
			return err
		}
	}
	w.name = w.chooseName()
	w.decide()
	if err := w.plan(); err != nil {
		return err
	}
	if !o.DryRun {
		if err := w.write(); err != nil {
			return err
		}
		w.judge()
	}
	return w.report()
}

// work is one initialisation.
type work struct {
	options *Options
	root    string
	project *project.Project

	// current is the definition that is there, nil for none; legacy is what an
	// apify.json becomes.
	current *definition.Actor
	legacy  []byte

	name string
	// busybox says that the help text is that of a BusyBox tool.
	busybox bool

	// What the Actor will be: how it starts, with which schema.
	program *commandline.Program // nil when its command line is not known
	adapted bool                 // started through actor exec
	start   []string             // the container's command
	schema  []byte
	// dockerfile is the one to use, relative to the root; makeDockerfile says that
	// it is to be written, derived that it is made from the one that is there.
	dockerfile     string
	own            string // one that init made before
	makeDockerfile bool
	derived        bool

	files   []file
	facts   []project.Fact
	missing []string
	skipped []commandline.Skipped
	next    []string
}

func checkName(name string) error {
	if definition.ValidName(name) {
		return nil
	}
	return fault.New(fault.InvalidInput, "%q cannot be an Actor's name: it must have %s", name, definition.NameRule).
		WithHint("%s would do", definition.NameFrom(name))
}

func (w *work) chooseName() string {
	given := w.options.Name
	if w.current != nil && w.current.Name != "" && !w.options.Force {
		if given != "" && given != w.current.Name {
			w.missing = append(w.missing, "the Actor stays "+w.current.Name+", as its definition says")
		}
		return w.current.Name
	}
	switch {
	case given != "":
		return given
	case w.project.Name != "":
		return definition.NameFrom(w.project.Name)
	}
	return definition.NameFrom(filepath.Base(w.root))
}

// existing reads the definition that is there.
func (w *work) existing() error {
	if _, err := os.Stat(filepath.Join(w.root, ".actor", "actor.json")); err == nil {
		if w.options.Force {
			return nil
		}
		actor, err := definition.Load(w.root)
		if err != nil {
			return err
		}
		w.current = actor
		return nil
	}
	legacy, err := definition.Migrate(w.root)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	w.legacy = legacy
	var fields struct{ Name string }
	if json.Unmarshal(legacy, &fields) == nil && checkName(fields.Name) == nil {
		w.current = &definition.Actor{Name: fields.Name}
	}
	return nil
}

// namedDockerfile looks at the Dockerfile that --dockerfile names.
func (w *work) namedDockerfile() error {
	given := w.options.Dockerfile
	if given == "" {
		if w.current != nil && w.current.Dockerfile != "" {
			given = w.current.Dockerfile
		} else {
			return nil
		}
	}
	path := given
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.root, path)
	}
	rel, err := filepath.Rel(w.root, path)
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		if w.options.Dockerfile == "" {
			return nil // of a monorepo: the definition links it already
		}
		return fault.New(fault.InvalidInput, "--dockerfile %s lies outside of the Actor's directory %s", given, w.root)
	}
	w.dockerfile = filepath.ToSlash(rel)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fault.Wrap(fault.InvalidInput, err, "the Dockerfile cannot be read")
	case !info.Mode().IsRegular():
		return fault.New(fault.InvalidInput, "--dockerfile %s is not a file", given)
	}
	if w.dockerfile == w.project.Dockerfile {
		return nil
	}
	return w.project.UseDockerfile(w.dockerfile)
}

// ownMark begins every Dockerfile that init makes.
const ownMark = "# Made by apify init"

// lookBehind passes over a Dockerfile that init has made itself: what the project
// is shows behind it, as it did the first time.
func (w *work) lookBehind() error {
	p := w.project
	if p.Dockerfile == "" || !strings.Contains(p.Text(p.Dockerfile), ownMark) {
		return nil
	}
	w.own = p.Dockerfile
	p.Dockerfile, p.Image, p.ActorImage = "", nil, false
	p.Facts = slices.DeleteFunc(p.Facts, func(f project.Fact) bool { return f.Name == "Dockerfile" || f.Name == "image starts" })
	if w.own == "Dockerfile" || p.Text("Dockerfile") == "" || strings.Contains(p.Text("Dockerfile"), ownMark) {
		return nil
	}
	return p.UseDockerfile("Dockerfile")
}

// decide settles how the Actor starts.
func (w *work) decide() {
	p := w.project
	w.facts, w.missing = p.Facts, append(w.missing, p.Missing...)
	if w.program == nil {
		w.program = p.Program
	}
	w.chooseDockerfile()
	switch {
	case p.SDK != "" || p.ActorImage && !w.makeDockerfile:
		w.plain()
	case p.Scrapy != nil:
		w.scrapy()
	default:
		w.adapt()
	}
}

// chooseDockerfile decides which Dockerfile the Actor has. One whose program
// knows nothing of Actors is left alone and gets a companion, unless the user
// names it.
func (w *work) chooseDockerfile() {
	p := w.project
	named := w.options.Dockerfile != ""
	switch {
	case w.own != "" && (!named || w.dockerfile == w.own):
		w.dockerfile, w.makeDockerfile, w.derived = w.own, true, p.Image != nil && p.Image.Argv != nil
	case named && p.Dockerfile == w.dockerfile && !w.options.Force:
		// It is there and is what the user wants.
	case named:
		w.makeDockerfile = true
		w.derived = p.Image != nil && p.Dockerfile != w.dockerfile && p.Image.Argv != nil && p.Language == ""
	case p.Image == nil:
		w.dockerfile, w.makeDockerfile = "Dockerfile", true
	case p.SDK != "" || p.ActorImage || p.Image.Argv == nil || p.Dockerfile == ".actor/Dockerfile" || w.current != nil && w.current.Dockerfile != "":
		w.dockerfile = p.Dockerfile
	default:
		w.dockerfile, w.makeDockerfile, w.derived = ".actor/Dockerfile", true, true
	}
}
