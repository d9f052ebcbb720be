package process

import "os"

// userName tells users apart in the name of a directory.
func userName() string { return os.Getenv("USERNAME") }

// isPrivate trusts the user's own directories, whose access lists new ones
// inherit.
func isPrivate(string) error { return nil }
