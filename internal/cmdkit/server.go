package cmdkit

import (
	"context"
	"log/slog"
	"time"
)

// ServerOptions describe a platform that keeps running.
type ServerOptions struct {
	// Listen is the address of the API, "host:port"; port 0 lets the system
	// choose one.
	Listen string
	// DataDir holds everything that the server keeps.
	DataDir string
	// Relaxed answers writes before they are on disk: they survive the death of
	// the process, the last of them not a loss of power.
	Relaxed bool
	// Retention is the age at which runs and unnamed storages expire; 0 keeps
	// them.
	Retention time.Duration
	// Drain is how long requests under way may take when the server ends.
	Drain time.Duration
	// Executor is where Actors run: "auto", "docker" or "process".
	Executor string
	// WebhookAllow lists the private addresses and networks that webhooks may
	// call, besides this machine.
	WebhookAllow []string
	// TotalMemory is what all runs together may use, in mebibytes; 0 takes the
	// machine's. MaxRuns is how many may run at once, 0 for any number.
	TotalMemory, MaxRuns int
	// Notice is told, in one line each, what people should know; nil drops it.
	Notice func(string)
	Logger *slog.Logger
}

// Server is a platform that keeps running.
type Server interface {
	// BaseURL is the API's origin, without /v2; Token is the owner's.
	BaseURL() string
	Token() string
	// Close lets requests under way end, for the drain time at most, and
	// releases everything.
	Close() error
	// Failed gives the error that the server ended with by itself.
	Failed() <-chan error
}

// StartServerFunc starts a server; it returns when requests are answered.
type StartServerFunc func(ctx context.Context, opts ServerOptions) (Server, error)
