package proto

import (
	"encoding/binary"
	"io"
)

// buffer holds bytes that were read and not used yet: mem[start:end].
type buffer struct {
	r          io.Reader
	mem        []byte
	start, end int
}

func (b *buffer) len() int      { return b.end - b.start }
func (b *buffer) bytes() []byte { return b.mem[b.start:b.end] }

// take steps over n bytes, of which at least so many are held.
func (b *buffer) take(n int) { b.start += n }

// fill reads until at least n bytes are held; mem has room for so many. It
// reads ahead what comes with them. The error is io.EOF only if nothing is held.
func (b *buffer) fill(n int) error {
	if b.len() >= n {
		return nil
	}
	if b.start > 0 {
		b.end = copy(b.mem, b.bytes())
		b.start = 0
	}
	got, err := io.ReadAtLeast(b.r, b.mem[b.end:], n-b.end)
	b.end += got
	if b.len() >= n {
		return nil
	}
	if (err == io.EOF || err == io.ErrUnexpectedEOF) && b.len() > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// frameLength reads until the length of the next frame is held, which is not
// stepped over. A frame longer than most bytes is an error.
func (b *buffer) frameLength(most int) (int, error) {
	if err := b.fill(lengthSize); err != nil {
		return 0, err
	}
	length := binary.BigEndian.Uint32(b.bytes())
	if int64(length) > int64(most) {
		return 0, frameTooLong(length, most)
	}
	return int(length), nil
}

// whole turns an end of the connection that cannot be clean, since bytes are
// due, into one that says so.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
