package hostport

import (
	"net"
	"testing"
)

func TestFreePrefersButNeverGivesATakenPort(t *testing.T) {
	first, err := Free(0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Free(first); err != nil || got != first {
		t.Errorf("Free(%d) = %d, %v; the port is free", first, got, err)
	}
	for _, host := range []string{"127.0.0.1", "0.0.0.0"} {
		l, err := net.Listen("tcp4", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		taken := l.Addr().(*net.TCPAddr).Port
		got, err := Free(taken)
		if err != nil || got == taken || got == 0 {
			t.Errorf("Free(%d) = %d, %v; it is taken on %s", taken, got, err, host)
		}
		l.Close()
	}
}
