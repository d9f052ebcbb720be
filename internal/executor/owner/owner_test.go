package owner

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("OWNER_TEST_SLEEP") != "" {
		time.Sleep(time.Minute)
		return
	}
	os.Exit(m.Run())
}

func TestStateFollowsTheProcess(t *testing.T) {
	if got := Self().State(); got != Alive {
		t.Errorf("this process: %v", got)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "OWNER_TEST_SLEEP=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := Self()
	o.PID = cmd.Process.Pid
	start, known := StartOf(o.PID)
	if !known || start == "" {
		t.Fatalf("start %q, known %v", start, known)
	}
	o.Start = start
	if got := o.State(); got != Alive {
		t.Errorf("a running child: %v", got)
	}
	reused := o
	reused.Start = start + "0"
	if got := reused.State(); got != Gone {
		t.Errorf("another process with the same id: %v", got)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Nobody has asked for the exit status yet, so the process is still listed.
	for deadline := time.Now().Add(5 * time.Second); o.State() == Alive && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	if got := o.State(); got != Gone {
		t.Errorf("killed, not waited for: %v", got)
	}
	_ = cmd.Wait()
	if got := o.State(); got != Gone {
		t.Errorf("killed: %v", got)
	}
}

func TestStateOfOthers(t *testing.T) {
	far := Self()
	far.Machine = "0123456789abcdef"
	if got := far.State(); got != Foreign {
		t.Errorf("another machine: %v", got)
	}
	before := Self()
	before.Boot = "before"
	if got := before.State(); got != Earlier {
		t.Errorf("an earlier boot: %v", got)
	}
}

func TestParse(t *testing.T) {
	if got, ok := Parse(Self().String()); !ok || got != Self() {
		t.Errorf("Parse(%q) = %+v, %v", Self().String(), got, ok)
	}
	for _, s := range []string{"", "a/b/c/d", "a/b/0/d", "a/b/-1/d", "a/b/1/", "/b/1/d", "a//1/d", "a/b/1/d/e", "a/b/1"} {
		if got, ok := Parse(s); ok {
			t.Errorf("Parse(%q) = %+v", s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Self().String())
	f.Add("a/b/1/d")
	f.Add("////")
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := Parse(s)
		if !ok {
			return
		}
		if again, ok := Parse(o.String()); !ok || again != o {
			t.Errorf("%q gave %+v, then %+v, %v", s, o, again, ok)
		}
	})
}
