package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-dev/greenroom/internal/signature"
	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// The general accesses that a storage can have. The user's setting, which one of
// them follows, is to restrict.
const (
	accessRestricted = "RESTRICTED"
	accessByID       = "ANYONE_WITH_ID_CAN_READ"
	accessByName     = "ANYONE_WITH_NAME_CAN_READ"
	accessOfUser     = "FOLLOW_USER_SETTING"
)

// publicURLAge is how long the public URLs in the metadata of a storage are
// good, as on the platform.
const publicURLAge = 14 * 24 * time.Hour

// secrets remembers what the store has under a name.
type secrets struct {
	mu    sync.Mutex
	known map[string][]byte
}

func (s *server) secret(ctx context.Context, name string) ([]byte, error) {
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	if secret, ok := s.secrets.known[name]; ok {
		return secret, nil
	}
	secret, err := s.Store.Secret(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.secrets.known == nil {
		s.secrets.known = map[string][]byte{}
	}
	s.secrets.known[name] = secret
	return secret, nil
}

// signingKey is what the URLs of a storage are signed with.
func (s *server) signingKey(ctx context.Context, storageID string) (string, error) {
	secret, err := s.secret(ctx, "urls")
	if err != nil {
		return "", err
	}
	return signature.Key(secret, storageID), nil
}

// share is how a storage is shown to a caller: which URLs and which key.
type share struct {
	key    string // "" for those who may not write
	public func(parts ...string) string
}

// share gives what a caller gets to pass on. Who needed no token gets nothing
// that opens more than they have.
func (c *call) share(storageID string) (share, error) {
	unsigned := share{public: func(parts ...string) string { return c.url(parts...) }}
	if c.refusal != nil {
		return unsigned, nil
	}
	key, err := c.s.signingKey(c.ctx(), storageID)
	if err != nil {
		return unsigned, err
	}
	signed := signature.Content(key, storageID, time.Now().Add(publicURLAge))
	out := share{key: key, public: func(parts ...string) string { return c.url(parts...) + "?signature=" + signed }}
	if c.caller.ReadOnly {
		out.key = ""
	}
	return out, nil
}

// openToAll are the operations that the platform asks no token for.
func openToAll(pattern string) bool {
	switch pattern {
	case "/v2/browser-info", "/v2/tools/decode-and-verify", "/v2/users/{userId}":
		return true
	}
	return false
}

// shareable reports whether an operation reads from one storage, which may be
// open to those without a token.
func (c *call) shareable(pattern string) bool {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return false
	}
	for _, kind := range []string{"/dataset", "/key-value-store", "/request-queue"} {
		if strings.HasPrefix(pattern, "/v2"+kind+"s/{storageId}") ||
			strings.HasPrefix(pattern, "/v2/actor-runs/{runId}"+kind) || strings.Contains(pattern, "/runs/last"+kind) {
			return true
		}
	}
	return false
}

// guarded opens storages for those too whose token does not say that they may:
// when the URL is signed, or the storage open to everybody who knows it.
func guarded[S store.Storage](open opener[S]) opener[S] {
	return func(c *call) (S, error) {
		opened, err := open(c)
		if c.refusal == nil {
			return opened, err
		}
		if fault.Is(err, fault.NotFound) && c.query().Get("signature") == "" {
			err = c.refusal // nobody is told which storages there are
		}
		if err == nil {
			err = c.admitShared(opened)
		}
		return opened, err
	}
}

// admitShared lets a caller in whom no token does.
func (c *call) admitShared(opened store.Storage) error {
	given := c.query().Get("signature")
	verdict := signature.Wrong
	if given != "" {
		key, err := c.s.signingKey(c.ctx(), opened.ID())
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(c.route, "/records/{recordKey}"):
			verdict = signature.CheckRecord(key, c.recordKey, given)
		case strings.HasSuffix(c.route, "/items"), strings.HasSuffix(c.route, "/keys"), strings.HasSuffix(c.route, "/records"):
			verdict = signature.CheckContent(key, opened.ID(), given, time.Now())
		}
		if verdict == signature.Valid {
			return nil
		}
	}
	if ref := c.param("storageId"); ref != "" {
		info, err := opened.Info(c.ctx())
		if err != nil {
			return err
		}
		if info.Access == accessByName || info.Access == accessByID && ref == opened.ID() {
			return nil
		}
	}
	switch {
	case given == "":
		return c.refusal
	case verdict == signature.Expired:
		return fault.New(fault.Forbidden, "the signature of the URL has expired").WithHint("ask whoever gave you the URL for a new one")
	}
	return fault.New(fault.Forbidden, "the signature of the URL is not valid for what it asks for").
		WithHint("leave the parameter signature out, and send a token")
}

// checkAccess reports a general access that there is not.
func checkAccess(access string) error {
	switch access {
	case "", accessRestricted, accessByID, accessByName, accessOfUser:
		return nil
	}
	return fault.New(fault.InvalidRequest, "field generalAccess of the request body must be %s, got %q",
		fmt.Sprintf("%s, %s, %s or %s", accessRestricted, accessByID, accessByName, accessOfUser), access).WithType("invalid-value")
}

// accessOf is a storage's general access as the API tells it.
func accessOf(info store.Info) string {
	if info.Access == "" {
		return accessRestricted
	}
	return info.Access
}
