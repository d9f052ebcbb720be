package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenroom-dev/greenroom/internal/storytest"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", storytest.NoNap)
	testscript.Main(m, map[string]func(){"actor": main})
}

// TestStories runs the stories about the actor command.
func TestStories(t *testing.T) {
	storytest.Run(t, storytest.Options{Module: filepath.Join("..", "..")}, storytest.AboutActor)
}
