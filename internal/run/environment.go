package run

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/api"
)

// Environment is what the code of a run gets to know about itself. Zero values
// mean "not known": their variables are left out, because the Python SDK fails
// on empty strings and the JavaScript SDK takes them for values.
type Environment struct {
	Run       api.Run
	ActorName string // without the user
	Username  string
	BuildTags []string

	// Token opens the API at BaseURL (an origin, without /v2). EventsURL is the
	// WebSocket of the run's events.
	Token     string
	BaseURL   string
	EventsURL string

	// TimeoutAt is when the run's time is over; zero without a limit.
	TimeoutAt api.Time
	// PermissionLevel says what the token may do, "" for everything.
	PermissionLevel string
	// Pricing is the Actor's, when it is paid per event.
	Pricing []byte

	InputKey         string
	WebServerPort    int
	WebServerURL     string
	Standby          bool
	DedicatedCPUs    float64
	ProxyPassword    string
	WorkflowKey      string
	NoProxy          []string // hosts that must be reached directly
	InheritedNoProxy string

	// StorageDir, when not empty, is where the code finds its storages as files.
	// The run is then not "at home": it knows no API, no run and no events.
	StorageDir string
}

// aliases gives, for the platform's present name of a variable, the older names
// that SDKs still read. All carry the same value: which one wins differs between
// SDKs, and within one SDK between two ways of asking.
var aliases = map[string][]string{
	"ACTOR_ID":                         {"APIFY_ACTOR_ID", "APIFY_ACT_ID"},
	"ACTOR_RUN_ID":                     {"APIFY_ACTOR_RUN_ID", "APIFY_ACT_RUN_ID"},
	"ACTOR_TASK_ID":                    {"APIFY_ACTOR_TASK_ID"},
	"ACTOR_BUILD_ID":                   {"APIFY_ACTOR_BUILD_ID"},
	"ACTOR_BUILD_NUMBER":               {"APIFY_ACTOR_BUILD_NUMBER"},
	"ACTOR_DEFAULT_DATASET_ID":         {"APIFY_DEFAULT_DATASET_ID"},
	"ACTOR_DEFAULT_KEY_VALUE_STORE_ID": {"APIFY_DEFAULT_KEY_VALUE_STORE_ID"},
	"ACTOR_DEFAULT_REQUEST_QUEUE_ID":   {"APIFY_DEFAULT_REQUEST_QUEUE_ID"},
	"ACTOR_INPUT_KEY":                  {"APIFY_INPUT_KEY", "CRAWLEE_INPUT_KEY"},
	"ACTOR_MEMORY_MBYTES":              {"APIFY_MEMORY_MBYTES", "CRAWLEE_MEMORY_MBYTES"},
	"ACTOR_STARTED_AT":                 {"APIFY_STARTED_AT"},
	"ACTOR_TIMEOUT_AT":                 {"APIFY_TIMEOUT_AT"},
	"ACTOR_EVENTS_WEBSOCKET_URL":       {"APIFY_ACTOR_EVENTS_WS_URL"},
	"ACTOR_WEB_SERVER_PORT":            {"APIFY_CONTAINER_PORT"},
	"ACTOR_WEB_SERVER_URL":             {"APIFY_CONTAINER_URL"},
	"APIFY_LOCAL_STORAGE_DIR":          {"CRAWLEE_STORAGE_DIR"},
	"APIFY_PURGE_ON_START":             {"CRAWLEE_PURGE_ON_START"},
	"NO_PROXY":                         {"no_proxy"},
}

// Reserved reports whether a variable belongs to the platform: inherited ones
// are scrubbed, so that a run inside a run does not take its parent's identity.
func Reserved(name string) bool {
	for _, prefix := range []string{"ACTOR_", "APIFY_", "CRAWLEE_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Scrub returns the NAME=value entries of environ that are not Reserved.
func Scrub(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return Reserved(name)
	})
}

// Vars gives the variables, user below platform: a user's variable never
// replaces one that the platform sets. Sorted NAME=value entries.
func (e Environment) Vars(user map[string]string) []string {
	vars := maps.Clone(user)
	if vars == nil {
		vars = map[string]string{}
	}
	for name, value := range e.platform() {
		if value == "" {
			continue
		}
		vars[name] = value
		for _, alias := range aliases[name] {
			vars[alias] = value
		}
	}
	entries := make([]string, 0, len(vars))
	for name, value := range vars {
		entries = append(entries, name+"="+value)
	}
	slices.Sort(entries)
	return entries
}

func (e Environment) platform() map[string]string {
	vars := map[string]string{
		"ACTOR_INPUT_KEY":       e.InputKey,
		"ACTOR_MEMORY_MBYTES":   positive(e.Run.Options.MemoryMbytes),
		"ACTOR_STARTED_AT":      e.Run.StartedAt.String(),
		"ACTOR_WEB_SERVER_PORT": positive(e.WebServerPort),
		"ACTOR_WEB_SERVER_URL":  e.WebServerURL,
		"ACTOR_STANDBY_PORT":    positive(e.WebServerPort),
		"APIFY_DEDICATED_CPUS":  decimal(e.DedicatedCPUs),
		"APIFY_HEADLESS":        "1",
		"APIFY_PROXY_PASSWORD":  e.ProxyPassword,
		"APIFY_META_ORIGIN":     e.Run.Meta.Origin,
		"NO_PROXY":              noProxy(e.InheritedNoProxy, e.NoProxy),
	}
	if !e.TimeoutAt.IsZero() {
		vars["ACTOR_TIMEOUT_AT"] = e.TimeoutAt.String()
	}
	if e.Run.Options.RestartOnError {
		vars["ACTOR_RESTART_ON_ERROR"] = "1"
	}
	if e.Standby {
		vars["ACTOR_STANDBY_URL"] = e.WebServerURL
	}
	if e.StorageDir != "" {
		// As the official CLI does it. A run id would make the JavaScript SDK
		// look for the run at the cloud's API.
		vars["APIFY_LOCAL_STORAGE_DIR"] = e.StorageDir
		vars["APIFY_PURGE_ON_START"] = "0" // it was done already
		return vars
	}
	maps.Copy(vars, map[string]string{
		"APIFY_IS_AT_HOME":                 "1",
		"APIFY_TOKEN":                      e.Token,
		"APIFY_API_BASE_URL":               e.BaseURL,
		"APIFY_API_PUBLIC_BASE_URL":        e.BaseURL,
		"APIFY_USER_ID":                    e.Run.UserID,
		"APIFY_USER_IS_PAYING":             "1",
		"APIFY_WORKFLOW_KEY":               e.WorkflowKey,
		"ACTOR_ID":                         e.Run.ActorID,
		"ACTOR_FULL_NAME":                  e.Username + "/" + e.ActorName,
		"ACTOR_RUN_ID":                     e.Run.ID,
		"ACTOR_TASK_ID":                    deref(e.Run.ActorTaskID),
		"ACTOR_BUILD_ID":                   e.Run.BuildID,
		"ACTOR_BUILD_NUMBER":               deref(e.Run.BuildNumber),
		"ACTOR_BUILD_TAGS":                 strings.Join(e.BuildTags, ","),
		"ACTOR_DEFAULT_DATASET_ID":         e.Run.DefaultDatasetID,
		"ACTOR_DEFAULT_KEY_VALUE_STORE_ID": e.Run.DefaultKeyValueStoreID,
		"ACTOR_DEFAULT_REQUEST_QUEUE_ID":   e.Run.DefaultRequestQueueID,
		"ACTOR_STORAGES_JSON":              storagesJSON(e.Run.StorageIDs),
		"ACTOR_EVENTS_WEBSOCKET_URL":       e.EventsURL,
		"ACTOR_PERMISSION_LEVEL":           cmp.Or(e.PermissionLevel, api.FullPermissions),
	})
	if len(e.Pricing) > 0 {
		// The SDKs believe these when both are there, else they ask for the run.
		vars["APIFY_ACTOR_PRICING_INFO"] = string(e.Pricing)
		vars["APIFY_CHARGED_ACTOR_EVENT_COUNTS"] = countsJSON(e.Run.ChargedEventCounts)
	}
	if n := e.Run.Options.MaxItems; n != nil {
		vars["ACTOR_MAX_PAID_DATASET_ITEMS"] = strconv.Itoa(*n)
	}
	if usd := e.Run.Options.MaxTotalChargeUSD; usd != nil {
		vars["ACTOR_MAX_TOTAL_CHARGE_USD"] = strconv.FormatFloat(*usd, 'f', -1, 64)
	}
	return vars
}

// TimeoutAt is the moment at which the time of a run is over that began at
// since; ok is false for a run without a limit.
func TimeoutAt(o api.RunOptions, since api.Time) (at api.Time, ok bool) {
	if o.TimeoutSecs <= 0 {
		return api.Time{}, false
	}
	return api.TimeOf(since.Add(seconds(o.TimeoutSecs))), true
}

func countsJSON(counts map[string]int) string {
	if counts == nil {
		counts = map[string]int{}
	}
	text, err := json.Marshal(counts)
	if err != nil {
		return "" // maps of strings always marshal
	}
	return string(text)
}

func storagesJSON(ids api.StorageIDs) string {
	text, err := json.Marshal(ids)
	if err != nil {
		return "" // maps of strings always marshal
	}
	return string(text)
}

// noProxy joins what was inherited with the hosts that must not go through a
// proxy, each once.
func noProxy(inherited string, hosts []string) string {
	var list []string
	for _, host := range append(strings.Split(inherited, ","), hosts...) {
		if host = strings.TrimSpace(host); host != "" && !slices.Contains(list, host) {
			list = append(list, host)
		}
	}
	return strings.Join(list, ",")
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func decimal(f float64) string {
	if f <= 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func deref(s *string) string { return *cmp.Or(s, new(string)) }
