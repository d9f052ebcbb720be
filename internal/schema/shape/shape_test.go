package shape

import "testing"

func TestClosest(t *testing.T) {
	allowed := []string{"name", "title", "version", "keyValueStore", "run"}
	for wrong, want := range map[string]string{
		"nmae": "name", "nam": "name", "naem": "name", "name1": "name", "Name": "name", "versoin": "version", "versions": "version",
		"keyvaluestore": "keyValueStore", "keyValueStroes": "keyValueStore", "rnu": "run", "runn": "run",
		"": "", "x": "", "test": "", "nothing": "", "meta": "",
	} {
		if got := Closest(wrong, allowed); got != want {
			t.Errorf("%q is closest to %q, want %q", wrong, got, want)
		}
	}
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "acb", 1}, {"ca", "abc", 3}, {"kitten", "sitting", 3}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q in %d steps, want %d", test.a, test.b, got, test.want)
		}
	}
}
