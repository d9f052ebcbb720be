package app

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

// official are the commands of the official CLI 1.10.0 with their flags, NAME or
// NAME/SHORT. Scripts that use them must work here.
//
// Not here, because they have no meaning for one program that is its own platform:
// telemetry, upgrade, install and check-version (there is no telemetry and no
// self-update), mcp (configures other programs for the cloud's server),
// edit-input-schema (opens a web editor), and help --skill (a guide for coding
// agents to the official CLI).
var official = []struct{ command, flags string }{
	{"auth", ""},
	{"auth login", "token/t method/m"},
	{"auth logout", ""},
	{"auth token", ""},
	{"builds", ""},
	{"builds add-tag", "build/b tag/t"},
	{"builds remove-tag", "build/b tag/t yes/y"},
	{"builds rm", "yes/y"},
	{"builds ls", "offset limit desc compact/c json"},
	{"builds log", ""},
	{"builds info", "json"},
	{"builds create", "tag version log wait json"},
	{"builds wait", "timeout/t poll-interval json"},
	{"datasets", ""},
	{"datasets create", "json"},
	{"datasets get-items", "limit offset format"},
	{"datasets ls", "offset limit desc unnamed json"},
	{"datasets info", "json"},
	{"datasets rm", "yes/y"},
	{"datasets rename", "unname"},
	{"datasets push-items", ""},
	{"key-value-stores", ""},
	{"key-value-stores create", "json"},
	{"key-value-stores delete-value", "yes/y"},
	{"key-value-stores get-value", "only-content-type"},
	{"key-value-stores info", "json"},
	{"key-value-stores keys", "limit exclusive-start-key json"},
	{"key-value-stores ls", "offset limit desc unnamed json"},
	{"key-value-stores rename", "unname"},
	{"key-value-stores rm", "yes/y"},
	{"key-value-stores set-value", "content-type"},
	{"request-queues", ""},
	{"runs", ""},
	{"runs abort", "force/f json"},
	{"runs info", "verbose/v json"},
	{"runs log", ""},
	{"runs ls", "offset limit desc compact/c json"},
	{"runs resurrect", "json"},
	{"runs rm", "yes/y"},
	{"runs wait", "timeout/t poll-interval json"},
	{"secrets", ""},
	{"secrets add", ""},
	{"secrets ls", "json"},
	{"secrets rm", ""},
	{"task", ""},
	{"task run", "build/b timeout/t memory/m json"},
	{"task publish", ""},
	{"task unpublish", ""},
	{"templates", ""},
	{"templates ls", "json"},
	{"api", "method/X body/d header/H params/p list-endpoints/l search/s describe"},
	{"call", "build/b timeout/t memory/m input/i input-file/f silent/s output-dataset/o json"},
	{"info", ""},
	{"init-wrap-scrapy", ""},
	{"init", "yes/y dockerfile"},
	{"login", "token/t method/m"},
	{"logout", ""},
	{"pull", "version/v dir"},
	{"push", "version/v build-tag/b wait-for-finish/w open force/f dir allow-missing-secrets json"},
	{"run", "purge/p resurrect entrypoint input/i input-file if allow-missing-secrets"},
	{"validate-schema", ""},
	{"actor set-value", "content-type/c"},
	{"actor push-data", ""},
	{"actor get-value", ""},
	{"actor get-public-url", ""},
	{"actor get-input", ""},
	{"actor calculate-memory", "input default-memory-mbytes build timeout-secs max-items max-total-charge-usd"},
	{"actor generate-schema-types", "output/o strict all-optional"},
}

// officialAliases are other names of official commands.
var officialAliases = map[string]string{
	"kvs": "key-value-stores", "actor generate-types": "actor generate-schema-types", "vis": "validate-schema",
}

func tree() *cobra.Command {
	streams := &cmdkit.IO{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
	return apify(&cmdkit.Factory{IO: streams, Version: "test", Getenv: func(string) string { return "" }})
}

func TestOfficialCommandsAndFlags(t *testing.T) {
	root := tree()
	for _, want := range official {
		cmd, rest, err := root.Find(strings.Fields(want.command))
		if err != nil || len(rest) > 0 {
			t.Errorf("there is no command %q", want.command)
			continue
		}
		cmd.InitDefaultHelpFlag()
		for _, name := range strings.Fields(want.flags) {
			name, short, _ := strings.Cut(name, "/")
			flag := cmd.Flag(name)
			switch {
			case flag == nil:
				t.Errorf("apify %s has no --%s", want.command, name)
			case short != "" && flag.Shorthand != short:
				t.Errorf("apify %s --%s is not -%s but %q", want.command, name, short, flag.Shorthand)
			}
		}
	}
	for alias, name := range officialAliases {
		one, rest, err := root.Find(strings.Fields(alias))
		other, _, _ := root.Find(strings.Fields(name))
		if err != nil || len(rest) > 0 || one != other {
			t.Errorf("%s is not %s", alias, name)
		}
	}
}

// TestEveryCommandIsExplained walks the whole tree: help is the manual.
func TestEveryCommandIsExplained(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("%s says nothing about itself", cmd.CommandPath())
		}
		if cmd.Runnable() && !cmd.HasSubCommands() && cmd.Name() != "help" && cmd.Long == "" {
			t.Errorf("%s has no manual", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(tree())
}
