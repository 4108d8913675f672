package secure

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// What follows the handshake are records of TLS 1.3 (RFC 8446, 5), the same that TLS itself would
// write and read. But that would make a call of the system for each, and copy what is in it: here
// many go together, and what comes is opened into the place where it is wanted.
const (
	headerSize  = 5
	tagSize     = 16
	contentMost = 16 << 10
	recordMost  = headerSize + contentMost + 1 + tagSize

	// together is how many records are sealed and sent at once, or read. Twice as many leave the
	// processor's cache on the way.
	together = 8
)

// Kinds of records.
const (
	kindAlert     = 21
	kindHandshake = 22
	kindContent   = 23 // and of whatever is sealed, seen from outside
)

// keyUpdate is the one message of a handshake that may follow one; a byte with 1 behind it asks for
// another in return.
const keyUpdate = "\x18\x00\x00\x01"

// Alerts.
const (
	closeNotify       tls.AlertError = 0
	unexpectedMessage tls.AlertError = 10
	badRecordMAC      tls.AlertError = 20
	recordOverflow    tls.AlertError = 22
	userCanceled      tls.AlertError = 90
)

// A fault is why a record is not taken.
type fault struct {
	alert tls.AlertError // that the far end is told
	text  string
}

func (f *fault) Error() string { return f.text }

var (
	errForged = &fault{badRecordMAC, "a TLS record was forged or damaged on the way"}
	errLength = &fault{recordOverflow, "a TLS record has a length that none can have"}
	errKind   = &fault{unexpectedMessage, "a TLS record comes that has no place here"}
	errBarren = &fault{unexpectedMessage, "TLS records come again and again that hold nothing"}
)

// errSaidAll tells that nothing can follow what was said last.
var errSaidAll = fmt.Errorf("it was said that nothing follows: %w", net.ErrClosed)

// pool has buffers for so many records.
func pool(records int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, records*recordMost)
		return &b
	}}
}

var single, several = pool(1), pool(together)

// poolOf is the pool whose buffers have room for so many bytes.
func poolOf(size int) *sync.Pool {
	if size <= recordMost {
		return single
	}
	return several
}

// records are both directions of a connection.
type records struct {
	*incoming
	*outgoing
}

// newRecords goes on with a connection after its handshake.
func newRecords(conn net.Conn, read, write []byte) (*records, error) {
	in, err := newTraffic(read)
	if err != nil {
		return nil, err
	}
	out, err := newTraffic(write)
	if err != nil {
		return nil, err
	}
	to := &outgoing{to: conn, traffic: out}
	return &records{&incoming{from: conn, traffic: in, answer: to}, to}, nil
}

// outgoing seals what is written.
type outgoing struct {
	to net.Conn

	renew atomic.Bool // the far end asks for new keys

	mu      sync.Mutex
	traffic *traffic
	err     error // of a write: what would follow is not what the far end waits for
}

// Write sends all of p, in as few calls of the system as there can be.
func (o *outgoing) Write(p []byte) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(p) > 0 && o.err == nil {
		size := min(len(p), together*contentMost)
		if o.renew.Swap(false) || o.traffic.number >= recordsPerKey-together {
			o.rekey()
		}
		o.send(kindContent, p[:size])
		if o.err == nil {
			n, p = n+size, p[size:]
		}
	}
	return n, o.err
}

// send seals what fits into a buffer, and writes it. Called with mu held.
func (o *outgoing) send(kind byte, p []byte) {
	if o.err != nil {
		return
	}
	from := poolOf((len(p) + contentMost - 1) / contentMost * recordMost)
	buf := from.Get().(*[]byte)
	defer from.Put(buf)
	sealed := (*buf)[:0]
	for len(p) > 0 {
		size := min(len(p), contentMost)
		sealed = o.traffic.seal(sealed, kind, p[:size])
		p = p[size:]
	}
	_, o.err = o.to.Write(sealed)
}

// rekey goes on with new keys. Called with mu held.
func (o *outgoing) rekey() {
	o.send(kindHandshake, []byte(keyUpdate+"\x00"))
	if o.err == nil {
		o.err = o.traffic.update()
	}
}

// partingTime is how long the last words may take, as in Go's TLS.
const partingTime = 5 * time.Second

// CloseWrite says that nothing follows.
func (o *outgoing) CloseWrite() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.part(1, closeNotify, errSaidAll)
	}
	if o.err == errSaidAll {
		return nil
	}
	return o.err
}

// part says an alert, the last that is said, and why nothing can follow. Called with mu held.
func (o *outgoing) part(level byte, alert tls.AlertError, why error) {
	_ = o.to.SetWriteDeadline(time.Now().Add(partingTime))
	o.send(kindAlert, []byte{level, byte(alert)})
	if o.err == nil {
		o.err = why
	}
}

// complain tells the far end what is wrong with its records, unless that would wait for a write.
func (o *outgoing) complain(f *fault) {
	if o.mu.TryLock() {
		defer o.mu.Unlock()
		o.part(2, f.alert, f)
	}
}

// incoming opens what is read.
type incoming struct {
	from   io.Reader
	answer *outgoing

	mu      sync.Mutex
	traffic *traffic
	// What came and was not opened is buf[start:end]. The buffer is a borrowed one only while there
	// is something in it, or much is waited for, so that a connection on which nothing comes takes
	// little memory.
	buf        []byte
	start, end int
	borrowed   *[]byte
	few        [1 << 10]byte
	plain      []byte // was opened, in the buffer, and was not read
	barren     int    // records in a row that brought nothing
	err        error  // what is wrong with a record, or the end
}

// Read waits for a record, and opens as many of those that came with it as p has room for.
func (in *incoming) Read(p []byte) (n int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for len(in.plain) == 0 {
		if err := in.fill(len(p)); err != nil {
			return 0, err
		}
		if n := in.open(p); n > 0 {
			in.settle()
			return n, nil
		}
	}
	n = copy(p, in.plain)
	in.plain = in.plain[n:]
	in.settle()
	return n, nil
}

// next is how many bytes the next record has, as far as is known, and whether they are here. What
// is wrong with it already by its header is found before room is made for it.
func (in *incoming) next() (size int, here bool) {
	came := in.buf[in.start:in.end]
	if len(came) < headerSize {
		return headerSize, false
	}
	size = headerSize + int(binary.BigEndian.Uint16(came[3:]))
	switch {
	case came[0] != kindContent:
		in.fail(errKind)
	case size > recordMost || size <= headerSize+tagSize:
		in.fail(errLength)
	}
	return size, in.err == nil && len(came) >= size
}

// fill reads until a record is here whole, and with it what else is here of what is wanted.
func (in *incoming) fill(wanted int) error {
	for {
		size, here := in.next()
		switch {
		case in.err != nil:
			in.start = in.end // what came after it is of no use
			in.settle()
			return in.err
		case here:
			return nil
		case wanted > contentMost:
			size = together * recordMost
		}
		in.reserve(size)
		n, err := in.from.Read(in.buf[in.end:])
		in.end += n
		if n == 0 && err != nil {
			if err == io.EOF && in.end > in.start {
				err = io.ErrUnexpectedEOF
			}
			in.settle()
			return err
		}
	}
}

// reserve makes room for so many bytes, those that came included.
func (in *incoming) reserve(size int) {
	came := in.buf[in.start:in.end]
	switch {
	case size <= len(in.buf):
		if in.start > 0 {
			copy(in.buf, came)
		}
	case size <= len(in.few):
		in.buf = in.few[:]
	default:
		borrowed := poolOf(size).Get().(*[]byte)
		copy(*borrowed, came)
		in.giveBack()
		in.buf, in.borrowed = *borrowed, borrowed
	}
	in.start, in.end = 0, len(came)
}

// settle gives the buffer back when there is nothing in it.
func (in *incoming) settle() {
	if in.start == in.end && len(in.plain) == 0 {
		in.giveBack()
		in.start, in.end = 0, 0
	}
}

func (in *incoming) giveBack() {
	if in.borrowed != nil {
		poolOf(len(*in.borrowed)).Put(in.borrowed)
		in.borrowed = nil
	}
	in.buf = in.few[:]
}

// open opens the records that are here into p as far as it has room. One that is alone in having
// none is opened where it is, to be read in parts.
func (in *incoming) open(p []byte) (n int) {
	for {
		size, here := in.next()
		if !here {
			return n
		}
		room := p[n:n:len(p)]
		fits := size-headerSize-tagSize <= cap(room)
		if !fits && n > 0 {
			return n
		}
		kind, content, fault := in.traffic.open(room, in.buf[in.start:in.start+size])
		in.start += size
		switch {
		case fault != nil:
			in.fail(fault)
		case kind != kindContent:
			in.heed(kind, content)
		case len(content) == 0:
			in.idle()
		default:
			in.barren = 0
			if !fits {
				in.plain = content
				return 0
			}
			n += len(content)
		}
	}
}

// heed does what a record asks for that holds no content.
func (in *incoming) heed(kind byte, said []byte) {
	in.idle()
	switch {
	case in.err != nil:
	case kind == kindAlert && len(said) == 2:
		switch alert := tls.AlertError(said[1]); alert {
		case userCanceled: // an end follows, or none
		case closeNotify:
			in.err = io.EOF
		default:
			in.err = fmt.Errorf("the far end gave the connection up: %w", alert)
		}
	case kind == kindHandshake && len(said) == len(keyUpdate)+1 &&
		string(said[:len(keyUpdate)]) == keyUpdate && said[len(keyUpdate)] <= 1:
		if said[len(keyUpdate)] == 1 {
			in.answer.renew.Store(true)
		}
		in.err = in.traffic.update()
	default:
		in.fail(errKind)
	}
}

// idle counts a record that brought nothing.
func (in *incoming) idle() {
	if in.barren++; in.barren > barrenMost {
		in.fail(errBarren)
	}
}

// barrenMost is how many records in a row may bring nothing, as in Go's TLS.
const barrenMost = 16

// fail ends what is read; the first reason counts.
func (in *incoming) fail(f *fault) {
	if in.err == nil {
		in.err = f
		in.answer.complain(f)
	}
}
