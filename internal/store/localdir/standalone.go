package localdir

import (
	"path/filepath"

	"github.com/greenroom-dev/greenroom/internal/store"
)

// OpenDataset makes a dataset of a folder that stands by itself, with its items
// directly in it, instead of below a root: what `push-data --dataset=./results`
// means. The folder need not exist; it is created with the first item.
func OpenDataset(dir string) store.Dataset {
	root := Open(dir)
	s := &storage{
		root: root, kind: datasets, home: root.datasets,
		// Leads from the root's folder of datasets back to the root itself. Paths
		// are joined without looking at the disk, so neither has to be there.
		folder: "..",
		locked: fileLock{path: root.path(privateFolder, "locks", "dataset.lock")},
	}
	s.load()
	if !s.onDisk {
		s.meta.Info.Name = ""
		if name := filepath.Base(dir); store.ValidName(name) {
			s.meta.Info.Name = name
		}
	}
	return newDataset(s)
}
