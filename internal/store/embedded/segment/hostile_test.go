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

// TestRepair harms segments at random: after a repair all items are there, those
// that were not harmed as they were, and there is nothing left to find.
func TestRepair(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	repaired := 0
	for round := range 40 {
		dir := t.TempDir()
		l := openLog(t, dir, Options{Size: 600, Relaxed: true})
		fill(t, l, 0, 40)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 6 {
			t.Fatal(files, err)
		}
		for range 1 + random.IntN(3) {
			file := files[random.IntN(len(files))]
			data, err := os.ReadFile(file)
			if err != nil || len(data) == 0 {
				continue
			}
			if data[random.IntN(len(data))] ^= byte(1 + random.IntN(255)); random.IntN(10) == 0 {
				os.Remove(file)
			} else if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, err := Check(dir, false)
		if err != nil {
			t.Fatal(err)
		}
		found, err := Check(dir, true)
		if err != nil || len(found.Damage) != len(before.Damage) || found.Lost != before.Lost {
			t.Fatalf("round %d: repairing found %+v, %v, looking %+v", round, found, err, before)
		}
		repaired += found.Lost
		after, err := Check(dir, false)
		if err != nil || len(after.Damage)+len(after.Indexes) > 0 || after.Torn > 0 || after.Items != found.Items {
			t.Fatalf("round %d: after repairing %+v there is %+v, %v", round, found, after, err)
		}
		l = openLog(t, dir, Options{Relaxed: true})
		if l.Count() != found.Items {
			t.Fatalf("round %d: %d items, the check says %d", round, l.Count(), found.Items)
		}
		lost := 0
		for n, got := range read(t, l, 0, l.Count(), false) {
			if got == string(Placeholder) {
				lost++
			} else if got != text(n) {
				t.Fatalf("round %d: item %d is %q", round, n, got)
			}
		}
		if lost != found.Lost {
			t.Fatalf("round %d: %d placeholders for %d lost items", round, lost, found.Lost)
		}
		if err := l.Append([][]byte{[]byte("more")}, nil); err != nil {
			t.Fatal(err)
		}
		if got := read(t, l, found.Items, found.Items+1, false); len(got) != 1 || got[0] != "more" {
			t.Fatalf("round %d: after appending: %q", round, got)
		}
		l.Close()
	}
	if repaired < 15 {
		t.Errorf("only %d items were repaired", repaired)
	}
}
