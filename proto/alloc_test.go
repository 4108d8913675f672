package proto

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// again reads the same bytes over and over.
type again struct {
	b   []byte
	pos int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.b[a.pos:])
	a.pos = (a.pos + n) % len(a.b)
	return n, nil
}

func TestFixedSizeMessagesAllocateNothingButThemselves(t *testing.T) {
	for _, c := range peerMessages {
		want := 1.0
		switch c.m.(type) {
		case Bitfield, Extended:
			continue
		case KeepAlive, Choke, Unchoke, Interested, NotInterested, HaveAll, HaveNone:
			want = 0 // nothing to put anywhere
		}
		frame := Append(nil, c.m)
		if p, ok := c.m.(Piece); ok {
			frame = append(frame, make([]byte, p.Length)...)
		}
		r := NewReader(&again{b: frame}, 100, 0)
		got := testing.AllocsPerRun(100, func() {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		})
		if got > want {
			t.Errorf("%T: %v allocations to decode it, expected %v", c.m, got, want)
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	b := make([]byte, 0, 1024)
	var part uint32
	got := testing.AllocsPerRun(100, func() {
		part++
		b = Append(b[:0], Have{part})
		b = Append(b, Request{part, part, part})
		b = Append(b, Piece{part, part, int(part)})
		b = Append(b, Progress{Have: part})
	})
	if got != 0 {
		t.Errorf("%v allocations, expected none", got)
	}
}

func TestReadingContentAllocatesNothing(t *testing.T) {
	r := NewReader(&again{b: withContent(nil, Piece{0, 0, 20000}, pattern(20000))}, MaxFrame(1), 4096)
	p := make([]byte, 20000)
	got := testing.AllocsPerRun(100, func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, p); err != nil {
			t.Fatal(err)
		}
	})
	if got > 1 {
		t.Errorf("%v allocations, expected 1 for the Piece", got)
	}
}

// allocated returns how many bytes f takes from the heap.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// A length that a stranger claims costs no memory before it was checked.
func TestClaimsCostNothing(t *testing.T) {
	for name, frame := range map[string]string{
		"bitfield": "7fffffff 05", "extended": "7fffffff 14 00", "extended within the limit of frames": "01000000 14 00",
		"piece": "7fffffff 07 00000000 00000000", "piece within the limit of frames": "01000000 07 00000000 00000000",
		"unknown": "7fffffff c8",
	} {
		r := NewReader(bytes.NewReader(unhex(t, frame)), 32<<20, 0)
		if got := allocated(func() { r.Next() }); got > 4096 {
			t.Errorf("%s: %d bytes were taken", name, got)
		}
	}
	for name, frame := range map[string]string{
		"members": "51 ff", "peer ids": "52 ff", "reason": "54 ff", "peer ids with a few bytes": "52 32 00000000",
	} {
		b := unhex(t, frame)
		if got := allocated(func() { DecodeConductor(b) }); got > 1024 {
			t.Errorf("%s: %d bytes were taken", name, got)
		}
	}
	r := NewConductorReader(bytes.NewReader(unhex(t, "7fffffff 51")))
	if got := allocated(func() { r.Next() }); got > 1024 {
		t.Errorf("conductor frame: %d bytes were taken", got)
	}
}
