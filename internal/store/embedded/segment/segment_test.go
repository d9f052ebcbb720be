package segment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func openLog(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func text(n int) string { return fmt.Sprintf(`{"item":%d,"pad":%q}`, n, strings.Repeat("x", n%50)) }

// fill appends the items from up to to, each append with several.
func fill(t testing.TB, l *Log, from, to int) {
	t.Helper()
	for n := from; n < to; {
		var items [][]byte
		for range min(7, to-n) {
			items = append(items, []byte(text(n)))
			n++
		}
		if err := l.Append(items, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// read gives the items with their numbers' text, "?" for a damaged one.
func read(t testing.TB, l *Log, from, to int, desc bool) (all []string) {
	t.Helper()
	for item, err := range l.Read(context.Background(), from, to, desc) {
		var damage *DamageError
		switch {
		case errors.As(err, &damage):
			all = append(all, "?")
		case err != nil:
			t.Fatal(err)
		default:
			all = append(all, string(item))
		}
	}
	return all
}

func wants(from, to int) (all []string) {
	for n := from; n < to; n++ {
		all = append(all, text(n))
	}
	return all
}

func wantItems(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %d items %.300q, want %d %.300q", what, len(got), got, len(want), want)
	}
}

func TestAppendAndRead(t *testing.T) {
	for _, o := range []Options{{}, {Size: 1}, {Size: 700}, {Size: 5000, Relaxed: true}} {
		dir := filepath.Join(t.TempDir(), "a", "b")
		l := openLog(t, dir, o)
		wantItems(t, "empty", read(t, l, 0, 10, false), nil)
		fill(t, l, 0, 1500)
		for range 2 {
			if l.Count() != 1500 {
				t.Fatalf("count %d", l.Count())
			}
			wantItems(t, "all", read(t, l, -5, 9999, false), wants(0, 1500))
			down := wants(0, 1500)
			slices.Reverse(down)
			wantItems(t, "all downwards", read(t, l, 0, 1500, true), down)
			wantItems(t, "a part", read(t, l, 700, 703, false), wants(700, 703))
			wantItems(t, "a part downwards", read(t, l, 700, 703, true), down[1500-703:1500-700])
			wantItems(t, "nothing", read(t, l, 1500, 1600, false), nil)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if err := l.Append([][]byte{[]byte("x")}, nil); !errors.Is(err, ErrClosed) {
				t.Fatalf("append after closing: %v", err)
			}
			l = openLog(t, dir, o)
		}
		fill(t, l, 1500, 1600)
		wantItems(t, "after reopening", read(t, l, 1490, 1600, false), wants(1490, 1600))
		// Without indexes everything is found again.
		l.Close()
		indexes, _ := filepath.Glob(filepath.Join(dir, "*.idx"))
		for _, path := range indexes {
			os.Remove(path)
		}
		l = openLog(t, dir, o)
		wantItems(t, "without indexes", read(t, l, 0, 1600, false), wants(0, 1600))
		l.Close()
	}
}

func TestLargeItems(t *testing.T) {
	l := openLog(t, t.TempDir(), Options{Size: 1 << 20})
	large := strings.Repeat("y", pageBytes+5)
	for range 3 {
		if err := l.Append([][]byte{[]byte("a"), []byte(large), []byte("b")}, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"a", large, "b", "a", large, "b", "a", large, "b"}
	wantItems(t, "up", read(t, l, 0, 9, false), want)
	slices.Reverse(want)
	wantItems(t, "down", read(t, l, 0, 9, true), want)
}

func TestConcurrentAppends(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir, Options{Size: 2000})
	var wg sync.WaitGroup
	const writers, each = 8, 40
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				if err := l.Append([][]byte{fmt.Appendf(nil, "%d %d", w, n), fmt.Appendf(nil, "%d %d!", w, n)}, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			read(t, l, 0, l.Count(), false)
		}
	})
	wg.Wait()
	l.Close()
	l = openLog(t, dir, Options{})
	all := read(t, l, 0, l.Count(), false)
	if len(all) != 2*writers*each {
		t.Fatalf("%d items", len(all))
	}
	next := map[string]int{}
	for i := 0; i < len(all); i += 2 {
		w, _, _ := strings.Cut(all[i], " ")
		if all[i] != fmt.Sprintf("%s %d", w, next[w]) || all[i+1] != all[i]+"!" {
			t.Fatalf("items %d: %q %q", i, all[i], all[i+1])
		}
		next[w]++
	}
}

// crashed writes a log, leaves as a killed process does, and shortens or harms the
// only segment.
func crashed(t *testing.T, items int, harm func(data []byte) []byte) *Log {
	t.Helper()
	dir := t.TempDir()
	l := openLog(t, dir, Options{})
	fill(t, l, 0, items)
	path := filepath.Join(dir, part{}.name())
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, harm(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return openLog(t, dir, Options{})
}

// Whatever byte the end is torn at, whole appends stay and nothing else.
func TestTornEnd(t *testing.T) {
	var whole int
	crashed(t, 21, func(data []byte) []byte { whole = len(data); return data })
	for size := 0; size <= whole; size += 13 {
		for _, garbage := range []string{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "garbage that is no frame"} {
			l := crashed(t, 21, func(data []byte) []byte { return append(data[:size:size], garbage...) })
			n := l.Count()
			if n%7 != 0 || size == whole && n != 21 || size < whole && n == 21 {
				t.Fatalf("cut at %d of %d: %d items", size, whole, n)
			}
			if size < whole && n < 14 && l.Cut() == 0 && size > 0 && l.end != int64(size) {
				t.Fatalf("cut at %d: nothing was said to be cut", size)
			}
			fill(t, l, n, n+7)
			l.Close()
			l = openLog(t, l.dir, Options{})
			wantItems(t, fmt.Sprintf("cut at %d, then appended", size), read(t, l, 0, 99, false), wants(0, n+7))
		}
	}
}

// Damage before the last commit is not a torn end: the rest stays.
func TestDamage(t *testing.T) {
	for name, harm := range map[string]func(data []byte, at int){
		"a flipped bit in an item":   func(data []byte, at int) { data[at+headerSize] ^= 1 },
		"a flipped bit in a length":  func(data []byte, at int) { data[at+5] ^= 0x40 },
		"a flipped bit in a number":  func(data []byte, at int) { data[at] ^= 1 },
		"zeros over several items":   func(data []byte, at int) { clear(data[at : at+100]) },
		"a header that says it all ": func(data []byte, at int) { copy(data[at+4:], "\xff\xff\xff\x3f") },
	} {
		t.Run(name, func(t *testing.T) {
			at := 0
			for n := range 30 { // to the frame of item 30
				at += headerSize + len(text(n))
			}
			l := crashed(t, 70, func(data []byte) []byte { harm(data, at); return data })
			if l.Count() != 70 {
				t.Fatalf("count %d", l.Count())
			}
			check := func() {
				t.Helper()
				got := read(t, l, 0, 70, false)
				lost := 0
				for n, item := range got {
					if item == "?" {
						lost++
						if n < 29 || n > 35 {
							t.Errorf("item %d is lost", n)
						}
					} else if item != text(n) {
						t.Errorf("item %d is %q", n, item)
					}
				}
				if lost == 0 || lost > 5 || len(got) != 70 {
					t.Errorf("%d of %d items are lost", lost, len(got))
				}
				slices.Reverse(got)
				wantItems(t, "downwards", read(t, l, 0, 70, true), got)
			}
			check()
			for _, err := range l.Read(t.Context(), 30, 31, false) {
				var damage *DamageError
				if !errors.As(err, &damage) || damage.Item != 30 || damage.Offset > int64(at) || damage.Segment != "000000000000.seg" {
					t.Errorf("damage %v, want item 30 at %d", err, at)
				}
			}
			fill(t, l, 70, 75)
			l.Close()
			l = openLog(t, l.dir, Options{Size: 1})
			check()
			wantItems(t, "what was added", read(t, l, 70, 75, false), wants(70, 75))
			// The damaged segment is no longer the last one.
			fill(t, l, 75, 90)
			os.Remove(filepath.Join(l.dir, "000000000000.idx"))
			check()
			os.WriteFile(filepath.Join(l.dir, "000000000000.idx"), []byte("nonsense"), 0o600)
			check()
			l.Close()
		})
	}
}

func TestMissingSegment(t *testing.T) {
	l := openLog(t, t.TempDir(), Options{Size: 1})
	fill(t, l, 0, 28) // four segments
	l.Close()
	for _, lost := range []int{7, 0} {
		for _, suffix := range []string{".seg", ".idx"} {
			os.Remove(filepath.Join(l.dir, fmt.Sprintf("%012d", lost)+suffix))
		}
		l = openLog(t, l.dir, Options{})
		got := read(t, l, 0, 28, false)
		if len(got) != 28 || got[lost] != "?" || got[lost+6] != "?" || got[14] != text(14) || got[27] != text(27) {
			t.Fatalf("without segment %d: %q", lost, got)
		}
		down := read(t, l, 0, 28, true)
		slices.Reverse(down)
		wantItems(t, "downwards", down, got)
		l.Close()
	}
}

func FuzzScan(f *testing.F) {
	var sound []byte
	for n := range 9 {
		flags := uint32(0)
		if n%3 == 0 {
			flags |= firstOfCommit
		}
		if n%3 == 2 {
			flags |= lastOfAppend
		}
		sound = appendFrame(sound, uint32(n), flags, []byte(text(n)))
	}
	f.Add(sound, []byte("GRIX"))
	f.Add(append(sound[:50:50], sound[60:]...), index{[]uint32{0, 40, missing}, 90}.bytes())
	f.Add(make([]byte, 64), []byte{})
	f.Fuzz(func(t *testing.T, data, idx []byte) {
		s := scan(data, 0, 0)
		if s.end < 0 || s.end > int64(len(data)) || len(s.offsets) > len(data)/headerSize+1+len(s.faults) {
			t.Fatalf("end %d, %d items in %d bytes", s.end, len(s.offsets), len(data))
		}
		for n, offset := range s.offsets {
			if offset == missing {
				continue
			}
			if got, ok := readFrame(data[offset:]); !ok || int(got.number) != n {
				t.Fatalf("item %d at %d is none", n, offset)
			}
		}
		if x, ok := parseIndex(idx); ok && len(x.offsets) > len(idx)/4 {
			t.Fatalf("%d items in an index of %d bytes", len(x.offsets), len(idx))
		}
	})
}
