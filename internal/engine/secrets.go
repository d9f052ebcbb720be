package engine

import (
	"cmp"
	"encoding/base64"
	"slices"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// keyring remembers the keys of Actors' secret inputs.
type keyring struct {
	mu   sync.Mutex
	keys map[string]*secret.PrivateKey // by Actor
}

// secretKey gives the key pair for an Actor's secret inputs.
func (e *Engine) secretKey(actorID string) (*secret.PrivateKey, error) {
	e.keys.mu.Lock()
	defer e.keys.mu.Unlock()
	if key := e.keys.keys[actorID]; key != nil {
		return key, nil
	}
	find := e.cfg.SecretKey
	if find == nil {
		find = func(string) (*secret.PrivateKey, error) { return secret.GenerateKey() }
	}
	key, err := find(actorID)
	if err != nil {
		return nil, err
	}
	if e.keys.keys == nil {
		e.keys.keys = map[string]*secret.PrivateKey{}
	}
	e.keys.keys[actorID] = key
	return key, nil
}

// inputSecrets are what a run's secret inputs need: the variables that let the
// code decrypt them, and the values that must not reach its log. The zero value
// is that of a run without any.
type inputSecrets struct {
	env    []string
	values []string
}

// seal encrypts the secret fields of an input as the platform does: what is
// stored and shown is encrypted, the code of the run alone can read it. Values
// that are encrypted already must be so for this Actor. Code that reads files
// gets its input in the open, because nothing decrypts it there.
func (e *Engine) seal(p *Program, in *Input, runID string) (*Input, inputSecrets, error) {
	schema := p.Definition.Input
	if in == nil || schema == nil || !hasSecrets(p, in) {
		return in, inputSecrets{}, nil
	}
	if e.cfg.StorageDir != "" {
		return in, inputSecrets{values: secret.Texts(in.Body, schema.Secrets())}, nil
	}
	key, err := e.secretKey(p.Actor.ID)
	if err != nil {
		return nil, inputSecrets{}, err
	}
	body, err := schema.Encrypt(in.Body, key.Public())
	if err != nil {
		return nil, inputSecrets{}, err
	}
	secrets, err := e.unseal(p, body, runID)
	return &Input{ContentType: in.ContentType, Body: body}, secrets, err
}

// unseal gives what goes with an input whose secret fields are encrypted.
func (e *Engine) unseal(p *Program, body []byte, runID string) (inputSecrets, error) {
	key, err := e.secretKey(p.Actor.ID)
	if err != nil {
		return inputSecrets{}, err
	}
	plain, err := key.DecryptInput(body)
	if err != nil {
		return inputSecrets{}, err
	}
	passphrase := e.tokens.Derive("passphrase", runID)
	file, err := key.EncryptedPEM(passphrase)
	if err != nil {
		return inputSecrets{}, fault.Wrap(fault.Internal, err, "hand over the key of the secret inputs")
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(file))
	return inputSecrets{
		env: []string{
			"APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE=" + encoded,
			"APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE=" + passphrase,
		},
		values: append(secret.Texts(plain, p.Definition.Input.Secrets()), encoded, passphrase),
	}, nil
}

func hasSecrets(p *Program, in *Input) bool {
	return secret.HasAny(in.Body, p.Definition.Input.Secrets())
}

// masks gives all that is to be masked in the log. The longest come first, because
// they may contain others.
func (s inputSecrets) masks(others []string) []string {
	masks := slices.Concat(others, s.values)
	slices.SortStableFunc(masks, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return masks
}
