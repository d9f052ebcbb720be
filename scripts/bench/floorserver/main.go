// Command floorserver is the least a Go server can do of what is measured: it
// appends each POST's body to a file that it puts on the disk before it answers,
// and gives as much of another file as ?bytes= says.
//
// usage: floorserver LOG CONTENT; it prints its address.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "floorserver:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: floorserver LOG CONTENT")
	}
	log, err := os.OpenFile(args[0], os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	var mu sync.Mutex
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			give(w, r, args[1])
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			mu.Lock()
			if _, err = log.Write(body); err == nil {
				err = log.Sync()
			}
			mu.Unlock()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, "{}")
	}))
}

func give(w http.ResponseWriter, r *http.Request, content string) {
	n, err := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	file, err := os.Open(content)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	for n > 0 {
		given, err := io.CopyN(w, file, n)
		if n -= given; n > 0 {
			if err != io.EOF || given == 0 {
				return
			}
			if _, err := file.Seek(0, io.SeekStart); err != nil {
				return
			}
		}
	}
}
