package cmdkit

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestUserData(t *testing.T) {
	home := filepath.Join(t.TempDir(), "me")
	other := filepath.Join(t.TempDir(), "data")
	for _, test := range []struct {
		system string
		env    map[string]string
		want   string
	}{
		{"linux", map[string]string{"HOME": home}, filepath.Join(home, ".local", "share")},
		{"linux", map[string]string{"HOME": home, "XDG_DATA_HOME": other}, other},
		{"freebsd", map[string]string{"HOME": home, "XDG_DATA_HOME": "relative"}, filepath.Join(home, ".local", "share")},
		{"darwin", map[string]string{"HOME": home, "XDG_DATA_HOME": other}, filepath.Join(home, "Library", "Application Support")},
		{"windows", map[string]string{"LocalAppData": other}, other},
		{"windows", nil, ""}, {"linux", nil, ""}, {"darwin", nil, ""},
	} {
		got, err := userData(test.system, func(name string) string { return test.env[name] })
		if got != test.want || (test.want == "") != fault.Is(err, fault.Usage) {
			t.Errorf("%s %v: %q, %v", test.system, test.env, got, err)
		}
	}
}

func TestDataDir(t *testing.T) {
	home := t.TempDir()
	env := func(name string) string {
		return map[string]string{"HOME": home, "LocalAppData": home}[name]
	}
	got, err := DataDir("", env)
	if err != nil || filepath.Base(got) != "greenroom" || !filepath.IsAbs(got) || len(got) <= len(home) {
		t.Errorf("%q, %v", got, err)
	}
	t.Chdir(home)
	got, err = DataDir("here", env)
	want := filepath.Join(home, "here")
	if runtime.GOOS == "darwin" { // temporary directories lie behind a link
		want, got = filepath.Base(want), filepath.Base(got)
	}
	if err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
}
