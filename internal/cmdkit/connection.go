package cmdkit

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/greenroom-dev/greenroom/pkg/client"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Connection is which API a command speaks to and who it does so as, as flags
// say it. The environment and the user's profile stand in for what is not given.
type Connection struct{ URL, Token string }

// AddFlags adds --api-url and --token.
func (c *Connection) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.URL, "api-url", "", "`address` of the API (default $APIFY_CLIENT_BASE_URL, else "+client.DefaultBaseURL+")")
	flags.StringVar(&c.Token, "token", "", "API `token` (default $APIFY_TOKEN, else that of ~/.apify/auth.json)")
}

// Open makes a client; nothing is sent yet. Without any token it is
// fault.Unauthenticated.
func (c *Connection) Open(f *Factory) (*client.Client, error) {
	options := client.Options{
		BaseURL: c.URL, Token: c.Token, Origin: "CLI", UserAgent: "greenroom/" + f.Version,
	}
	if options.BaseURL == "" {
		options.BaseURL = f.Getenv("APIFY_CLIENT_BASE_URL")
	}
	if options.Token == "" {
		options.Token = f.Getenv("APIFY_TOKEN")
	}
	opened, err := client.New(options)
	if err != nil || options.Token != "" {
		return opened, err
	}
	options.Token, err = profileToken()
	if err != nil {
		return nil, err
	}
	if !private(opened.BaseURL()) {
		return nil, fault.New(fault.Unauthenticated, "the token of ~/.apify/auth.json is not sent to %s, where others could read it on its way", opened.BaseURL()).
			WithHint("use an https address, or name a token with --token or APIFY_TOKEN")
	}
	return client.New(options)
}

// profileToken is the token that the official CLI's login has kept.
func profileToken() (string, error) {
	missing := fault.New(fault.Unauthenticated, "there is no API token").
		WithHint("set APIFY_TOKEN, give --token, or log in")
	home, err := os.UserHomeDir()
	if err != nil {
		return "", missing
	}
	file := filepath.Join(home, ".apify", "auth.json")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", missing
	}
	if err != nil {
		return "", fault.New(fault.Unauthenticated, "read the profile: %w", err)
	}
	var auth struct {
		Token   string `json:"token"`
		Backend string `json:"secretsBackend"`
	}
	if err := json.Unmarshal(text, &auth); err != nil {
		return "", fault.New(fault.Unauthenticated, "%s is not the profile of a user: %w", file, err).
			WithHint("set APIFY_TOKEN, or log in again")
	}
	switch {
	case auth.Token != "":
		return auth.Token, nil
	case auth.Backend == "keyring":
		return "", fault.New(fault.Unauthenticated, "the token of %s lies in the system's keyring, which is not read here", file).
			WithHint("set APIFY_TOKEN")
	}
	return "", missing
}

// private tells whether nobody between here and the API can read what is sent.
func private(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
