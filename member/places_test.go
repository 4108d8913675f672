package member

import "testing"

// Where places are short, who has most gives one up for who has fewer, so that all come to have the
// same; nobody is asked before.
func TestPlaces(t *testing.T) {
	p := places{most: 12}
	greedy, modest := &Member{}, &Member{}
	has := map[*Member]int{}
	take := func(m *Member) {
		has[m]++
		if who := p.take(m); who != nil {
			has[who]--
			p.give(who)
		}
	}
	for range 12 {
		take(greedy)
	}
	if has[greedy] != 12 {
		t.Errorf("there was room for %d", has[greedy])
	}
	take(greedy)
	if has[greedy] != 12 {
		t.Errorf("one has %d of 12 places", has[greedy])
	}
	for range 20 {
		take(modest)
		take(greedy)
	}
	if has[modest] != 6 || has[greedy] != 6 {
		t.Errorf("they have %d and %d of 12 places", has[modest], has[greedy])
	}
	for range 6 {
		p.give(greedy)
	}
	if p.taken != 6 || len(p.by) != 1 {
		t.Errorf("%d are taken by %d", p.taken, len(p.by))
	}
	if unbounded := (places{}); unbounded.take(greedy) != nil {
		t.Error("a member of its own is bounded by its core alone")
	}
}
