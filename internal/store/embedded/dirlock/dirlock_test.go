package dirlock

import (
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestOneHolder(t *testing.T) {
	dir := t.TempDir()
	first, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(dir); !fault.Is(err, fault.Conflict) || fault.HintOf(err) == "" {
		t.Fatalf("a second lock: %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second, err := Take(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	second.Release()
}

func TestNoFolder(t *testing.T) {
	if _, err := Take(t.TempDir() + "/missing"); !fault.Is(err, fault.Internal) {
		t.Fatalf("got %v", err)
	}
}
