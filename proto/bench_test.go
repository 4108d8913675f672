package proto

import (
	"io"
	"testing"
)

var sink Message

func BenchmarkAppendRequest(b *testing.B) {
	frame := make([]byte, 0, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		frame = Append(frame[:0], Request{uint32(i), 0, Block})
	}
}

func BenchmarkAppendHave(b *testing.B) {
	frame := make([]byte, 0, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		frame = Append(frame[:0], Have{uint32(i)})
	}
}

func BenchmarkReaderRequest(b *testing.B) { benchmarkReader(b, Request{1, 2, Block}) }
func BenchmarkReaderHave(b *testing.B)    { benchmarkReader(b, Have{1000}) }

func benchmarkReader(b *testing.B, m Message) {
	r := NewReader(&again{b: Append(nil, m)}, MaxFrame(1), 4096)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if sink, err = r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReaderPiece16K(b *testing.B)  { benchmarkContent(b, Block) }
func BenchmarkReaderPiece256K(b *testing.B) { benchmarkContent(b, MaxPiece) }

// benchmarkContent is next to free where no content is copied twice: the
// connection is a copy from memory itself.
func benchmarkContent(b *testing.B, length int) {
	r := NewReader(&again{b: withContent(nil, Piece{0, 0, length}, pattern(length))}, MaxFrame(1), 4096)
	p := make([]byte, length)
	b.SetBytes(int64(length))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(r, p); err != nil {
			b.Fatal(err)
		}
	}
}
