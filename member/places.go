package member

import "sync"

// leastLinks is how many links there may be, however few descriptors.
const leastLinks = 64

// places bounds the links of all members of a host. As long as there is room, who needs a place has
// it. Then who has most gives a link up for who has fewer, so that the members with links come to
// have equal shares.
type places struct {
	most int // 0: any number

	mu    sync.Mutex
	taken int
	by    map[*Member]int
}

// take notes one more link of a member. If there are more than there may be, it returns who is to
// give one up: who has most, and that member itself if nobody has more.
func (p *places) take(m *Member) (crowded *Member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[*Member]int{}
	}
	p.by[m]++
	p.taken++
	if p.most == 0 || p.taken <= p.most {
		return nil
	}
	crowded = m
	for other, n := range p.by {
		if n > p.by[crowded] {
			crowded = other
		}
	}
	return crowded
}

// give takes back the place of a link that has ended.
func (p *places) give(m *Member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.by[m]--; p.by[m] == 0 {
		delete(p.by, m)
	}
}
