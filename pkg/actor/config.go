package actor

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/api"
	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Config is what a program knows about itself as an Actor. FromEnv fills it the
// way the platform tells it; zero values mean "not known".
type Config struct {
	// AtHome says that the program is in a run: its storages are behind the API
	// at BaseURL, and RunID is that run.
	AtHome        bool
	RunID         string
	ActorID       string
	Token         string
	BaseURL       string // the API's origin, without /v2
	PublicBaseURL string // the same, as others reach it
	WorkflowKey   string
	UserAgent     string

	// StorageDir holds the storages as files outside a run.
	StorageDir string

	// The default storages' ids, or their names outside a run.
	DefaultDatasetID       string
	DefaultKeyValueStoreID string
	InputKey               string

	// SecretsKey decrypts the input's secret fields: a PEM file in base64, and
	// SecretsPassphrase opens it. Without both, they stay encrypted.
	SecretsKey        string
	SecretsPassphrase string

	MemoryMbytes  int // 0 means not limited
	StartedAt     time.Time
	TimeoutAt     time.Time // zero means not limited
	EventsURL     string    // WebSocket of the run's events
	WebServerPort int       // where the Actor may serve HTTP
	WebServerURL  string    // how others reach that
}

// FromEnv reads the configuration from environment variables: the platform's
// present names first, then the older ones that the official SDKs read as well.
// Source: the platform's documentation of environment variables.
func FromEnv(getenv func(string) string) Config {
	first := func(names ...string) string {
		for _, name := range names {
			if value := getenv(name); value != "" {
				return value
			}
		}
		return ""
	}
	number := func(names ...string) int {
		n, err := strconv.Atoi(first(names...))
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	moment := func(names ...string) time.Time {
		at, err := api.ParseTime(first(names...))
		if err != nil {
			return time.Time{}
		}
		return at
	}
	c := Config{
		AtHome:                 truthy(getenv("APIFY_IS_AT_HOME")),
		RunID:                  first("ACTOR_RUN_ID", "APIFY_ACTOR_RUN_ID", "APIFY_ACT_RUN_ID"),
		ActorID:                first("ACTOR_ID", "APIFY_ACTOR_ID", "APIFY_ACT_ID"),
		Token:                  getenv("APIFY_TOKEN"),
		BaseURL:                first("APIFY_API_BASE_URL", "APIFY_CLIENT_BASE_URL"),
		PublicBaseURL:          getenv("APIFY_API_PUBLIC_BASE_URL"),
		WorkflowKey:            getenv("APIFY_WORKFLOW_KEY"),
		StorageDir:             first("APIFY_LOCAL_STORAGE_DIR", "CRAWLEE_STORAGE_DIR"),
		DefaultDatasetID:       first("ACTOR_DEFAULT_DATASET_ID", "APIFY_DEFAULT_DATASET_ID"),
		DefaultKeyValueStoreID: first("ACTOR_DEFAULT_KEY_VALUE_STORE_ID", "APIFY_DEFAULT_KEY_VALUE_STORE_ID"),
		InputKey:               first("ACTOR_INPUT_KEY", "APIFY_INPUT_KEY", "CRAWLEE_INPUT_KEY"),
		SecretsKey:             getenv("APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE"),
		SecretsPassphrase:      getenv("APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE"),
		MemoryMbytes:           number("ACTOR_MEMORY_MBYTES", "APIFY_MEMORY_MBYTES"),
		StartedAt:              moment("ACTOR_STARTED_AT", "APIFY_STARTED_AT"),
		TimeoutAt:              moment("ACTOR_TIMEOUT_AT", "APIFY_TIMEOUT_AT"),
		EventsURL:              first("ACTOR_EVENTS_WEBSOCKET_URL", "APIFY_ACTOR_EVENTS_WS_URL"),
		WebServerPort:          number("ACTOR_WEB_SERVER_PORT", "APIFY_CONTAINER_PORT"),
		WebServerURL:           first("ACTOR_WEB_SERVER_URL", "APIFY_CONTAINER_URL"),
	}
	return c.withDefaults()
}

func (c Config) withDefaults() Config {
	c.BaseURL = cmp.Or(c.BaseURL, client.DefaultBaseURL)
	c.PublicBaseURL = cmp.Or(c.PublicBaseURL, c.BaseURL)
	c.UserAgent = cmp.Or(c.UserAgent, "greenroom-actor")
	c.StorageDir = cmp.Or(c.StorageDir, "storage")
	c.DefaultDatasetID = cmp.Or(c.DefaultDatasetID, "default")
	c.DefaultKeyValueStoreID = cmp.Or(c.DefaultKeyValueStoreID, "default")
	c.InputKey = cmp.Or(c.InputKey, "INPUT")
	c.WebServerPort = cmp.Or(c.WebServerPort, 4321)
	c.WebServerURL = cmp.Or(c.WebServerURL, "http://localhost:"+strconv.Itoa(c.WebServerPort))
	return c
}

// truthy reads a switch in the environment: the SDKs differ in how they take
// "0" and "false", and nobody who writes them means yes.
func truthy(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "false", "no", "off":
		return false
	}
	return true
}

// connect makes the client of the run's API.
func (c Config) connect() (*client.Client, error) {
	if c.Token == "" {
		return nil, fault.New(fault.Unauthenticated, "there is no token for the API at %s", c.BaseURL).
			WithHint("set APIFY_TOKEN, or unset APIFY_IS_AT_HOME to use the files under %s", c.StorageDir)
	}
	return client.New(client.Options{
		BaseURL: c.BaseURL, PublicBaseURL: c.PublicBaseURL,
		Token: c.Token, UserAgent: c.UserAgent, WorkflowKey: c.WorkflowKey,
	})
}
