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
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"time"
	"unicode/utf8"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Format is how items are written.
type Format string

// The formats.
const (
	JSON  Format = "json"  // one array of objects
	JSONL Format = "jsonl" // an object a line
	CSV   Format = "csv"   // a row an item, a column a property
	XLSX  Format = "xlsx"  // the same as a spreadsheet
	HTML  Format = "html"  // the same as a table
	XML   Format = "xml"   // an element an item
	RSS   Format = "rss"   // the same in a feed
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
// fault.InvalidRequest.
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return JSON, nil
	}
	if _, known := contentTypes[Format(name)]; !known {
		return "", fault.New(fault.InvalidRequest, "unknown format %q", name).WithType("invalid-value").
			WithHint("use json, jsonl, csv, html, xlsx, xml or rss")
	}
	return Format(name), nil
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

	SkipHidden bool // drop keys that start with '#', before any are renamed
	SkipEmpty  bool // drop items of which no key is left
	SkipFailed bool // drop items that have an errorInfo

	// BOM says whether texts begin with a byte order mark; nil leaves it to the
	// format: only CSV does.
	BOM *bool

	Delimiter     string // of CSV, one character; "" is a comma
	SkipHeaderRow bool   // of CSV

	XMLRoot, XMLRow string // names of XML's elements; "" are "items" and "item"

	// FeedTitle, FeedLink and FeedDescription describe the channel of RSS, which
	// must have all three.
	FeedTitle, FeedLink, FeedDescription string
}

// Validate reports options that contradict each other or that their format
// cannot express, as fault.InvalidRequest.
func (o Options) Validate() error {
	if len(o.OutputFields) > 0 && len(o.OutputFields) != len(o.Fields) {
		return fault.New(fault.InvalidRequest, "outputFields names %d fields and fields %d: they must match one by one",
			len(o.OutputFields), len(o.Fields)).WithType("invalid-value")
	}
	switch o.Format {
	case CSV:
		r, size := utf8.DecodeRuneInString(o.delimiter())
		if size != len(o.delimiter()) || r == utf8.RuneError || r == 0 || r == '"' || r == '\r' || r == '\n' {
			return fault.New(fault.InvalidRequest, "delimiter must be one character other than a quote or a line break, got %q", o.Delimiter).
				WithType("invalid-value")
		}
	case XML:
		for parameter, name := range map[string]string{"xmlRoot": o.XMLRoot, "xmlRow": o.XMLRow} {
			if name != "" && (name != plainName(name) || !parses(name)) {
				return fault.New(fault.InvalidRequest, "%s must be the name of an XML element, got %q", parameter, name).
					WithType("invalid-value").WithHint("begin with a letter; letters, digits, '-', '_' and '.' may follow")
			}
		}
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

// Write writes the items. An error of the sequence or the end of ctx ends it,
// with what was written so far left incomplete on purpose.
//
// CSV, HTML and XLSX go through the items twice, first for their columns: both
// times the sequence should give the same. More columns, longer names or more
// rows than the format has are fault.InvalidRequest, before anything is written.
//
// What is written leaves at least every second; when w has a method Flush() error,
// that is called too.
func Write(ctx context.Context, w io.Writer, items Items, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	j := &job{Options: o, ctx: ctx, items: items, dst: w, out: bufio.NewWriterSize(w, 32<<10), flushed: time.Now()}
	for _, key := range o.Omit {
		if j.omit == nil {
			j.omit = map[string]bool{}
		}
		j.omit[key] = true
	}
	var err error
	switch o.Format {
	case JSON, "":
		err = j.writeJSON()
	case JSONL:
		err = j.writeJSONL()
	case CSV:
		err = j.writeCSV()
	case HTML:
		err = j.writeHTML()
	case XLSX:
		err = j.writeXLSX()
	case XML:
		err = j.writeXML()
	case RSS:
		err = j.writeRSS()
	default:
		_, err = ParseFormat(string(o.Format))
	}
	if err != nil {
		return err
	}
	return j.out.Flush()
}

// job is one export under way.
type job struct {
	Options
	ctx   context.Context
	items Items
	omit  map[string]bool

	dst io.Writer
	out *bufio.Writer

	steps   int
	flushed time.Time
}

// flushInterval is how long written items may wait in a buffer.
const flushInterval = time.Second

// step stands between two records: the export ends with ctx, however many
// records one item is unwound to, and what was written does not wait for ever.
func (j *job) step() error {
	if j.steps++; j.steps%64 != 0 {
		return nil
	}
	if err := j.ctx.Err(); err != nil {
		return err
	}
	if time.Since(j.flushed) < flushInterval {
		return nil
	}
	j.flushed = time.Now()
	if err := j.out.Flush(); err != nil {
		return err
	}
	if f, ok := j.dst.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// begin writes the byte order mark, or not.
func (j *job) begin(byDefault bool) {
	if j.BOM != nil && *j.BOM || j.BOM == nil && byDefault {
		j.out.WriteString("\ufeff")
	}
}

func (j *job) writeJSON() error {
	j.begin(false)
	j.out.WriteByte('[')
	first := true
	err := j.texts(func(item []byte) error {
		if !first {
			j.out.WriteByte(',')
		}
		first = false
		_, err := j.out.Write(item)
		return err
	})
	if err != nil {
		return err
	}
	return j.out.WriteByte(']')
}

func (j *job) writeJSONL() error {
	j.begin(false)
	return j.texts(func(item []byte) error {
		j.out.Write(item)
		return j.out.WriteByte('\n')
	})
}

// texts gives every resulting item as compact JSON, valid until the next.
func (j *job) texts(yield func(item []byte) error) error {
	var compact bytes.Buffer
	give := func(item []byte) error {
		compact.Reset()
		if err := json.Compact(&compact, item); err != nil {
			return errBroken(err)
		}
		return yield(compact.Bytes())
	}
	if j.plain() {
		for item, err := range j.items {
			if err == nil {
				err = j.step()
			}
			if err == nil {
				err = give(item)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	var line []byte
	return j.records(func(members []Member) error {
		line = appendObject(line[:0], members)
		return give(line)
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

// writeCSV writes a header row and one row per item.
func (j *job) writeCSV() error {
	t, err := j.table()
	if err != nil {
		return err
	}
	j.begin(true)
	w := csv.NewWriter(j.out) // which is buffered already: nothing is copied twice
	w.Comma, _ = utf8.DecodeRuneInString(j.delimiter())
	if !j.SkipHeaderRow && len(t.columns) > 0 {
		if err := w.Write(t.columns); err != nil {
			return err
		}
	}
	row := make([]string, len(t.columns))
	err = j.rows(t, func(cells []json.RawMessage) error {
		for i, cell := range cells {
			if row[i], err = cellText(cell); err != nil {
				return err
			}
		}
		if len(row) == 1 && row[0] == "" {
			// Readers skip empty lines: an item would be missing.
			_, err := j.out.WriteString("\"\"\n")
			return err
		}
		return w.Write(row)
	})
	if err != nil {
		return err
	}
	return w.Error()
}
