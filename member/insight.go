package member

import (
	"context"
	"net/netip"
	"time"

	"orchestra/member/swarm"
)

// An Insight is what a running member knows of itself and of those it is connected to, for people
// to look at.
type Insight struct {
	Progress Progress
	// the parts that are verified and stored, the first as the highest bit of the first byte
	Bits  []byte
	Peers []Peer
}

// A Peer is a member that this one is connected to.
type Peer struct {
	ID             [20]byte
	Addr           netip.AddrPort
	Since          time.Time // when the connection came up
	Parts          int       // that it has
	Bits           []byte    // of these; nil if it has nothing or everything
	Received, Sent int64     // payload bytes over this connection, but for those of the last moment
}

// looking brings a question to the loop; the answer goes into reply, which has room for it.
type looking struct {
	bits  bool // also those of the peers
	reply chan<- Insight
}

// Insight returns what the member knows now. It reports false if the member does not run. It may be
// called from any goroutine, and costs the member's loop little: once a second is fine.
func (m *Member) Insight(ctx context.Context) (Insight, bool) { return m.insight(ctx, true) }

func (m *Member) insight(ctx context.Context, bits bool) (Insight, bool) {
	reply := make(chan Insight, 1)
	select {
	case m.inbox <- looking{bits, reply}:
	case <-ctx.Done():
		return Insight{}, false
	case <-m.ended:
		return Insight{}, false
	}
	select {
	case in := <-reply:
		return in, true
	case <-ctx.Done():
	case <-m.ended:
	}
	return Insight{}, false
}

// looking answers a question.
func (d *director) looking(ev looking) {
	in := Insight{Progress: d.Progress(), Bits: d.core.Bits()}
	for _, p := range d.core.Linked(ev.bits) {
		moved := d.carried.at(p.Peer)
		in.Peers = append(in.Peers, Peer{
			ID: p.ID, Addr: p.Addr, Since: d.start.Add(p.Since), Parts: p.Have, Bits: p.Bits,
			Received: moved.received, Sent: moved.sent,
		})
	}
	ev.reply <- in
}

// carried is how many payload bytes went over each link, as the links report it. The loop owns it.
type carried []carriage

type carriage struct{ received, sent int64 }

// take counts what a link reports.
func (c *carried) take(ev swarm.Event) {
	switch ev := ev.(type) {
	case swarm.Progress:
		c.of(ev.Peer).received += ev.Down
	case swarm.Sent:
		c.of(ev.Peer).sent += ev.Bytes
	}
}

func (c *carried) of(peer int) *carriage {
	for len(*c) <= peer {
		*c = append(*c, carriage{})
	}
	return &(*c)[peer]
}

func (c carried) at(peer int) carriage {
	if peer < 0 || peer >= len(c) {
		return carriage{}
	}
	return c[peer]
}
