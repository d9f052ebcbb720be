package definition

import (
	"regexp"
	"strings"
)

// NameRule says what ValidName wants, after "it must have".
const NameRule = "3 to 63 letters, digits and hyphens, with no hyphen at either end"

const (
	minNameLength = 3
	maxNameLength = 63
)

var (
	namePattern = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$`)
	unfit       = regexp.MustCompile(`[^a-zA-Z0-9]+`)
)

// ValidName reports whether the platform takes name for an Actor. Source: the
// documentation of actor.json, and what the API takes.
func ValidName(name string) bool {
	return len(name) >= minNameLength && len(name) <= maxNameLength && namePattern.MatchString(name)
}

// NameFrom makes a name that the platform takes of any text.
func NameFrom(text string) string {
	name := strings.ToLower(strings.Trim(unfit.ReplaceAllString(text, "-"), "-"))
	if len(name) > maxNameLength {
		name = strings.Trim(name[:maxNameLength], "-")
	}
	switch {
	case name == "":
		return "my-actor"
	case len(name) < minNameLength:
		return name + "-actor"
	}
	return name
}
