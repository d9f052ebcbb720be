package jsonc

import "strings"

var (
	escaping   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaping = strings.NewReplacer("~1", "/", "~0", "~")
)

// PointerPart gives a member's name as a part of a JSON Pointer (RFC 6901).
func PointerPart(name string) string { return escaping.Replace(name) }

// PointerName gives the name that a part of a JSON Pointer stands for.
func PointerName(part string) string { return unescaping.Replace(part) }
