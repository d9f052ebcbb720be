package run

import (
	"context"

	"github.com/greenroom-dev/greenroom/internal/cmdkit"
)

// input gives the input of the command line as JSON, nil when there is none.
func (o *Options) input(ctx context.Context, view *view) ([]byte, error) {
	given := cmdkit.Input{Text: o.Input, Given: o.HasInput, File: o.InputFile, Pairs: o.Pairs}
	return given.Read(ctx, o.factory.IO, view.notice)
}

func contentType(input []byte) string {
	if input == nil {
		return ""
	}
	return "application/json; charset=utf-8"
}
