package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// stub is a server that answers what the SDK asks at once and stores nothing:
// what the SDK costs by itself.
type stub struct {
	http.Server
	address string
}

func startStub() (*stub, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stub{address: "http://" + listener.Addr().String()}
	s.Handler = stubHandler()
	go s.Serve(listener)
	return s, nil
}

// environment is that of a run whose API is the stub.
func (s *stub) environment() []string {
	return []string{
		"APIFY_IS_AT_HOME=1", "APIFY_TOKEN=stub", "APIFY_API_BASE_URL=" + s.address, "APIFY_API_PUBLIC_BASE_URL=" + s.address,
		"ACTOR_RUN_ID=stub", "ACTOR_ID=stub", "APIFY_USER_ID=stub",
		"ACTOR_DEFAULT_DATASET_ID=stub", "ACTOR_DEFAULT_KEY_VALUE_STORE_ID=stub", "ACTOR_DEFAULT_REQUEST_QUEUE_ID=stub",
		"ACTOR_INPUT_KEY=INPUT", "ACTOR_MEMORY_MBYTES=4096",
	}
}

func stubHandler() http.Handler {
	mux := http.NewServeMux()
	answer := func(pattern string, status int, body any) {
		var text []byte
		if body != nil {
			text, _ = json.Marshal(body) // maps of plain values
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header().Set("Content-Length", fmt.Sprint(len(text)))
			w.WriteHeader(status)
			w.Write(text)
		})
	}
	type object = map[string]any
	data := func(members object) object { return object{"data": members} }
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	storage := object{
		"id": "stub", "userId": "stub", "createdAt": now, "modifiedAt": now, "accessedAt": now,
		"itemCount": 0, "cleanItemCount": 0, "totalRequestCount": 0, "handledRequestCount": 0,
		"pendingRequestCount": 0, "hadMultipleClients": false, "stats": object{},
	}
	for _, kind := range []string{"datasets", "key-value-stores", "request-queues"} {
		answer("GET /v2/"+kind+"/{id}", http.StatusOK, data(storage))
	}
	answer("POST /v2/datasets/{id}/items", http.StatusCreated, object{})
	answer("PUT /v2/key-value-stores/{id}/records/{key}", http.StatusCreated, object{})
	answer("POST /v2/request-queues/{id}/requests", http.StatusCreated, data(object{
		"requestId": "stubstubstubstu", "wasAlreadyPresent": false, "wasAlreadyHandled": false,
	}))
	run := data(object{
		"id": "stub", "actId": "stub", "userId": "stub", "status": "RUNNING", "startedAt": now,
		"options": object{"build": "latest", "timeoutSecs": 0, "memoryMbytes": 4096},
	})
	answer("GET /v2/actor-runs/{id}", http.StatusOK, run)
	answer("PUT /v2/actor-runs/{id}", http.StatusOK, run)
	answer("/", http.StatusNotFound, object{"error": object{"type": "record-not-found", "message": "the stub has nothing"}})
	return mux
}
