package actor

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path"
	"strconv"
	"strings"
)

// systemMemory takes the machine's figures and the tightest limit among the
// control groups that this process is in.
func systemMemory() (total, free uint64, err error) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0, unreadable(err)
	}
	total, free, err = parseMeminfo(data)
	if err != nil {
		return 0, 0, unreadable(err)
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return total, free, nil // no control groups, no limits
	}
	machine := total
	for _, g := range parseCgroups(groups) {
		for _, dir := range g.dirs("/sys/fs/cgroup") {
			limit, ok := readNumber(dir + g.limit)
			// Version 1 says "no limit" with a number beyond all memory.
			if !ok || limit == 0 || limit >= machine {
				continue
			}
			used, _ := readNumber(dir + g.usage)
			// Cached files that nobody reads count as used, but make way.
			used -= min(used, readStat(dir+"/memory.stat", g.cache))
			total, free = min(total, limit), min(free, limit-min(limit, used))
		}
	}
	return total, free, nil
}

func parseMeminfo(data []byte) (total, free uint64, err error) {
	fields := map[string]uint64{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		if kib, err := strconv.ParseUint(number, 10, 64); err == nil {
			fields[name] = kib << 10
		}
	}
	total = fields["MemTotal"]
	free, ok := fields["MemAvailable"]
	if !ok { // before Linux 3.14
		free = fields["MemFree"] + fields["Buffers"] + fields["Cached"]
	}
	if total == 0 {
		return 0, 0, errors.New("/proc/meminfo has no MemTotal")
	}
	return total, free, nil
}

// cgroup is a control group that accounts for memory, with the names of the
// files in which its version of the interface does so.
type cgroup struct {
	mount, path         string
	limit, usage, cache string
}

func parseCgroups(data []byte) []cgroup {
	var groups []cgroup
	for line := range strings.Lines(string(data)) {
		// hierarchy:controllers:path
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(fields) < 3:
		case fields[1] == "":
			groups = append(groups, cgroup{"", fields[2], "/memory.max", "/memory.current", "inactive_file"})
		case strings.Contains(","+fields[1]+",", ",memory,"):
			groups = append(groups, cgroup{"/memory", fields[2], "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"})
		}
	}
	return groups
}

// dirs are the folders of the group and of those around it, which limit it too.
// In a container the path may be that of the host; then only the root is there.
func (g cgroup) dirs(root string) []string {
	var dirs []string
	for at := path.Clean("/" + g.path); ; at = path.Dir(at) {
		dirs = append(dirs, strings.TrimSuffix(root+g.mount+at, "/"))
		if at == "/" {
			return dirs
		}
	}
}

func readNumber(name string) (uint64, bool) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil // "max" is no number
}

func readStat(name, field string) uint64 {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, field+" "); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}
