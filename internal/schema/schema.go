// Package schema validates Actor inputs against input schemas, with the
// official messages, and fills in defaults.
package schema

// Input is a parsed input schema.
type Input struct{}
