// Package schedule says what schedules are: when they come true, and what may be
// in one. Pure: no I/O but for the zones of the machine.
package schedule
