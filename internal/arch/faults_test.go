package arch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sound is a small module that breaks no rule. Each case below breaks one.
var sound = map[string]string{
	"cmd/tool/main.go":         "// Command tool is a tool.\npackage main\n\nimport _ \"" + module + "/internal/app\"\n",
	"internal/app/app.go":      "// Package app is the root.\npackage app\n\nimport _ \"" + module + "/internal/store/disk\"\n",
	"internal/store/store.go":  "// Package store is the interface.\npackage store\n\nimport _ \"" + module + "/pkg/fault\"\n",
	"internal/store/disk/d.go": "// Package disk is files.\npackage disk\n\nimport _ \"" + module + "/internal/store\"\n",
	"pkg/fault/fault.go":       "// Package fault is errors.\npackage fault\n",
	"internal/storetest/s.go":  "// Package storetest is a suite.\npackage storetest\n\nimport _ \"" + module + "/internal/store\"\n",
}

var soundLayers = []layer{
	{"cmd/tool", []string{"internal/app"}},
	{"internal/app", []string{"internal/..."}},
	{"internal/store", nil},
	{"internal/store/...", []string{"internal/store"}},
	{"internal/storetest", []string{"internal/store"}},
	{"pkg/fault", nil},
}

func faultsOf(t *testing.T, changed map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{}
	for name, text := range sound {
		files[name] = text
	}
	for name, text := range changed {
		files[name] = text
	}
	for name, text := range files {
		if text == "" {
			continue // this case has no such file
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	all = append(all, directions(m, soundLayers)...)
	all = append(all, comments(m)...)
	all = append(all, names(m)...)
	all = append(all, sizes(m, nil)...)
	return strings.Join(all, "\n")
}

func TestRulesFindFaults(t *testing.T) {
	if faults := faultsOf(t, nil); faults != "" {
		t.Fatalf("the sound module has faults:\n%s", faults)
	}
	importing := func(pkg, imported string) string {
		return "// Package " + pkg + " is bad.\npackage " + pkg + "\n\nimport _ \"" + module + "/" + imported + "\"\n"
	}
	for name, test := range map[string]struct {
		changed map[string]string
		want    string
	}{
		"an import against the direction": {
			map[string]string{"internal/store/store.go": importing("store", "internal/store/disk")},
			"internal/store must not import internal/store/disk",
		},
		"an import on another system only": {
			map[string]string{"internal/store/disk/d_windows.go": "package disk\n\nimport _ \"" + module + "/internal/app\"\n"},
			"d_windows.go: internal/store/disk must not import internal/app",
		},
		"a public package that needs an internal one": {
			map[string]string{"pkg/fault/fault.go": importing("fault", "internal/store")},
			"pkg/fault must not import internal/store",
		},
		"a test suite in a program": {
			map[string]string{"internal/app/app.go": importing("app", "internal/storetest")},
			"which is for tests",
		},
		"a package without a layer": {
			map[string]string{"internal/new/new.go": "// Package new is new.\npackage new\n"},
			"internal/new has no place",
		},
		"a package that has gone": {
			map[string]string{"internal/storetest/s.go": ""},
			"names internal/storetest, which is not there",
		},
		"no package comment": {
			map[string]string{"pkg/fault/fault.go": "package fault\n"},
			"pkg/fault has 0 package comments",
		},
		"two package comments": {
			map[string]string{"pkg/fault/more.go": "// Package fault is more.\npackage fault\n"},
			"pkg/fault has 2 package comments",
		},
		"a comment that begins otherwise": {
			map[string]string{"cmd/tool/main.go": "// Package main is a tool.\npackage main\n\nimport _ \"" + module + "/internal/app\"\n"},
			`must begin with "Command tool "`,
		},
		"a name that says nothing": {
			map[string]string{"internal/store/util/u.go": "// Package util is things.\npackage util\n"},
			`"util" says nothing`,
		},
		"a name that is not the folder's": {
			map[string]string{"internal/store/disk/d.go": "// Package files is files.\npackage files\n"},
			"package files is in a folder named disk",
		},
		"a long file": {
			map[string]string{"pkg/fault/long.go": "package fault\n" + strings.Repeat("//\n", maxFileLines)},
			"pkg/fault/long.go has 501 lines",
		},
		"a long package": {
			map[string]string{
				"pkg/fault/a.go": "package fault\n" + strings.Repeat("//\n", 490), "pkg/fault/b.go": "package fault\n" + strings.Repeat("//\n", 490),
				"pkg/fault/c.go": "package fault\n" + strings.Repeat("//\n", 490), "pkg/fault/d.go": "package fault\n" + strings.Repeat("//\n", 490),
			},
			"pkg/fault has 1966 lines",
		},
		"a long main function": {
			map[string]string{"cmd/tool/main.go": sound["cmd/tool/main.go"] + strings.Repeat("//\n", maxMainLines)},
			"cmd/tool/main.go has 19 lines",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if faults := faultsOf(t, test.changed); !strings.Contains(faults, test.want) {
				t.Errorf("faults:\n%s\nwant %q", faults, test.want)
			}
		})
	}
}

func TestRulesFindHeavyDependencies(t *testing.T) {
	found := weight([]string{"fmt", "github.com/docker/docker/client", "github.com/docker/dockerfile"}, heavy)
	if len(found) != 1 || !strings.Contains(found[0], "github.com/docker/docker/client") {
		t.Errorf("faults: %q", found)
	}
}

func TestExceptionsMustBeNeeded(t *testing.T) {
	m := &sources{packages: map[string]*goPackage{"pkg/x": {files: []goFile{{path: "pkg/x/x.go", lines: 600}}}}}
	for name, test := range map[string]struct {
		larger map[string]exception
		want   string
	}{
		"enough":    {map[string]exception{"pkg/x/x.go": {600, "a table"}}, ""},
		"too small": {map[string]exception{"pkg/x/x.go": {599, "a table"}}, "600 lines"},
		"no reason": {map[string]exception{"pkg/x/x.go": {600, ""}}, "gives no reason"},
		"unused":    {map[string]exception{"pkg/x/x.go": {600, "a table"}, "pkg/x/y.go": {600, "a table"}}, "pkg/x/y.go does not need"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(sizes(m, test.larger), "\n")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("faults %q, want %q", got, test.want)
			}
		})
	}
}
