package server

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestLimitsOfHeads(t *testing.T) {
	p := newPlatform(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	p.do("GET", "/v2/datasets?fields="+long(maxQueryBytes-len("fields=")), nil).want(200)
	p.do("GET", "/v2/datasets?fields="+long(maxQueryBytes), nil).fails(400, "invalid-parameter")
	p.do("GET", "/v2/datasets?"+strings.Repeat("a&", maxQueryParams-1), nil).want(200)
	p.do("GET", "/v2/datasets?"+strings.Repeat("a&", maxQueryParams), nil).fails(400, "too-many-values")
	p.do("GET", "/v2/datasets/"+long(maxPathBytes), nil).fails(400, "invalid-parameter")
	p.do("GET", "/v2/datasets", nil, "X-Long", long(maxHeaderBytes-1000)).want(200)
	p.do("GET", "/v2/datasets", nil, "X-Long", long(maxHeaderBytes)).fails(400, "invalid-header")
	var many []string
	for i := range maxHeaderFields {
		many = append(many, fmt.Sprintf("X-Header-%d", i), "v")
	}
	p.do("GET", "/v2/datasets", nil, many[:2*(maxHeaderFields-10)]...).want(200)
	p.do("GET", "/v2/datasets", nil, many...).fails(400, "invalid-header")
}

func TestEncodingsOfRequests(t *testing.T) {
	p := newPlatform(t)
	p.do("POST", "/v2/datasets?name=d", nil).want(201)
	item := `{"text":"` + strings.Repeat("é", 3000) + `"}`
	encodings := []string{"gzip", "deflate", "br", "zstd", "raw deflate"}
	for _, encoding := range encodings {
		p.do("POST", "/v2/datasets/d/items", compressed(t, encoding, []byte(item)),
			"Content-Encoding", strings.TrimPrefix(encoding, "raw ")).want(201)
	}
	if got := p.do("GET", "/v2/datasets/d/items", nil).want(200); strings.Count(string(got.body), strings.Repeat("é", 3000)) != len(encodings) {
		t.Errorf("the items are %.300s", got.body)
	}
	refused := p.do("POST", "/v2/datasets/d/items", item, "Content-Encoding", "compress").fails(415, "unsupported-content-encoding")
	if got := refused.header.Get("Accept-Encoding"); got != "br, gzip, deflate, zstd" {
		t.Errorf("the answer says that %q is accepted", got)
	}
	p.do("POST", "/v2/datasets/d/items", item, "Content-Encoding", "br, br, br, br").fails(415, "unsupported-content-encoding")
	p.do("POST", "/v2/datasets/d/items", item, "Content-Encoding", strings.Repeat("gzip,", 5000)).fails(415, "unsupported-content-encoding")
}

// TestDecompressionBombs sends little that comes to much. Each bomb is made as
// it is sent.
func TestDecompressionBombs(t *testing.T) {
	p := newPlatform(t)
	p.server.MaxDecodedRecord = 1 << 20
	p.do("POST", "/v2/datasets?name=d", nil).want(201)
	p.do("POST", "/v2/key-value-stores?name=s", nil).want(201)
	bombs := map[string][]byte{}
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd"} {
		bombs[encoding] = compressed(t, encoding, bytes.Repeat([]byte(" "), 16<<20))
	}
	bombs["gzip, gzip"] = compressed(t, "gzip", bombs["gzip"])
	for encoding, bomb := range bombs {
		if len(bomb) > 1<<20 {
			t.Fatalf("%s: %d bytes are no bomb", encoding, len(bomb))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p.do("POST", "/v2/datasets/d/items", bomb, "Content-Encoding", encoding).fails(413, "request-too-large")
		p.do("PUT", "/v2/key-value-stores/s/records/K", bomb, "Content-Encoding", encoding, "Content-Type", "text/plain").fails(413, "record-too-large")
		runtime.ReadMemStats(&after)
		// A body of 9 MiB that grows as it is read takes several times that.
		if used := after.TotalAlloc - before.TotalAlloc; used > 120<<20 {
			t.Errorf("%s: the two requests took %d MiB", encoding, used>>20)
		}
		// Nothing of the bomb is left for the next body.
		p.do("POST", "/v2/datasets/d/items", compressed(t, strings.TrimPrefix(encoding, "gzip, "), []byte("{}")),
			"Content-Encoding", strings.TrimPrefix(encoding, "gzip, ")).want(201)
	}
	p.do("GET", "/v2/key-value-stores/s/records/K", nil).fails(404, "record-not-found")
	// What is not compressed may be as large as it likes, and so may what fits.
	p.do("PUT", "/v2/key-value-stores/s/records/PLAIN", bytes.Repeat([]byte("x"), 2<<20), "Content-Type", "text/plain").want(201)
	p.do("PUT", "/v2/key-value-stores/s/records/FITS", compressed(t, "zstd", make([]byte, 1<<20)), "Content-Encoding", "zstd", "Content-Type", "text/plain").want(201)
	p.do("PUT", "/v2/key-value-stores/s/records/FITS2", compressed(t, "zstd", make([]byte, 1<<20+1)), "Content-Encoding", "zstd", "Content-Type", "text/plain").fails(413, "record-too-large")
}

// TestFramesThatAskForMemory sends the head of a frame with a window of 1 GiB.
func TestFramesThatAskForMemory(t *testing.T) {
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x0b, 0x00, 0x00, 'x'}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := callOf("POST", "/", bytes.NewReader(frame), "Content-Encoding", "zstd").read()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
		t.Errorf("%d MiB for %d bytes", used>>20, len(frame))
	}
	if !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("got %v", err)
	}
}

// nothing gives empty members of a gzip stream without end.
type nothing struct{ member, rest []byte }

func (n *nothing) Read(p []byte) (int, error) {
	if len(n.rest) == 0 {
		n.rest = n.member
	}
	i := copy(p, n.rest)
	n.rest = n.rest[i:]
	return i, nil
}

func TestBodiesThatNeverComeToAnything(t *testing.T) {
	var empty bytes.Buffer
	if err := gzip.NewWriter(&empty).Close(); err != nil {
		t.Fatal(err)
	}
	c := callOf("POST", "/", &nothing{member: empty.Bytes()}, "Content-Encoding", "gzip")
	c.r.ContentLength = -1
	if _, err := c.read(); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
}

func FuzzContentEncoding(f *testing.F) {
	for _, encoding := range []string{"gzip", "deflate", "raw deflate", "br", "zstd"} {
		f.Add(strings.TrimPrefix(encoding, "raw "), compressed(f, encoding, []byte(`{"a":1}`)))
	}
	f.Add("gzip, br", compressed(f, "br", compressed(f, "gzip", []byte("x"))))
	f.Add("zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3})
	f.Add("identity,,none, GZIP", []byte{})
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		c := callOf("POST", "/", bytes.NewReader(body))
		c.r.Header["Content-Encoding"] = []string{header}
		text, err := c.read()
		if len(text) > maxBody {
			t.Fatalf("%d bytes came through", len(text))
		}
		if err != nil {
			if code := fault.CodeOf(err); code != fault.InvalidRequest && code != fault.TooLarge && code != fault.UnsupportedMedia {
				t.Fatalf("%s: %v", code, err)
			}
			return
		}
		c = callOf("POST", "/", bytes.NewReader(body))
		c.r.Header["Content-Encoding"] = []string{header}
		content, err := c.content()
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		if again, err := io.ReadAll(content); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("the second time %d bytes instead of %d (%v)", len(again), len(text), err)
		}
	})
}

func FuzzToken(f *testing.F) {
	for _, seed := range [][2]string{{"Bearer abc", ""}, {"bearer", "token=x"}, {"Basic abc", "token=a&token=b"}, {"Bearer  ", "token=%zz"}, {"", "token=%00"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, header, query string) {
		r := callOf("GET", "/", nil).r
		r.Header["Authorization"], r.URL.RawQuery = []string{header}, query
		c := &call{r: r, s: &server{}}
		if c.checkLimits() != nil {
			return
		}
		token := c.token()
		if scheme, rest, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") && token != strings.TrimSpace(rest) {
			t.Fatalf("%q gives %q", header, token)
		}
		if header == "" && token != r.URL.Query().Get("token") {
			t.Fatalf("%q gives %q", query, token)
		}
	})
}

func TestHeadersAreCountedTogether(t *testing.T) {
	header := http.Header{}
	for i := range 65 {
		header.Add("X-Same", strings.Repeat("x", 1000))
		if err := checkHeader(header); (err != nil) != (i == 64) {
			t.Fatalf("after %d: %v", i+1, err)
		}
	}
}
