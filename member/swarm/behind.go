package swarm

import "time"

// Who is behind a slow line in a chain would stay behind, so each member compares what comes here
// with what the others gain, and leaves the chain if it gets much less.

const (
	// Who gets less than behindShare of what another one gains is behind, after so many parts and
	// so long. A packet that is lost holds a flow up as well, so it has to be so some times in a
	// row, except at the beginning.
	behindShare = 0.4
	behindParts = 6
	behindAfter = 300 * time.Millisecond
	behindTimes = 2
)

// lead is what a peer gained since a time, beside what came here. Peers announce several parts at
// once, up to a second apart, so each has a time of its own: from one announcement to another.
type lead struct {
	gained int // parts
	since  time.Duration
	came   int64 // what had come by then
	lags   int   // how often in a row too little came
}

// compare begins to compare what comes here with what others gain.
func (pl *plan) compare() {
	pl.chain.came = 0
	for _, p := range pl.s.links.list {
		p.lead = lead{since: pl.s.now}
	}
}

// peerGained counts a part that a peer gained, and leaves the chain if this member is behind.
func (pl *plan) peerGained(p *peer) {
	c := &pl.chain
	p.lead.gained++
	switch {
	case c.up == nil || !pl.chained() || pl.s.missing < 2*behindParts:
		return
	case p.lead.gained < behindParts ||
		pl.s.now < max(p.lead.since+behindAfter, c.from+pl.fills(c.up)):
		return
	}
	lags := 0
	if pl.behind(p) {
		lags = p.lead.lags + 1
	}
	if lags == behindTimes || (lags > 0 && pl.s.haveN < behindParts) {
		if pl.behind(c.up) {
			pl.giveUp(c.up)
		} else { // it is no faster than what it gets itself
			pl.giveUp(nil)
		}
		return
	}
	p.lead = lead{since: pl.s.now, came: c.came, lags: lags}
}

// behind reports whether much less came than a peer gained.
func (pl *plan) behind(p *peer) bool {
	came := pl.chain.came - p.lead.came
	return float64(came) < behindShare*float64(p.lead.gained)*float64(pl.s.partSize)
}
