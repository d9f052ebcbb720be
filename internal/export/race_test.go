//go:build race

package export

func init() { raced = true }
