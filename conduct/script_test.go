package conduct

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"orchestra/proto"
)

// script drives a registry by hand: each step returns the effects it had, and
// what every member was told is kept.
type script struct {
	t   testing.TB
	reg *registry
	now time.Time

	last   link
	known  map[link]map[proto.PeerID][]netip.AddrPort // told and not yet taken back
	listed map[link][]int                             // how many it was told are listed, each time
	ended  map[link]string                            // connections the registry cut
}

var testLimits = limits{members: 1 << 20, perSource: 1 << 20, peers: 50, dials: 32, silence: 75 * time.Second}

var testID = [20]byte{'i', 'd'}

func newScript(t testing.TB, lim limits, seed uint64) *script {
	return &script{
		t:      t,
		reg:    newRegistry(lim, rand.New(rand.NewPCG(seed, 1))),
		now:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		known:  make(map[link]map[proto.PeerID][]netip.AddrPort),
		listed: make(map[link][]int),
		ended:  make(map[link]string),
	}
}

func peerN(n int) (p proto.PeerID) {
	copy(p[:], "-OR0100-")
	binary.BigEndian.PutUint64(p[12:], uint64(n))
	return p
}

func addr(s string) netip.Addr       { return netip.MustParseAddr(s) }
func addrAt(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
func seatAt(from, local string) seat {
	return newSeat(addrAt(from), netip.AddrPortFrom(addr(local), 9999))
}

func farSeat(n int) seat {
	return newSeat(netip.AddrPortFrom(farAddr(n), 40000), addrAt("10.0.0.1:9999"))
}

func farAddr(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}) }

func plain(n int) proto.Announce {
	return proto.Announce{Key: [16]byte{byte(n)}, Port: 10001, Want: 50}
}

// did looks at effects as the members would.
func (s *script) did(out []effect) []effect {
	s.t.Helper()
	for _, eff := range out {
		tell, ok := eff.(tell)
		if !ok {
			if c, ok := eff.(cut); ok {
				s.ended[c.who] = c.why
			}
			continue
		}
		if why, gone := s.ended[tell.to]; gone {
			s.t.Fatalf("link %d was cut (%s) and then told %#v", tell.to, why, tell.msg)
		}
		known := s.known[tell.to]
		if known == nil {
			known = make(map[proto.PeerID][]netip.AddrPort)
			s.known[tell.to] = known
		}
		switch m := tell.msg.(type) {
		case proto.Joined:
			if len(m.Members) == 0 || len(m.Members) > proto.MaxMembers {
				s.t.Fatalf("a Joined frame of %d members", len(m.Members))
			}
			for _, member := range m.Members {
				if len(member.Addrs) == 0 || len(member.Addrs) > proto.MaxAddrs {
					s.t.Fatalf("%v was handed out with %d addresses", member.PeerID, len(member.Addrs))
				}
				known[member.PeerID] = member.Addrs
			}
		case proto.Left:
			for _, p := range m.PeerIDs {
				if _, ok := known[p]; !ok {
					s.t.Fatalf("link %d was told that %v left, of whom it was not told", tell.to, p)
				}
				delete(known, p)
			}
		case proto.Listed:
			n, before := int(m.Members), s.listed[tell.to]
			if len(before) > 0 && s.near(n, before[len(before)-1]) {
				s.t.Fatalf("link %d was told that %d are listed, after %v", tell.to, n, before)
			}
			s.listed[tell.to] = append(before, n)
		}
	}
	return out
}

// near reports whether a number of members is so near to another that who was told that is not told
// anew.
func (s *script) near(n, told int) bool {
	few := 2*s.reg.lim.peers + 1
	return 4*n < 5*told && 4*n > 3*told && (n > few) == (told > few)
}

// counted holds what a join or a departure led to, to this: who was told of anybody has been told
// about how many there are, and nobody else is told that but a newcomer, unless they are few no
// longer.
func (s *script) counted(newcomer link, out []effect) {
	s.t.Helper()
	of := make(map[link]bool)
	for _, eff := range out {
		tell, ok := eff.(tell)
		if !ok {
			continue
		}
		switch tell.msg.(type) {
		case proto.Joined, proto.Left:
			of[tell.to] = true
			e := s.reg.links[tell.to]
			if told := s.listed[tell.to]; len(told) == 0 || !s.near(len(e.comp.entries), told[len(told)-1]) {
				s.t.Fatalf("link %d was told that %v are listed, of %d", tell.to, told, len(e.comp.entries))
			}
		}
	}
	for _, eff := range out {
		if tell, ok := eff.(tell); ok {
			if _, ok := tell.msg.(proto.Listed); ok && tell.to != newcomer && !of[tell.to] && len(s.reg.links[tell.to].comp.entries) != 2*s.reg.lim.peers+2 {
				s.t.Fatalf("link %d was told how many are listed for its own sake", tell.to)
			}
		}
	}
}

// arrives takes a first announcement.
func (s *script) arrives(a arrival) []effect {
	s.t.Helper()
	return s.did(s.reg.arrive(s.now, a, nil))
}

// join announces a member on a new connection.
func (s *script) join(peer proto.PeerID, at seat, ann proto.Announce) (link, []effect) {
	s.t.Helper()
	s.last++
	out := s.arrives(arrival{link: s.last, id: testID, peer: peer, seat: at, ann: ann})
	s.counted(s.last, out)
	return s.last, out
}

func (s *script) leave(l link) []effect {
	s.t.Helper()
	out := s.did(s.reg.leave(s.now, l, nil))
	s.counted(0, out)
	return out
}

// answer gives every dial back among the effects the same outcome, and those
// that follow from it.
func (s *script) answer(out []effect, ok bool) {
	s.t.Helper()
	for len(out) > 0 {
		var next []effect
		for _, eff := range out {
			if d, is := eff.(dialBack); is {
				at, err := netip.ParseAddrPort(d.host)
				if err != nil {
					at = addrAt("203.0.113.99:7000") // where every name leads
				}
				next = append(next, s.did(s.reg.checked(s.now, d.ticket, at, whether(ok), nil))...)
			}
		}
		out = next
	}
}

// whether is what a dial back found.
func whether(answered bool) finding {
	if answered {
		return foundMember
	}
	return foundNobody
}

// knows returns the addresses under which a connection knows a member.
func (s *script) knows(l link, p proto.PeerID) []string {
	var got []string
	for _, a := range s.known[l][p] {
		got = append(got, a.String())
	}
	return got
}

// check holds the registry to what must be true at any time, and to what members were told.
func (s *script) check() {
	s.t.Helper()
	if err := s.reg.recount(); err != nil {
		s.t.Fatal(err)
	}
	for _, e := range s.reg.expiry {
		if told := s.listed[e.link]; e.link != 0 && (len(told) == 0 || e.listed != told[len(told)-1]) {
			s.t.Fatalf("entry %v was told that %v are listed, and remembers %d", e.peer, told, e.listed)
		}
		for _, o := range e.told {
			if o.gone || o == e || !slices.Contains(o.toldTo, e) {
				s.t.Fatalf("entry %v was told of %v, which does not know", e.peer, o.peer)
			}
			if _, ok := s.known[e.link][o.peer]; e.link != 0 && !ok {
				s.t.Fatalf("entry %v was never told of %v", e.peer, o.peer)
			}
		}
		for _, o := range e.toldTo {
			if o.gone || !slices.Contains(o.told, e) {
				s.t.Fatalf("entry %v is known to %v, which does not know", e.peer, o.peer)
			}
		}
		if _, ok := s.known[e.link][e.peer]; ok {
			s.t.Fatalf("entry %v was told of itself", e.peer)
		}
	}
}

func count[T any](out []effect, yes func(T) bool) int {
	n := 0
	for _, eff := range out {
		if e, ok := eff.(T); ok && yes(e) {
			n++
		}
	}
	return n
}

// refusal returns why a connection was refused, "" if it was not.
func refusal(out []effect) string {
	for _, eff := range out {
		if t, ok := eff.(tell); ok {
			if m, ok := t.msg.(proto.Refused); ok {
				return m.Reason
			}
		}
	}
	return ""
}
