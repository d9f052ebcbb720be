package cmdkit

import (
	"net/netip"
	"net/url"
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
	flags.StringVar(&c.URL, "api-url", "", "`address` of the API (default $APIFY_CLIENT_BASE_URL, else that of the login, else "+client.DefaultBaseURL+")")
	flags.StringVar(&c.Token, "token", "", "API `token` (default $APIFY_TOKEN, else that of ~/.apify/auth.json)")
}

// Open makes a client; nothing is sent yet. Without any token it is
// fault.Unauthenticated.
func (c *Connection) Open(f *Factory) (*client.Client, error) {
	opened, token, err := c.open(f)
	if err == nil && token == "" {
		err = fault.New(fault.Unauthenticated, "there is no API token").
			WithHint("set APIFY_TOKEN, give --token, or log in")
	}
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// OpenPublic makes a client for what an API tells anybody: with a token when
// there is one.
func (c *Connection) OpenPublic(f *Factory) (*client.Client, error) {
	opened, _, err := c.open(f)
	return opened, err
}

func (c *Connection) open(f *Factory) (*client.Client, string, error) {
	options := client.Options{
		BaseURL: c.URL, Token: c.Token, Origin: "CLI", UserAgent: "greenroom/" + f.Version,
	}
	if options.BaseURL == "" {
		options.BaseURL = f.Getenv("APIFY_CLIENT_BASE_URL")
	}
	if options.Token == "" {
		options.Token = f.Getenv("APIFY_TOKEN")
	}
	if options.Token != "" && options.BaseURL != "" {
		opened, err := client.New(options)
		return opened, options.Token, err
	}
	profile, err := LoadProfile()
	if err != nil && options.Token == "" {
		return nil, "", err
	}
	if options.BaseURL == "" {
		options.BaseURL = profile.APIURL
	}
	opened, err := client.New(options)
	if err != nil || options.Token != "" {
		return opened, options.Token, err
	}
	switch base := opened.BaseURL(); {
	case profile.Token == "" && profile.Backend == "keyring":
		return nil, "", fault.New(fault.Unauthenticated, "the token of ~/.apify/auth.json lies in the system's keyring, which is not read here").
			WithHint("set APIFY_TOKEN, or log in with this command")
	case profile.Token == "":
		return opened, "", nil
	case profile.APIURL != "" && profile.APIURL != base:
		return nil, "", fault.New(fault.Unauthenticated, "the token of ~/.apify/auth.json is one of %s and is not sent to %s", profile.APIURL, base).
			WithHint("log in there with apify login --api-url %s, or name a token with --token or APIFY_TOKEN", base)
	case !private(base):
		return nil, "", fault.New(fault.Unauthenticated, "the token of ~/.apify/auth.json is not sent to %s, where others could read it on its way", base).
			WithHint("use an https address, or name a token with --token or APIFY_TOKEN")
	}
	options.Token = profile.Token
	opened, err = client.New(options)
	return opened, options.Token, err
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
