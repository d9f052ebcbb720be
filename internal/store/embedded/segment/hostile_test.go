package segment

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestHostileFiles opens, reads and adds to files that may hold anything, an
// index with a sum that is right among them.
func TestHostileFiles(t *testing.T) {
	var sound []byte
	var offsets []uint32
	for n := range 40 {
		offsets = append(offsets, uint32(len(sound)))
		sound = appendFrame(sound, uint32(n), firstOfCommit|lastOfAppend, []byte(text(n)))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		data, x := append([]byte{}, sound...), index{append([]uint32{}, offsets[:30]...), int64(offsets[30])}
		for range random.IntN(6) {
			data[random.IntN(len(data))] = byte(random.Uint32())
		}
		data = data[:random.IntN(len(data)+1)]
		for range random.IntN(4) {
			x.offsets[random.IntN(len(x.offsets))] = random.Uint32() >> random.IntN(32)
		}
		if random.IntN(3) == 0 {
			x.end = int64(random.Uint64() >> (1 + random.IntN(62)))
		}
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, "000000000000.seg"), data, 0o600)
		if random.IntN(2) == 0 {
			os.WriteFile(filepath.Join(dir, "000000000000.idx"), x.bytes(), 0o600)
		}
		if random.IntN(2) == 0 { // then it is a segment with a known number of items
			os.WriteFile(filepath.Join(dir, "000000000030.seg"), nil, 0o600)
		}
		start := time.Now()
		l, err := Open(dir, Options{Relaxed: true})
		if err != nil {
			t.Fatal(err)
		}
		n := l.Count()
		for _, desc := range []bool{false, true} {
			if got := read(t, l, 0, n, desc); len(got) != n {
				t.Fatalf("round %d: %d of %d items", round, len(got), n)
			}
		}
		if err := l.Append([][]byte{[]byte("more")}, nil); err == nil {
			if got := read(t, l, n, n+1, false); len(got) != 1 || got[0] != "more" {
				t.Fatalf("round %d: after appending: %q", round, got)
			}
		}
		l.Close()
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("round %d took %v", round, d)
		}
	}
}
