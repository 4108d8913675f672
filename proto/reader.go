package proto

import (
	"encoding/binary"
	"io"
)

// maxExtended is the longest frame of an Extended message. Metadata pieces
// (BEP 9) of 16 KiB and peer exchange (BEP 11) fit amply.
const maxExtended = 64 << 10

// minBuffer holds the length, id and payload of every fixed-size message.
const minBuffer = 64

// A Reader reads the messages of a member. It is used by one goroutine. Its
// errors are final: Next and Read return the same one from then on.
type Reader struct {
	buf      buffer
	maxFrame int
	piece    int // bytes of the current Piece's content that were not read
	skip     int // bytes of an Unknown's payload that were not skipped
	err      error
}

// NewReader returns a Reader of the frames that follow the handshake in r.
// Frames longer than maxFrame bytes are an error, see MaxFrame; bufSize is how
// many bytes are read ahead at most (64 at least).
func NewReader(r io.Reader, maxFrame, bufSize int) *Reader {
	return &Reader{
		buf:      buffer{r: r, mem: make([]byte, max(bufSize, minBuffer))},
		maxFrame: maxFrame,
	}
}

// Buffered returns how many bytes Next can use without reading from the
// connection. They may end in the middle of a message, see Ready.
func (r *Reader) Buffered() int { return max(r.buf.len()-r.piece-r.skip, 0) }

// Ready reports whether Next would return without reading from the connection:
// the next message (of a Piece, its header) is here whole, or an error is.
func (r *Reader) Ready() bool {
	if r.err != nil {
		return true
	}
	if r.Buffered() < lengthSize {
		return false
	}
	b := r.buf.bytes()[r.piece+r.skip:]
	length := binary.BigEndian.Uint32(b)
	switch {
	case length == 0 || int64(length) > int64(r.maxFrame):
		return true
	case len(b) == lengthSize:
		return false
	}
	need := int(length)
	switch b[lengthSize] {
	case idPiece:
		need = min(need, pieceHeader)
	case idBitfield, idExtended:
	default:
		if want, known := fixedLen(b[lengthSize]); !known || need != 1+want {
			need = 1
		}
	}
	return len(b) >= lengthSize+need
}

// Next returns the next message. What was not read of the last Piece is
// discarded first. A Piece is returned before its content was read: Read does
// that. The error is io.EOF if the connection ended between two frames, and
// io.ErrUnexpectedEOF if it ended within one.
func (r *Reader) Next() (Message, error) {
	if r.err == nil {
		r.err = r.discard()
	}
	if r.err != nil {
		return nil, r.err
	}
	m, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return m, nil
}

func (r *Reader) next() (Message, error) {
	length, err := r.buf.frameLength(r.maxFrame)
	if err != nil {
		return nil, err
	}
	if length == 0 {
		r.buf.take(lengthSize)
		return KeepAlive{}, nil
	}
	if err := r.buf.fill(lengthSize + 1); err != nil {
		return nil, err
	}
	id := r.buf.bytes()[lengthSize]
	n := length - 1 // of the payload
	switch id {
	case idPiece:
		return r.pieceHeader(n)
	case idBitfield:
		r.buf.take(lengthSize + 1)
		bits, err := r.body(n)
		if err != nil {
			return nil, err
		}
		return Bitfield{bits}, nil
	case idExtended:
		return r.extended(n)
	}
	want, known := fixedLen(id)
	if !known {
		r.buf.take(lengthSize + 1)
		r.skip = n
		return Unknown{id}, nil
	}
	if n != want {
		return nil, badLength(id, length, want+1)
	}
	if err := r.buf.fill(lengthSize + 1 + n); err != nil {
		return nil, err
	}
	m := decodeFixed(id, r.buf.bytes()[lengthSize+1:])
	r.buf.take(lengthSize + 1 + n)
	return m, nil
}

// pieceHeader reads the header of a Piece with n bytes of payload.
func (r *Reader) pieceHeader(n int) (Message, error) {
	content := n - (pieceHeader - 1)
	if content < 0 || content > MaxPiece {
		return nil, malformed("a piece in a frame of %d bytes, expected %d to %d", n+1, pieceHeader, pieceHeader+MaxPiece)
	}
	if err := r.buf.fill(lengthSize + pieceHeader); err != nil {
		return nil, err
	}
	b := r.buf.bytes()[lengthSize+1:]
	m := Piece{Part: binary.BigEndian.Uint32(b), Begin: binary.BigEndian.Uint32(b[4:]), Length: content}
	r.buf.take(lengthSize + pieceHeader)
	r.piece = content
	return m, nil
}

// extended reads an Extended message with n bytes of payload.
func (r *Reader) extended(n int) (Message, error) {
	if n < 1 || n+1 > maxExtended {
		return nil, malformed("an extended message in a frame of %d bytes, expected 2 to %d", n+1, maxExtended)
	}
	if err := r.buf.fill(lengthSize + 2); err != nil {
		return nil, err
	}
	id := r.buf.bytes()[lengthSize+1]
	r.buf.take(lengthSize + 2)
	payload, err := r.body(n - 1)
	if err != nil {
		return nil, err
	}
	return Extended{id, payload}, nil
}

// body reads n bytes, which the frame's limit has bounded, into fresh memory.
func (r *Reader) body(n int) ([]byte, error) {
	p := make([]byte, n)
	got := copy(p, r.buf.bytes())
	r.buf.take(got)
	if _, err := io.ReadFull(r.buf.r, p[got:]); err != nil {
		return nil, whole(err)
	}
	return p, nil
}

// Read reads from the content of the Piece that Next returned last; io.EOF is
// its end. Where p is at least as large as the read-ahead buffer, bytes go from
// the connection into p without a copy between.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.piece == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), r.piece)]
	if len(p) == 0 {
		return 0, nil
	}
	if r.buf.len() == 0 && len(p) >= len(r.buf.mem) {
		n, err := r.buf.r.Read(p)
		r.piece -= n
		if n > 0 {
			err = nil // it will come again
		} else if err != nil {
			r.err = whole(err)
			err = r.err
		}
		return n, err
	}
	if err := r.buf.fill(1); err != nil {
		r.err = whole(err)
		return 0, r.err
	}
	n := copy(p, r.buf.bytes())
	r.buf.take(n)
	r.piece -= n
	return n, nil
}

// discard steps over what is left of the current frame.
func (r *Reader) discard() error {
	left := r.piece + r.skip
	r.piece, r.skip = 0, 0
	for left > 0 {
		if err := r.buf.fill(1); err != nil {
			return whole(err)
		}
		n := min(left, r.buf.len())
		r.buf.take(n)
		left -= n
	}
	return nil
}
