package dispatch

import "testing"

func TestAllow(t *testing.T) {
	allow := func(list ...string) Allow {
		t.Helper()
		a, err := ParseAllow(list)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	none, loopback, some, all := allow(), allow(" loopback "), allow("10.0.0.0/8", "192.168.1.7", "fd00::/8", ""), allow("any")
	for _, c := range []struct {
		allow   Allow
		address string
		byRun   bool
		want    bool
	}{
		{none, "93.184.216.34:443", true, true}, {none, "[2606:2800:220:1::1]:443", true, true},
		{none, "127.0.0.1:80", false, true}, {none, "[::1]:80", false, true}, {none, "127.0.0.1:80", true, false}, {none, "[::ffff:127.0.0.1]:80", true, false},
		{loopback, "127.0.0.1:80", true, true}, {loopback, "10.0.0.1:80", true, false},
		{none, "10.0.0.1:80", false, false}, {none, "172.16.0.1:80", false, false}, {none, "192.168.1.7:80", false, false}, {none, "169.254.169.254:80", false, false},
		{none, "100.64.0.1:80", false, false}, {none, "0.0.0.0:80", false, false}, {none, "[::]:80", false, false}, {none, "[fe80::1%eth0]:80", false, false},
		{none, "[fd00::1]:80", false, false}, {none, "224.0.0.1:80", false, false}, {none, "255.255.255.255:80", false, false},
		{none, "[::ffff:10.0.0.1]:80", false, false}, {none, "[64:ff9b::a00:1]:80", false, false}, {none, "[2002:a00:1::]:80", false, false},
		{some, "10.1.2.3:80", true, true}, {some, "192.168.1.7:80", false, true}, {some, "192.168.1.8:80", false, false}, {some, "[fd12::1]:80", true, true},
		{all, "169.254.169.254:80", true, true}, {none, "nonsense", false, false},
	} {
		if err := c.allow.check(c.address, c.byRun); (err == nil) != c.want {
			t.Errorf("%s by a run: %t: %v", c.address, c.byRun, err)
		}
	}
	for _, text := range []string{"example.com", "10.0.0.0/40", "10.0.0", "LOOPBACK"} {
		if _, err := ParseAllow([]string{text}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
