package intake

import (
	"sync"
	"sync/atomic"
	"time"
)

// gathering collects parts that are written in full, if as many as are best verified together come
// soon enough. Where fewer come in that time, each is hashed while it is written.
type gathering struct {
	together int          // parts; 1: each is verified by itself
	missing  atomic.Int64 // parts that did not verify yet
	fast     atomic.Bool  // parts are not to be hashed while they are written

	mu      sync.Mutex
	within  time.Duration // a part may wait so long for others
	waiting []uint32
	due     *time.Timer // when they have waited long enough
	whole   []time.Time // when the last parts were whole, oldest first
}

func newGathering(together int) *gathering {
	g := &gathering{together: together, due: time.NewTimer(time.Hour)}
	g.due.Stop()
	return g
}

// pace sets how long a part may wait. What waits is due now.
func (g *gathering) pace(within time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.within = within
	if len(g.waiting) > 0 {
		g.due.Reset(0)
	}
}

// add takes a part that is written in full, and gives those that are to be verified now. None waits
// if no other part is missing.
func (g *gathering) add(part uint32, now time.Time) []uint32 {
	if g.together == 1 {
		return []uint32{part}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.whole = append(g.whole, now)
	if n := len(g.whole); n > g.together {
		g.whole = g.whole[n-g.together:]
	}
	took := now.Sub(g.whole[0]) // for as many
	g.fast.Store(len(g.whole) == g.together && took < g.within)
	g.waiting = append(g.waiting, part)
	if n := len(g.waiting); !g.fast.Load() || n >= g.together || int64(n) >= g.missing.Load() {
		return g.takeAll()
	}
	if len(g.waiting) == 1 {
		g.due.Reset(min(g.within, 2*took)) // not much longer than the others should take
	}
	return nil
}

// take gives those that waited.
func (g *gathering) take() []uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.takeAll()
}

func (g *gathering) takeAll() (parts []uint32) {
	g.due.Stop()
	parts, g.waiting = g.waiting, nil
	return parts
}
