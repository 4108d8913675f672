package swarm

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"orchestra/proto"
)

// crowd is a member in the middle of getting content, with so many links, known members and parts.
type crowd struct {
	links, known, parts int
	foreign             bool // one link is to a foreign client, so that there is no chain
}

func (c crowd) String() string {
	shape := "chain"
	if c.foreign {
		shape = "mesh"
	}
	return fmt.Sprintf("%s of %d, %d known, %d parts", shape, c.links, c.known, c.parts)
}

var crowds = []crowd{
	{10, 10, 100, false},
	{10, 10, 100, true},
	{20, 200, 1_000_000, true},
	{100, 100, 1_000_000, false},
	{100, 200, 1_000_000, true},
}

// set makes the member: it has every second part, its peers have two of three, it asks some of
// them, and serves some.
func (c crowd) set() *Swarm {
	s := New(Config{Size: int64(c.parts) << 18, PartSize: 1 << 18, ID: proto.PeerID{100}, Seed: 1, MaxPeers: 100})
	for part := range uint32(c.parts) {
		if part%2 == 0 {
			s.rare.remove(part)
			s.gain(part)
		}
	}
	s.out = nil
	at := func(i int) []netip.AddrPort {
		return []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 1000)}
	}
	id := func(i int) proto.PeerID { return proto.PeerID{byte(i), byte(i >> 8), 1} }
	for i := range c.known {
		s.Step(0, Found{ID: id(i), Addrs: at(i)}, nil)
	}
	field := newBitmap(c.parts)
	for part := range uint32(c.parts) {
		if part%3 > 0 {
			field.set(part)
		}
	}
	for i := range c.links {
		max := uint32(RunSize)
		if c.foreign && i == c.links-1 {
			max = 0
		}
		s.Step(0, Joined{Peer: i, ID: id(i), Addr: at(i)[0], Dialled: i%2 == 0, MaxRun: max, MaxQueue: 1024}, nil)
		s.Step(0, Has{Peer: i, Bits: field}, nil)
		s.Step(0, Interest{i, true}, nil)
		s.Step(0, Choked{Peer: i}, nil)
	}
	for i := range c.links {
		if c.foreign || i < 3 { // in a chain few want anything of one member
			s.Step(time.Second, Wanted{i, []uint32{0, 6, 12, 18}}, nil)
		}
		if i < 5 && len(s.links.peers[i].fetches) > 0 {
			f := s.links.peers[i].fetches[0]
			s.Step(time.Second, Started{i, s.runOf(f.work, f.n)}, nil)
		}
	}
	return s
}

// messages are what comes again and again; each leaves things as they were.
var messages = []struct {
	name string
	of   func(s *Swarm, n int) Event
}{
	{"tick", func(*Swarm, int) Event { return Tick{} }},
	{"progress", func(s *Swarm, n int) Event {
		p := s.links.peers[0]
		if len(p.fetches) == 0 {
			return Tick{}
		}
		f := p.fetches[0]
		return Progress{Peer: 0, Down: 1000, Run: s.runOf(f.work, f.n), Got: f.got + 1}
	}},
	{"have", func(s *Swarm, n int) Event {
		i := n % len(s.links.peers)
		part := uint32(n/len(s.links.peers)*3) % uint32(s.parts)
		return Has{Peer: i, Parts: []uint32{part}}
	}},
	{"wanted", func(_ *Swarm, n int) Event { return Wanted{n % 3, []uint32{24}} }},
	{"sent", func(_ *Swarm, n int) Event { return Sent{n % 3, 1000} }},
}

// BenchmarkMessage tells what a message costs, with what follows of it. It must not be more with
// many members and parts than with few.
func BenchmarkMessage(b *testing.B) {
	for _, c := range crowds {
		b.Run(c.String(), func(b *testing.B) {
			s := c.set()
			for _, m := range messages {
				b.Run(m.name, func(b *testing.B) {
					out := []Effect(nil)
					for n := 0; b.Loop(); n++ {
						out = s.Step(s.now+10*time.Microsecond, m.of(s, n), out[:0])
						s.Next()
					}
				})
			}
		})
	}
}
