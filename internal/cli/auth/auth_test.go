package auth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/cli/auth"
	"github.com/greenroom-dev/greenroom/internal/cli/recordtest"
)

func TestLogin(t *testing.T) {
	a := recordtest.New(t)
	file := filepath.Join(os.Getenv("HOME"), ".apify", "auth.json")
	a.On("GET /users/me", `{"id":"U1","username":"me","proxy":{"password":"p"}}`)
	a.Run(auth.NewLogin, nil, "--token", "wrong").Exits(1).Says("does not know this token")
	a.Run(auth.NewLogin, nil).Exits(1).Says("--token")
	a.Run(auth.NewLogin, strings.NewReader(" \n"), "-t", "-").Exits(1).Says("empty")
	a.Run(auth.NewLogin, nil, "-m", "console").Exits(255)
	a.Run(auth.NewLogin, nil, "-m", "bogus").Exits(1)
	a.Run(auth.NewLogin, nil, "-t", "token", "--api-url", "nonsense").Exits(1)
	if _, err := os.Stat(file); err == nil {
		t.Fatal("a login that failed has left a profile")
	}
	a.Run(auth.New, nil, "token").Exits(1).Says("nobody is logged in")
	a.Run(auth.NewLogin, strings.NewReader("token\n"), "--token", "-").Exits(0).Says("logged in to " + a.URL + " as me")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"token": "token"`, `"secretsBackend": "file"`, `"password": "p"`, `"apiBaseUrl": "` + a.URL + `"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	// From now on nothing has to be named.
	a.Env["APIFY_TOKEN"], a.Env["APIFY_CLIENT_BASE_URL"] = "", ""
	a.Run(auth.NewInfo, nil).Exits(0).Prints("me", "U1", a.URL)
	a.Run(auth.New, nil, "token").Exits(0).Prints("token\n")
	// The token is the one API's.
	a.Run(auth.NewInfo, nil, "--api-url", "http://127.0.0.1:1").Exits(1).Says("is not sent to http://127.0.0.1:1")
	a.Run(auth.NewLogout, nil).Exits(0).Says("logged out")
	a.Run(auth.New, nil, "logout").Exits(0).Says("nobody was logged in")
	if _, err := os.Stat(file); err == nil {
		t.Error("the profile is still there")
	}
}
