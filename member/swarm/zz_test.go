package swarm_test
import ("testing";"time";"slices")
func TestZZ(t *testing.T) {
	for seed := range uint64(3) {
		s := newSim(t, 32<<20, 256<<10, seed)
		s.enter(0, mbit(40), mbit(40), true)
		for i := range 10 {
			s.enter(time.Second+time.Duration(i)*100*time.Millisecond, mbit(40), mbit(40), false)
		}
		s.play(2 * time.Minute)
		list := s.finishes(mbit(40))
		t.Logf("seed %.3f %.3f", list[0], slices.Max(list))
		s = newSim(t, 32<<20, 256<<10, seed)
		o := s.serve(mbit(40))
		for i := range 10 {
			s.enter(time.Second+time.Duration(i)*100*time.Millisecond, mbit(40), mbit(40), false)
		}
		for at := time.Second; at < 9*time.Second; at += 500*time.Millisecond {
			s.at(at, later(func() {
				ch, pull := 0, 0
				ups := ""
				for _, p := range s.players[1:] { if p.core == nil {continue}
					if !p.core.Broken() { ch++ }
					if p.core.Pulls() { pull++ }
					if id, ok := p.core.Upstream(); ok { ups += string(rune('a'+s.player(id).n)) } else { ups += "-" }
				}
				t.Logf("%v chained %d pulls %d ups %s", s.now, ch, pull, ups)
			}))
		}
		s.play(2 * time.Minute)
		list = s.finishes(mbit(40))
		t.Logf("origin %.3f %.3f %.3f", list[0], slices.Max(list), s.copies(o))
	}
}
