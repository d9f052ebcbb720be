package service

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

var update = flag.Bool("update", false, "write the golden files")

var programs = map[string]Program{
	"plain": {
		Path: "/usr/local/bin/apify", Args: []string{"serve", "--data-dir=/home/ada/.local/share/greenroom"}, Stop: 10 * time.Second,
	},
	"odd": {
		Path: "/opt/my tools/apify", Args: []string{"serve", `--data-dir=/data/a "b" 100% $HOME\<é>&`, ""},
		Env: []string{"PATH=/usr/bin:/opt/my tools/100%", "DOCKER_HOST=unix:///run/$me/docker.sock"}, Stop: time.Minute,
	},
}

// Golden files are named by system and program; -update writes them, and then
// they are to be read.
func TestFiles(t *testing.T) {
	for _, system := range []string{"linux", "darwin"} {
		for name, program := range programs {
			t.Run(system+" "+name, func(t *testing.T) {
				f, err := For(system, Home{Dir: "/home/ada", UID: 501}, program)
				if err != nil {
					t.Fatal(err)
				}
				text := "path " + f.Path + "\n"
				for _, command := range f.Reset {
					text += "reset " + strings.Join(command, " ") + "\n"
				}
				for _, command := range f.Start {
					text += "start " + strings.Join(command, " ") + "\n"
				}
				for _, command := range f.Stop {
					text += "stop " + strings.Join(command, " ") + "\n"
				}
				for _, link := range f.Links {
					text += "link " + link + "\n"
				}
				text += "note " + f.Note + "\n\n" + f.Text
				golden := filepath.Join("testdata", system+"-"+name+".golden")
				if *update {
					if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil || text != strings.ReplaceAll(string(want), "\r\n", "\n") {
					t.Errorf("%v, got\n%s\nwant\n%s", err, text, want)
				}
				if !strings.Contains(f.Text, Marker) {
					t.Error("the marker is missing")
				}
				if system == "darwin" {
					dec := xml.NewDecoder(strings.NewReader(f.Text))
					for err == nil {
						_, err = dec.Token()
					}
					if !errors.Is(err, io.EOF) {
						t.Error(err)
					}
				}
			})
		}
	}
}

func TestConfigHome(t *testing.T) {
	f, err := For("linux", Home{Dir: "/home/ada", Config: "/etc/ada"}, programs["plain"])
	if err != nil || f.Path != "/etc/ada/systemd/user/greenroom.service" {
		t.Errorf("%s, %v", f.Path, err)
	}
}

func TestUnknownSystem(t *testing.T) {
	for _, system := range []string{"windows", "freebsd", "plan9"} {
		if _, err := For(system, Home{}, Program{}); !fault.Is(err, fault.NotImplemented) || !strings.Contains(err.Error(), system) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", system, err)
		}
	}
}
