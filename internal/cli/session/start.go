package session

import (
	"context"
	"errors"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// InputHelp is the paragraph of long texts that says where an input comes from.
const InputHelp = `

The input is, in this order: --input, --input-file, key=value arguments, JSON on
standard input. key=value takes numbers, booleans and null as such and everything
else as text; key:=JSON takes any JSON; an argument that begins with { is the
whole input.`

// Start is how a run is to be started, as flags and arguments say it.
type Start struct {
	Build           string
	timeout, memory int
	maxItems        int
	maxCharge       float64
	restartOnError  bool
	input           string
	inputFile       string
	dataset         string
	keyValueStore   string
	requestQueue    string
	defaults        client.StartOptions
	given           cmdkit.Input
}

// AddFlags adds the flags of a start.
func (o *Start) AddFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.Build, "build", "b", "", "`tag` or number of the build (default: the Actor's default)")
	flags.IntVarP(&o.timeout, "timeout", "t", 0, "time limit in `seconds`; 0 for none (default: the Actor's)")
	flags.IntVarP(&o.memory, "memory", "m", 0, "memory limit in `MB`, a power of two (default: the Actor's)")
	flags.IntVar(&o.maxItems, "max-items", 0, "`number` of items to pay for at most")
	flags.Float64Var(&o.maxCharge, "max-total-charge-usd", 0, "most `dollars` that the run may charge")
	flags.BoolVar(&o.restartOnError, "restart-on-error", false, "start the container again when it fails")
	flags.StringVar(&o.dataset, "dataset", "", "`storage` that is there, by id or name, to be the run's default dataset (Greenroom only)")
	flags.StringVar(&o.keyValueStore, "key-value-store", "", "the same for its key-value `store`")
	flags.StringVar(&o.requestQueue, "request-queue", "", "the same for its request `queue`")
	flags.StringVarP(&o.input, "input", "i", "", "input as JSON `text`; @FILE for a file")
	flags.StringVarP(&o.inputFile, "input-file", "f", "", "`file` with the input as JSON; - for standard input")
	flags.StringVar(&o.inputFile, "if", "", "same as --input-file")
	if err := flags.MarkHidden("if"); err != nil {
		panic(err) // the flag is defined a line above
	}
}

// Take reads flags and arguments: what names the Actor or task, "" when nothing
// does, and the input.
func (o *Start) Take(cmd *cobra.Command, args []string) (ref string, err error) {
	flags, path := cmd.Flags(), cmd.CommandPath()
	o.given = cmdkit.Input{Text: o.input, Given: flags.Changed("input"), File: o.inputFile}
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "{"):
			if o.given.Given {
				return "", cmdkit.UsageError(path, "the input is given more than once: %q is a second one", arg)
			}
			o.given.Text, o.given.Given = arg, true
		case strings.Contains(arg, "="):
			o.given.Pairs = append(o.given.Pairs, arg)
		case ref == "":
			ref = arg
		default:
			return "", cmdkit.UsageError(path, "unexpected argument %q: %q is named already, and input is given as key=value", arg, ref)
		}
	}
	o.defaults = client.StartOptions{
		Build: o.Build, Dataset: o.dataset, KeyValueStore: o.keyValueStore, RequestQueue: o.requestQueue,
	}
	for name, number := range map[string]struct {
		from int
		to   **int
	}{"timeout": {o.timeout, &o.defaults.TimeoutSecs}, "memory": {o.memory, &o.defaults.MemoryMbytes}, "max-items": {o.maxItems, &o.defaults.MaxItems}} {
		if !flags.Changed(name) {
			continue
		}
		if number.from < 0 {
			return "", cmdkit.UsageError(path, "--%s must not be negative, got %d", name, number.from)
		}
		*number.to = &number.from
	}
	if flags.Changed("max-total-charge-usd") {
		o.defaults.MaxTotalChargeUSD = &o.maxCharge
	}
	if flags.Changed("restart-on-error") {
		o.defaults.RestartOnError = &o.restartOnError
	}
	return ref, o.given.Once(path)
}

// Options reads the input and gives what to start with. With stored, the INPUT
// record in ./storage stands in for an input that is not given.
func (o *Start) Options(ctx context.Context, s *Session, stored bool) (client.StartOptions, error) {
	options := o.defaults
	input, err := o.given.Read(ctx, s.IO, func(line string) { s.Note("%s", line) })
	if err != nil || input != nil || !stored {
		options.Input = input
		return options, err
	}
	options.Input, options.ContentType, err = s.storedInput()
	return options, err
}

// storedInput is the INPUT record of the Actor in this directory, nil for none.
func (s *Session) storedInput() ([]byte, string, error) {
	dir := s.Getenv("APIFY_LOCAL_STORAGE_DIR")
	if dir == "" {
		if dir = s.Getenv("CRAWLEE_STORAGE_DIR"); dir == "" {
			dir = "storage"
		}
	}
	store := filepath.Join(dir, "key_value_stores", "default")
	others, err := filepath.Glob(filepath.Join(store, "INPUT.*"))
	if err != nil {
		return nil, "", err
	}
	for _, file := range append([]string{filepath.Join(store, "INPUT.json"), filepath.Join(store, "INPUT")}, others...) {
		if strings.Contains(filepath.Base(file), ".__metadata__.") {
			continue
		}
		body, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", fault.Wrap(fault.InvalidInput, err, "reading the stored input")
		}
		contentType := ""
		if ext := filepath.Ext(file); ext != ".json" && ext != "" {
			contentType = mime.TypeByExtension(ext)
		}
		if contentType == "" {
			given := cmdkit.Input{File: file}
			if body, err = given.Read(context.Background(), s.IO, nil); err != nil {
				return nil, "", err
			}
		}
		s.Note("the input is that of %s", file)
		return body, contentType, nil
	}
	return nil, "", nil
}
