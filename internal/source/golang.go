package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
)

// kindsOfGo are the values of the flag packages by the names of their functions.
var kindsOfGo = map[string]struct {
	kind     commandline.Kind
	repeated bool
}{
	"String": {commandline.Text, false}, "Bool": {commandline.Switch, false}, "Duration": {commandline.Text, false},
	"Int": {commandline.Integer, false}, "Int64": {commandline.Integer, false}, "Int32": {commandline.Integer, false},
	"Uint": {commandline.Integer, false}, "Uint64": {commandline.Integer, false}, "Uint32": {commandline.Integer, false}, "Uint16": {commandline.Integer, false},
	"Float64": {commandline.Number, false}, "Float32": {commandline.Number, false}, "Count": {commandline.Switch, false},
	"StringSlice": {commandline.Text, true}, "StringArray": {commandline.Text, true}, "IntSlice": {commandline.Integer, true},
	"Func": {commandline.Text, false}, "Text": {commandline.Text, false}, "BoolFunc": {commandline.Switch, false}, "": {commandline.Text, false},
}

// Go looks for flags in the files of a main package.
func Go(read Reader, files []string) Found {
	program := &commandline.Program{}
	found := Found{Program: program}
	reads, takes := false, false
	for _, name := range files {
		source := read(name)
		found.JSON = found.JSON || strings.Contains(source, `"encoding/json"`)
		file, err := goparser(source)
		if err != nil {
			found.Missing = append(found.Missing, name+" cannot be read as Go: "+err.Error())
			continue
		}
		if found.File == "" {
			found.File = name
		}
		flags := false
		for _, i := range file.Imports {
			if parser, known := goParsers[i.Path.Value]; known {
				flags, found.Parser, found.File = true, parser, name
			}
		}
		reads = reads || strings.Contains(source, "os.Stdin")
		takes = takes || strings.Contains(source, "flag.Arg") || strings.Contains(source, ".Args()") || strings.Contains(source, "os.Args[1")
		if flags {
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && len(program.Options) < 500 {
					goFlag(program, call)
				}
				return true
			})
		}
	}
	program.GoFlags = found.Parser == "flag"
	program.Valued = found.Parser == "pflag" || found.Parser == "cobra"
	if takes {
		program.Positionals = []commandline.Option{rest("arguments")}
		if found.Parser == "" {
			found.Parser = "os.Args"
		}
	}
	program.Stdin = reads && !takes
	program.Complete()
	return found
}

// goParsers are the packages that read arguments, by their import paths.
var goParsers = map[string]string{
	`"flag"`: "flag", `"github.com/spf13/pflag"`: "pflag", `"github.com/spf13/cobra"`: "cobra",
}

func goparser(source string) (*ast.File, error) {
	return parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
}

// goFlag adds the flag that a call defines: flag.Int("n", 3, "usage"), the Var
// forms, and pflag's with a shorthand.
func goFlag(p *commandline.Program, call *ast.CallExpr) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	method := selector.Sel.Name
	at, short := 0, false
	base, p2 := strings.CutSuffix(method, "P")
	if _, known := kindsOfGo[method]; !known && p2 {
		method, short = base, true
	}
	if base, variable := strings.CutSuffix(method, "Var"); variable {
		method, at = base, 1
	}
	kind, known := kindsOfGo[method]
	if !known || method == "" && at == 0 || len(call.Args) < at+2 {
		return
	}
	name, ok := goText(call.Args[at])
	if !ok || name == "" || strings.ContainsAny(name, " \t/") {
		return
	}
	usage, ok := goText(call.Args[len(call.Args)-1])
	if method == "Func" || method == "BoolFunc" {
		if len(call.Args) < 3 {
			return
		}
		usage, ok = goText(call.Args[1])
	}
	if !ok {
		return
	}
	o := commandline.Option{Long: "--" + name, Kind: kind.kind, Repeated: kind.repeated || method == "" || method == "Func"}
	if !short && !isPflag(selector) {
		o.Long = "-" + name
	}
	if o.Kind != commandline.Switch {
		o.Value = "value"
	}
	rest := call.Args[at+1 : len(call.Args)-1]
	if short && len(rest) > 0 {
		if letter, ok := goText(rest[0]); ok && letter != "" {
			o.Short = "-" + letter
		}
		rest = rest[1:]
	}
	if quoted := strings.Split(usage, "`"); len(quoted) == 3 {
		o.Value = quoted[1]
		usage = strings.ReplaceAll(usage, "`", "")
		if o.Kind == commandline.Text && method == "String" {
			o.Kind = ""
		}
	}
	o.Description = usage
	if len(rest) == 1 && method != "" {
		switch d := rest[0].(type) {
		case *ast.BasicLit:
			if text, ok := goText(d); ok {
				o.Default, o.HasDefault = `"`+text+`"`, true
			} else {
				o.Default, o.HasDefault = strings.ReplaceAll(d.Value, "_", ""), true
			}
		case *ast.Ident:
			o.Default, o.HasDefault = d.Name, d.Name == "true" || d.Name == "false"
		case *ast.UnaryExpr:
			if n, ok := d.X.(*ast.BasicLit); ok && d.Op == token.SUB {
				o.Default, o.HasDefault = "-"+n.Value, true
			}
		}
	}
	p.Options = append(p.Options, o)
}

// isPflag tells pflag's and cobra's flag sets from those of the flag package by
// how they are reached.
func isPflag(selector *ast.SelectorExpr) bool {
	switch x := selector.X.(type) {
	case *ast.Ident:
		return x.Name == "pflag"
	case *ast.CallExpr:
		if s, ok := x.Fun.(*ast.SelectorExpr); ok {
			return s.Sel.Name == "Flags" || s.Sel.Name == "PersistentFlags" || s.Sel.Name == "LocalFlags"
		}
	}
	return false
}

func goText(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := goText(e.X)
		right, also := goText(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}
