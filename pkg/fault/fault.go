// Package fault is the one error type of this module: a code that decides the
// exit status and the HTTP status, a message for people, a hint that says what
// to do next, and the cause.
//
// Everything may import it; it imports nothing of the module.
package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Code classifies an error. It decides, through one table, what a process
// exits with and what a server answers.
type Code string

// The codes. Unknown errors count as Internal.
const (
	Internal         Code = "internal"           // a bug or an unforeseen failure of the system
	Usage            Code = "usage"              // the command line is wrong
	InvalidInput     Code = "invalid-input"      // an Actor input, an actor.json or a schema is wrong
	InvalidRequest   Code = "invalid-request"    // an API request is malformed
	NotFound         Code = "not-found"          // the named thing does not exist
	Unauthenticated  Code = "unauthenticated"    // no token, or one nobody knows
	Forbidden        Code = "forbidden"          // the token may not do this
	Conflict         Code = "conflict"           // the name or state is already taken
	TooLarge         Code = "too-large"          // a body exceeds the limit
	UnsupportedMedia Code = "unsupported-media"  // an encoding or type nobody reads
	MethodNotAllowed Code = "method-not-allowed" // right path, wrong method
	OverLimit        Code = "over-limit"         // more than the machine or the account has
	Unavailable      Code = "unavailable"        // an engine, a server or a tool cannot be reached
	RunFailed        Code = "run-failed"         // a run or a build ended badly
	TimedOut         Code = "timed-out"          // a run or a build passed its time limit
	Aborted          Code = "aborted"            // a run or a build was aborted
	NothingToDo      Code = "nothing-to-do"      // there is nothing to act on
	GaveUpWaiting    Code = "gave-up-waiting"    // the wait ended before the run did
	NotImplemented   Code = "not-implemented"    // has no meaning here, or not yet
)

type row struct {
	exit int
	http int
	typ  string
}

// table is the only place where codes get their meaning. The exit codes are
// those of the official CLI; the types those of the Apify API v2.
var table = map[Code]row{
	Internal:         {1, http.StatusInternalServerError, "internal-server-error"},
	Usage:            {1, http.StatusBadRequest, "invalid-request"},
	InvalidInput:     {5, http.StatusBadRequest, "invalid-input"},
	InvalidRequest:   {1, http.StatusBadRequest, "invalid-request"},
	NotFound:         {250, http.StatusNotFound, "record-not-found"},
	Unauthenticated:  {1, http.StatusUnauthorized, "user-or-token-not-found"},
	Forbidden:        {1, http.StatusForbidden, "insufficient-permissions"},
	Conflict:         {1, http.StatusConflict, "name-not-unique"},
	TooLarge:         {1, http.StatusRequestEntityTooLarge, "request-too-large"},
	UnsupportedMedia: {1, http.StatusUnsupportedMediaType, "unsupported-content-encoding"},
	OverLimit:        {1, http.StatusPaymentRequired, "limit-reached"},
	MethodNotAllowed: {1, http.StatusMethodNotAllowed, "method-not-allowed"},
	Unavailable:      {1, http.StatusServiceUnavailable, "service-unavailable"},
	RunFailed:        {1, http.StatusBadRequest, "run-failed"},
	TimedOut:         {2, http.StatusRequestTimeout, "run-timeout-exceeded"},
	Aborted:          {3, http.StatusBadRequest, "run-failed"},
	NothingToDo:      {4, http.StatusBadRequest, "invalid-request"},
	GaveUpWaiting:    {6, http.StatusRequestTimeout, "operation-timed-out"},
	NotImplemented:   {255, http.StatusNotImplemented, "not-implemented"},
}

// Codes lists every code, in no particular order; tests range over it.
func Codes() []Code {
	codes := make([]Code, 0, len(table))
	for c := range table {
		codes = append(codes, c)
	}
	return codes
}

// ExitStatus is the status a process ends with for this code, as the official
// CLI documents it. Unknown codes give 1.
func (c Code) ExitStatus() int {
	if r, ok := table[c]; ok {
		return r.exit
	}
	return table[Internal].exit
}

// HTTPStatus is the status a server answers with for this code. Unknown codes
// give 500.
func (c Code) HTTPStatus() int {
	if r, ok := table[c]; ok {
		return r.http
	}
	return table[Internal].http
}

// WireType is the default `error.type` of the API's error body for this code.
func (c Code) WireType() string {
	if r, ok := table[c]; ok {
		return r.typ
	}
	return table[Internal].typ
}

// Error is an error with a code. Message is lowercase, without a full stop,
// and says what is wrong and where. Hint says what to do next.
type Error struct {
	Code    Code
	Message string
	Hint    string
	// Type is the API's error.type where it is finer than the code's own
	// ("invalid-record-key" for InvalidRequest); empty means Code.WireType().
	Type string
	// Data is the API's error.data, any value that marshals to a JSON object.
	Data any
	// Err is the cause; it is for logs and errors.Is, never sent to API clients.
	Err error
}

// Error gives the message, followed by the cause when there is one.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	if e.Message == "" {
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// WireType is the `error.type` to send: Type, or that of the code.
func (e *Error) WireType() string {
	if e.Type != "" {
		return e.Type
	}
	return e.Code.WireType()
}

// New makes an error from a code and a formatted message. A %w verb records the
// cause as fmt.Errorf does, and its text is then part of the message.
func New(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	if cause := errors.Unwrap(err); cause != nil {
		return &Error{Code: code, Err: messageWith{err.Error(), cause}}
	}
	return &Error{Code: code, Message: err.Error()}
}

// messageWith keeps a message that already contains its cause's text.
type messageWith struct {
	text  string
	cause error
}

func (m messageWith) Error() string { return m.text }
func (m messageWith) Unwrap() error { return m.cause }

// Wrap gives err a code and a message to stand before it. A nil err gives nil.
func Wrap(code Code, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// WithHint returns e with its hint set, for chaining after New.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithType returns e with its API error type set, for chaining after New.
func (e *Error) WithType(typ string) *Error {
	e.Type = typ
	return e
}

// CodeOf finds the code of err: that of the first *Error in its chain, else
// Internal. A nil err has no code and gives "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// HintOf finds the first hint in err's chain, or "".
func HintOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
