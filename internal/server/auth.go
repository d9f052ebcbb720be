package server

import (
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Access is what a token gives access to; the zero Access is everything.
type Access struct {
	// ReadOnly refuses whatever could change something.
	ReadOnly bool
	// StoragesOf is the run whose record and storages are all that the token
	// opens; "" sets no such limit.
	StoragesOf string
	// Guest is who has a token that the owner has made for others: what a backup
	// holds is the owner's alone.
	Guest bool
}

// principal is who calls: the owner, somebody to whom the owner gave a token,
// or, when runID is set, the code of a run.
type principal struct {
	Access
	runID string
}

// mayControl reports whether the caller may change or end the run. Runs may do
// that to themselves only.
func (p principal) mayControl(runID string) bool { return p.runID == "" || p.runID == runID }

// authenticate finds out who calls by the token of the request.
func (c *call) authenticate() error {
	token := c.token()
	if token == "" {
		return fault.New(fault.Unauthenticated, "authentication token was not provided").
			WithType("token-not-provided").
			WithHint("send it in the header Authorization: Bearer, or as the query parameter token")
	}
	if c.s.OwnerToken != "" && subtle.ConstantTimeCompare([]byte(token), []byte(c.s.OwnerToken)) == 1 {
		return nil
	}
	if c.s.Authenticate != nil {
		if access, ok := c.s.Authenticate(token); ok {
			c.caller.Access = access
			return nil
		}
	}
	if runID, ok := c.s.Engine.RunOfToken(token); ok {
		c.caller.runID = runID
		return nil
	}
	return fault.New(fault.Unauthenticated, "user was not found or authentication token is not valid")
}

func (c *call) token() string {
	if header := c.r.Header.Get("Authorization"); header != "" {
		if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(token)
		}
	}
	return c.query().Get("token")
}

// permit checks that the caller's token is good for the operation, which is
// named by the pattern of its route. The request's method is the one that
// counts: what the query parameter method says is in it already.
func (c *call) permit(pattern string) error {
	switch {
	case openToAll(pattern):
		return nil
	case c.refusal != nil: // there is no token
		return c.refusal
	case c.caller.ReadOnly && !c.reads(pattern):
		return fault.New(fault.Forbidden, "the token is read-only: it does not allow %s %s", c.r.Method, pattern).
			WithHint("use a token with the scope full")
	case c.caller.StoragesOf != "":
		return c.permitStorage(pattern)
	case c.caller.runID != "" && !c.reads(pattern) && ofAccount(pattern) && c.s.Engine.Limited(c.caller.runID):
		return fault.New(fault.Forbidden, "the run has limited permissions: it must not %s %s", c.r.Method, pattern).
			WithHint("start it with forcePermissionLevel=%s, or give its Actor that level", api.FullPermissions)
	}
	return nil
}

// ofAccount reports whether what changes by an operation belongs to the account
// rather than to a run. Source: what the platform's documentation of Actor
// permissions lets runs with limited ones do.
func ofAccount(pattern string) bool {
	for _, noun := range []string{"actors", "actor-builds", "actor-tasks", "schedules", "users"} {
		if below, ok := strings.CutPrefix(pattern, "/v2/"+noun); ok && (below == "" || below[0] == '/') {
			starts := strings.HasSuffix(below, "/runs") || strings.HasSuffix(below, "/run-sync") || strings.HasSuffix(below, "/run-sync-get-dataset-items")
			return !starts && !strings.Contains(below, "/runs/")
		}
	}
	return false
}

// reads reports whether the operation changes nothing. There are two that start
// runs when they are asked for with GET, and one that only judges what is posted.
func (c *call) reads(pattern string) bool {
	switch c.r.Method {
	case http.MethodPost:
		return strings.HasSuffix(pattern, "/validate-input")
	case http.MethodGet, http.MethodHead:
		return !strings.HasSuffix(pattern, "/run-sync") && !strings.HasSuffix(pattern, "/run-sync-get-dataset-items")
	}
	return c.r.Method == http.MethodOptions
}

// permitStorage lets those who have a token for the storages of one run see the
// run, and use its storages by their ids or below the run.
func (c *call) permitStorage(pattern string) error {
	const run = "/v2/actor-runs/{runId}"
	refused := fault.New(fault.Forbidden, "the token gives access to the storages of run %s only", c.caller.StoragesOf)
	if pattern == "/v2/users/me" || pattern == run {
		if !c.reads(pattern) || pattern == run && c.param("runId") != c.caller.StoragesOf {
			return refused
		}
		return nil
	}
	if below, ok := strings.CutPrefix(pattern, run+"/"); ok {
		kind, _, _ := strings.Cut(below, "/")
		if c.param("runId") != c.caller.StoragesOf || !slices.Contains([]string{"dataset", "key-value-store", "request-queue"}, kind) {
			return refused
		}
		return nil
	}
	kind, _, found := strings.Cut(strings.TrimPrefix(pattern, "/v2/"), "/{storageId}")
	if !found {
		return refused
	}
	of, err := c.s.Engine.Run(c.ctx(), c.caller.StoragesOf)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Forbidden, "run %s, whose storages the token gives access to, does not exist any more", c.caller.StoragesOf)
	}
	if err != nil {
		return err
	}
	ids := map[string]map[string]string{
		"datasets": of.StorageIDs.Datasets, "key-value-stores": of.StorageIDs.KeyValueStores, "request-queues": of.StorageIDs.RequestQueues,
	}[kind]
	if !slices.Contains(slices.Collect(maps.Values(ids)), c.param("storageId")) {
		return refused
	}
	return nil
}
