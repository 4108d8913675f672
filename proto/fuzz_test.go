package proto

import (
	"bytes"
	"encoding/binary"
	"io"
	"reflect"
	"testing"
)

// wantBounded fails if a decoder took more memory than what it was given
// allows: so many bytes for each byte in, the rest for errors and the test.
func wantBounded(t *testing.T, took int64, in, each, fixed int) {
	t.Helper()
	if most := int64(in)*int64(each) + int64(fixed) + 64<<10; took > most {
		t.Errorf("%d bytes were taken for %d bytes in, expected %d at most", took, in, most)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(peerStream(f))
	f.Add(unhex(f, "0000000d 06 ffffffff ffffffff ffffffff"))
	f.Add(unhex(f, "00010000 05 00"))
	f.Add(unhex(f, "00000002 c8 00 00000001 01"))
	f.Add(unhex(f, "ffffffff 07"))
	const maxFrame = 64 << 10
	f.Fuzz(func(t *testing.T, in []byte) {
		var messages []Message
		took := allocated(func() {
			r := NewReader(bytes.NewReader(in), maxFrame, 0)
			for m, err := r.Next(); err == nil; m, err = r.Next() {
				messages = append(messages, m)
			}
		})
		wantBounded(t, took, len(in), 64, maxFrame)

		pos := 0
		for _, m := range messages {
			frame := Append(nil, m)
			whole := lengthSize + int(binary.BigEndian.Uint32(in[pos:]))
			same := frame
			if _, unknown := m.(Unknown); unknown {
				same = in[pos : pos+lengthSize+1] // its payload was skipped
			}
			if !bytes.HasPrefix(in[pos:], same) {
				t.Fatalf("%#v at byte %d: its frame % x differs from % x", m, pos, frame, in[pos:min(pos+whole, len(in))])
			}
			pos += whole
		}
	})
}

func FuzzReadHandshake(f *testing.F) {
	for _, h := range handshakes() {
		f.Add(h.Append(nil))
	}
	f.Add([]byte("\x13BitTorrent protocoL"))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var h Handshake
		var err error
		r := bytes.NewReader(in)
		took := allocated(func() { h, err = ReadHandshake(r, BitTorrent, Orchestra) })
		wantBounded(t, took, 0, 0, 0)
		if err != nil {
			return
		}
		if got, taken := h.Append(nil), in[:len(in)-r.Len()]; !bytes.Equal(got, taken) {
			t.Errorf("% x was read and encodes to % x", taken, got)
		}
	})
}

func FuzzDecodeConductor(f *testing.F) {
	for _, c := range conductorMessages() {
		f.Add(unhex(f, c.frame))
	}
	f.Add(unhex(f, "51 32"+hexPeerA+"04"))
	f.Add(unhex(f, "50 06 00000000000000000000ffffc0000201 c350"))
	f.Fuzz(func(t *testing.T, in []byte) {
		kept := bytes.Clone(in)
		var m Message
		var err error
		took := allocated(func() { m, err = DecodeConductor(in) })
		wantBounded(t, took, len(in), 64, 0)
		if !bytes.Equal(in, kept) {
			t.Fatal("the frame was changed")
		}
		if err != nil {
			return
		}
		if u, unknown := m.(Unknown); unknown {
			if u.ID != in[0] {
				t.Errorf("%#v from % x", u, in)
			}
			return
		}
		if got := Append(nil, m); !bytes.Equal(got[lengthSize:], in) {
			t.Errorf("%#v\nfrom % x\nencodes to % x", m, in, got[lengthSize:])
		}
	})
}

func FuzzConductorReader(f *testing.F) {
	var stream []byte
	for _, c := range conductorMessages() {
		stream = Append(stream, c.m)
	}
	f.Add(stream)
	f.Add(unhex(f, "00001fff 51 00"))
	f.Add(unhex(f, "00000000 00000000 ffffffff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var messages []Message
		took := allocated(func() {
			r := NewConductorReader(bytes.NewReader(in))
			for m, err := r.Next(); err == nil; m, err = r.Next() {
				messages = append(messages, m)
			}
		})
		wantBounded(t, took, len(in), 128, MaxConductorFrame)

		rest := in
		for _, m := range messages {
			n := lengthSize + int(binary.BigEndian.Uint32(rest))
			frame := rest[:n]
			rest = rest[n:]
			if _, unknown := m.(Unknown); unknown {
				continue
			}
			if got := Append(nil, m); !bytes.Equal(got, frame) {
				t.Fatalf("%#v\nfrom % x\nencodes to % x", m, frame, got)
			}
		}
	})
}

func FuzzParseExtHandshake(f *testing.F) {
	f.Add([]byte("d1:md6:ut_pexi1ee11:orch_maxreqi1048576e1:pi10001e4:reqqi250e1:v9:Orchestrae"))
	f.Add([]byte("d11:upload_onlyi1e6:yourip4:\xc0\x00\x02\x01e"))
	f.Add([]byte("d1:md0:i0ee1:pi-1ee"))
	f.Add([]byte("llllleeeee"))
	f.Add([]byte("d1:v1:x1:pi07e1:md1:bi2e1:ai1eee"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var h ExtHandshake
		var err error
		took := allocated(func() { h, err = ParseExtHandshake(in) })
		wantBounded(t, took, min(len(in), MaxExtHandshake), 512, 0)
		if err != nil {
			return
		}
		// What it says has one form: that is read back as the same, and
		// written again as the same bytes.
		b := h.Append(nil)
		again, err := ParseExtHandshake(b)
		if err != nil {
			t.Fatalf("%q encodes to %q: %v", in, b, err)
		}
		if !reflect.DeepEqual(again, h) {
			t.Errorf("%q\nreads as %#v\nthen as %#v", in, h, again)
		}
		if twice := again.Append(nil); !bytes.Equal(twice, b) {
			t.Errorf("%q encodes to %q, then to %q", in, b, twice)
		}
	})
}

func FuzzCheckBits(f *testing.F) {
	f.Add([]byte{0xff, 0x80}, 9)
	f.Add([]byte{0xff, 0xc0}, 9)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, bits []byte, parts int) {
		if parts < 0 {
			return
		}
		ok := len(bits) == parts/8+min(parts%8, 1)
		for i := parts; ok && i < 8*len(bits); i++ {
			ok = bits[i/8]>>(7-i%8)&1 == 0
		}
		if err := CheckBits(bits, parts); (err == nil) != ok {
			t.Errorf("% x for %d parts: %v", bits, parts, err)
		}
	})
}

// FuzzContent reads a stream of pieces in reads of any size.
func FuzzContent(f *testing.F) {
	f.Add(100, 64, 10)
	f.Add(MaxPiece, 4096, 1<<20)
	f.Add(0, 0, 1)
	f.Fuzz(func(t *testing.T, length, bufSize, readSize int) {
		if length < 0 || length > MaxPiece || bufSize > 1<<20 || readSize <= 0 || readSize > 1<<20 {
			return
		}
		content := pattern(length)
		stream := Append(withContent(nil, Piece{1, 2, length}, content), Choke{})
		r := NewReader(bytes.NewReader(stream), MaxFrame(1), bufSize)
		wantNext(t, r, Piece{1, 2, length})
		var got []byte
		p := make([]byte, readSize)
		for {
			n, err := r.Read(p)
			got = append(got, p[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, content) {
			t.Fatal("the content differs")
		}
		wantNext(t, r, Choke{})
	})
}

// FuzzExtended holds that the payloads of private messages say one thing in one way.
func FuzzExtended(f *testing.F) {
	for _, b := range [][]byte{nil, {0}, {1}, {2}, {3}, {0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0, 0}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if part, err := ParsePart(in); err == nil && !bytes.Equal(AppendPart(nil, part), in) {
			t.Errorf("% x is part %d", in, part)
		}
		if on, err := ParseSpare(in); err == nil && !bytes.Equal(AppendSpare(nil, on), in) {
			t.Errorf("% x is spare: %v", in, on)
		}
		if what, err := ParseRegroup(in); err == nil && !bytes.Equal(AppendRegroup(nil, what), in) {
			t.Errorf("% x is regrouping %v", in, what)
		}
	})
}
