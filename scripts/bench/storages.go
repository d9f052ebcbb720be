package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/scripts/bench/meter"
)

// writes compares pushes and records with a server that appends the same bytes
// to one file and puts it on the disk each time.
func (b *bench) writes() (err error) {
	ours, err := b.serve("server-writes", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Stop()) }()
	floor, err := b.floorServer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.Stop()) }()
	dataset, err := ours.Create("datasets", "bench")
	if err != nil {
		return err
	}
	values, err := ours.Create("key-value-stores", "bench")
	if err != nil {
		return err
	}
	for _, w := range []struct {
		name   string
		times  int
		method string
		path   func(n int) string
		body   []byte
		goal   float64 // of the floor's rate; 0 is none
	}{
		{"a push of 1 item", 25 * b.rounds, "POST", func(int) string { return dataset + "/items" }, []byte(benchItem(1)), 0.6},
		{"a push of 1,000 items", 5 * b.rounds, "POST", func(int) string { return dataset + "/items" }, benchItems(0, 1000), 0.6},
		{"a record of 1 KB", 25 * b.rounds, "PUT", func(n int) string { return fmt.Sprintf("%s/records/key-%d", values, n%1000) }, bytes.Repeat([]byte("x"), 1<<10), 0},
		{"a record of 10 MB", max(b.rounds/2, 3), "PUT", func(n int) string { return fmt.Sprintf("%s/records/key-%d", values, n%5) }, bytes.Repeat([]byte("x"), 10<<20), 0},
	} {
		for _, writers := range []int{1, 16} {
			times := w.times
			if writers > 1 {
				if times /= writers; times < 20 { // too few to share anything
					continue
				}
			}
			result, err := meter.Pairs(times,
				meter.Timed(meter.AtOnce(writers, func(n int) error { _, err := ours.Ask(w.method, w.path(n), w.body); return err })),
				meter.Timed(meter.AtOnce(writers, func(int) error { _, err := floor.Ask("POST", "/", w.body); return err })))
			if err != nil {
				return err
			}
			name := w.name
			if writers > 1 {
				name += fmt.Sprintf(", %d at once", writers)
			}
			result[0].Show(name, meter.Duration)
			result[1].Show("a bare server", meter.Duration)
			ratio := result[1].Median() / result[0].Median()
			if w.goal > 0 {
				meter.Verdict(fmt.Sprintf("%.0f %% of the bare server's rate", 100*ratio), fmt.Sprintf("at least %.0f %%", 100*w.goal), ratio >= w.goal)
			} else {
				fmt.Printf("  %.0f %% of the bare server's rate\n", 100*ratio)
			}
		}
	}
	return nil
}

// queues compares a short queue with a long one: in each a request is added,
// another locked, and that one marked as handled.
func (b *bench) queues() error {
	lengths := []int{1000, b.requests}
	queues := make([]string, len(lengths))
	filling, err := b.serve("server-queues", true)
	if err != nil {
		return err
	}
	for i, length := range lengths {
		if queues[i], err = filling.Create("request-queues", fmt.Sprintf("bench-%d", length)); err == nil {
			err = meter.InParallel((length+24)/25, func(part int) error {
				var batch []string
				for n := part * 25; n < min(part*25+25, length); n++ {
					batch = append(batch, benchRequest(n))
				}
				_, err := filling.Ask("POST", queues[i]+"/requests/batch?clientKey=bench", []byte("["+strings.Join(batch, ",")+"]"))
				return err
			})
		}
		if err != nil {
			return errors.Join(err, filling.Stop())
		}
	}
	if err := filling.Stop(); err != nil {
		return err
	}
	ours, err := b.serve("server-queues", false)
	if err != nil {
		return err
	}
	defer ours.Stop()
	floor, err := b.floorServer()
	if err != nil {
		return err
	}
	defer floor.Stop()
	cycle := func(queue string) func() (float64, error) {
		return meter.Timed(func(n int) error {
			if _, err := ours.Ask("POST", queue+"/requests?clientKey=bench", []byte(benchRequest(1e9+n))); err != nil {
				return err
			}
			var answer bytes.Buffer
			if _, _, err := ours.Answer("POST", queue+"/head/lock?clientKey=bench&lockSecs=60&limit=1", nil, &answer); err != nil {
				return err
			}
			var head struct {
				Data struct {
					Items []struct{ ID, URL, UniqueKey string }
				}
			}
			if err := json.Unmarshal(answer.Bytes(), &head); err != nil {
				return err
			}
			if len(head.Data.Items) != 1 {
				return errors.New("the queue gave nothing")
			}
			done := head.Data.Items[0]
			body := fmt.Sprintf(`{"id":%q,"url":%q,"uniqueKey":%q,"method":"GET","handledAt":"2026-01-02T03:04:05.678Z"}`, done.ID, done.URL, done.UniqueKey)
			_, err := ours.Ask("PUT", queue+"/requests/"+done.ID+"?clientKey=bench", []byte(body))
			return err
		})
	}
	least := meter.Timed(func(n int) error {
		for range 3 {
			if _, err := floor.Ask("POST", "/", []byte(benchRequest(n))); err != nil {
				return err
			}
		}
		return nil
	})
	result, err := meter.Pairs(15*b.rounds, cycle(queues[0]), cycle(queues[1]), least)
	if err != nil {
		return err
	}
	for i, length := range lengths {
		result[i].Show(fmt.Sprintf("add, lock, handle in a queue of %d", length), meter.Duration)
	}
	result[2].Show("three writes of a bare server", meter.Duration)
	fmt.Printf("  %.0f %% of the bare server's rate\n", 100*result[2].Median()/result[1].Median())
	// What differs by less is the machine.
	ratio := result[1].Median() / result[0].Median()
	meter.Verdict(fmt.Sprintf("%.2f× the short queue's time", ratio), "no slower (at most 1.1×)", ratio <= 1.1)
	return nil
}

// reads compares pages of a long dataset at its start, middle and end, and
// lists many datasets.
func (b *bench) reads() error {
	filling, err := b.serve("server-reads", true)
	if err != nil {
		return err
	}
	dataset, err := filling.Create("datasets", "bench")
	if err == nil {
		start := time.Now()
		if err = fill(filling, dataset, b.stored); err == nil {
			fmt.Printf("  %d items pushed at %s, 10000 at a time, without waiting for the disk\n", b.stored, meter.Rate(float64(b.stored)/time.Since(start).Seconds()))
		}
	}
	if err == nil {
		err = meter.InParallel(b.storages, func(i int) error {
			_, err := filling.Create("key-value-stores", fmt.Sprintf("bench-%d", i))
			return err
		})
	}
	if err = errors.Join(err, filling.Stop()); err != nil {
		return err
	}
	begun := time.Now()
	ours, err := b.serve("server-reads", false)
	if err != nil {
		return err
	}
	defer ours.Stop()
	ready := time.Since(begun).Seconds()
	meter.Verdict("ready after "+meter.Duration(ready), "under 100 ms", ready < 0.1)
	floor, err := b.floorServer()
	if err != nil {
		return err
	}
	defer floor.Stop()

	page := func(offset int) func() (float64, error) {
		return meter.Timed(func(int) error {
			_, err := ours.Ask("GET", fmt.Sprintf("%s/items?offset=%d&limit=1000", dataset, offset), nil)
			return err
		})
	}
	size, err := ours.Ask("GET", dataset+"/items?limit=1000", nil)
	if err != nil {
		return err
	}
	same := func(bytes int64) func() (float64, error) {
		return meter.Timed(func(int) error { _, err := floor.Ask("GET", fmt.Sprintf("/?bytes=%d", bytes), nil); return err })
	}
	result, err := meter.Pairs(5*b.rounds, page(0), page(b.stored/2), page(b.stored-1000), same(size))
	if err != nil {
		return err
	}
	for i, name := range []string{"start", "middle", "end"} {
		result[i].Show(fmt.Sprintf("1,000 items at the %s of %d", name, b.stored), meter.Duration)
	}
	result[3].Show("as many bytes of a bare server", meter.Duration)
	ratio := max(result[1].Median(), result[2].Median()) / result[0].Median()
	meter.Verdict(fmt.Sprintf("%.2f× the first page", ratio), "at most 2×", ratio <= 2)

	var total int64
	list := meter.Timed(func(int) error {
		total = 0
		for offset := 0; offset < b.storages; offset += 1000 {
			n, err := ours.Ask("GET", fmt.Sprintf("/v2/key-value-stores?limit=1000&offset=%d", offset), nil)
			if total += n; err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := list(); err != nil {
		return err
	}
	if result, err = meter.Pairs(max(b.rounds/4, 3), list, same(total)); err != nil {
		return err
	}
	result[0].Show(fmt.Sprintf("%d storages listed, 1,000 at a time", b.storages), meter.Duration)
	result[1].Show("as many bytes of a bare server", meter.Duration)
	return nil
}

// exports measures a whole dataset in each format, and the memory that takes.
func (b *bench) exports() error {
	filling, err := b.serve("server-exports", true)
	if err != nil {
		return err
	}
	dataset, err := filling.Create("datasets", "bench")
	if err == nil {
		err = fill(filling, dataset, b.exported)
	}
	if err = errors.Join(err, filling.Stop()); err != nil {
		return err
	}
	floor, err := b.floorServer()
	if err != nil {
		return err
	}
	defer floor.Stop()
	most := int64(0)
	for _, format := range []string{"json", "jsonl", "csv", "xml", "rss", "html", "xlsx"} {
		// A server of its own each: what counts is the most memory it ever had.
		ours, err := b.serve("server-exports", false)
		if err != nil {
			return err
		}
		start := time.Now()
		size, err := ours.Ask("GET", dataset+"/items?format="+format, nil)
		elapsed := time.Since(start).Seconds()
		memory := meter.PeakSoFar(ours.Process.Process)
		if err = errors.Join(err, ours.Stop()); err != nil {
			return err
		}
		if memory == 0 {
			memory = meter.PeakMemory(ours.Process.ProcessState)
		}
		start = time.Now()
		if _, err := floor.Ask("GET", fmt.Sprintf("/?bytes=%d", size), nil); err != nil {
			return err
		}
		least := time.Since(start).Seconds()
		most = max(most, memory)
		fmt.Printf("  %-6s %7.1f MB in %9s %14s  %4.0f %% of a bare server's rate; peak memory %5.1f MB\n",
			format, float64(size)/1e6, meter.Duration(elapsed), megabytes(float64(size)/elapsed), 100*least/elapsed, float64(memory)/1e6)
	}
	if most > 0 {
		meter.Verdict(fmt.Sprintf("peak memory %.1f MB", float64(most)/1e6), "at most 100 MB", most <= 100e6)
	}
	return os.RemoveAll(filepath.Join(b.work, "server-exports"))
}
