package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenroom-dev/greenroom/internal/storytest"
)

// noNap keeps race-detecting commands from sleeping a second before they exit.
const noNap = "atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	os.Setenv("GORACE", noNap)
	testscript.Main(m, map[string]func(){"actor": main})
}

// TestStories runs the stories about the actor command.
func TestStories(t *testing.T) {
	storytest.Run(t, storytest.Options{Module: filepath.Join("..", ".."), Env: []string{"GORACE=" + noNap}}, "actor_*.txtar")
}
