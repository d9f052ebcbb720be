// Package service says how a system is told to keep a program running for a
// user: the file that it reads, where that lies, and which commands make it act.
// Everything here follows from its arguments; nothing is read or written.
package service

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Program is what is to be kept running.
type Program struct {
	// Path is the absolute path of the executable, Args are its arguments.
	Path string
	Args []string
	// Env are variables as NAME=value; the program sees few others.
	Env []string
	// Stop is how long the program may take to end when it is asked to.
	Stop time.Duration
}

// Home is where a user's files lie.
type Home struct {
	Dir string // the home directory
	// Config is $XDG_CONFIG_HOME, "" for the default.
	Config string
	UID    int
}

// File is a file that a system reads, with the commands that make it do so.
type File struct {
	Path string
	Text string
	// Reset are commands that end what an earlier file has started; they fail when
	// there was none, which does not matter.
	Reset [][]string
	// Start are the commands that start the program, or start it anew, now and at
	// every log-in; Stop those that end it for good.
	Start, Stop [][]string
	// Links are what Start has made besides, to be removed with the file.
	Links []string
	// Note is what else a user may want to know.
	Note string
}

// Marker is in every file: one without it was written by somebody else.
const Marker = "Written by apify serve install."

const (
	unitName = "greenroom.service"
	label    = "dev.greenroom.serve"
)

// For gives the file of a system, as GOOS names it. A system that is not known
// is fault.NotImplemented.
func For(system string, home Home, p Program) (File, error) {
	switch system {
	case "linux":
		return systemd(home, p), nil
	case "darwin":
		return launchd(home, p), nil
	}
	return File{}, fault.New(fault.NotImplemented, "there is no service to install on %s: only systemd (Linux) and launchd (macOS) are known", system).
		WithHint("let what starts programs on this system start 'apify serve'")
}

// systemd follows systemd.service(5) and systemd.exec(5). What is printed names
// the owner's token, which must not reach the journal; diagnostics do.
func systemd(home Home, p Program) File {
	config := cmp.Or(home.Config, path.Join(home.Dir, ".config"))
	dir := path.Join(config, "systemd", "user")
	var b strings.Builder
	fmt.Fprintf(&b, "# %s apify serve uninstall removes it.\n", Marker)
	b.WriteString("[Unit]\nDescription=Greenroom, the Apify API on this machine\n\n[Service]\nExecStart=" + unitWord(p.Path))
	for _, arg := range p.Args {
		b.WriteString(" " + unitWord(arg))
	}
	b.WriteString("\n")
	for _, variable := range p.Env {
		b.WriteString("Environment=" + strings.ReplaceAll(quoted(variable), "%", "%%") + "\n")
	}
	// Runs outlive the server, which takes them over when it is back: only the
	// server's own process is to be ended.
	b.WriteString("KillMode=process\n")
	fmt.Fprintf(&b, "StandardOutput=null\nStandardError=journal\nUMask=0077\nLimitNOFILE=65536\nRestart=on-failure\nRestartSec=2\nTimeoutStopSec=%d\n\n",
		seconds(p.Stop))
	b.WriteString("[Install]\nWantedBy=default.target\n")
	ctl := func(args ...string) []string { return append([]string{"systemctl", "--user"}, args...) }
	return File{
		Path: path.Join(dir, unitName), Text: b.String(),
		Start: [][]string{ctl("daemon-reload"), ctl("enable", unitName), ctl("restart", unitName)},
		Stop:  [][]string{ctl("disable", "--now", unitName)},
		Links: []string{path.Join(dir, "default.target.wants", unitName)},
		Note:  "it runs while you are logged in; 'loginctl enable-linger' keeps it running after that. Its log: journalctl --user -u " + unitName,
	}
}

// seconds are those that a program may take, and some for the system's own.
func seconds(stop time.Duration) int { return int((stop + 20*time.Second) / time.Second) }

// unitWord writes one word of a command line of systemd, where $ and % mean
// something outside of quotes and inside.
func unitWord(s string) string {
	return strings.NewReplacer("%", "%%", "$", "$$").Replace(quoted(s))
}

// quoted puts quotes around what is not plain.
func quoted(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=/.:,+@%$", r)
	}) < 0
	if plain {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + `"`
}

// launchd follows launchd.plist(5).
func launchd(home Home, p Program) File {
	var b strings.Builder
	b.WriteString(xml.Header)
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	fmt.Fprintf(&b, "<!-- %s apify serve uninstall removes it. -->\n", Marker)
	b.WriteString("<plist version=\"1.0\">\n<dict>\n")
	key := func(name, value string) { fmt.Fprintf(&b, "\t<key>%s</key>\n\t%s\n", name, value) }
	text := func(s string) string { return "<string>" + escaped(s) + "</string>" }
	key("Label", text(label))
	args := "<array>\n\t\t" + text(p.Path) + "\n"
	for _, arg := range p.Args {
		args += "\t\t" + text(arg) + "\n"
	}
	key("ProgramArguments", args+"\t</array>")
	if len(p.Env) > 0 {
		env := "<dict>\n"
		for _, variable := range p.Env {
			name, value, _ := strings.Cut(variable, "=")
			env += "\t\t<key>" + escaped(name) + "</key>\n\t\t" + text(value) + "\n"
		}
		key("EnvironmentVariables", env+"\t</dict>")
	}
	log := path.Join(home.Dir, "Library", "Logs", "greenroom.log")
	key("StandardOutPath", text("/dev/null"))
	key("StandardErrorPath", text(log))
	key("Umask", "<integer>63</integer>")
	key("SoftResourceLimits", "<dict>\n\t\t<key>NumberOfFiles</key>\n\t\t<integer>65536</integer>\n\t</dict>")
	key("RunAtLoad", "<true/>")
	key("AbandonProcessGroup", "<true/>") // runs outlive the server
	key("KeepAlive", "<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>")
	key("ExitTimeOut", fmt.Sprintf("<integer>%d</integer>", seconds(p.Stop)))
	b.WriteString("</dict>\n</plist>\n")
	file := path.Join(home.Dir, "Library", "LaunchAgents", label+".plist")
	domain := fmt.Sprintf("gui/%d", home.UID)
	return File{
		Path: file, Text: b.String(),
		Reset: [][]string{{"launchctl", "bootout", domain + "/" + label}},
		Start: [][]string{{"launchctl", "bootstrap", domain, file}},
		Stop:  [][]string{{"launchctl", "bootout", domain + "/" + label}},
		Note:  "it runs while you are logged in. Its log: " + log,
	}
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}
