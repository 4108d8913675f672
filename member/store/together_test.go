package store

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orchestra/orch"
)

// TestCheckFindsWhatIsBad changes single bytes of parts of many lengths: the check must find these
// parts and no others, however many are hashed side by side.
func TestCheckFindsWhatIsBad(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		partSize := rapid.SampledFrom([]int{1, 63, 64, 1000, stripe - 1, stripe, stripe + 1, 2*stripe + 100}).Draw(r, "part size")
		parts := rapid.IntRange(1, 20).Draw(r, "parts")
		short := rapid.IntRange(0, partSize-1).Draw(r, "short")
		content := make([]byte, parts*partSize-short)
		rand.NewChaCha8([32]byte{byte(partSize)}).Read(content)
		s := &shelf{t: t, dir: dir, comp: inParts(content, partSize)}
		bad := map[uint32]bool{}
		for _, at := range rapid.SliceOfN(rapid.IntRange(0, len(content)-1), 0, 4).Draw(r, "changed") {
			if part := uint32(at / partSize); !bad[part] {
				bad[part] = true
				content[at]++
			}
		}
		s.put("content", content)
		st, err := Open(Config{File: s.comp, Dir: dir})
		if err != nil {
			r.Fatal(err)
		}
		defer st.Close()
		var want []uint32
		for part := range uint32(parts) {
			if !bad[part] {
				want = append(want, part)
			}
		}
		if diff := cmp.Diff(want, checked(t, st)); diff != "" {
			r.Error("good parts (-want +got):", diff)
		}
	})
}

// verifiedAll is what VerifyAll tells of each part.
func verifiedAll(t *testing.T, st *Store, parts ...uint32) map[uint32]bool {
	t.Helper()
	told := map[uint32]bool{}
	st.VerifyAll(parts, func(part uint32, good bool, err error) {
		if err != nil {
			t.Error(err)
		}
		if _, twice := told[part]; twice {
			t.Errorf("part %d was told twice", part)
		}
		told[part] = good
	})
	return told
}

// TestVerifyAll has parts verified together that were written in different ways.
func TestVerifyAll(t *testing.T) {
	s := newShelf(t, 20*testPart+1)
	st := s.mustOpen()
	want := map[uint32]bool{}
	var parts []uint32
	for part := range uint32(21) {
		p := s.part(int(part))
		want[part] = true
		switch part {
		case 3: // another one's
			p = s.part(4)
			want[part] = false
		case 5: // out of order
			st.WriteOnly(part, 400, p[400:])
			p = p[:400]
		case 6: // hashed so far
			st.Write(part, 0, p[:400])
			st.WriteOnly(part, 400, p[400:])
			parts = append(parts, part)
			continue
		case 7: // mended
			st.Write(part, 0, s.part(8))
		}
		if err := st.WriteOnly(part, 0, p); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	if got := st.Upto(1); got != testPart {
		t.Errorf("%d bytes of a part are here that is written and not hashed", got)
	}
	if diff := cmp.Diff(want, verifiedAll(t, st, append(parts, 9)...)); diff != "" {
		t.Error("(-want +got):", diff)
	}
	// Those that are right stay as they are, and the bad one can be written anew.
	for part := range uint32(21) {
		st.WriteOnly(part, 0, s.part(int(part))[:1])
		st.Write(part, 0, bytes.Repeat([]byte{1}, len(s.part(int(part)))))
	}
	if got := st.Upto(3); got != testPart {
		t.Errorf("%d bytes of the bad part were written anew", got)
	}
	want[3] = false
	if diff := cmp.Diff(want, verifiedAll(t, st, parts...)); diff != "" {
		t.Error("again (-want +got):", diff)
	}
	if err := st.WriteOnly(3, 0, s.part(3)); err != nil {
		t.Fatal(err)
	}
	if got := verifiedAll(t, st, 3); !got[3] {
		t.Error("the part that was bad is not right now")
	}
}

func TestTogether(t *testing.T) {
	s := newShelf(t, 3*testPart)
	if n := s.mustOpen().Together(); n != 8 && n != 1 {
		t.Error(n)
	}
	s.comp.PartSize = largestTogether + 1
	st := &Store{comp: s.comp}
	if n := st.Together(); n != 1 {
		t.Errorf("%d large parts", n)
	}
	st.comp.PartSize = testPart
	st.layout.entries = make([]orch.Entry, st.comp.NumParts()+1)
	if n := st.Together(); n != 1 {
		t.Errorf("%d parts of small files", n)
	}
	st.layout.entries = nil
	st.comp.Checksum = orch.SHA256.Sum(nil)
	if n := st.Together(); n != 1 {
		t.Errorf("%d parts with SHA-256", n)
	}
}

// BenchmarkCheck reads what the system has in memory.
func BenchmarkCheck(b *testing.B) {
	const size = 256 << 20
	content := make([]byte, size) // not zeros, which are not read
	rand.NewChaCha8([32]byte{}).Read(content)
	s := &shelf{dir: b.TempDir(), comp: inParts(content, 1<<20)}
	st, err := Open(Config{File: s.comp, Dir: s.dir})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	for part := range uint32(size >> 20) {
		if err := st.WriteOnly(part, 0, content[part<<20:][:1<<20]); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(size)
	for b.Loop() {
		if err := st.Check(b.Context(), func(_ uint32, good bool) {
			if !good {
				b.Fatal("bad")
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
}
