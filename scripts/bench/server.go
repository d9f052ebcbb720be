package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/greenroom-dev/greenroom/scripts/bench/meter"
)

// serve starts apify serve on a data directory. A relaxed one does not wait for
// the disk: it is for filling.
func (b *bench) serve(dir string, relaxed bool, more ...string) (*meter.Endpoint, error) {
	args := append([]string{b.apify, "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(b.work, dir)}, more...)
	if relaxed {
		args = append(args, "--durability", "relaxed")
	}
	return meter.Launch("", args...)
}

func (b *bench) floorServer() (*meter.Endpoint, error) {
	content := filepath.Join(b.work, "floor-content")
	if _, err := os.Stat(content); err != nil {
		if err := writeLines(content, 100_000); err != nil {
			return nil, err
		}
	}
	return meter.Launch("none", b.floorserver, filepath.Join(b.work, "floor-log"), content)
}

// benchItem is an item of ordinary size.
func benchItem(n int) string {
	return fmt.Sprintf(`{"n":%d,"url":"https://example.com/page/%d","title":"Page number %d","ok":true,"price":%d.5}`, n, n, n, n%1000)
}

func benchItems(first, n int) []byte {
	var b bytes.Buffer
	for i := range n {
		b.WriteByte("[,"[min(i, 1)])
		b.WriteString(benchItem(first + i))
	}
	b.WriteByte(']')
	return b.Bytes()
}

func benchRequest(n int) string {
	return fmt.Sprintf(`{"url":"https://example.com/%d","uniqueKey":"https://example.com/%d","method":"GET","userData":{"label":"DETAIL"}}`, n, n)
}

// fill pushes n items into a dataset.
func fill(e *meter.Endpoint, dataset string, n int) error {
	const atOnce = 10_000
	return meter.InParallel((n+atOnce-1)/atOnce, func(i int) error {
		_, err := e.Ask("POST", dataset+"/items", benchItems(i*atOnce, min(atOnce, n-i*atOnce)))
		return err
	})
}

func megabytes(perSecond float64) string { return fmt.Sprintf("%.1f MB/s", perSecond/1e6) }
