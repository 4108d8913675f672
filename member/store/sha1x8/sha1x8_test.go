package sha1x8

import (
	"crypto/sha1"
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// assemblerMustRun names the variable that makes it a failure if the assembler was not tested.
const assemblerMustRun = "ORCHESTRA_TEST_AVX512"

// eachKernel runs a test with the generic version and with the assembler, or says that it could
// not.
func eachKernel(t *testing.T, test func(t *testing.T, h *Hash)) {
	t.Run("generic", func(t *testing.T) {
		h := New()
		h.generic = true
		test(t, h)
	})
	t.Run("assembler", func(t *testing.T) {
		if !Available() {
			if os.Getenv(assemblerMustRun) == "1" {
				t.Fatal("the assembler was NOT tested: this processor has no AVX-512 (F, VL and BW), and " +
					assemblerMustRun + "=1 asks for it")
			}
			t.Skip("the assembler was NOT tested: this processor has no AVX-512 (F, VL and BW); " +
				assemblerMustRun + "=1 makes that a failure")
		}
		test(t, New())
	})
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

// failer is what tests and rapid's have in common here.
type failer interface {
	Fatalf(format string, args ...any)
}

func checkSums(t failer, p *[Lanes][]byte, sums [Lanes][sha1.Size]byte) {
	for lane := range Lanes {
		if want := sha1.Sum(p[lane]); sums[lane] != want {
			t.Fatalf("%d bytes, lane %d: %x, want %x", len(p[lane]), lane, sums[lane], want)
		}
	}
}

// TestNewWorksEverywhere holds that New needs no processor of a certain kind.
func TestNewWorksEverywhere(t *testing.T) {
	p := messages(1000, 1)
	checkSums(t, &p, New().Sum(&p))
}

// TestLengths compares every length around the blocks with crypto/sha1, in one Hash that is used
// again.
func TestLengths(t *testing.T) {
	eachKernel(t, func(t *testing.T, h *Hash) {
		for n := range 5 * BlockSize {
			p := messages(n, 1)
			h.Reset()
			checkSums(t, &p, h.Sum(&p))
		}
	})
}

// TestStretches writes messages in stretches of any number of blocks.
func TestStretches(t *testing.T) {
	eachKernel(t, func(t *testing.T, h *Hash) {
		rapid.Check(t, func(t *rapid.T) {
			n := rapid.IntRange(0, 20_000).Draw(t, "length")
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
			checkSums(t, &p, h.Sum(&rest))
		})
	})
}

// TestPanics holds that nothing is cut, and nothing read beyond an end, in silence.
func TestPanics(t *testing.T) {
	lengths := func(all int, lane int, its int) (p [Lanes][]byte) {
		p = messages(all, 1)
		p[lane] = make([]byte, its)
		return p
	}
	for name, p := range map[string][Lanes][]byte{
		"no whole block": messages(65, 1),
		"longer":         lengths(64, 3, 128),
		"shorter":        lengths(128, 7, 64),
		"first longer":   lengths(64, 0, 128),
	} {
		panics(t, name, func() { New().Write(&p) })
		if name != "no whole block" {
			panics(t, name, func() { New().Sum(&p) })
		}
	}
}

func panics(t *testing.T, name string, do func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: it was taken", name)
		}
	}()
	do()
}

// FuzzSums compares both versions with crypto/sha1: eight messages from one input, written in two
// stretches.
func FuzzSums(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte("abc"), 1)
	f.Add(make([]byte, Lanes*BlockSize+5), 1)
	f.Add(make([]byte, Lanes*(3*BlockSize+55)), 2)
	f.Fuzz(func(t *testing.T, data []byte, blocks int) {
		n := len(data) / Lanes
		var p [Lanes][]byte
		for lane := range Lanes {
			p[lane] = data[lane*n : (lane+1)*n]
		}
		at := min(max(blocks, 0), n/BlockSize) * BlockSize
		generic := New()
		generic.generic = true
		for _, h := range []*Hash{New(), generic} {
			first, rest := cut(&p, 0, at), cut(&p, at, n)
			h.Write(&first)
			checkSums(t, &p, h.Sum(&rest))
		}
	})
}

// BenchmarkSum is to be compared with BenchmarkOne, the checksums of the same bytes one after the
// other.
func BenchmarkSum(b *testing.B) {
	for _, name := range []string{"generic", "assembler"} {
		b.Run(name, func(b *testing.B) {
			h := New()
			if name == "generic" {
				h.generic = true
			} else if !Available() {
				b.Skip("this processor has no AVX-512")
			}
			p := messages(32<<10, 1)
			b.SetBytes(Lanes * 32 << 10)
			for b.Loop() {
				h.Write(&p)
			}
		})
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
