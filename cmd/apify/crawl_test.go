package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A crawl has this many pages, and asks for this many at once.
const (
	crawlPages       = 2000
	crawlConcurrency = 20
)

// TestCrawlsGoOn crawls a site with the official crawlers from a queue of a
// server. When a third is done the crawler is killed and started again, when two
// thirds are done the server is. Every page must have been handled in the end:
// once, but for those that were being handled when something was killed.
func TestCrawlsGoOn(t *testing.T) {
	// The JavaScript SDK locks what it takes, the Python SDK has the queue for
	// itself. Its other way, a shared queue, comes to a stop by itself when one
	// handler adds requests while another takes them: it forgets what it locked.
	for _, c := range []struct{ name, program string }{
		{"JavaScript", "crawl.mjs"},
		{"Python", "crawl.py"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServed(t)
			w := serveWeb(t)
			start := time.Now()
			first := startCrawl(s, w, c.program)
			w.waitFor(t, crawlPages/3)
			key := first.kill(t)
			second := startCrawl(s, w, c.program, key)
			w.waitFor(t, crawlPages*2/3)
			s.kill()
			time.Sleep(300 * time.Millisecond) // calls fail meanwhile, and are repeated
			s.start()
			second.finish(t)
			t.Logf("%d pages in %v, %d of them asked for more than once", crawlPages, time.Since(start).Round(time.Millisecond), w.repeated())
			checkCrawl(t, s, w)
		})
	}
}

// checkCrawl compares what the server has with what the site showed.
func checkCrawl(t *testing.T, s *served, w *web) {
	t.Helper()
	var items []struct{ URL, Title string }
	s.get(t, "/v2/datasets/"+s.named(t, "datasets")+"/items", &items)
	found := map[string]int{}
	for _, item := range items {
		found[item.URL]++
		if number := strings.TrimPrefix(item.URL, w.URL+"/"); item.Title != "Page "+number {
			t.Errorf("%s has the title %q", item.URL, item.Title)
		}
	}
	if len(found) != crawlPages {
		t.Errorf("%d of %d pages were stored", len(found), crawlPages)
	}
	// At most what was under way when the one and the other were killed.
	if twice := len(items) - len(found); twice > 2*crawlConcurrency {
		t.Errorf("%d results are there more than once", twice)
	}
	var queue struct {
		Data struct{ TotalRequestCount, HandledRequestCount, PendingRequestCount int }
	}
	s.get(t, "/v2/request-queues/"+s.named(t, "request-queues"), &queue)
	if q := queue.Data; q.TotalRequestCount != crawlPages || q.HandledRequestCount != crawlPages || q.PendingRequestCount != 0 {
		t.Errorf("the queue has %+v", q)
	}
	var head struct{ Data struct{ Items []any } }
	s.get(t, "/v2/request-queues/"+s.named(t, "request-queues")+"/head", &head)
	if len(head.Data.Items) > 0 {
		t.Errorf("the queue still has %d to do", len(head.Data.Items))
	}
}

// web is a site of crawlPages pages that link to each other.
type web struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[int]int
	more  chan struct{} // told about pages that were asked for first
}

func serveWeb(t *testing.T) *web {
	w := &web{asked: map[int]int{}, more: make(chan struct{}, crawlPages)}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil || n < 0 || n >= crawlPages {
			http.NotFound(rw, r)
			return
		}
		w.mu.Lock()
		w.asked[n]++
		if w.asked[n] == 1 {
			w.more <- struct{}{}
		}
		w.mu.Unlock()
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(rw, "<!DOCTYPE html><html><head><title>Page %d</title></head><body>", n)
		// A tree, with a link to a page that others link to as well.
		for child := n*10 + 1; child <= n*10+10 && child < crawlPages; child++ {
			fmt.Fprintf(rw, `<a href="/%d">%d</a>`, child, child)
		}
		fmt.Fprintf(rw, `<a href="/%d#again">more</a></body></html>`, n/3)
	}))
	t.Cleanup(w.Close)
	return w
}

// waitFor returns when that many pages were asked for.
func (w *web) waitFor(t *testing.T, pages int) {
	t.Helper()
	timeout := time.After(3 * time.Minute)
	for {
		w.mu.Lock()
		n := len(w.asked)
		w.mu.Unlock()
		if n >= pages {
			return
		}
		select {
		case <-w.more:
		case <-timeout:
			t.Fatalf("only %d pages were asked for", n)
		}
	}
}

func (w *web) repeated() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, times := range w.asked {
		if times > 1 {
			n++
		}
	}
	return n
}

// crawler is one at work.
type crawler struct {
	cmd  *exec.Cmd
	key  string // of the queue's client
	said chan string
}

func startCrawl(s *served, w *web, program string, args ...string) *crawler {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	s.t.Cleanup(cancel)
	made := s.official(program, args...)
	cmd := exec.CommandContext(ctx, made.Path, made.Args[1:]...)
	cmd.Dir = made.Dir
	cmd.Env = append(made.Env, "SITE="+w.URL, fmt.Sprintf("CONCURRENCY=%d", crawlConcurrency),
		"ACTOR_RUN_ID=judgedCrawl", "APIFY_LOG_LEVEL=WARNING")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	c := &crawler{cmd: cmd, said: make(chan string, 1)}
	lines := bufio.NewReader(out)
	var before strings.Builder
	for c.key == "" {
		line, err := lines.ReadString('\n')
		before.WriteString(line)
		if err != nil {
			cmd.Wait()
			s.t.Fatalf("the crawler did not start:\n%s", before.String())
		}
		if key, ok := strings.CutPrefix(strings.TrimSpace(line), "client "); ok {
			c.key = key
		}
	}
	go func() {
		var rest strings.Builder
		lines.WriteTo(&rest)
		c.said <- rest.String()
	}()
	s.t.Cleanup(func() { cmd.Process.Kill() })
	return c
}

// kill ends the crawler at once and gives the key of its client.
func (c *crawler) kill(t *testing.T) string {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	said := <-c.said
	c.cmd.Wait()
	if strings.Contains(said, "finished") {
		t.Fatal("the crawl was over before it was killed")
	}
	return c.key
}

func (c *crawler) finish(t *testing.T) {
	t.Helper()
	said := <-c.said
	if err := c.cmd.Wait(); err != nil || !strings.Contains(said, "finished") {
		t.Fatalf("the crawl ended with %v:\n%s", err, said)
	}
}

// get asks the server and decodes its answer.
func (s *served) get(t testing.TB, path string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// named gives the id of the crawl's storage of a kind.
func (s *served) named(t testing.TB, kind string) string {
	t.Helper()
	var page struct {
		Data struct{ Items []struct{ ID, Name string } }
	}
	s.get(t, "/v2/"+kind, &page)
	for _, storage := range page.Data.Items {
		if storage.Name == "crawl" {
			return storage.ID
		}
	}
	t.Fatalf("there is no storage named crawl among the %s", kind)
	return ""
}
