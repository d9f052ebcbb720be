package create

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"

	"github.com/greenroom-dev/greenroom/internal/cli/create/noquery"
	"github.com/greenroom-dev/greenroom/internal/template"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func init() { noquery.Restore() }

// languageTitles are languages as people read them.
var languageTitles = map[string]string{
	"javascript": "JavaScript", "typescript": "TypeScript", "python": "Python",
	"go": "Go", "shell": "Shell", "any": "Any other, with a Dockerfile",
}

// ask asks for what was not given: the name, and which of the candidates. What
// it gives back is that one.
func (o *Options) ask(ctx context.Context, candidates []template.Template) ([]template.Template, error) {
	// Questions go to standard error, and colours that every terminal has need no
	// knowledge of its background.
	renderer := lipgloss.NewRenderer(o.factory.IO.Err)
	renderer.SetHasDarkBackground(true)
	lipgloss.SetDefaultRenderer(renderer)

	if o.Name == "" {
		name := template.Placeholder
		err := o.question(ctx, huh.NewInput().
			Title("What is the Actor called?").
			Description("Also the name of the directory that is made; a path will do.").
			Value(&name).
			Validate(func(name string) error {
				_, err := locate(name)
				return err
			}))
		if err != nil {
			return nil, err
		}
		o.Name = name
	}
	if languages := languagesOf(candidates); len(languages) > 1 {
		language := languages[0]
		options := make([]huh.Option[string], len(languages))
		for i, l := range languages {
			options[i] = huh.NewOption(languageTitles[l], l)
		}
		if err := o.question(ctx, huh.NewSelect[string]().Title("In which language?").Options(options...).Value(&language)); err != nil {
			return nil, err
		}
		candidates = slices.DeleteFunc(slices.Clone(candidates), func(t template.Template) bool { return t.Language != language })
	}
	if len(candidates) > 1 {
		chosen := 0
		options := make([]huh.Option[int], len(candidates))
		for i, line := range strings.Split(template.Table(candidates), "\n") {
			options[i] = huh.NewOption(strings.TrimSpace(line), i)
		}
		if err := o.question(ctx, huh.NewSelect[int]().Title("From which template?").Options(options...).Value(&chosen)); err != nil {
			return nil, err
		}
		candidates = candidates[chosen : chosen+1]
	}
	return candidates, nil
}

// question asks one question. A terminal that cannot move its cursor gets it as
// plain lines, and so does whoever sets ACCESSIBLE, for a screen reader.
func (o *Options) question(ctx context.Context, field huh.Field) error {
	getenv := o.factory.Getenv
	err := huh.NewForm(huh.NewGroup(field)).
		WithTheme(huh.ThemeBase16()).
		WithInput(o.factory.IO.In).WithOutput(o.factory.IO.Err).
		WithAccessible(getenv("ACCESSIBLE") != "" || getenv("TERM") == "dumb").
		RunWithContext(ctx)
	if errors.Is(err, huh.ErrUserAborted) || ctx.Err() != nil {
		return errInterrupted()
	}
	if err != nil {
		return fault.New(fault.Unavailable, "the question cannot be asked: %w", err).
			WithHint("pass the name and --template instead")
	}
	return nil
}

// languagesOf lists the languages of templates in the order to offer them in.
func languagesOf(list []template.Template) []string {
	return slices.DeleteFunc(slices.Clone(template.Languages), func(language string) bool {
		return !slices.ContainsFunc(list, func(t template.Template) bool { return t.Language == language })
	})
}
