package proto

import (
	"encoding/binary"
	"unicode/utf8"
)

// decoder takes fields from the payload b of message id. After the first error
// it returns zeros.
type decoder struct {
	id  byte
	b   []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = malformed("message %d: "+format, append([]any{d.id}, args...)...)
	}
}

// zeros stands for fixed-size fields after an error.
var zeros [20]byte

// bytes returns the next n bytes, which share memory with the frame; n is 20
// at most, or known to be there.
func (d *decoder) bytes(n int, what string) []byte {
	if d.err == nil && len(d.b) < n {
		d.fail("it ends before or within its %s", what)
	}
	if d.err != nil {
		return zeros[:n:n]
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) uint8(what string) uint8   { return d.bytes(1, what)[0] }
func (d *decoder) uint16(what string) uint16 { return binary.BigEndian.Uint16(d.bytes(2, what)) }
func (d *decoder) uint32(what string) uint32 { return binary.BigEndian.Uint32(d.bytes(4, what)) }
func (d *decoder) uint64(what string) uint64 { return binary.BigEndian.Uint64(d.bytes(8, what)) }

// count reads how many items follow, each of which takes at least size bytes.
func (d *decoder) count(most, size int, what string) int {
	n := int(d.uint8("number of " + what))
	switch {
	case d.err != nil:
	case n > most:
		d.fail("%d %s, at most %d are taken", n, what, most)
	case n*size > len(d.b):
		d.fail("%d %s in %d bytes", n, what, len(d.b))
	}
	if d.err != nil {
		return 0
	}
	return n
}

// text reads a text.
func (d *decoder) text(what string) string {
	n := int(d.uint8("length of its " + what))
	if d.err == nil && n > len(d.b) {
		d.fail("it ends before or within its %s", what)
	}
	if d.err != nil {
		return ""
	}
	return string(d.bytes(n, what))
}

// ascii reads a text of printable ASCII without spaces.
func (d *decoder) ascii(what string) string {
	s := d.text(what)
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			d.fail("a %s with byte %#02x, expected printable ASCII", what, c)
			return ""
		}
	}
	return s
}

// utf8 reads a text of UTF-8.
func (d *decoder) utf8(what string) string {
	s := d.text(what)
	if !utf8.ValidString(s) {
		d.fail("a %s that is no UTF-8", what)
	}
	return s
}

// peerID reads a peer id.
func (d *decoder) peerID() PeerID { return PeerID(d.bytes(len(PeerID{}), "peer id")) }
