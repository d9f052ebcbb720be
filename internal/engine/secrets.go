package engine

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// minMask is how long a text within a secret object or list must be to be masked
// in the log: shorter ones say what is meant, as "type" and "GET" do.
const minMask = 4

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
// code decrypt them, and the values that must not reach its log.
type inputSecrets struct {
	env    []string
	values []string
}

// seal encrypts the secret fields of an input as the platform does: what is
// stored and shown is encrypted, the code of the run alone can read it. Values
// that are encrypted already must be so for this Actor. Code that reads files
// gets its input in the open, because nothing decrypts it there.
func (e *Engine) seal(p *Program, in *Input) (*Input, inputSecrets, error) {
	schema := p.Definition.Input
	if in == nil || schema == nil || !hasAny(in.Body, schema.Secrets()) {
		return in, inputSecrets{}, nil
	}
	if e.cfg.StorageDir != "" {
		return in, inputSecrets{values: secretTexts(in.Body, schema.Secrets())}, nil
	}
	key, err := e.secretKey(p.actor.ID)
	if err != nil {
		return nil, inputSecrets{}, err
	}
	body, err := schema.Encrypt(in.Body, key.Public())
	if err != nil {
		return nil, inputSecrets{}, err
	}
	plain, err := key.DecryptInput(body)
	if err != nil {
		return nil, inputSecrets{}, err
	}
	passphrase := rand.Text()
	file, err := key.EncryptedPEM(passphrase)
	if err != nil {
		return nil, inputSecrets{}, fault.Wrap(fault.Internal, err, "hand over the key of the secret inputs")
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(file))
	return &Input{ContentType: in.ContentType, Body: body}, inputSecrets{
		env: []string{
			"APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE=" + encoded,
			"APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE=" + passphrase,
		},
		values: append(secretTexts(plain, schema.Secrets()), encoded, passphrase),
	}, nil
}

// hasAny reports whether an input has a value for one of the fields.
func hasAny(input json.RawMessage, names []string) bool {
	var fields map[string]json.RawMessage
	if len(names) == 0 || json.Unmarshal(input, &fields) != nil {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool {
		value := string(fields[name])
		return value != "" && value != "null" && value != `""`
	})
}

// secretTexts gives the texts in the fields: those that are fields, and within
// objects and lists those long enough to be secrets.
func secretTexts(input json.RawMessage, names []string) (texts []string) {
	var fields map[string]any
	if json.Unmarshal(input, &fields) != nil {
		return nil
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if len(v) >= minMask {
				texts = append(texts, v)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, field := range v {
				walk(field)
			}
		}
	}
	for _, name := range names {
		if text, ok := fields[name].(string); ok {
			texts = append(texts, text)
		} else {
			walk(fields[name])
		}
	}
	return texts
}

// masks gives all that is to be masked in the log, together with other secrets:
// a log has lines, so the lines of a text, and as JSON would write them too. The
// longest come first, because they may contain others.
func (s inputSecrets) masks(others []string) []string {
	masks := slices.Clone(others)
	for _, value := range s.values {
		masks = append(masks, value)
		if lines := strings.Split(value, "\n"); len(lines) > 1 {
			for _, line := range lines {
				if line = strings.TrimSpace(line); len(line) >= minMask {
					masks = append(masks, line)
				}
			}
		}
		if quoted, err := json.Marshal(value); err == nil && len(quoted) > len(value)+2 {
			masks = append(masks, string(quoted[1:len(quoted)-1]))
		}
	}
	slices.SortStableFunc(masks, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return masks
}
