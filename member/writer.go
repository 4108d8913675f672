package member

import (
	"context"
	"errors"
	"net"
	"time"

	"orchestra/member/store"
	"orchestra/member/swarm"
	"orchestra/proto"
)

// errand is what the writer does next: say something, send a stretch of content, or tell the core
// that a grant is served.
type errand struct {
	say    []byte
	haves  []uint32
	pieces []proto.Piece
	served bool
}

// What is said to the peer waits for a piece to end, so a bulk request goes out in pieces that take
// about pieceTime each, and have leastPiece bytes at least.
const (
	pieceTime  = 30 * time.Millisecond
	leastPiece = 64 << 10
)

// batchBlocks is how many single blocks go out in one write.
const batchBlocks = 16

// writeLoop sends what the loop and the reader leave to be sent until the link ends. Messages go
// before content, between two pieces.
func (l *link) writeLoop(ctx context.Context) error {
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	var say []byte
	for {
		e, ended := l.next(say[:0])
		if ended {
			return nil
		}
		say = e.say
		switch {
		case len(e.say) > 0 || len(e.haves) > 0:
			for _, part := range e.haves {
				say = proto.Append(say, proto.Have{Part: part})
			}
			if err := l.write(say); err != nil {
				return err
			}
		case len(e.pieces) > 0:
			if err := l.sendPieces(ctx, e.pieces); err != nil {
				return err
			}
		case e.served:
			if !l.m.tell(ctx, swarm.Served{Peer: l.peer}) {
				return ctx.Err()
			}
		default:
			select {
			case <-l.wake:
			case <-alive.C:
				l.send(proto.KeepAlive{})
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// next takes the next errand; one that is empty means to wait.
func (l *link) next(buf []byte) (e errand, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended != nil:
		return e, true
	case len(l.say) > 0 || l.soon:
		e.say, l.say = l.say, buf
		l.offered = 0
		e.haves = l.takeHaves()
	case len(l.ready) > 0 && l.ready[0].isEnd():
		e.say = buf
		e.served = true
		l.ready = l.ready[1:]
	case len(l.ready) > 0:
		e.say = buf
		e.pieces = l.nextPieces()
	default:
		e.say = buf
	}
	return e, false
}

// nextPieces cuts the next piece off a bulk request, or takes a few requests of single blocks.
// There is none while the next one is of a part that did not come so far. Called with mu held.
func (l *link) nextPieces() []proto.Piece {
	if o := &l.ready[0]; o.bulk {
		n := min(o.length, uint32(l.pieceMost()), uint32(portion(l.m.upload)))
		if o.relay {
			if n = l.arrivedOf(*o, n); n == 0 {
				return nil
			}
		}
		p := proto.Piece{Part: o.part, Begin: o.begin, Length: int(n)}
		if o.begin, o.length = o.begin+n, o.length-n; o.length == 0 {
			l.ready = l.ready[1:]
			l.count--
		}
		return []proto.Piece{p}
	}
	var pieces []proto.Piece
	for total := 0; len(l.ready) > 0 && len(pieces) < batchBlocks && !l.ready[0].bulk && !l.ready[0].isEnd(); {
		o := l.ready[0]
		if o.relay && l.arrivedOf(o, o.length) < o.length {
			break
		}
		if total += int(o.length); total > portion(l.m.upload) && len(pieces) > 0 {
			break
		}
		pieces = append(pieces, proto.Piece{Part: o.part, Begin: o.begin, Length: int(o.length)})
		l.ready = l.ready[1:]
		l.count--
	}
	return pieces
}

// pieceMost is how many bytes go into a piece. A peer that alone is sent to is told little.
func (l *link) pieceMost() int {
	if l.m.unchained.Load() {
		return l.piece
	}
	return proto.MaxPiece
}

// arrivedOf is how much of the next n bytes of an order is here.
func (l *link) arrivedOf(o order, n uint32) uint32 {
	here := l.m.intake.Here(o.part) - int64(o.begin)
	return uint32(min(max(here, 0), int64(n)))
}

func (l *link) write(p []byte) error {
	l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := l.outward.Write(p)
	return err
}

// sendPieces sends content, a large piece straight from the file to the socket, small ones gathered
// into one write. What is more than the upload limit lets pass at once goes out in slices.
func (l *link) sendPieces(ctx context.Context, pieces []proto.Piece) error {
	total := 0
	for _, p := range pieces {
		total += p.Length
	}
	if len(pieces) == 1 && (total > proto.Block || total > portion(l.m.upload)) {
		return l.sendPiece(ctx, pieces[0])
	}
	if err := l.allow(ctx, total); err != nil {
		return err
	}
	sent, err := l.sendBlocks(pieces)
	if err != nil {
		return err
	}
	l.m.uploaded.Add(int64(sent))
	if !l.wentOut(ctx, sent) {
		return ctx.Err()
	}
	return nil
}

// wentOut counts payload that the socket took, and tells the core of it now and then: the peer
// takes it.
func (l *link) wentOut(ctx context.Context, n int) bool {
	l.went += int64(n)
	if time.Since(l.told) < reportEvery {
		return true
	}
	went := l.went
	l.went, l.told = 0, time.Now()
	return l.m.tell(ctx, swarm.Sent{Peer: l.peer, Bytes: went})
}

// allow waits until the upload limit lets n bytes pass. The core is told that it is not the peer
// who holds them up.
func (l *link) allow(ctx context.Context, n int) error {
	return wait(ctx, l.m.upload, n, func() bool {
		if time.Since(l.told) < reportEvery {
			return true
		}
		l.told = time.Now()
		return l.m.tell(ctx, swarm.Sent{Peer: l.peer})
	})
}

// fit makes the next pieces larger or smaller, by the time that the last one took.
func (l *link) fit(took time.Duration) {
	switch {
	case took < pieceTime/2:
		l.piece = min(2*l.piece, proto.MaxPiece)
	case took > 2*pieceTime:
		l.piece = max(l.piece/2, leastPiece)
	}
}

// sendPiece writes the header of a piece, then its content as the upload limit lets it pass.
func (l *link) sendPiece(ctx context.Context, p proto.Piece) error {
	begun := time.Now()
	defer func() { l.fit(time.Since(begun)) }()
	slice := min(p.Length, portion(l.m.upload))
	if err := l.allow(ctx, slice); err != nil {
		return err
	}
	if err := l.m.store.Ready(l.offset(p), int64(p.Length)); err != nil {
		return l.cannotSend(p, err)
	}
	l.holdBack()
	var head [13]byte
	if err := l.sendHead(proto.Append(head[:0], p)); err != nil {
		return err
	}
	for off, left := l.offset(p), p.Length; ; {
		if err := l.sendContent(ctx, off, slice); err != nil {
			if disk := (*store.Error)(nil); errors.As(err, &disk) {
				l.m.doubt(p.Part)
			}
			return err
		}
		l.m.uploaded.Add(int64(slice))
		off, left = off+int64(slice), left-slice
		if slice = min(left, slice); slice == 0 {
			return nil
		}
		if err := l.allow(ctx, slice); err != nil {
			return err
		}
	}
}

// cannotSend rejects what the disk does not give, unless the peer takes no rejection, and has the
// part rechecked: if it is lost, everybody hears of it.
func (l *link) cannotSend(p proto.Piece, why error) error {
	l.m.doubt(p.Part)
	if !l.fast {
		return why
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	rejected := order{part: p.Part, begin: p.Begin, length: uint32(p.Length)}
	if len(l.ready) > 0 {
		if rest := l.ready[0]; rest.bulk && rest.part == p.Part && int64(rest.begin) == p.End() {
			rejected.length += rest.length
			l.ready = l.ready[1:]
			l.count--
		}
	}
	l.refuse(rejected)
	return nil
}

func (l *link) offset(p proto.Piece) int64 {
	return int64(p.Part)*l.m.comp.PartSize + int64(p.Begin)
}

// sendBlocks reads blocks into one buffer and writes them with their headers between. It returns
// how many bytes of content it sent.
func (l *link) sendBlocks(pieces []proto.Piece) (sent int, err error) {
	var heads [batchBlocks * 13]byte
	head := heads[:0]
	total := 0
	for _, p := range pieces {
		total += p.Length
	}
	data := make([]byte, total)
	var out net.Buffers
	for _, p := range pieces {
		if err := l.m.store.ReadAt(data[:p.Length], l.offset(p)); err != nil {
			if err := l.cannotSend(p, err); err != nil {
				return 0, err
			}
			continue
		}
		at := len(head)
		head = proto.Append(head, p)
		out = append(out, head[at:], data[:p.Length])
		data = data[p.Length:]
		sent += p.Length
	}
	l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err = out.WriteTo(l.conn)
	return sent, err
}
