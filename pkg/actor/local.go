package actor

import (
	"context"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/localdir"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func openRoot(dir string) (store.Root, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "find the folder of the storages")
	}
	return localdir.Open(root), nil
}

// openFolder opens the dataset that a folder of item files is.
func openFolder(dir string) (*Dataset, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "find the folder %s", dir)
	}
	dataset := localdir.OpenDataset(path)
	return &Dataset{name: dir, local: func(context.Context, bool) (store.Dataset, error) { return dataset, nil }}, nil
}
