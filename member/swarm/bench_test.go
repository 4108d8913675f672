package swarm

import (
	"testing"

	"orchestra/proto"
)

const benchPeers = 100

// crowded makes a core with many parts and a hundred peers that have two of three of them.
func crowded(b *testing.B, parts int) *Swarm {
	b.Helper()
	s := New(Config{Size: int64(parts) << 14, PartSize: 1 << 14, ID: proto.PeerID{100}, Seed: 1, MaxPeers: benchPeers})
	field := newBitmap(parts)
	for i := range field {
		field[i] = 0xdb
	}
	for i := range benchPeers {
		s.Step(0, Joined{Peer: i, ID: proto.PeerID{byte(i), 1}, Addr: addr(i), MaxRun: RunSize, MaxQueue: 1024}, nil)
		s.Step(0, Has{Peer: i, Bits: field}, nil)
	}
	return s
}

func eachSize(b *testing.B, f func(b *testing.B, parts int)) {
	b.Run("1k", func(b *testing.B) { f(b, 1_000) })
	b.Run("1M", func(b *testing.B) { f(b, 1_000_000) })
}

// BenchmarkRun is the life of a run: it is picked, asked for, and received.
func BenchmarkRun(b *testing.B) {
	eachSize(b, func(b *testing.B, parts int) {
		s := crowded(b, parts)
		out := s.Step(0, Choked{Peer: 0}, nil)
		for b.Loop() {
			f := s.links.peers[0].fetches[0]
			r := s.runOf(f.work, f.n)
			out = s.Step(0, Received{0, r}, out[:0])
			s.requests.end(f.work) // back to where it was, without a check and an announcement
			s.rare.add(r.Part)
		}
	})
}

// BenchmarkPick finds the rarest free part that a peer has.
func BenchmarkPick(b *testing.B) {
	eachSize(b, func(b *testing.B, parts int) {
		s := crowded(b, parts)
		p := s.links.peers[0]
		for b.Loop() {
			if _, ok := s.rare.pick(p.has, p.all, s.rng); !ok {
				b.Fatal("nothing to pick")
			}
		}
	})
}

// BenchmarkHave takes one part in that a peer has got.
func BenchmarkHave(b *testing.B) {
	eachSize(b, func(b *testing.B, parts int) {
		s := crowded(b, parts)
		out := []Effect(nil)
		n := uint32(0)
		for b.Loop() {
			p := s.links.peers[n%benchPeers]
			part := n / benchPeers * 3 % uint32(parts) // they lack every third
			part += 2 - part%3
			out = s.Step(0, Has{Peer: p.index, Parts: []uint32{part % uint32(parts)}}, out[:0])
			n++
		}
	})
}

// BenchmarkGrant serves a hundred peers that want eight parts each.
func BenchmarkGrant(b *testing.B) {
	eachSize(b, func(b *testing.B, parts int) {
		s := crowded(b, parts)
		for part := range uint32(64) {
			s.rare.remove(part)
			s.gain(part)
		}
		out := []Effect(nil)
		for i := range benchPeers {
			out = s.Step(0, Interest{i, true}, out[:0])
			for part := range uint32(8) {
				out = s.Step(0, Wanted{i, []uint32{(part*7 + uint32(i)) % 64}}, out[:0])
			}
		}
		busy := []int{}
		for _, p := range s.links.peers {
			for range p.grants {
				busy = append(busy, p.index)
			}
		}
		for n := 0; b.Loop(); n++ {
			i := busy[0]
			busy = busy[1:]
			out = s.Step(0, Wanted{i, []uint32{uint32(n) % 64}}, out[:0])
			out = s.Step(0, Served{Peer: i}, out)
			for _, e := range out {
				if g, ok := e.(Grant); ok {
					busy = append(busy, g.Peer)
				}
			}
		}
	})
}
