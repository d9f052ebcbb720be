package segment

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is one item in a segment file:
//
//	uint32  the item's number, counted from the segment's first item
//	uint32  the length of the item, with the two flags in its highest bits
//	uint32  CRC-32C of the eight bytes above and the item
//	…       the item
//
// all little-endian. The number ties a frame to its place, so that what an
// earlier file left on the disk is never taken for an item.
const (
	headerSize = 12

	// lastOfAppend marks the last item of an append: one without it after the
	// end of the file was not finished.
	lastOfAppend = 1 << 31
	// firstOfCommit marks the first item written after an fsync: everything
	// before it was on the disk, so a fault there is damage, not a torn end.
	firstOfCommit = 1 << 30

	// MaxItem is how long an item may be, in bytes.
	MaxItem = 1<<30 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame adds the frame of an item to buf.
func appendFrame(buf []byte, number, flags uint32, item []byte) []byte {
	start := len(buf)
	buf = binary.LittleEndian.AppendUint32(buf, number)
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(item))|flags)
	sum := crc32.Checksum(buf[start:], castagnoli)
	sum = crc32.Update(sum, castagnoli, item)
	buf = binary.LittleEndian.AppendUint32(buf, sum)
	return append(buf, item...)
}

// frame is a frame that was read.
type frame struct {
	number uint32
	flags  uint32
	item   []byte // part of the bytes it was read from
}

func (f frame) size() int { return headerSize + len(f.item) }

// readFrame reads the frame at the start of data; ok is false when there is
// none that is whole and unharmed.
func readFrame(data []byte) (f frame, ok bool) {
	if len(data) < headerSize {
		return frame{}, false
	}
	word := binary.LittleEndian.Uint32(data[4:])
	length := int(word & MaxItem)
	if length > len(data)-headerSize {
		return frame{}, false
	}
	item := data[headerSize : headerSize+length]
	sum := crc32.Checksum(data[:8], castagnoli)
	if crc32.Update(sum, castagnoli, item) != binary.LittleEndian.Uint32(data[8:]) {
		return frame{}, false
	}
	return frame{binary.LittleEndian.Uint32(data), word &^ MaxItem, item}, true
}

// missing is the offset of an item that cannot be found.
const missing = ^uint32(0)

// scanned is what a look through a segment found.
type scanned struct {
	offsets []uint32 // of each item in the file, missing for what is damaged
	// end is where the next frame belongs; bytes from there on are a torn end.
	end int64
	// faults are where unreadable bytes begin that had been on the disk.
	faults []int64
}

// scan finds the items in bytes of a segment, whatever these are. They begin at
// offset base of the file with the item of the given number.
//
// What follows the last whole append is a torn end, unless a later commit
// proves that it had been on the disk: then it is damage, and what can be read
// behind it counts.
func scan(data []byte, base int64, number int) scanned {
	var s, whole scanned
	whole.end = base
	reached := func(pos int) { whole = scanned{s.offsets, base + int64(pos), s.faults} }
	for pos := 0; pos < len(data); {
		f, ok := readFrame(data[pos:])
		if !ok || int64(f.number) != int64(number+len(s.offsets)) {
			at := pos
			f, pos, ok = resume(data, pos, number+len(s.offsets))
			if !ok {
				break
			}
			for number+len(s.offsets) < int(f.number) {
				s.offsets = append(s.offsets, missing)
			}
			s.faults = append(s.faults, base+int64(at))
		}
		if f.flags&firstOfCommit != 0 {
			reached(pos)
		}
		s.offsets = append(s.offsets, uint32(base+int64(pos)))
		pos += f.size()
		if f.flags&lastOfAppend != 0 && len(s.faults) == len(whole.faults) {
			reached(pos)
		}
	}
	return whole
}

// resume looks behind at for the next whole frame whose number can be right.
func resume(data []byte, at, number int) (f frame, pos int, ok bool) {
	// Bytes that look like many long frames must not cost the square of their
	// number.
	budget := 8*len(data) + 1<<20
	for pos = at + 1; pos+headerSize <= len(data) && budget > 0; pos++ {
		n := int64(binary.LittleEndian.Uint32(data[pos:]))
		// What was lost had at least its headers, which bounds the number.
		if n < int64(number) || n > int64(number)+int64((pos-at)/headerSize)+1 {
			continue
		}
		length := int(binary.LittleEndian.Uint32(data[pos+4:]) & MaxItem)
		if length > len(data)-pos-headerSize {
			continue
		}
		budget -= length
		if f, ok = readFrame(data[pos:]); ok {
			return f, pos, true
		}
	}
	return frame{}, 0, false
}
