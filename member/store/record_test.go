package store

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/orch"
)

var recordID = orch.ID{1, 2, 3}

func sampleRecord() *record {
	return &record{
		seq: 7, clean: true, all: true, made: 3e18, read: 2e18,
		files: []stamp{{1 << 63, 5000, -1}, nothing, {7, 0, 1e18}},
		have:  []byte{0b10100101, 0b11000000},
	}
}

// TestRecord writes a record and reads it back.
func TestRecord(t *testing.T) {
	for _, r := range []*record{
		sampleRecord(),
		{files: []stamp{}, have: []byte{}},
		{files: []stamp{{}}, have: []byte{0xff}, seq: 1<<64 - 1},
	} {
		parts := 8 * len(r.have)
		b := r.encode(recordID, parts)
		got, err := decodeRecord(b, recordID, len(r.files), parts)
		if err != nil {
			t.Errorf("%+v: %v", r, err)
			continue
		}
		if diff := cmp.Diff(r, got, cmp.AllowUnexported(record{}, stamp{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestRecordThatIsNone refuses what is torn, foreign or not as it is written.
func TestRecordThatIsNone(t *testing.T) {
	const files, parts = 3, 10
	good := sampleRecord().encode(recordID, parts)
	if _, err := decodeRecord(good, recordID, files, parts); err != nil {
		t.Fatal(err)
	}
	for at := range good {
		b := bytes.Clone(good)
		b[at] ^= 0x10
		if _, err := decodeRecord(b, recordID, files, parts); err == nil {
			t.Errorf("with byte %d changed it is believed", at)
		}
	}
	for n := range good {
		if _, err := decodeRecord(good[:n], recordID, files, parts); err == nil {
			t.Errorf("cut to %d bytes it is believed", n)
		}
	}
	// signed is a record that is changed, and whose checksum is right.
	signed := func(change func(b []byte)) []byte {
		b := bytes.Clone(good[:len(good)-sha256.Size])
		change(b)
		sum := sha256.Sum256(b)
		return append(b, sum[:]...)
	}
	tests := []struct {
		name         string
		b            []byte
		id           orch.ID
		files, parts int
	}{
		{"of another composition", good, orch.ID{9}, files, parts},
		{"of more files", good, recordID, files + 1, parts},
		{"of fewer files", good, recordID, files - 1, parts},
		{"of more parts", good, recordID, files, parts + 8},
		{"with a part too many", signed(func(b []byte) { b[len(b)-1] |= 1 << 5 }), recordID, files, parts},
		{"of another form", signed(func(b []byte) { b[7]++ }), recordID, files, parts},
		{"with a flag that is not known", signed(func(b []byte) { b[63] |= 4 }), recordID, files, parts},
		{"that says another number of files", signed(func(b []byte) { b[31]++ }), recordID, files, parts},
		{"with more behind it", append(bytes.Clone(good), 0), recordID, files, parts},
	}
	for _, test := range tests {
		if _, err := decodeRecord(test.b, test.id, test.files, test.parts); err == nil {
			t.Errorf("one %s is believed", test.name)
		}
	}
}

// TestHolds says by which files a record is believed.
func TestHolds(t *testing.T) {
	const most = 100
	was := stamp{id: 1, size: 50, time: 1000}
	tests := []struct {
		name         string
		now          stamp
		clean, dirty bool
	}{
		{"as it was", was, true, true},
		{"not there", nothing, false, false},
		{"another file", stamp{2, 50, 1000}, false, false},
		{"written to since", stamp{1, 50, 1001}, false, true},
		{"grown since", stamp{1, 100, 2000}, false, true},
		{"too long", stamp{1, 101, 2000}, false, false},
		{"shorter", stamp{1, 49, 1000}, false, false},
		{"older", stamp{1, 50, 999}, false, false},
		{"grown, and older", stamp{1, 60, 999}, false, false},
	}
	for _, test := range tests {
		for _, clean := range []bool{true, false} {
			r := &record{clean: clean, files: []stamp{was}}
			want := test.dirty
			if clean {
				want = test.clean
			}
			if got := r.holds(0, test.now, most); got != want {
				t.Errorf("%s, clean %v: got %v", test.name, clean, got)
			}
		}
	}
	r := &record{files: []stamp{nothing}}
	if r.holds(0, was, most) {
		t.Error("a file that was not there is believed")
	}
}

// TestSettled does not believe times in whole seconds of files that were just written.
func TestSettled(t *testing.T) {
	second := int64(time.Second)
	for _, test := range []struct {
		name     string
		at, made int64
		want     bool
	}{
		{"long ago", 100 * second, 102 * second, true},
		{"just now", 100 * second, 102*second - 1, false},
		{"just now, and an exact time", 100*second + 1, 101 * second, true},
		{"in the future", 105 * second, 101 * second, true},
	} {
		r := &record{made: test.made, files: []stamp{{1, 1, test.at}}}
		if got := r.settled(0); got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}

// TestBelieved takes a part for right if all files that have some of it are believed.
func TestBelieved(t *testing.T) {
	// Parts of 10 bytes: 0 and 1 of file 0; 1 to 3 of file 2, which file 3 shares part 3 with.
	l := &layout{entries: []orch.Entry{
		{Path: "a", Size: 15}, {Path: "empty", Offset: 15}, {Path: "b", Size: 20, Offset: 15}, {Path: "c", Size: 10, Offset: 35},
	}}
	stamps := []stamp{{1, 15, 100}, {2, 0, 100}, {3, 20, 100}, {4, 10, 100}}
	other := func(file int, m stamp) []stamp {
		now := append([]stamp(nil), stamps...)
		now[file] = m
		return now
	}
	tests := []struct {
		name  string
		have  byte
		files []stamp
		now   []stamp
		want  byte
	}{
		{"all", 0b11111000, stamps, stamps, 0b11111000},
		{"some", 0b10101000, stamps, stamps, 0b10101000},
		{"the first file is another one", 0b11111000, stamps, other(0, stamp{9, 15, 100}), 0b00111000},
		{"the empty file is gone", 0b11111000, stamps, other(1, nothing), 0b11111000},
		{"the one in the middle is gone", 0b11111000, stamps, other(2, nothing), 0b10001000},
		{"the last one was not there", 0b11111000, other(3, nothing), stamps, 0b11100000},
		{"the last one was shorter than the part", 0b11111000, other(3, stamp{4, 3, 100}), other(3, stamp{4, 3, 100}), 0b11100000},
	}
	for _, test := range tests {
		r := &record{clean: true, files: test.files, have: []byte{test.have}}
		bits, count := r.believed(l, 10, 45, test.now)
		if bits[0] != test.want {
			t.Errorf("%s: got %08b, want %08b", test.name, bits[0], test.want)
		}
		n := 0
		for b := bits[0]; b != 0; b &= b - 1 {
			n++
		}
		if count != n {
			t.Errorf("%s: counted %d of %08b", test.name, count, bits[0])
		}
	}
}

// FuzzRecord reads anything as a record: it is refused, or written it is the same bytes again, and
// what is believed by it are parts that it names.
func FuzzRecord(f *testing.F) {
	for _, r := range []*record{sampleRecord(), {files: make([]stamp, 3), have: make([]byte, 2)}} {
		b := r.encode(recordID, 10)
		f.Add(b[:len(b)-sha256.Size])
	}
	f.Add([]byte("orchrec\x01"))
	l := &layout{entries: []orch.Entry{{Path: "a", Size: 60}, {Path: "b", Offset: 60}, {Path: "c", Size: 40, Offset: 60}}}
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		b := append(bytes.Clone(body), sum[:]...)
		r, err := decodeRecord(b, recordID, 3, 10)
		if err != nil {
			return
		}
		if !bytes.Equal(r.encode(recordID, 10), b) {
			t.Fatal("it is written as something else than it was read from")
		}
		now := []stamp{r.files[0], {1, 0, 5}, r.files[2]}
		bits, count := r.believed(l, 10, 100, now)
		for i := range bits {
			if bits[i]&^r.have[i] != 0 {
				t.Fatalf("it has %08b, and %08b is believed", r.have, bits)
			}
		}
		for part := range int64(6) {
			if r.files[0].size < 10*(part+1) && bits[0]&(0x80>>part) != 0 {
				t.Fatal("parts beyond the end of a file are believed")
			}
		}
		if count > 10 {
			t.Fatal(count)
		}
	})
}
