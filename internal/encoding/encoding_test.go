package encoding

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/greenroom-dev/greenroom/internal/store"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestAccepts(t *testing.T) {
	for _, c := range []struct {
		header, name string
		want         bool
	}{
		{"", "gzip", false},
		{"gzip", "gzip", true},
		{"x-gzip", "gzip", true},
		{"gzip, deflate, br", "br", true},
		{"GZIP;q=0.5 , BR", "gzip", true},
		{"gzip;q=0", "gzip", false},
		{"*", "zstd", true},
		{"*;q=0, gzip", "gzip", true},
		{"gzip;q=0, *", "gzip", false},
		{"gzip;q=0.000", "gzip", false},
		{"identity", "gzip", false},
		{"brr", "br", false},
		{"gzip ; Q = 1", "gzip", true},
		{",,;q=,", "gzip", false},
	} {
		if got := Accepts(c.header, c.name); got != c.want {
			t.Errorf("%q accepts %s: %v", c.header, c.name, got)
		}
	}
}

type body struct{ *bytes.Reader }

func (body) Close() error { return nil }

// TestPlain reads contents in turn, so that decompressors are used again.
func TestPlain(t *testing.T) {
	for round := range 3 {
		for _, name := range []string{"br", "gzip", "zstd", ""} {
			text := strings.Repeat(name+" ", 1000*(round+1))
			record := &store.Record{
				RecordInfo: store.RecordInfo{Key: "k", Encoding: name, ModifiedAt: time.Now()},
				Body:       body{bytes.NewReader(compressed(t, name, text))},
			}
			r, err := Plain(record)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || string(got) != text {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := Plain(&store.Record{RecordInfo: store.RecordInfo{Encoding: "gzip"}, Body: body{bytes.NewReader([]byte("no gzip"))}})
	if !fault.Is(err, fault.Internal) {
		t.Errorf("damaged content: %v", err)
	}
	if _, err := NewReader("compress", strings.NewReader("")); !fault.Is(err, fault.UnsupportedMedia) {
		t.Errorf("an unknown encoding: %v", err)
	}
}

func compressed(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch name {
	case "br":
		w = brotli.NewWriter(&b)
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	default:
		return []byte(text)
	}
	_, err := io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
