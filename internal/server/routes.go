package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// route is one operation. A nil handler is an operation that the API has and
// that is not served here.
type route struct {
	method, path string
	handle       handler
}

// register puts the routes into the mux, one entry a path, so that a wrong
// method gets the API's answer and not the mux's.
func (s *server) register(routes []route) {
	byPath := map[string]map[string]handler{}
	var paths []string
	for _, r := range routes {
		methods := byPath[r.path]
		if methods == nil {
			methods = map[string]handler{}
			byPath[r.path] = methods
			paths = append(paths, r.path)
		}
		methods[r.method] = r.handle
	}
	for _, path := range paths {
		s.mux.Handle(path, s.dispatch(path, byPath[path]))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.(*call).failNoPage()
	})
}

// dispatch picks the handler of the method.
func (s *server) dispatch(path string, methods map[string]handler) http.HandlerFunc {
	if get, ok := methods[http.MethodGet]; ok && methods[http.MethodHead] == nil {
		methods[http.MethodHead] = get // net/http leaves the body out
	}
	allowed := []string{http.MethodOptions}
	for method := range methods {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ",")
	return func(w http.ResponseWriter, r *http.Request) {
		c := w.(*call)
		c.r = r // the mux puts the path's wildcards into the request
		c.route = path
		handle, known := methods[r.Method]
		err := c.permit(path)
		if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden) {
			if c.shareable(path) && handle != nil {
				c.refusal, err = err, nil // unless the storage is shared
			}
		}
		switch {
		case err != nil:
		case r.Method == http.MethodOptions:
			c.Header().Set("Allow", allow)
			err = c.noContent()
		case !known:
			c.Header().Set("Allow", allow)
			err = fault.New(fault.MethodNotAllowed,
				"this API endpoint can only be accessed using the following HTTP methods: %s", allow)
		case handle == nil:
			err = errNotServed(r.Method, path)
		default:
			if err = handle(c); err == nil {
				c.meter(path)
			}
		}
		if err != nil {
			c.fail(err)
		}
	}
}

func errNotServed(method, path string) error {
	return fault.New(fault.NotImplemented, "%s %s is part of the API but not available on this server", method, path)
}

// routes lists every operation of the API.
func (s *server) routes() []route {
	routes := []route{
		{"GET", "/v2/actors/{actorId}/runs", s.listActorRuns},
		{"POST", "/v2/actors/{actorId}/runs", s.startRun},
		{"GET", "/v2/actors/{actorId}/run-sync", s.runSync},
		{"POST", "/v2/actors/{actorId}/run-sync", s.runSync},
		{"GET", "/v2/actors/{actorId}/run-sync-get-dataset-items", s.runSyncItems},
		{"POST", "/v2/actors/{actorId}/run-sync-get-dataset-items", s.runSyncItems},

		{"GET", "/v2/actor-runs", s.listRuns},
		{"PUT", "/v2/actor-runs/{runId}", s.updateRun},
		{"DELETE", "/v2/actor-runs/{runId}", s.deleteRun},
		{"POST", "/v2/actor-runs/{runId}/exit", s.exitRun},
		{"POST", "/v2/actor-runs/{runId}/charge", s.chargeRun},
		{"POST", "/v2/actor-runs/{runId}/resurrect", s.resurrectRun},
		{"POST", "/v2/actors/{actorId}/runs/{runId}/resurrect", s.resurrectRun},
		{"GET", "/v2/actor-runs/{runId}/events", s.runEvents},

		{"GET", "/v2/logs/{buildOrRunId}", s.anyLog},

		{"GET", "/v2/users/me", s.me},
		{"GET", "/v2/users/{userId}", s.publicUser},
		{"GET", "/v2/users/me/limits", s.limits},
		{"GET", "/v2/users/me/usage/monthly", s.monthlyUsage},
	}
	routes = append(routes, s.actorRoutes()...)
	routes = append(routes, s.buildRoutes()...)
	routes = append(routes, s.taskRoutes()...)
	routes = append(routes, s.scheduleRoutes()...)
	routes = append(routes, s.webhookRoutes()...)
	// A run is found by its id, by its Actor and id, or as the Actor's last one.
	routes = append(routes, s.runRoutes("/v2/actor-runs/{runId}")...)
	routes = append(routes, s.runRoutes("/v2/actors/{actorId}/runs/{runId}")...)
	routes = append(routes, s.runRoutes("/v2/actors/{actorId}/runs/last")...)
	for _, base := range []string{"/v2/actor-runs/{runId}", "/v2/actors/{actorId}/runs/last"} {
		routes = append(routes, s.datasetRoutes(base+"/dataset", s.datasets.ofRun(s, "dataset"))...)
		routes = append(routes, s.storeRoutes(base+"/key-value-store", s.stores.ofRun(s, "key-value-store"))...)
		routes = append(routes, s.queueRoutes(base+"/request-queue", s.queues.ofRun(s, "request-queue"))...)
	}
	routes = append(routes, s.toolRoutes()...)
	routes = append(routes, s.datasets.routes()...)
	routes = append(routes, s.stores.routes()...)
	routes = append(routes, s.queues.routes()...)
	routes = append(routes, s.datasetRoutes("/v2/datasets/{storageId}", s.datasets.named)...)
	routes = append(routes, s.storeRoutes("/v2/key-value-stores/{storageId}", s.stores.named)...)
	routes = append(routes, s.queueRoutes("/v2/request-queues/{storageId}", s.queues.named)...)
	return append(routes, unserved()...)
}

func (s *server) runRoutes(base string) []route {
	return []route{
		{"GET", base, s.getRun},
		{"GET", base + "/log", s.runLog},
		{"POST", base + "/abort", s.abortRun},
		{"POST", base + "/reboot", s.rebootRun},
		{"POST", base + "/metamorph", s.metamorphRun},
	}
}

// notServed are the operations of the API that have no handler, as
// "METHODS path".
const notServed = `
GET /v2/store
PUT /v2/users/me/limits
`

// unserved gives the routes of notServed.
func unserved() []route {
	var routes []route
	for line := range strings.Lines(strings.TrimSpace(notServed)) {
		methods, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		for method := range strings.SplitSeq(methods, ",") {
			routes = append(routes, route{method, path, nil})
		}
	}
	return routes
}
