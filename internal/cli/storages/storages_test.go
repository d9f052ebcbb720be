package storages_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStoragesOfEveryKind(t *testing.T) {
	for group, noun := range map[string]string{
		"datasets": "dataset", "key-value-stores": "key-value store", "kvs": "key-value store", "request-queues": "request queue",
	} {
		t.Run(group, func(t *testing.T) {
			p := newPlatform(t)
			p.apify(group, "ls").ok().prints("").says("--unnamed")
			id := strings.TrimSpace(p.apify(group, "create", "first").ok().stdout)
			p.apify(group, "create", "first").ok().prints(id + "\n")
			unnamed := p.apify(group, "create", "--json").ok().json()
			if unnamed["name"] != nil || unnamed["id"] == "" {
				t.Errorf("created %v", unnamed)
			}
			p.apify(group, "create", "--jq", ".name").ok().prints("null\n")

			for _, ref := range []string{id, "first", "~first", "me/first", "me~first"} {
				p.apify(group, "info", ref, "--jq", ".id").ok().prints(id + "\n")
			}
			info := p.apify(group, "info", "first").ok()
			if !strings.HasPrefix(info.stdout, "id:") || !strings.Contains(info.stdout, "first\n") {
				t.Errorf("info printed %s", info.stdout)
			}
			if name := p.apify(group, "info", "first", "--json").ok().json()["name"]; name != "first" {
				t.Errorf("name %v", name)
			}
			listed := p.apify(group, "ls").ok()
			if rows := strings.Split(strings.TrimSpace(listed.stdout), "\n"); len(rows) != 2 || !strings.HasPrefix(rows[0], "ID  ") || !strings.HasPrefix(rows[1], id) {
				t.Errorf("ls printed %q", rows)
			}
			p.apify(group, "ls", "--unnamed", "--limit", "2", "--desc").ok().says("1 to 2 of 3; --offset 2")
			p.apify(group, "ls", "--unnamed", "--jq", ".total, (.items | length)").ok().prints("3\n3\n")
			p.apify(group, "ls", "--offset", "9", "--json").ok()

			p.apify(group, "rename", "first", "second").ok().prints(id + "\n")
			p.apify(group, "create", "taken").ok()
			p.apify(group, "rename", "second", "taken").fails(1)
			p.apify(group, "rename", "second").fails(1, "--unname")
			p.apify(group, "rename", "second", "x", "--unname").fails(1, "exclude")
			p.apify(group, "rename", "second", "--unname", "--jq", ".name").ok().prints("null\n")
			p.apify(group, "info", "second").fails(250, noun+` "second" was not found`, "ls --unnamed")

			// Nobody to ask: what is to be passed is said, and nothing is deleted.
			p.apify(group, "rm", id).fails(1, "Delete "+noun, "--yes (-y)")
			p.tty = true
			p.piped(strings.NewReader("n\n"), group, "rm", id).fails(3, "[y/N]", "nothing was deleted")
			p.piped(strings.NewReader(""), group, "rm", id).fails(3, "nothing was deleted")
			p.piped(strings.NewReader("yes\n"), group, "rm", id).ok().prints("").says("deleted " + noun)
			p.apify(group, "info", id).fails(250)
			// A terminal is not asked when the answer is given.
			if r := p.apify(group, "rm", "taken", "-y").ok(); strings.Contains(r.stderr, "[y/N]") {
				t.Errorf("--yes asked: %s", r.stderr)
			}
			p.tty = false
			p.apify(group, "rm", "taken", "-y").fails(250, "was not found")
			p.apify(group, "rename", "taken", "other").fails(250)
		})
	}
}

func TestWrongCommandLines(t *testing.T) {
	p := newPlatform(t)
	p.apify("datasets", "create", "d").ok()
	p.apify("kvs", "create", "s").ok()
	p.apify("request-queues", "create", "q").ok()
	for line, said := range map[string]string{
		"datasets nosuch":                                       "unknown command",
		"datasets create a b":                                   `unexpected argument "b"`,
		"datasets create no/name":                               "name",
		"datasets ls surplus":                                   `unexpected argument "surplus"`,
		"datasets ls --limit 0":                                 "--limit",
		"datasets ls --offset -1":                               "--offset",
		"datasets info":                                         "needs 1 argument",
		"datasets info d --jq .[":                               "line 1, column 3",
		"datasets info d --jq .id|nosuch":                       "line 1, column 5",
		"datasets get-items d --format pdf":                     "json, jsonl, csv",
		"datasets get-items d --format csv --jq .":              "--jq",
		"datasets get-items d --limit -1":                       "negative",
		"datasets push-items d":                                 "standard input",
		"datasets export d":                                     "-o is missing",
		"datasets export d -o file":                             "--format",
		"datasets export d -o f.pdf":                            "unknown format",
		"datasets export d -o no/such/directory.csv":            "write the export",
		"datasets tail d -n -1":                                 "-n",
		"datasets tail d --interval 0":                          "--interval",
		"kvs keys s --limit 0":                                  "--limit",
		"kvs set-value s k":                                     "pipe it in",
		"kvs set-value s k v --content-type x":                  "content type",
		"kvs set-value s no/key 1":                              "key",
		"kvs get-value s k --only-content-type --json":          "--only-content-type",
		"kvs sync s dir":                                        "--push",
		"kvs sync s dir --push --pull":                          "--push",
		"request-queues add q":                                  "pipe them in",
		"request-queues add q - --method POST":                  "standard input",
		"request-queues add q http://a http://b --unique-key k": "single URL",
		"request-queues add q http://a --header nothing":        "name:value",
		"request-queues head q --limit 0":                       "--limit",
	} {
		p.apify(strings.Fields(line)...).fails(1, said)
	}
	for line, said := range map[string]string{
		"datasets push-items d {":                       "item 1 is not JSON",
		"datasets push-items d 7":                       "no JSON object: 7",
		"datasets push-items d [{},null]":               "item 2 is no JSON object: null",
		"kvs set-value s k hello":                       "line 1, column 1",
		"request-queues add q nourl":                    "no absolute URL",
		"request-queues add q http://a --user-data [1]": "--user-data",
		"datasets info d --jq .id|keys":                 "jq expression",
		`datasets info d --jq "x"|halt_error`:           "halted: x",
	} {
		p.apify(strings.Fields(line)...).fails(5, said)
	}
	for _, line := range []string{
		"datasets get-items no", "datasets push-items no {}", "datasets export no -o x.csv", "datasets tail no",
		"kvs keys no", "kvs get-value no k", "kvs get-value s no", "kvs set-value no k 1", "kvs delete-value no k -y",
		"kvs delete-value s no -y", "kvs sync no . --push", "kvs sync s no-such-directory --push",
		"request-queues head no", "request-queues add no http://a",
	} {
		p.apify(strings.Fields(line)...).fails(250)
	}
	if _, err := os.Stat("x.csv"); err == nil {
		t.Error("an export that failed left its file")
	}
}

func TestChoosingTheAPI(t *testing.T) {
	p := newPlatform(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	profile := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(home, ".apify"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, ".apify", "auth.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.env = map[string]string{}
	p.apify("datasets", "ls", "--api-url", p.URL).fails(1, "no API token", "APIFY_TOKEN")
	p.apify("datasets", "ls", "--api-url", p.URL, "--token", token).ok()
	p.apify("datasets", "ls", "--api-url", p.URL, "--token", "wrong").fails(1, "not valid", "--token or APIFY_TOKEN")
	p.apify("datasets", "ls", "--api-url", "nonsense", "--token", token).fails(1, "not the address of an API")
	profile(`{"token":"` + token + `"}`)
	p.apify("datasets", "ls", "--api-url", p.URL).ok()
	p.apify("datasets", "ls", "--api-url", "http://api.example.com").fails(1, "is not sent to http://api.example.com")
	p.env["APIFY_TOKEN"] = "wrong"
	p.apify("datasets", "ls", "--api-url", p.URL).fails(1, "not valid")
	p.apify("datasets", "ls", "--api-url", p.URL, "--token", token).ok()
	delete(p.env, "APIFY_TOKEN")
	p.env["APIFY_CLIENT_BASE_URL"] = p.URL
	p.apify("datasets", "ls").ok()
	profile(`{"id":"x","secretsBackend":"keyring"}`)
	p.apify("datasets", "ls").fails(1, "keyring")
	profile(`{`)
	p.apify("datasets", "ls").fails(1, "not the profile")
	p.env = map[string]string{"APIFY_TOKEN": token, "APIFY_CLIENT_BASE_URL": "http://127.0.0.1:1"}
	p.apify("datasets", "info", "x").fails(1, "cannot be reached", "APIFY_CLIENT_BASE_URL")
}

// The platform takes a bare name only behind a tilde.
func TestBareNamesOnThePlatform(t *testing.T) {
	p := newPlatform(t)
	p.apify("kvs", "create", "mine").ok()
	p.wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/mine") {
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"error":{"type":"record-not-found","message":"Store was not found"}}`))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	p.apify("kvs", "info", "mine", "--jq", ".name").ok().prints("mine\n")
	p.apify("kvs", "set-value", "mine", "k", "1").ok()
	p.apify("kvs", "get-value", "mine", "k").ok().prints("1")
	p.apify("kvs", "info", "other").fails(250, `"other"`)
	p.apify("kvs", "info", "~").fails(1, "names no key-value store")
}
