package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// maxVariables and maxValue bound a version's environment: what is larger no
// system lets a program start with. The size is in bytes.
const (
	maxVariables = 1000
	maxValue     = 100_000
)

func isSecret(v api.EnvVar) bool { return or(v.IsSecret, false) }

// publicVars are variables as they may be shown: secret ones without value.
func publicVars(vars []api.EnvVar) []api.EnvVar {
	shown := slices.Clone(vars)
	for i, v := range shown {
		if isSecret(v) {
			shown[i].Value = nil
		}
	}
	return shown
}

func checkVariable(v api.EnvVar) error {
	switch {
	case v.Name == "" || len(v.Name) > 200 || strings.ContainsAny(v.Name, "=\x00\n\r"):
		return invalid("invalid-value", "the name of an environment variable must have 1 to 200 characters and no =, NUL or line end, got %.220q", v.Name)
	case v.Value != nil && len(*v.Value) > maxValue:
		return invalid("invalid-value", "the value of %s is too large (limit: %d bytes, actual size: %d bytes)", v.Name, maxValue, len(*v.Value))
	case v.Value != nil && strings.ContainsRune(*v.Value, 0):
		return invalid("invalid-value", "the value of %s holds a NUL character, which no environment variable can", v.Name)
	}
	return nil
}

// sealAll checks a version's variables and gives them as they are kept. Those
// that come without a value keep the one they had: whoever reads a version and
// writes it back knows no secrets.
func (c *Catalog) sealAll(actorID string, before, vars []api.EnvVar) ([]api.EnvVar, error) {
	if len(vars) > maxVariables {
		return nil, invalid("invalid-value", "a version may have at most %d environment variables, got %d", maxVariables, len(vars))
	}
	var kept []api.EnvVar
	for _, v := range vars {
		if variable(kept, v.Name) >= 0 {
			return nil, errVariableExists(v.Name)
		}
		sealed, err := c.seal(actorID, before, v)
		if err != nil {
			return nil, err
		}
		kept = append(kept, sealed)
	}
	return kept, nil
}

// seal gives one variable as it is kept.
func (c *Catalog) seal(actorID string, before []api.EnvVar, v api.EnvVar) (api.EnvVar, error) {
	if err := checkVariable(v); err != nil {
		return v, err
	}
	if v.Value == nil {
		i := variable(before, v.Name)
		if i < 0 || isSecret(before[i]) && !isSecret(v) {
			return v, invalid("invalid-value", "the environment variable %s needs a value", v.Name)
		}
		if isSecret(before[i]) || !isSecret(v) {
			v.Value = before[i].Value
			return v, nil
		}
		v.Value = before[i].Value // one that becomes secret
	}
	if !isSecret(v) {
		return v, nil
	}
	key, err := c.cfg.SecretKey(actorID)
	if err != nil {
		return v, err
	}
	sealed, err := key.Public().EncryptString(*v.Value)
	v.Value = &sealed
	return v, err
}

func variable(vars []api.EnvVar, name string) int {
	return slices.IndexFunc(vars, func(v api.EnvVar) bool { return v.Name == name })
}

func errVariableExists(name string) error {
	return invalid("env-var-already-exists", "the version has an environment variable %s already", name)
}

func errNoVariable(name string) error {
	return fault.New(fault.NotFound, "the version has no environment variable %q", name)
}

// Environment gives the variables of a version with their secrets decrypted, and
// the values that must not reach a log.
func (c *Catalog) Environment(actorID string, vars []api.EnvVar) (env map[string]string, secrets []string, err error) {
	env = map[string]string{}
	var key *secret.PrivateKey
	for _, v := range vars {
		value := or(v.Value, "")
		if isSecret(v) {
			if key == nil {
				if key, err = c.cfg.SecretKey(actorID); err != nil {
					return nil, nil, err
				}
			}
			sealed, ok := secret.Read(value)
			plain, err := key.Decrypt(sealed)
			if !ok || err != nil {
				return nil, nil, fault.New(fault.Internal, "the secret environment variable %s cannot be decrypted", v.Name).
					WithHint("give it its value again")
			}
			value = string(plain)
			secrets = append(secrets, value)
		}
		env[v.Name] = value
	}
	return env, secrets, nil
}

// Variables gives the variables of a version as the API shows them.
func (c *Catalog) Variables(ctx context.Context, ref, number string) ([]api.EnvVar, error) {
	_, v, err := c.version(ctx, ref, number)
	return publicVars(v.EnvVars), err
}

// Variable gives one variable of a version as the API shows it.
func (c *Catalog) Variable(ctx context.Context, ref, number, name string) (api.EnvVar, error) {
	vars, err := c.Variables(ctx, ref, number)
	if err != nil {
		return api.EnvVar{}, err
	}
	i := variable(vars, name)
	if i < 0 {
		return api.EnvVar{}, errNoVariable(name)
	}
	return vars[i], nil
}

// changeVariables changes the variables of a version.
func (c *Catalog) changeVariables(ctx context.Context, ref, number string, change func(actorID string, v *api.ActorVersion) error) error {
	found, _, err := c.version(ctx, ref, number)
	if err != nil {
		return err
	}
	_, err = c.actors.Update(ctx, found.ID, func(r *record) error {
		i := indexOf(r.Versions, number)
		if i < 0 {
			return errNoVersion(number)
		}
		r.ModifiedAt = api.Now()
		return change(r.ID, &r.Versions[i])
	})
	return err
}

// CreateVariable adds a variable to a version.
func (c *Catalog) CreateVariable(ctx context.Context, ref, number string, patch Patch) (api.EnvVar, error) {
	var v api.EnvVar
	if err := patch(&v); err != nil {
		return v, err
	}
	err := c.changeVariables(ctx, ref, number, func(actorID string, version *api.ActorVersion) error {
		if variable(version.EnvVars, v.Name) >= 0 {
			return errVariableExists(v.Name)
		}
		if len(version.EnvVars) >= maxVariables {
			return invalid("invalid-value", "a version may have at most %d environment variables", maxVariables)
		}
		sealed, err := c.seal(actorID, nil, v)
		version.EnvVars = append(version.EnvVars, sealed)
		return err
	})
	if err != nil {
		return v, err
	}
	return c.Variable(ctx, ref, number, v.Name)
}

// UpdateVariable changes what the patch says of a variable; its name stays.
func (c *Catalog) UpdateVariable(ctx context.Context, ref, number, name string, patch Patch) (api.EnvVar, error) {
	err := c.changeVariables(ctx, ref, number, func(actorID string, version *api.ActorVersion) error {
		i := variable(version.EnvVars, name)
		if i < 0 {
			return errNoVariable(name)
		}
		v := api.EnvVar{Name: name, IsSecret: copied(version.EnvVars[i].IsSecret)}
		if err := patch(&v); err != nil {
			return err
		}
		if v.Name != name {
			return invalid("cannot-rename-env-var", "an environment variable cannot be renamed from %s to %s", name, v.Name).
				WithHint("create %s and delete %s", v.Name, name)
		}
		sealed, err := c.seal(actorID, version.EnvVars, v)
		if err == nil {
			version.EnvVars[i] = sealed
		}
		return err
	})
	if err != nil {
		return api.EnvVar{}, err
	}
	return c.Variable(ctx, ref, number, name)
}

// DeleteVariable takes a variable away.
func (c *Catalog) DeleteVariable(ctx context.Context, ref, number, name string) error {
	return c.changeVariables(ctx, ref, number, func(_ string, version *api.ActorVersion) error {
		i := variable(version.EnvVars, name)
		if i < 0 {
			return errNoVariable(name)
		}
		version.EnvVars = slices.Delete(version.EnvVars, i, i+1)
		return nil
	})
}
