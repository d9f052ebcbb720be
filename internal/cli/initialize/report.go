package initialize

import (
	"fmt"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/commandline"
	"github.com/greenroom-dev/greenroom/internal/project"
)

// report is what --json prints.
type report struct {
	Dir    string `json:"dir"`
	Name   string `json:"name"`
	DryRun bool   `json:"dryRun"`
	// Complete says that the Actor can be run: it is known what starts it.
	Complete bool `json:"complete"`
	// Start is the container's command, Adapted that actor exec is part of it.
	Start    []string              `json:"start"`
	Adapted  bool                  `json:"adapted"`
	Detected []project.Fact        `json:"detected"`
	Files    []file                `json:"files"`
	Skipped  []commandline.Skipped `json:"skipped"`
	Missing  []string              `json:"missing"`
	Next     []string              `json:"nextSteps"`
}

func (w *work) report() error {
	complete := len(w.start) > 0 || w.dockerfile != "" && !w.makeDockerfile
	if complete {
		w.next = append(w.next, "put an input into "+inputFile+", or give one with --input", "run it: apify run")
	} else {
		w.next = append(w.next, "put the program's command into "+w.dockerfile+", then: apify run")
	}
	streams := w.options.factory.IO
	if w.options.JSON {
		r := report{
			Dir: w.root, Name: w.name, DryRun: w.options.DryRun, Complete: complete, Adapted: w.adapted,
			Start: filled(w.start), Detected: filled(w.facts), Files: filled(w.files),
			Skipped: filled(w.skipped), Missing: filled(w.missing), Next: filled(w.next),
		}
		for i := range r.Files {
			if w.options.DryRun {
				r.Files[i].Content = string(r.Files[i].content)
			}
		}
		return streams.PrintJSON(r)
	}
	say := func(format string, args ...any) { fmt.Fprintf(streams.Err, "apify: "+format+"\n", args...) }
	for _, f := range w.facts {
		say("found %s: %s (%s)", f.Name, f.Value, f.Evidence)
	}
	for _, m := range w.missing {
		say("note: %s", m)
	}
	for _, s := range w.skipped {
		say("left out %s: %s", s.Name, s.Reason)
	}
	for _, f := range w.files {
		action := f.Action
		if w.options.DryRun && action != kept {
			action = "would be " + action
		}
		line := action + " " + f.Path
		if w.options.DryRun && f.Action != kept {
			line = f.Path + " " + action
		}
		if f.Reason != "" {
			line += " (" + f.Reason + ")"
		}
		say("%s", line)
		if w.options.DryRun && f.content != nil {
			if _, err := fmt.Fprintf(streams.Out, "==> %s <==\n%s\n", f.Path, strings.TrimRight(string(f.content), "\n")); err != nil {
				return err
			}
		}
	}
	if w.options.DryRun {
		return nil
	}
	say("%s is an Actor now; next:", w.name)
	for _, n := range w.next {
		say("  %s", n)
	}
	return nil
}

// filled gives an empty list for none, as JSON readers expect.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
