package output

import (
	"fmt"
	"slices"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Compatible reports whether a run that has promised the output of have may
// metamorph into an Actor with the output of want: nil when it may, else a
// fault.InvalidRequest that names every difference. A nil Schema promises
// nothing.
//
// The whitepaper demands compatible output schemas "to ensure logical and
// consistent outcomes" without saying when they are. The output object is fixed
// at the start of a run, so the Actor that takes over must fill the places that
// the object links to: it must have every property that was promised, leading to
// the same storage or the web server. What it has besides, and how it selects
// from the storage, makes no difference.
func Compatible(have, want *Schema) error {
	if have == nil {
		return nil
	}
	var differences []string
	for _, p := range have.properties {
		i := -1
		if want != nil {
			i = slices.IndexFunc(want.properties, func(other Property) bool { return other.Name == p.Name })
		}
		if i < 0 {
			differences = append(differences, fmt.Sprintf("it has no %q", p.Name))
			continue
		}
		if before, after := p.target(), want.properties[i].target(); before != after {
			differences = append(differences, fmt.Sprintf("its %q leads to %s, not to %s", p.Name, after, before))
		}
	}
	if len(differences) == 0 {
		return nil
	}
	text := "the output of the target Actor is not compatible with what the run has promised: "
	for i, d := range differences {
		if i > 0 {
			text += "; "
		}
		text += d
	}
	problem := fault.New(fault.InvalidRequest, "%s", text).WithHint("give the target Actor an output schema with the same properties")
	problem.Data = map[string]any{"differences": differences}
	return problem
}

// target says in words what a property leads to.
func (p Property) target() string {
	for _, piece := range p.parts {
		switch name := piece.name(); name {
		case "":
			continue
		case "links.apiDefaultDatasetUrl", "run.defaultDatasetId":
			return storage("datasets", "default")
		case "links.apiDefaultKeyValueStoreUrl", "run.defaultKeyValueStoreId":
			return storage("keyValueStores", "default")
		case "run.defaultRequestQueueId":
			return storage("requestQueues", "default")
		case "run.containerUrl":
			return "the web server"
		}
		if kind, alias, ok := aliased(piece.path); ok {
			return storage(kind, alias)
		}
	}
	for _, piece := range p.parts {
		if piece.path != nil {
			return "the run"
		}
	}
	return "a fixed address"
}

func storage(kind, alias string) string {
	noun := map[string]string{"datasets": "dataset", "keyValueStores": "key-value store", "requestQueues": "request queue"}[kind]
	if noun == "" {
		noun = "storage"
	}
	return fmt.Sprintf("the %s %q", noun, alias)
}
