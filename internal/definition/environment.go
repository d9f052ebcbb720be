package definition

import (
	"maps"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/secret/userfile"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Environment is what a definition's environmentVariables come to.
type Environment struct {
	// Variables maps names to values, @names replaced by their secrets.
	Variables map[string]string
	// Secrets names the variables whose values came from secrets, sorted.
	Secrets []string
	// Warnings say which variables were left out; they never hold a value.
	Warnings []string
}

// SecretValues gives the values to mask in logs, without the empty one.
func (e *Environment) SecretValues() []string {
	var values []string
	for _, name := range e.Secrets {
		if v := e.Variables[name]; v != "" {
			values = append(values, v)
		}
	}
	return values
}

// ResolveEnvironment gives the Actor's environment variables with each @name
// replaced by the secret of that name. A secret that is missing is a
// fault.InvalidInput that names every such variable, or, with allowMissing, a
// warning, and the variable is left out. Secrets' values are in no message.
func (a *Actor) ResolveEnvironment(secrets map[string]string, allowMissing bool) (*Environment, error) {
	env := &Environment{Variables: make(map[string]string, len(a.Environment))}
	var problems, absent []string
	for _, name := range slices.Sorted(maps.Keys(a.Environment)) {
		secret, isSecret := strings.CutPrefix(a.Environment[name], "@")
		if !isSecret {
			env.Variables[name] = a.Environment[name]
			continue
		}
		value, ok := secrets[secret]
		if !ok {
			problems = append(problems, "the environment variable "+name+" needs the secret "+secret+", which does not exist")
			absent = append(absent, secret)
			continue
		}
		env.Variables[name] = value
		env.Secrets = append(env.Secrets, name)
	}
	if len(problems) == 0 {
		return env, nil
	}
	if allowMissing {
		for _, p := range problems {
			env.Warnings = append(env.Warnings, p+"; it is left out")
		}
		return env, nil
	}
	hints := slices.Compact(slices.Sorted(slices.Values(absent)))
	for i, name := range hints {
		hints[i] = "apify secrets add " + name
	}
	return nil, fault.New(fault.InvalidInput, "%s", strings.Join(problems, "\n")).
		WithHint("%s", strings.Join(hints, "\n"))
}

// LoadSecrets reads the secrets of the user whose home directory is given, as
// userfile.Load does.
func LoadSecrets(home string) (map[string]string, error) { return userfile.Load(home) }
