package kernellog

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOutOfMemory(t *testing.T) {
	const id = "3f2a9c"
	for _, c := range []struct {
		name, log string
		want      bool
	}{
		{"the machine", "6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=x,mems_allowed=0,global_oom,task_memcg=/docker/3f2a9c,task=node,pid=7,uid=0\n", true},
		{"a limit", "6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/docker/3f2a9c,task_memcg=/docker/3f2a9c,task=node,pid=7,uid=0\n", false},
		{"somebody else", "6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task_memcg=/docker/aaaaaa,task=node,pid=7,uid=0\n", false},
		{"nothing", "6,1,2,-;eth0: link up 3f2a9c\n", false},
	} {
		file := filepath.Join(t.TempDir(), "kmsg")
		if err := os.WriteFile(file, []byte(c.log), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := OutOfMemory(file, id); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if OutOfMemory(filepath.Join(t.TempDir(), "none"), id) {
		t.Error("a log that cannot be read tells something")
	}
}
