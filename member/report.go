package member

import (
	"bytes"
	"cmp"
	"context"
	"net"
	"slices"
	"time"

	"orchestra/proto"
)

// reports is what a conductor was told of this member for its page, on one connection. Nothing is
// told unless the conductor asks.
type reports struct {
	every time.Duration // 0: nobody looks
	due   time.Time
	begun bool // it was told what the content is
	bits  []byte
	next  int // the byte of the bitfield from which on the next change is looked for
	from  map[proto.PeerID]int64
	why   string
}

// ask takes in what the conductor wants. It forgets what it was told when nobody looks any more.
func (r *reports) ask(every time.Duration) {
	if every == 0 || r.every == 0 {
		r.bits, r.from, r.why, r.next = nil, nil, "", 0
		r.due = time.Time{}
	}
	r.every = every
}

// rhythm is how often the conductor hears from this member.
func (r *reports) rhythm() time.Duration {
	if r.every == 0 {
		return progressEvery
	}
	return min(max(r.every, time.Second), progressEvery)
}

// changes returns what is to be told now.
func (r *reports) changes(now time.Time, in *Insight) (says []proto.Message) {
	if r.every == 0 || now.Before(r.due) {
		return nil
	}
	r.due = now.Add(r.every - r.every/8) // the tick need not be exact
	complete := in.Progress.Complete
	if complete {
		r.bits = nil // it says so; should parts be lost, the conductor begins with nothing again
	} else if holds, ok := r.holds(in.Bits); ok {
		says = append(says, holds)
	}
	if from := r.received(in.Peers); len(from) > 0 {
		says = append(says, proto.Received{From: from})
	}
	why := in.Progress.Waiting
	if in.Progress.Checking {
		why = "it checks what it has"
	}
	if why != r.why {
		r.why = why
		says = append(says, proto.Waits{Why: why})
	}
	return says
}

// holds is the next stretch of the bitfield that is other than was told.
func (r *reports) holds(bits []byte) (proto.Holds, bool) {
	if len(r.bits) != len(bits) {
		r.bits, r.next = make([]byte, len(bits)), 0
	}
	if bytes.Equal(r.bits, bits) {
		return proto.Holds{}, false
	}
	first := r.next
	for r.bits[first] == bits[first] {
		first = (first + 1) % len(bits)
	}
	end := min(first+proto.MaxHolds, len(bits))
	for r.bits[end-1] == bits[end-1] {
		end--
	}
	copy(r.bits[first:end], bits[first:end])
	r.next = end % len(bits)
	return proto.Holds{First: uint32(first), Bits: slices.Clone(bits[first:end])}, true
}

// received is from whom most came since it was told last.
func (r *reports) received(peers []Peer) (from []proto.Source) {
	told := make(map[proto.PeerID]int64, len(peers))
	more := make(map[proto.PeerID]int64, len(peers))
	for _, p := range peers {
		before, id := r.from[p.ID], proto.PeerID(p.ID)
		if told[id] = min(before, p.Received); p.Received != before {
			more[id] = p.Received - told[id]
			from = append(from, proto.Source{PeerID: id, Bytes: uint64(p.Received)})
		}
	}
	slices.SortFunc(from, func(a, b proto.Source) int {
		return cmp.Or(cmp.Compare(more[b.PeerID], more[a.PeerID]), bytes.Compare(a.PeerID[:], b.PeerID[:]))
	})
	from = from[:min(len(from), proto.MaxReceived)]
	for _, s := range from {
		told[s.PeerID] = int64(s.Bytes)
	}
	r.from = told
	return from
}

// asked takes in that the conductor wants reports, and tells it at once what the content is.
func (c *conductor) asked(conn net.Conn, every time.Duration) bool {
	c.reports.ask(every)
	if every == 0 || c.reports.begun {
		return true
	}
	c.reports.begun = true
	return c.say(conn, proto.Content{
		Size: uint64(c.comp.Size), PartSize: uint32(c.comp.PartSize), Version: proto.CutLabel(c.cfg.Version),
	})
}

// sayChanges tells the conductor what is new for its page.
func (c *conductor) sayChanges(ctx context.Context, conn net.Conn) bool {
	if c.reports.every == 0 {
		return true
	}
	in, ok := c.insight(ctx, false)
	if !ok {
		return true // it is ending
	}
	for _, msg := range c.reports.changes(time.Now(), &in) {
		if !c.say(conn, msg) {
			return false
		}
	}
	return true
}
