package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"orchestra/orch"
)

// A record is what was found of content, to be believed later instead of reading all of it again:
// which parts are right, and by what it is seen that the files still are what they were then. It
// is written beside unfinished content (journal.go) and kept in the user's cache for content that
// has its name (records.go). This file is pure: it says what a record is, and whom to believe.
type record struct {
	seq uint64 // of two records of one content, the one with the greater number is the later one
	// clean tells that nothing was written to the files after it was made. One that is not clean
	// was made while content came in.
	clean bool
	// all tells that what it does not name was looked at too, and is not there.
	all   bool
	made  int64 // when, in nanoseconds since 1970
	read  int64 // since when all that it names is known from the content itself, likewise
	files []stamp
	have  []byte // a bit for each part that is right, as in a bitfield message
}

// The form of a record, in bytes; numbers are big-endian. How long it is, the composition says.
//
//	 0  8  "orchrec\x01"
//	 8 20  ID of the composition
//	28  4  number of files
//	32  8  seq
//	40  8  made
//	48  8  read
//	56  8  flags: 1 clean, 2 all
//	64 24  for each file: id, size, time of the stamp
//	 .  .  a bit for each part, those left over are zero
//	 . 32  SHA-256 of all that
const (
	recordMagic = "orchrec\x01"
	recordHead  = 64
	recordStamp = 24

	flagClean = 1
	flagAll   = 2
)

// mostRecord is how long a record may be: enough for 600,000 files. Longer ones are not made, and
// content of which they would be is checked in full.
const mostRecord = 16 << 20

// recordLen is how long the record of a composition is.
func recordLen(files, parts int) int64 {
	return recordHead + recordStamp*int64(files) + int64(parts+7)/8 + sha256.Size
}

func (r *record) encode(id orch.ID, parts int) []byte {
	b := make([]byte, 0, recordLen(len(r.files), parts))
	b = append(b, recordMagic...)
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.files)))
	b = binary.BigEndian.AppendUint64(b, r.seq)
	b = binary.BigEndian.AppendUint64(b, uint64(r.made))
	b = binary.BigEndian.AppendUint64(b, uint64(r.read))
	var flags uint64
	if r.clean {
		flags |= flagClean
	}
	if r.all {
		flags |= flagAll
	}
	b = binary.BigEndian.AppendUint64(b, flags)
	for _, m := range r.files {
		b = binary.BigEndian.AppendUint64(b, m.id)
		b = binary.BigEndian.AppendUint64(b, uint64(m.size))
		b = binary.BigEndian.AppendUint64(b, uint64(m.time))
	}
	b = append(b, r.have...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

var errNoRecord = errors.New("it is no record of this content, or is torn")

// decodeRecord reads the record of a composition. All of it must be as encode writes it.
func decodeRecord(b []byte, id orch.ID, files, parts int) (*record, error) {
	if int64(len(b)) != recordLen(files, parts) {
		return nil, errNoRecord
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if is := sha256.Sum256(body); !bytes.Equal(is[:], sum) {
		return nil, errNoRecord
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(body[at:]) }
	flags := u64(56)
	if string(body[:8]) != recordMagic || orch.ID(body[8:28]) != id ||
		binary.BigEndian.Uint32(body[28:]) != uint32(files) || flags&^(flagClean|flagAll) != 0 {
		return nil, errNoRecord
	}
	r := &record{
		seq: u64(32), made: int64(u64(40)), read: int64(u64(48)),
		clean: flags&flagClean != 0, all: flags&flagAll != 0,
		files: make([]stamp, files),
	}
	for i := range r.files {
		at := recordHead + recordStamp*i
		r.files[i] = stamp{u64(at), int64(u64(at + 8)), int64(u64(at + 16))}
	}
	r.have = slices.Clone(body[recordHead+recordStamp*files:])
	if left := parts % 8; left != 0 && r.have[len(r.have)-1]&(0xff>>left) != 0 {
		return nil, errNoRecord
	}
	return r, nil
}

// isRecord reports whether what a file begins with is a record, of whatever content.
func isRecord(b []byte) bool { return bytes.HasPrefix(b, []byte(recordMagic)) }

// holds reports whether a file is still what it was when the record was made, as far as its stamp
// tells. What was written to since may have grown, up to most bytes, and is not older.
func (r *record) holds(file int, now stamp, most int64) bool {
	was := r.files[file]
	switch {
	case was.size < 0 || now.size < 0 || was.id != now.id:
		return false
	case r.clean:
		return was == now
	}
	return now.size >= was.size && now.size <= most && now.time >= was.time
}

// coarse is how exact the times of some file systems are.
const coarse = 2 * time.Second

// settled reports whether a file was at rest when the record was made. Where times are in whole
// seconds, what is written right after would leave the same one.
func (r *record) settled(file int) bool {
	at := r.files[file].time
	return at%int64(time.Second) != 0 || r.made-at >= int64(coarse) || r.made < at
}

// believed returns a bit for each part that is right by the record, all of it in files that are
// still what they were and are long enough.
func (r *record) believed(l *layout, partSize, size int64, now []stamp) (bits []byte, count int) {
	good := make([]bool, len(now))
	for i := range now {
		good[i] = r.holds(i, now[i], l.entries[i].Size)
	}
	bits = make([]byte, len(r.have))
	for part := int64(0); part*partSize < size; part++ {
		bit := byte(0x80) >> (part & 7)
		if r.have[part>>3]&bit == 0 {
			continue
		}
		right := true
		l.each(part*partSize, min(partSize, size-part*partSize), func(file int, at, n int64) bool {
			right = good[file] && r.files[file].size >= at+n
			return right
		})
		if right {
			bits[part>>3] |= bit
			count++
		}
	}
	return bits, count
}
