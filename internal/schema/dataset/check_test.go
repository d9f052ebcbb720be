package dataset

import (
	"testing"

	"github.com/greenroom-dev/greenroom/internal/diagnostic"
	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
	"github.com/greenroom-dev/greenroom/internal/schema/shape/shapetest"
)

func check(doc *jsonc.Document, root *jsonc.Value) diagnostic.List {
	_, list := Check(doc, root)
	return list
}

func TestCheck(t *testing.T) { shapetest.Corpus(t, check) }

func TestCheckAgreesWithThePlatform(t *testing.T) { shapetest.Judge(t, "dataset", check) }
