// Package export turns the items of a dataset into the formats people download:
// it selects and reshapes items and writes them one by one, so that memory does
// not grow with the dataset. Keys keep their order and numbers their text.
//
// The meaning of every option is that of the platform's documentation of
// "Get dataset items".
package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"iter"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Format is how items are written.
type Format string

// The formats. XLSX, XML, RSS and HTML are known names that Write answers with
// fault.NotImplemented.
const (
	JSON  Format = "json"
	JSONL Format = "jsonl"
	CSV   Format = "csv"
	XLSX  Format = "xlsx"
	XML   Format = "xml"
	RSS   Format = "rss"
	HTML  Format = "html"
)

var contentTypes = map[Format]string{
	JSON:  "application/json; charset=utf-8",
	JSONL: "application/jsonl; charset=utf-8",
	CSV:   "text/csv; charset=utf-8",
	XLSX:  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	XML:   "application/xml; charset=utf-8",
	RSS:   "application/rss+xml; charset=utf-8",
	HTML:  "text/html; charset=utf-8",
}

// ParseFormat reads a format's name; "" is JSON. A name nobody knows is
// fault.InvalidRequest, one that is known but not written here
// fault.NotImplemented.
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return JSON, nil
	}
	format := Format(name)
	if _, known := contentTypes[format]; !known {
		return "", fault.New(fault.InvalidRequest, "unknown format %q: use json, jsonl or csv", name).WithType("invalid-value")
	}
	switch format {
	case JSON, JSONL, CSV:
		return format, nil
	}
	return "", fault.New(fault.NotImplemented, "the format %q is not available here", name).
		WithHint("use json, jsonl or csv")
}

// ContentType is the media type of the format.
func (f Format) ContentType() string { return contentTypes[f] }

// Options say what to write and how. The zero value writes everything as JSON.
type Options struct {
	Format Format

	// Fields are the only keys to keep, in this order; OutputFields renames
	// them position by position and must be as long. Omit drops keys and wins
	// over Fields. Unwind replaces an item by what the field holds: one item per
	// element of an array, one for an object, merged with the rest of the item.
	// Flatten replaces objects by their members under dotted keys. Unwind comes
	// before Flatten, and that before Fields and Omit.
	Fields, OutputFields, Omit, Unwind, Flatten []string

	SkipHidden bool // drop keys that start with '#'
	SkipEmpty  bool // drop items without any key
	SkipFailed bool // drop items that have an errorInfo

	// CSV only. Delimiter "" is a comma; a nil BOM is the format's default.
	Delimiter     string
	SkipHeaderRow bool
	BOM           *bool
}

// Validate reports options that contradict each other, as fault.InvalidRequest.
func (o Options) Validate() error {
	if len(o.OutputFields) > 0 && len(o.OutputFields) != len(o.Fields) {
		return fault.New(fault.InvalidRequest, "outputFields names %d fields and fields %d: they must match one by one",
			len(o.OutputFields), len(o.Fields)).WithType("invalid-value")
	}
	if o.Format == CSV && len([]rune(o.delimiter())) != 1 {
		return fault.New(fault.InvalidRequest, "delimiter must be one character, got %q", o.Delimiter).WithType("invalid-value")
	}
	return nil
}

func (o Options) delimiter() string {
	if o.Delimiter == "" {
		return ","
	}
	return o.Delimiter
}

// plain reports whether items pass through as they are.
func (o Options) plain() bool {
	return len(o.Fields) == 0 && len(o.Omit) == 0 && len(o.Unwind) == 0 && len(o.Flatten) == 0 &&
		!o.SkipHidden && !o.SkipEmpty && !o.SkipFailed
}

// Items is a sequence of JSON objects as a dataset yields them.
type Items = iter.Seq2[json.RawMessage, error]

// Write writes the items. An error of the sequence ends it, with what was
// written so far left incomplete on purpose. CSV goes through the items twice
// when Fields does not name its columns.
func Write(w io.Writer, items Items, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 32<<10)
	var err error
	switch o.Format {
	case JSON, "":
		err = writeJSON(out, items, o)
	case JSONL:
		err = writeJSONL(out, items, o)
	case CSV:
		err = writeCSV(out, items, o)
	default:
		_, err = ParseFormat(string(o.Format))
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func writeJSON(out *bufio.Writer, items Items, o Options) error {
	if o.BOM != nil && *o.BOM {
		out.WriteString(byteOrderMark)
	}
	out.WriteByte('[')
	first := true
	err := o.each(items, func(item []byte) error {
		if !first {
			out.WriteByte(',')
		}
		first = false
		_, err := out.Write(item)
		return err
	})
	if err != nil {
		return err
	}
	return out.WriteByte(']')
}

func writeJSONL(out *bufio.Writer, items Items, o Options) error {
	if o.BOM != nil && *o.BOM {
		out.WriteString(byteOrderMark)
	}
	return o.each(items, func(item []byte) error {
		out.Write(item)
		return out.WriteByte('\n')
	})
}

// each gives every resulting item as compact JSON, valid until the next.
func (o Options) each(items Items, yield func(item []byte) error) error {
	var compact bytes.Buffer
	if o.plain() {
		for item, err := range items {
			if err != nil {
				return err
			}
			compact.Reset()
			if err := json.Compact(&compact, item); err != nil {
				return fault.Wrap(fault.Internal, err, "a stored item is not valid JSON")
			}
			if err := yield(compact.Bytes()); err != nil {
				return err
			}
		}
		return nil
	}
	var line []byte
	return o.eachRecord(items, func(members []Member) error {
		line = appendObject(line[:0], members)
		compact.Reset()
		if err := json.Compact(&compact, line); err != nil {
			return fault.Wrap(fault.Internal, err, "a stored item is not valid JSON")
		}
		return yield(compact.Bytes())
	})
}

func appendObject(dst []byte, members []Member) []byte {
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, m.Key)
		dst = append(dst, ':')
		dst = append(dst, m.Value...)
	}
	return append(dst, '}')
}
