package app

import (
	"context"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"
)

// portFile is where in its data directory a server notes its port: the next one
// takes the same, so that runs which outlive a server reach the next one.
const portFile = "port"

// listenAgain listens on an address; the port 0 is the one of the server before
// where that is free, else any.
func listenAgain(ctx context.Context, dir, address string) (net.Listener, error) {
	var config net.ListenConfig
	path := filepath.Join(dir, portFile)
	host, port, err := net.SplitHostPort(address)
	if err == nil && port == "0" {
		if text, err := os.ReadFile(path); err == nil {
			if listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strings.TrimSpace(string(text)))); err == nil {
				return listener, nil
			}
		}
	}
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok {
		// Without the note the next server may get another port, and no more.
		_ = os.WriteFile(path, []byte(strconv.Itoa(tcp.Port)+"\n"), 0o600)
	}
	return listener, nil
}

// identify reads what the directory's store keeps of the server: the id that marks
// what belongs to it, and the key that the tokens of its runs are made of.
func (d *daemon) identify(ctx context.Context) (tokenKey []byte, err error) {
	id, err := d.store.Secret(ctx, "server id")
	if err != nil {
		return nil, err
	}
	d.serverID = hex.EncodeToString(id[:16])
	return d.store.Secret(ctx, "tokens of runs")
}

// totalMemory is what all runs together may use, in mebibytes.
func (d *daemon) totalMemory() int {
	if d.opts.TotalMemory > 0 {
		return d.opts.TotalMemory
	}
	machine, err := mem.VirtualMemory()
	if err != nil {
		return 0 // no limit is better than a wrong one
	}
	return int(machine.Total >> 20)
}

// takeOver goes on with the runs that the server before left, however it ended.
func (d *daemon) takeOver(ctx context.Context) error {
	for _, target := range d.targets {
		if _, err := target.Executor.Reap(ctx); err != nil {
			d.opts.Logger.Warn("looking for what a killed server left behind", "executor", target.Executor.Name(), "error", err)
		}
	}
	n, err := d.engine.Recover(ctx)
	if err != nil || n == 0 {
		return err
	}
	// Those that run already need the API where they know it.
	for _, target := range d.targets {
		endpoint, err := target.Executor.Endpoint(ctx)
		if err == nil {
			_, err = d.reach.from(ctx, endpoint)
		}
		if err != nil {
			return err
		}
	}
	d.opts.Logger.Info("took runs over", "runs", n)
	return nil
}
