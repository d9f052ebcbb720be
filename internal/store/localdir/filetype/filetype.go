// Package filetype says which extensions files of a content type have, and the
// other way round, as the JavaScript SDK has it.
package filetype

import "strings"

// OctetStream is what a record without a content type counts as.
const OctetStream = "application/octet-stream"

// Type pairs an extension with what the JavaScript SDK reads a file of that
// extension as. The first row of a type is the extension that it writes.
type Type struct{ Extension, ContentType string }

// All are the types that people store; everything else is written as .bin
// and keeps its type beside it. The common ones come first.
var All = [...]Type{
	{"json", "application/json; charset=utf-8"},
	{"txt", "text/plain; charset=utf-8"},
	{"bin", OctetStream},
	{"html", "text/html; charset=utf-8"},
	{"png", "image/png"},
	{"jpeg", "image/jpeg"},
	{"csv", "text/csv; charset=utf-8"},
	{"xml", "application/xml"},
	{"pdf", "application/pdf"},
	{"zip", "application/zip"},
	{"gz", "application/gzip"},
	{"webp", "image/webp"},
	{"gif", "image/gif"},
	{"svg", "image/svg+xml"},
	{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{"markdown", "text/markdown; charset=utf-8"},
	{"css", "text/css; charset=utf-8"},
	{"js", "application/javascript; charset=utf-8"},
	{"jsonld", "application/ld+json"},
	{"yaml", "text/yaml; charset=utf-8"},
	{"mp4", "video/mp4"},
	{"mpga", "audio/mpeg"},
	{"webm", "video/webm"},
	{"wav", "audio/wave"},
	{"avif", "image/avif"},
	{"tsv", "text/tab-separated-values; charset=utf-8"},
	{"rss", "application/rss+xml"},
	{"atom", "application/atom+xml"},
	{"xhtml", "application/xhtml+xml"},
	{"ics", "text/calendar; charset=utf-8"},
	{"doc", "application/msword"},
	{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{"xls", "application/vnd.ms-excel"},
	{"tar", "application/x-tar"},
	{"wasm", "application/wasm"},
	// Read, but never written.
	{"jpg", "image/jpeg"},
	{"md", "text/markdown; charset=utf-8"},
	{"htm", "text/html; charset=utf-8"},
	{"log", "text/plain; charset=utf-8"},
	{"text", "text/plain; charset=utf-8"},
	{"yml", "text/yaml; charset=utf-8"},
	{"mjs", "application/javascript; charset=utf-8"},
	{"mp3", "audio/mpeg"},
}

// ExtensionFor gives the extension that a content type is stored under.
func ExtensionFor(contentType string) string {
	essence := MediaType(contentType)
	if essence == "text/xml" {
		return "xml"
	}
	for _, m := range All {
		if MediaType(m.ContentType) == essence {
			return m.Extension
		}
	}
	return "bin"
}

// TypeOfName gives the content type that a file of that name is read as, or "".
// A name without a dot counts as an extension, as it does for the JavaScript
// SDK.
func TypeOfName(name string) string {
	extension := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	for _, m := range All {
		if m.Extension == extension {
			return m.ContentType
		}
	}
	return ""
}

// MediaType is the content type without its parameters.
func MediaType(contentType string) string {
	essence, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(essence))
}
