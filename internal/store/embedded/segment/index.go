package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
)

// An index file says where the items of a segment are, so that reading a page
// costs the page. It can always be made again from the segment.
//
//	"GRIX"  what it is
//	uint32  how many items
//	uint64  where the last of them ends
//	uint32… the offset of each, missing for one that is damaged
//	uint32  CRC-32C of all that
const (
	indexMagic  = "GRIX"
	indexHeader = 16
)

// index is the content of an index file. Items behind its end may follow in the
// segment.
type index struct {
	offsets []uint32
	end     int64
}

func (x index) bytes() []byte {
	b := make([]byte, 0, indexHeader+4*len(x.offsets)+4)
	b = append(b, indexMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(x.offsets)))
	b = binary.LittleEndian.AppendUint64(b, uint64(x.end))
	for _, offset := range x.offsets {
		b = binary.LittleEndian.AppendUint32(b, offset)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// parseIndex reads an index file; ok is false for one that is not whole.
func parseIndex(data []byte) (x index, ok bool) {
	count, end, ok := parseIndexHeader(data)
	if !ok || len(data) != indexHeader+4*count+4 {
		return index{}, false
	}
	body, sum := data[:len(data)-4], data[len(data)-4:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(sum) {
		return index{}, false
	}
	return index{decodeOffsets(body[indexHeader:]), end}, true
}

func parseIndexHeader(data []byte) (count int, end int64, ok bool) {
	if len(data) < indexHeader || !bytes.HasPrefix(data, []byte(indexMagic)) {
		return 0, 0, false
	}
	count, end = int(binary.LittleEndian.Uint32(data[4:])), int64(binary.LittleEndian.Uint64(data[8:]))
	return count, end, end >= 0
}

func decodeOffsets(data []byte) []uint32 {
	offsets := make([]uint32, len(data)/4)
	for i := range offsets {
		offsets[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return offsets
}

var errNoIndex = errors.New("there is no whole index")

// readIndexPart reads the offsets of the items from up to to of a segment with
// count items, and where the last one of these ends (missing when only its own
// header can tell). It reads nothing else, so it cannot check the sum: each
// frame says itself whether the offset was right.
func readIndexPart(path string, count, from, to int) (offsets []uint32, end int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	var header [indexHeader]byte
	if _, err := f.ReadAt(header[:], 0); err != nil {
		return nil, 0, errNoIndex
	}
	n, all, ok := parseIndexHeader(header[:])
	if !ok || n != count || info.Size() != int64(indexHeader+4*count+4) {
		return nil, 0, errNoIndex
	}
	data := make([]byte, 4*(min(to+1, count)-from))
	if _, err := f.ReadAt(data, int64(indexHeader+4*from)); err != nil {
		return nil, 0, err
	}
	offsets, end = decodeOffsets(data), all
	if to < count {
		end = int64(offsets[to-from])
		offsets = offsets[:to-from]
	}
	return offsets, end, nil
}
