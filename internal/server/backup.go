package server

import (
	"net/http"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// backupPath is an endpoint of our own: the platform has nothing like it.
const backupPath = "/greenroom/backup"

// serveBackup answers with a copy of everything. It may take as long as its
// reader wants. When it cannot be made whole the connection breaks, so that
// nobody takes the part for the whole.
func (c *call) serveBackup() error {
	c.route = backupPath
	if c.s.Backup == nil {
		return errNoPage(c.r)
	}
	if c.caller.Access != (Access{}) || c.caller.runID != "" {
		return fault.New(fault.Forbidden, "a backup holds the owner's token and the keys of secrets: only the owner's token gives access to it")
	}
	if c.r.Method != http.MethodGet {
		c.Header().Set("Allow", "GET")
		return fault.New(fault.MethodNotAllowed, "this API endpoint can only be accessed using the following HTTP methods: GET")
	}
	c.Header()["Content-Type"] = []string{"application/x-tar"}
	c.Header()["Cache-Control"] = []string{"no-store"}
	return c.s.Backup(c.ctx(), c)
}
