package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// endpoint is a server in a process of its own, ours or the floor.
type endpoint struct {
	url, token string
	process    *exec.Cmd
	client     *http.Client
}

// launch starts a server, which says on standard output where it is.
func launch(token string, args ...string) (*endpoint, error) {
	e := &endpoint{process: exec.Command(args[0], args[1:]...), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	e.process.Env = cleanEnv()
	out, err := e.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.process.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); (e.url == "" || e.token == "") && lines.Scan(); {
		_, value, _ := strings.Cut(lines.Text(), "=")
		switch {
		case strings.HasPrefix(lines.Text(), "http://"): // the floor
			e.url, e.token = lines.Text(), token
		case strings.HasPrefix(value, "http://"):
			e.url = value
		default:
			e.token = value
		}
	}
	if e.url == "" {
		return nil, errors.Join(fmt.Errorf("%s did not start", args[0]), e.stop())
	}
	return e, nil
}

// serve starts apify serve on a data directory. A relaxed one does not wait for
// the disk: it is for filling.
func (b *bench) serve(dir string, relaxed bool) (*endpoint, error) {
	args := []string{b.apify, "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(b.work, dir)}
	if relaxed {
		args = append(args, "--durability", "relaxed")
	}
	return launch("", args...)
}

func (b *bench) floorServer() (*endpoint, error) {
	content := filepath.Join(b.work, "floor-content")
	if _, err := os.Stat(content); err != nil {
		if err := writeLines(content, 100_000); err != nil {
			return nil, err
		}
	}
	return launch("none", b.floorserver, filepath.Join(b.work, "floor-log"), content)
}

// stop ends the server in order and waits for it.
func (e *endpoint) stop() error {
	if e == nil {
		return nil
	}
	e.client.CloseIdleConnections()
	if err := e.process.Process.Signal(os.Interrupt); err != nil {
		return e.process.Process.Kill() // a system without that signal
	}
	_ = e.process.Wait() // the floor knows no order
	return nil
}

// ask makes a request and gives the length of its answer.
func (e *endpoint) ask(method, path string, body []byte) (int64, error) {
	n, _, err := e.answer(method, path, body, io.Discard)
	return n, err
}

func (e *endpoint) answer(method, path string, body []byte, into io.Writer) (int64, http.Header, error) {
	r, err := http.NewRequest(method, e.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+e.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := e.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		text, _ := io.ReadAll(response.Body)
		return 0, nil, fmt.Errorf("%s %s: %s: %.300s", method, path, response.Status, text)
	}
	n, err := io.Copy(into, response.Body)
	return n, response.Header, err
}

// create makes a named storage and gives its path.
func (e *endpoint) create(kind, name string) (string, error) {
	var answer bytes.Buffer
	if _, _, err := e.answer("POST", "/v2/"+kind+"?name="+name, nil, &answer); err != nil {
		return "", err
	}
	var made struct{ Data struct{ ID string } }
	err := json.Unmarshal(answer.Bytes(), &made)
	return "/v2/" + kind + "/" + made.Data.ID, err
}

// timed gives a function that measures call in seconds; call gets a number that
// is another one each time.
func timed(call func(n int) error) func() (float64, error) {
	n := 0
	return func() (float64, error) {
		start := time.Now()
		err := call(n)
		n++
		return time.Since(start).Seconds(), err
	}
}

// inParallel calls with 0 to n-1, some at once, and gives the first error.
func inParallel(n int, call func(i int) error) error {
	const workers = 8
	var wait sync.WaitGroup
	next, failed := make(chan int), make(chan error, workers)
	for range workers {
		wait.Go(func() {
			for i := range next {
				if err := call(i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	defer wait.Wait()
	defer close(next)
	for i := range n {
		select {
		case next <- i:
		case err := <-failed:
			return err
		}
	}
	return nil
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
func (e *endpoint) fill(dataset string, n int) error {
	const atOnce = 10_000
	return inParallel((n+atOnce-1)/atOnce, func(i int) error {
		_, err := e.ask("POST", dataset+"/items", benchItems(i*atOnce, min(atOnce, n-i*atOnce)))
		return err
	})
}

func megabytes(perSecond float64) string { return fmt.Sprintf("%.1f MB/s", perSecond/1e6) }
