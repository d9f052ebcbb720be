package localdir

import (
	"testing"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, dir string) store.Root { return Open(dir) }, storetest.NoSizes)
}
