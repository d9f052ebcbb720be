package schema

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/greenroom-dev/greenroom/internal/schema/jsonc"
)

func sorted(members []jsonc.Member) []jsonc.Member {
	slices.SortFunc(members, func(a, b jsonc.Member) int { return cmp.Compare(a.Name, b.Name) })
	return members
}

var encryptedJSON = regexp.MustCompile(`^ENCRYPTED_JSON:(?:[0-9a-f]+:)?[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$`)

func isEncryptedJSON(text string) bool { return encryptedJSON.MatchString(text) }

func (c *check) custom(v *jsonc.Value) {}
