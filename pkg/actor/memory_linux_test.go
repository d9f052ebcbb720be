package actor

import (
	"slices"
	"testing"
)

func TestParseMeminfo(t *testing.T) {
	total, free, err := parseMeminfo([]byte("MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   600 kB\nHugePages_Total: 0\n"))
	if err != nil || total != 1000<<10 || free != 600<<10 {
		t.Errorf("%d, %d, %v", total, free, err)
	}
	total, free, err = parseMeminfo([]byte("MemTotal: 1000 kB\nMemFree: 10 kB\nBuffers: 20 kB\nCached: 30 kB\n"))
	if err != nil || total != 1000<<10 || free != 60<<10 {
		t.Errorf("%d, %d, %v", total, free, err)
	}
	if _, _, err := parseMeminfo([]byte("garbage")); err == nil {
		t.Error("garbage was understood")
	}
}

func TestParseCgroups(t *testing.T) {
	groups := parseCgroups([]byte("12:cpu,cpuacct:/x\n9:memory:/docker/abc\n1:name=systemd:/y\n0::/user.slice/run:1\nbroken\n"))
	if len(groups) != 2 {
		t.Fatalf("%+v", groups)
	}
	if got := groups[0].dirs("/sys"); !slices.Equal(got, []string{"/sys/memory/docker/abc", "/sys/memory/docker", "/sys/memory"}) ||
		groups[0].limit != "/memory.limit_in_bytes" {
		t.Errorf("version 1: %q", got)
	}
	if got := groups[1].dirs("/sys"); !slices.Equal(got, []string{"/sys/user.slice/run:1", "/sys/user.slice", "/sys"}) ||
		groups[1].limit != "/memory.max" {
		t.Errorf("version 2: %q", got)
	}
}
