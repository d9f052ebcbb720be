// Package command says which program a start command means, and what its
// Environment is.
package command
