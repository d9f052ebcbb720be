// Package schema validates Actor inputs against input schemas, with the
// official messages, and fills in defaults.
package schema
