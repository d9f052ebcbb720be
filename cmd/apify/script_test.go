package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenroom-dev/greenroom/internal/app"
	"github.com/greenroom-dev/greenroom/internal/executor/docker"
	"github.com/greenroom-dev/greenroom/internal/storytest"
)

var module = filepath.Join("..", "..")

func TestMain(m *testing.M) {
	os.Setenv("GORACE", storytest.NoNap)
	testscript.Main(tidy{m}, map[string]func(){
		"apify": func() { os.Exit(app.Main(append([]string{"apify"}, os.Args[1:]...))) },
		"actor": func() { os.Exit(app.Main(append([]string{"actor"}, os.Args[1:]...))) },
	})
}

// tidy removes, after all tests, the commands that were built for them.
type tidy struct{ *testing.M }

func (t tidy) Run() int {
	defer func() { os.RemoveAll(binariesDir) }()
	return t.M.Run()
}

// TestStories runs the stories about the apify command.
func TestStories(t *testing.T) {
	// Containers get a static build; the test binary needs a C library.
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeImages(t, "greenroom/story-*") })
	storytest.Run(t, storytest.Options{
		Module:     module,
		Conditions: map[string]func() (bool, string){"docker": engineAnswers, "official": officialCLI},
		Env: []string{
			"GREENROOM_ACTOR=" + built.actor, "DOCKER_HOST=" + os.Getenv("DOCKER_HOST"), "OFFICIAL=" + os.Getenv(officialVariable),
			"APIFY_DISABLE_KEYRING=1", "APIFY_CLI_DISABLE_TELEMETRY=1", "APIFY_CLI_SKIP_UPDATE_CHECK=1",
		},
	}, func(name string) bool { return !storytest.AboutActor(name) })
}

// officialVariable names the official command-line client.
const officialVariable = "GREENROOM_TEST_APIFY_CLI"

func officialCLI() (bool, string) {
	if os.Getenv(officialVariable) == "" {
		return false, officialVariable + " is not set; scripts/test-sdks.sh prints it"
	}
	return true, ""
}

func engineAnswers() (bool, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cli, err := docker.Connect(ctx)
	if err != nil {
		return false, err.Error()
	}
	return cli.Close() == nil, ""
}

// removeImages removes what stories have built. It is not an error when no
// engine answers: then there were none.
func removeImages(t *testing.T, pattern string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cli, err := docker.Connect(ctx)
	if err != nil {
		return
	}
	defer cli.Close()
	images, err := cli.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", pattern))})
	if err != nil {
		t.Error(err)
	}
	for _, i := range images {
		if _, err := cli.ImageRemove(ctx, i.ID, image.RemoveOptions{Force: true, PruneChildren: true}); err != nil {
			t.Error(err)
		}
	}
}
