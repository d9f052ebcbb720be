package actor

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/secret"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Input decodes the run's input into v, as KeyValueStore.Get does. Its secret
// fields are decrypted. Without an input it gives fault.NotFound and leaves v
// alone.
func (a *Actor) Input(ctx context.Context, v any) error {
	record, err := a.OpenInput(ctx)
	if err != nil {
		return err
	}
	return record.decode(v)
}

// OpenInput opens the run's input; the caller closes its Body. It is as it was
// stored, but for its secret fields, which are decrypted: KeyValueStore().Open
// gives those as they are stored, too.
func (a *Actor) OpenInput(ctx context.Context) (*Record, error) {
	record, err := a.KeyValueStore().Open(ctx, a.config.InputKey)
	if fault.Is(err, fault.NotFound) {
		e := fault.New(fault.NotFound, "there is no input: %w", err)
		if !a.config.AtHome {
			e.Hint = fmt.Sprintf("write one to %s/key_value_stores/%s/%s.json", a.config.StorageDir, a.config.DefaultKeyValueStoreID, a.config.InputKey)
		}
		return nil, e
	}
	if err != nil || a.config.SecretsKey == "" || a.config.SecretsPassphrase == "" ||
		!strings.HasPrefix(record.ContentType, "application/json") {
		return record, err
	}
	return a.decrypt(record)
}

// decrypt gives an input with its secret fields decrypted.
func (a *Actor) decrypt(record *Record) (*Record, error) {
	defer record.Body.Close()
	input, err := io.ReadAll(record.Body)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read the input")
	}
	if secret.IsEncrypted(input) {
		key, err := a.config.secretsKey()
		if err != nil {
			return nil, err
		}
		if input, err = key.DecryptInput(json.RawMessage(input)); err != nil {
			return nil, err
		}
	}
	return &Record{record.ContentType, int64(len(input)), io.NopCloser(bytes.NewReader(input))}, nil
}

func (c Config) secretsKey() (*secret.PrivateKey, error) {
	file, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.SecretsKey))
	if err != nil {
		return nil, fault.New(fault.InvalidInput, "the private key of secret inputs is not base64")
	}
	return secret.ParsePrivateKey(string(file), c.SecretsPassphrase)
}
