package swarm

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// Who sent what is bad, and what is held against them; see trust.go for what follows of that.

// sender is who sent something, as it is remembered when its link is gone.
type sender struct {
	id   proto.PeerID
	addr netip.AddrPort // where it is found, as far as that is known
}

// culprit is who is answerable: a peer id at a host, or with no id the host.
type culprit struct {
	host netip.Addr
	id   proto.PeerID
}

// hostOf is the part of an address that its owner cannot change: of an IPv6 address its network.
func hostOf(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.Is6() {
		network, _ := a.Prefix(64)
		return network.Addr()
	}
	return a
}

// same reports whether two are one peer, whatever its ports.
func (f sender) same(g sender) bool { return f.id == g.id && f.addr.Addr() == g.addr.Addr() }

func (f sender) culprit() culprit { return culprit{hostOf(f.addr.Addr()), f.id} }

func (c culprit) whole() culprit { return culprit{host: c.host} }

// compare orders culprits, so that one of two is the same in each run.
func (c culprit) compare(d culprit) int {
	return cmp.Or(c.host.Compare(d.host), bytes.Compare(c.id[:], d.id[:]))
}

// is reports whether a peer is this culprit.
func (c culprit) is(p *peer) bool {
	return c.host == hostOf(p.addr.Addr()) && (c.id == proto.PeerID{} || c.id == p.id)
}

// record is what is held against one culprit.
type record struct {
	bad   []badPart // different parts, in the order in which they came first
	n     int       // of these that it did not withdraw
	bytes int64     // of these
	times int       // that it was cut off
	until time.Duration
	good  int64         // bytes from it that were good, since something is held against it
	heard time.Duration // when something was held against it last

	vain   int64         // bytes of parts that it left unfinished when it was tried on them
	probes int           // how often it was put off
	askAt  time.Duration // until when it is

	misled   int // bad parts that it had not verified itself
	misledAt time.Duration
}

type badPart struct {
	part  uint32
	bytes int64
	times int
	at    time.Duration // the last time
	owned bool          // it was withdrawn since
}

// wait is how long it is not to be asked for again.
func (b badPart) wait() time.Duration { return min(againFirst<<min(b.times-1, 10), againMost) }

// senderOf is how a peer is remembered: under the port on which it accepts members, if it opened
// the link and says which.
func (p *peer) sender() sender {
	if p.dialled || p.port == 0 {
		return sender{p.id, p.addr}
	}
	return sender{p.id, netip.AddrPortFrom(p.addr.Addr(), p.port)}
}

// accuse counts a bad part, and tells how long the culprit is not to be asked for it.
func (t *trust) accuse(now time.Duration, c culprit, part uint32, length int64) time.Duration {
	r := t.record(now, c)
	r.heard = now
	i := r.find(part)
	if i < 0 {
		if len(r.bad) == recordMost {
			r.excuse(0)
			r.bad = slices.Delete(r.bad, 0, 1)
		}
		i = len(r.bad)
		r.bad = append(r.bad, badPart{part: part, bytes: length, owned: true})
	}
	b := &r.bad[i]
	b.at = now
	b.times++
	if b.owned {
		b.owned = false
		r.n, r.bytes = r.n+1, r.bytes+length
	}
	return b.wait()
}

// excuse counts a bad part no longer.
func (r *record) excuse(i int) {
	if b := &r.bad[i]; !b.owned {
		b.owned = true
		r.n, r.bytes = r.n-1, r.bytes-b.bytes
	}
}

// find is the place of a part among those that are held against a culprit; -1: it is not.
func (r *record) find(part uint32) int {
	return slices.IndexFunc(r.bad, func(b badPart) bool { return b.part == part })
}

// own takes it in that a bad part was withdrawn.
func (r *record) own(part uint32) {
	if i := r.find(part); i >= 0 {
		r.excuse(i)
	}
}

// record is what is held against a culprit, without what has faded.
func (t *trust) record(now time.Duration, c culprit) *record {
	r := t.records[c]
	if r == nil {
		if len(t.records) >= culpritsMost {
			t.forgetOldest()
		}
		r = &record{}
		t.records[c] = r
		for _, p := range t.s.links.list {
			if c.is(p) {
				r.good += p.good
			}
		}
	}
	if now-max(r.heard, r.until) > cutMost {
		r.times, r.probes = 0, 0
	}
	if now-r.heard > badFor {
		r.vain = 0
	}
	for i := len(r.bad) - 1; i >= 0; i-- {
		if now-r.bad[i].at > badFor {
			r.excuse(i)
			r.bad = slices.Delete(r.bad, i, i+1)
		}
	}
	return r
}

// forgetOldest makes room for another culprit.
func (t *trust) forgetOldest() {
	var oldest culprit
	at := never
	for c, r := range t.records {
		if last := max(r.heard, r.until); last < at || last == at && c.compare(oldest) < 0 {
			oldest, at = c, last
		}
	}
	delete(t.records, oldest)
}
