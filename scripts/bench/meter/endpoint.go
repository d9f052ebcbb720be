package meter

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
	"strings"
	"sync"
	"time"
)

// Endpoint is a server in a process of its own, ours or the floor.
type Endpoint struct {
	url, token string
	Process    *exec.Cmd
	client     *http.Client
}

// Launch starts a server, which says on standard output where it is.
func Launch(token string, args ...string) (*Endpoint, error) {
	e := &Endpoint{Process: exec.Command(args[0], args[1:]...), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	e.Process.Env = CleanEnv()
	out, err := e.Process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.Process.Start(); err != nil {
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
		return nil, errors.Join(fmt.Errorf("%s did not start", args[0]), e.Stop())
	}
	return e, nil
}

// Stop ends the server in order and waits for it.
func (e *Endpoint) Stop() error {
	if e == nil {
		return nil
	}
	e.client.CloseIdleConnections()
	if err := e.Process.Process.Signal(os.Interrupt); err != nil {
		return e.Process.Process.Kill() // a system without that signal
	}
	_ = e.Process.Wait() // the floor knows no order
	return nil
}

// Ask makes a request and gives the length of its answer.
func (e *Endpoint) Ask(method, path string, body []byte) (int64, error) {
	n, _, err := e.Answer(method, path, body, io.Discard)
	return n, err
}

// Answer makes a request and copies what is answered; a status of 300 or more is
// an error.
func (e *Endpoint) Answer(method, path string, body []byte, into io.Writer) (int64, http.Header, error) {
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

// Create makes a named storage and gives its path.
func (e *Endpoint) Create(kind, name string) (string, error) {
	var answer bytes.Buffer
	if _, _, err := e.Answer("POST", "/v2/"+kind+"?name="+name, nil, &answer); err != nil {
		return "", err
	}
	var made struct{ Data struct{ ID string } }
	err := json.Unmarshal(answer.Bytes(), &made)
	return "/v2/" + kind + "/" + made.Data.ID, err
}

// Timed gives a function that measures call in seconds; call gets a number that
// is another one each time.
func Timed(call func(n int) error) func() (float64, error) {
	n := 0
	return func() (float64, error) {
		start := time.Now()
		err := call(n)
		n++
		return time.Since(start).Seconds(), err
	}
}

// InParallel calls with 0 to n-1, some at once, and gives the first error.
func InParallel(n int, call func(i int) error) error {
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

// Decode makes a request and reads its answer as JSON.
func (e *Endpoint) Decode(method, path string, body []byte, into any) error {
	var answer bytes.Buffer
	if _, _, err := e.Answer(method, path, body, &answer); err != nil {
		return err
	}
	return json.Unmarshal(answer.Bytes(), into)
}

// AtOnce makes a call of several ones at the same time.
func AtOnce(writers int, call func(n int) error) func(n int) error {
	if writers == 1 {
		return call
	}
	return func(n int) error {
		done := make(chan error, writers)
		for i := range writers {
			go func() { done <- call(n*writers + i) }()
		}
		var failed error
		for range writers {
			failed = errors.Join(failed, <-done)
		}
		return failed
	}
}
