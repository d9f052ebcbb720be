package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/internal/commandline"
)

// summary writes a command line for people: the words that fields are put into,
// with what is known of each.
func summary(f Found) string {
	if f.Program == nil {
		return f.Parser
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s (%s)\n", f.Parser, f.File)
	for _, o := range f.Program.All() {
		fmt.Fprintf(&out, "%s", strings.TrimSpace(o.Short+" "+o.Long+o.Name))
		if o.Negative != "" {
			fmt.Fprintf(&out, " / %s", o.Negative)
		}
		fmt.Fprintf(&out, " %s", o.Kind)
		if o.Choices != nil {
			fmt.Fprintf(&out, " of %s", strings.Join(o.Choices, "|"))
		}
		if o.HasDefault {
			fmt.Fprintf(&out, " =%s", o.Default)
		}
		if o.Minimum+o.Maximum != "" {
			fmt.Fprintf(&out, " %s..%s", o.Minimum, o.Maximum)
		}
		for name, is := range map[string]bool{" required": o.Required} {
			if is {
				out.WriteString(name)
			}
		}
		if o.Repeated {
			out.WriteString(" repeated")
		}
		if o.Spread {
			out.WriteString(" spread")
		}
		if o.Secret {
			out.WriteString(" secret")
		}
		if o.Description != "" {
			fmt.Fprintf(&out, ": %s", o.Description)
		}
		out.WriteString("\n")
	}
	for _, s := range f.Program.Skipped {
		fmt.Fprintf(&out, "skipped %s\n", s.Name)
	}
	if f.Program.Stdin {
		out.WriteString("stdin\n")
	}
	if f.Program.Subcommands {
		out.WriteString("subcommands\n")
	}
	return out.String()
}

func files(of map[string]string) Reader { return func(name string) string { return of[name] } }

func TestPython(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"argparse": {`
import argparse
p = argparse.ArgumentParser(
    description="Does "
                "things")
p.add_argument('source', help='where (from)')  # the first, 'quoted'
p.add_argument("target", nargs="?", default='out"put')
p.add_argument("-n", "--count", type=int, default=1_000, help="how many (default: %(default)s)")
p.add_argument("--ratio", type=float, default=-0.5)
p.add_argument("--mode", choices=("fast", 'slow'), default="fast")
p.add_argument("--level", type=int, choices=[1, 2, 3])
p.add_argument("-v", "--verbose", action="store_true")
p.add_argument("--tags", nargs="*")
p.add_argument("--ids", nargs="+", type=int, required=True)
p.add_argument("-H", "--header", action="append", metavar="NAME:VALUE")
p.add_argument("--cache", action=argparse.BooleanOptionalAction, default=True)
p.add_argument("--size", nargs=2, type=int)
p.add_argument("--api-key")
p.add_argument("--rules", type=argparse.FileType("r"))
p.add_argument("--report", type=argparse.FileType("w"))
p.add_argument("--home", default=os.path.expanduser("~"))
# p.add_argument("--not-this")
p.add_argument("--version", action="version", version="1")
`, `argparse (main.py)
-n --count integer =1000: how many
--ratio number =-0.5
--mode text of fast|slow =fast
--level text of 1|2|3
-v --verbose switch: 
--tags text repeated spread
--ids integer required repeated spread
-H --header text repeated
--cache / --no-cache switch =true
--api-key text secret
--rules file
--home text
source text required: where (from)
target text =out"put
skipped --size
skipped --report
`},
		"argparse with commands": {"import argparse\np.add_subparsers()\np.add_argument('-q', action='store_true')\n", "argparse (main.py)\n-q switch\nsubcommands\n"},
		"click": {`
import click
@click.command()
@click.argument("name")
@click.argument("files", nargs=-1, type=click.Path())
@click.option("-n", "--count", "howmany", default=1, type=click.IntRange(1, 10), help="How many.")
@click.option("--shout/--no-shout", default=False)
@click.option("--style", type=click.Choice(["plain", "fancy"], case_sensitive=False))
@click.option("--tag", multiple=True)
@click.option("--password", required=True)
@click.option("-v", "--verbose", is_flag=True)
@click.option("--point", nargs=2, type=int)
def cli(): pass
`, `click (main.py)
-n --count integer =1 1..10: How many.
--shout / --no-shout switch =false
--style text of plain|fancy
--tag text repeated
--password text required secret
-v --verbose switch
name text required
files text repeated
skipped --point
`},
		"typer": {`
import typer
app = typer.Typer()
@app.command()
def main(
    city: Annotated[str, typer.Argument(help="The city, with (brackets).")],
    days: Annotated[int, typer.Option("--days", "-d", min=1)] = 3,
    units: str = typer.Option("metric", help="Which units."),
    wind: bool = True,
    stations: Optional[List[str]] = typer.Option(None),
    key: str = typer.Option(..., "--api-key"),
    scale: float = 0.5,
    note: str = "a, b",
):
    pass
`, `typer (main.py)
-d --days integer =3
--units text =metric: Which units.
--wind / --no-wind switch =true
--stations text repeated
--api-key text required secret
--scale number =0.5
--note text =a, b
city text required: The city, with (brackets).
`},
		"docopt": {"\"\"\"Ships.\n\nUsage:\n  ships <name> [--speed=<kn>]\n\nOptions:\n  --speed=<kn>  Speed [default: 10].\n\"\"\"\nfrom docopt import docopt\n",
			"docopt (main.py)\n--speed integer =10: Speed.\nname text required\n"},
		"sys.argv":          {"import sys\nprint(sys.argv[1], sys.argv[2])\n", "sys.argv (main.py)\nargument1 text\nargument2 text\n"},
		"all of sys.argv":   {"import sys\nfor a in sys.argv[1:]: print(a)\n", "sys.argv (main.py)\narguments text repeated: the program's arguments, in their order\n"},
		"standard input":    {"import sys\nfor line in sys.stdin: print(line)\n", " (main.py)\nstdin\n"},
		"nothing":           {"print('hello')\n", " (main.py)\n"},
		"a call not closed": {"import argparse\np.add_argument('x', help='never closed\n", "argparse (main.py)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := summary(Python(files(map[string]string{"main.py": test.source}), []string{"main.py"}))
			want := strings.ReplaceAll(test.want, ": \n", "\n")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	several := files(map[string]string{"p/__main__.py": "from .cli import main", "p/cli.py": "import argparse\np.add_argument('x')"})
	if got := summary(Python(several, []string{"p/__main__.py", "p/cli.py"})); got != "argparse (p/cli.py)\nx text required\n" {
		t.Errorf("of several files comes %q", got)
	}
}

func TestJavaScript(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"commander": {`
import { Command, Option } from 'commander';
const program = new Command();
program.description("Takes, say, pictures").argument('<url>', 'page to open').argument('[rest...]', 'more')
  .option('-w, --width <pixels>', 'width (in pixels)', (v) => parseInt(v, 10), 1280)
  .option('-f, --full', "the whole page") // .option('--not-this')
  .option('--no-images', 'without images')
  .requiredOption('-t, --token <token>', 'token')
  .option('-H, --header <pairs...>', 'headers')
  .addOption(new Option('--format <type>', 'type').choices(['png', 'jpeg']).default('png'))
  .option('-o, --out <file>', 'file to write to');
`, `commander (cli.js)
-w --width integer =1280: width (in pixels)
-f --full switch: the whole page
--no-images switch: without images
-H --header text repeated: headers
-t --token text required secret: token
--format text of png|jpeg =png: type
url text required: page to open
rest text repeated: more
skipped --out
`},
		"yargs": {`
const yargs = require('yargs/yargs');
yargs(process.argv.slice(2)).option('port', { alias: 'p', type: 'number', default: 8080, describe: 'where' })
 .option("verbose", {alias: "v", type: "boolean"})
 .options({ 'order': { choices: ['new', 'old'], default: 'new' }, key: { type: 'string', demandOption: true, }, tags: { array: true } })
 .positional('url', { type: 'string', describe: 'address' });
`, `yargs (cli.js)
-p --port integer =8080: where
-v --verbose switch
--order text of new|old =new
--key text required
--tags switch repeated
url text: address
`},
		"parseArgs": {`
import { parseArgs } from 'node:util';
const options = { limit: { type: 'string', short: 'l', default: '10' }, tag: { type: 'string', multiple: true }, quiet: { type: 'boolean' } };
const { values } = parseArgs({ options, allowPositionals: true });
`, `parseArgs (cli.js)
-l --limit text =10
--tag text repeated
--quiet switch
arguments text repeated: the program's arguments, in their order
`},
		"process.argv":   {"console.log(process.argv[2], process.argv[3])", "process.argv (cli.js)\nargument1 text\nargument2 text\n"},
		"minimist":       {"const argv = require('minimist')(process.argv.slice(2))", "minimist (cli.js)\narguments text repeated: the program's arguments, in their order\n"},
		"standard input": {"process.stdin.pipe(process.stdout)", " (cli.js)\nstdin\n"},
		"nothing":        {"console.log(1)", " (cli.js)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := summary(JavaScript(files(map[string]string{"cli.js": test.source}), "cli.js"))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	tree := files(map[string]string{
		"bin/run.js": "require('../lib/args')", "lib/args.js": "import './more/x.js'; import '../../outside.js'",
		"lib/more/x.js": "const { program } = require('commander'); program.option('-q', 'quietly')",
		"src/built.ts":  "const { program } = require('commander'); program.option('-z', 'built')",
	})
	if got := summary(JavaScript(tree, "bin/run.js")); got != "commander (lib/more/x.js)\n-q switch: quietly\n" {
		t.Errorf("through imports comes %q", got)
	}
	if got := summary(JavaScript(tree, "dist/built.js")); got != "commander (src/built.ts)\n-z switch: built\n" {
		t.Errorf("of what is not built comes %q", got)
	}
	if got := JavaScript(tree, "dist/nothing.js"); got.Program != nil || len(got.Missing) != 1 {
		t.Errorf("of no source comes %+v", got)
	}
}

func TestGo(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"flag": {`package main
import ("flag"; "time")
var size int
func init() { flag.IntVar(&size, "size", -1, "how " + "large") }
func main() {
	flag.String("name", "", "the ` + "`NAME`" + ` of it")
	flag.Bool("quiet", true, "say nothing")
	flag.Duration("wait", 5*time.Second, "wait")
	flag.Float64("ratio", 0.25, "share")
	fs := flag.NewFlagSet("x", 0); fs.Uint("n", 7, "number")
	flag.Var(v, "tag", "tags")
	flag.Parse()
	println(flag.NArg(), name("not", "a", "flag"))
}`, `flag (main.go)
-size integer =-1: how large
-name text: the NAME of it
-quiet switch =true: say nothing
-wait text: wait
-ratio number =0.25: share
-n integer =7: number
-tag text repeated: tags
`},
		"cobra": {`package main
import "github.com/spf13/cobra"
func main() {
	cmd := &cobra.Command{}
	cmd.Flags().StringVarP(&x, "config", "c", "a.yaml", "configuration")
	cmd.PersistentFlags().Bool("verify", true, "check")
	cmd.Flags().StringSlice("only", nil, "which")
	cmd.Flags().CountP("verbose", "v", "more")
}`, `cobra (main.go)
-c --config text =a.yaml: configuration
--verify switch =true: check
--only text repeated: which
-v --verbose switch: more
`},
		"arguments":      {"package main\nimport \"os\"\nfunc main() { println(os.Args[1]) }", "os.Args (main.go)\narguments text repeated: the program's arguments, in their order\n"},
		"standard input": {"package main\nimport \"os\"\nfunc main() { os.Stdin.Read(nil) }", " (main.go)\nstdin\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := summary(Go(files(map[string]string{"main.go": test.source}), []string{"main.go"}))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if broken := Go(files(map[string]string{"main.go": "package main\nfunc {"}), []string{"main.go"}); len(broken.Missing) != 1 {
		t.Errorf("broken Go gives %+v", broken)
	}
}

func TestShell(t *testing.T) {
	const anything = "arguments text repeated\n"
	for source, want := range map[string]string{
		"#!/bin/sh\necho hello\n":                           "\n",
		"#!/bin/sh\nset -e\nLC_ALL=C\nsort | uniq -c\n":     "\nstdin\n",
		"while read -r line; do echo \"$line\"; done\n":     "\nstdin\n",
		"while IFS= read -r line\ndo :; done\n":             "\nstdin\n",
		"x=$(cat)\n":                                        "\nstdin\n",
		"cat file.txt | sort\n":                             "\n",
		"sort <file.txt\n":                                  "\n",
		"# reads $1\necho done reading\n":                   "\n",
		"echo \"$1 $2\"\n":                                  "positional\nargument1 text\nargument2 text\n",
		"exec tool \"$@\"\n":                                "positional\n" + anything,
		"for word; do echo \"$word\"; done\n":               "positional\n" + anything,
		"name=$1\nshift\nfor f in \"$@\"; do :; done\n":     "positional\nargument1 text\n" + anything,
		"while getopts ab:c: o; do :; done\ncat | tr a b\n": "getopts\n-a switch\n-b text\n-c text\nstdin\n",
	} {
		got := strings.Replace(summary(Shell("x.sh", source)), " (x.sh)", "", 1)
		if got != want {
			t.Errorf("%q gives\n%s, want\n%s", source, got, want)
		}
	}
	if got := summary(Script("x.rb", "puts ARGV; STDIN.read")); !strings.Contains(got, "arguments") {
		t.Errorf("got %q", got)
	}
}

// Whatever the source, reading it ends, and what comes of it makes a schema.
func FuzzSource(f *testing.F) {
	for _, seed := range []string{
		"import argparse\np.add_argument('-x', '--y', help='a' \"b\", choices=[1,'2'], default=f'{x}', nargs='+')",
		"import typer\n@app.command()\ndef main(a: Annotated[int, typer.Option(min=1)] = 3, b=typer.Argument('x')):",
		"import click\n@click.option('--a/--b', type=click.IntRange(1,2), multiple=True)\n@click.argument('c', nargs=-1)",
		"from 'commander'; x.option('-a, --b <c...>', 'd', 1).addOption(new Option('-e').choices(['f']).default(`g`))",
		"from 'yargs'; y.options({a: {alias: 'b', type: 'number', default: 1}, 'c': {choices: ['d']}})",
		"parseArgs({options: {a: {type: 'string', short: 'b'}}, allowPositionals: true}); import './x'",
		"package main\nimport \"flag\"\nfunc main() { flag.IntVar(&x, \"a\", -1, \"b\"); flag.Var(v, \"c\", \"d\") }",
		"while getopts a:b o; do read x; done; echo $1 \"$@\"", "\"\"\"\nUsage: x [--a=<b>]\n\"\"\"\nimport docopt",
		"p.add_argument('''", "import argparse\n.add_argument(((((('", ".option({{{[[[", "{a: {b: {c:",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read := func(name string) string {
			if strings.Count(name, "/") > 3 {
				return ""
			}
			return text
		}
		for _, found := range []Found{
			Python(read, []string{"a.py", "b.py"}), JavaScript(read, "a.js"), Go(read, []string{"a.go"}), Shell("a.sh", text), Script("a.rb", text),
		} {
			program := found.Program
			if program == nil {
				program = &commandline.Program{}
			}
			if len(program.InputSchema("x")) == 0 || program.Bind().Words == nil && len(program.All()) > 0 {
				t.Error("options without words")
			}
		}
	})
}
