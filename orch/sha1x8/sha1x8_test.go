package sha1x8

import (
	"crypto/sha1"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// begin makes a Hash, or skips the test.
func begin(t testing.TB) *Hash {
	t.Helper()
	h := New()
	if h == nil {
		t.Skip("this processor has no AVX-512")
	}
	return h
}

// messages makes eight different ones of n bytes.
func messages(n int, seed byte) (p [Lanes][]byte) {
	random := rand.NewChaCha8([32]byte{seed, byte(n), byte(n >> 8)})
	for lane := range Lanes {
		p[lane] = make([]byte, n)
		random.Read(p[lane])
	}
	return p
}

// cut is a stretch of each.
func cut(p *[Lanes][]byte, from, to int) (part [Lanes][]byte) {
	for lane := range Lanes {
		part[lane] = p[lane][from:to]
	}
	return part
}

func checkSums(t testing.TB, p *[Lanes][]byte, sums [Lanes][sha1.Size]byte) {
	t.Helper()
	for lane := range Lanes {
		if want := sha1.Sum(p[lane]); sums[lane] != want {
			t.Errorf("%d bytes, lane %d: %x, want %x", len(p[lane]), lane, sums[lane], want)
		}
	}
}

// TestLengths compares every length around the blocks with crypto/sha1, in one Hash that is used again.
func TestLengths(t *testing.T) {
	h := begin(t)
	for n := range 5 * BlockSize {
		p := messages(n, 1)
		h.Reset()
		checkSums(t, &p, h.Sum(&p))
	}
}

// TestStretches writes messages in stretches of any number of blocks.
func TestStretches(t *testing.T) {
	h := begin(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 100_000).Draw(t, "length")
		p := messages(n, rapid.Byte().Draw(t, "seed"))
		h.Reset()
		at := 0
		for at < n && rapid.Bool().Draw(t, "more") {
			to := at + rapid.IntRange(0, (n-at)/BlockSize).Draw(t, "blocks")*BlockSize
			stretch := cut(&p, at, to)
			h.Write(&stretch)
			at = to
		}
		rest := cut(&p, at, n)
		sums := h.Sum(&rest)
		for lane := range Lanes {
			if want := sha1.Sum(p[lane]); sums[lane] != want {
				t.Fatalf("%d bytes, lane %d: %x, want %x", n, lane, sums[lane], want)
			}
		}
	})
}

func TestOnlyWholeBlocks(t *testing.T) {
	h := begin(t)
	defer func() {
		if recover() == nil {
			t.Error("65 bytes were taken")
		}
	}()
	p := messages(65, 1)
	h.Write(&p)
}

// BenchmarkSum is to be compared with BenchmarkOne, the checksums of the same bytes one after the other.
func BenchmarkSum(b *testing.B) {
	h := begin(b)
	p := messages(32<<10, 1)
	b.SetBytes(Lanes * 32 << 10)
	for b.Loop() {
		h.Write(&p)
	}
}

func BenchmarkOne(b *testing.B) {
	p := messages(32<<10, 1)
	h := sha1.New()
	b.SetBytes(Lanes * 32 << 10)
	for b.Loop() {
		for lane := range Lanes {
			h.Write(p[lane])
		}
	}
}
