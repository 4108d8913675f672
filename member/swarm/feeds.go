package swarm

import (
	"slices"
	"time"
)

// In a chain one upstream fills the line of a member where all lines are equal. Where it does not,
// because the upstream's line is slower or the path is long, others send as well: a member that has
// nothing to do says that it could send more (see spare.go), and whoever lacks something that it
// has asks it for a run. If that comes, the sender is a feed beside the upstream. One more feed is
// tried at a time, kept if more comes than before, and let go otherwise; then the next trial waits,
// longer each time, since a line that is full stays so for some time.
type feeds struct {
	extra []*peer       // in the order in which they came
	spare care          // peers that could send more, or are asked to see whether they do
	meter meter         // of all that comes
	look  time.Duration // when they are looked after next

	tried  time.Duration // when the last of them came, if its use is not known yet; 0: it is
	came   int64         // bytes since
	before float64       // bytes a second that came without it
	trials backoff
}

const (
	feedLook = 250 * time.Millisecond
	feedMost = 16
	// feedSettle is how long the upstream is left alone, so that the chain is there first.
	feedSettle = 300 * time.Millisecond
	// feedGrowth is how much more has to come with one more feed.
	feedGrowth = 1.1
	// trialTime is how long a trial takes, beside the time until the new flow is fast. While it
	// lasts the feed is asked for a run at a time: where the line is full, what it sends comes out
	// of the upstream's.
	trialTime = 400 * time.Millisecond
	// trialFirst and trialMost are how long nobody else is tried after a trial that was of no use.
	trialFirst = 8 * time.Second
	trialMost  = 2 * time.Minute
	// trialWorth is how long what is missing has to take for a trial to be of any use.
	trialWorth = 2 * time.Second
	// probePatience is how long a run that was asked for may take to begin, and probeAgain how long
	// the peer is left alone afterwards.
	probePatience = time.Second
	probeAgain    = 2 * time.Second
)

// feeds reports whether a peer is one of those that send to this member in a chain.
func (pl *plan) feeds(p *peer) bool {
	return pl.chain.up == p || slices.Contains(pl.feed.extra, p)
}

// feedSends makes a peer that began to send, and was asked to see whether it does, one more feed.
func (pl *plan) feedSends(p *peer) {
	f := &pl.feed
	if p.probed == 0 || p.begun == 0 || f.tried > 0 || pl.chain.up == nil || pl.chain.up == p ||
		!pl.chained() {
		return
	}
	p.probed = 0
	f.extra = append(f.extra, p)
	f.tried, f.came, f.before = max(pl.s.now, 1), 0, f.meter.last-p.meter.last
	f.look = pl.s.now + trialTime + ramp(p)
	pl.s.links.showInterest(p)
	pl.s.requests.fill(p)
}

// onTrialFeed reports whether it is not known yet whether a peer is of use as a feed.
func (pl *plan) onTrialFeed(p *peer) bool {
	n := len(pl.feed.extra)
	return p.probed > 0 || (pl.feed.tried > 0 && n > 0 && pl.feed.extra[n-1] == p)
}

// tendFeeds lets go of feeds that are of no use, and tries others.
func (pl *plan) tendFeeds() {
	f := &pl.feed
	switch {
	case pl.chain.up == nil || pl.s.missing == 0 || !pl.chained():
		pl.forgetFeeds()
		return
	case pl.s.now < f.look:
		return
	}
	f.look = pl.s.now + feedLook
	f.extra = slices.DeleteFunc(f.extra, func(p *peer) bool {
		idle := p.choked || p.lame
		if idle && !p.gone {
			pl.leaveFeed(p)
		}
		return p.gone || idle || p == pl.chain.up
	})
	pl.judgeFeed()
	f.spare.only(func(p *peer) bool { return p.spare || p.probed > 0 })
	for _, p := range f.spare.list {
		if p.probed > 0 && (len(p.fetches) == 0 || pl.s.now >= p.probed+probePatience+ramp(p)) {
			pl.leaveFeed(p)
		}
	}
	settled := pl.s.now >= pl.chain.from+feedSettle+ramp(pl.chain.up)
	if f.trials.over(pl.s.now) && settled && len(f.extra) < feedMost {
		pl.probe()
	}
}

// judgeFeed ends the trial of the last feed when it is known what it brings.
func (pl *plan) judgeFeed() {
	f := &pl.feed
	n := len(f.extra)
	switch {
	case f.tried == 0:
		return
	case n == 0:
		f.tried = 0
		return
	case pl.s.now < f.tried+trialTime+ramp(f.extra[n-1]):
		return
	}
	rate := float64(f.came) / (pl.s.now - f.tried).Seconds()
	f.tried = 0
	if rate >= feedGrowth*f.before {
		f.trials = backoff{}
		pl.s.requests.fill(f.extra[n-1])
		for _, q := range append(f.extra[:n-1:n-1], pl.chain.up) {
			if pl.slowFeed(q) && len(q.fetches) > pl.depth(q) {
				pl.s.requests.recallAll(q)
			}
		}
		return
	}
	p := f.extra[n-1]
	f.extra = f.extra[:n-1]
	f.trials.fail(pl.s.now, trialFirst, trialMost)
	pl.leaveFeed(p)
}

// slowFeed reports whether one of several feeds is much slower than another.
func (pl *plan) slowFeed(p *peer) bool {
	faster := func(q *peer) bool { return q.pace > 2*p.pace }
	return p.pace > 0 && pl.chain.up != nil && len(pl.feed.extra) > 0 &&
		(faster(pl.chain.up) || slices.ContainsFunc(pl.feed.extra, faster))
}

// probe asks those that could send more for a run each. Only the end of a chain does: a trial takes
// some of the line from the upstream for a while, and all behind this member would be later for it.
// Who came when this member was already sure of its upstream does not serve it yet: that comes
// first.
func (pl *plan) probe() {
	left := pl.timeLeft()
	if left < trialWorth || pl.chain.down != nil {
		return
	}
	for _, p := range pl.feed.spare.list {
		if !pl.mayProbe(p) || left < 2*ramp(p) {
			continue
		}
		if p.choked {
			p.courted = true
			pl.s.links.showInterest(p)
			continue
		}
		p.probed = max(pl.s.now, 1)
		if pl.s.requests.fill(p); len(p.fetches) == 0 {
			p.probed = 0
		}
	}
}

// mayProbe reports whether a peer that is no feed could be one.
func (pl *plan) mayProbe(p *peer) bool {
	return p.spare && p.useful > 0 && p.probed == 0 && pl.s.now >= p.probeAfter &&
		len(p.fetches) == 0 && !pl.feeds(p)
}

// leaveFeed asks a peer for nothing more for a while.
func (pl *plan) leaveFeed(p *peer) {
	p.probed, p.probeAfter = 0, pl.s.now+probeAgain
	pl.s.links.showInterest(p)
	pl.s.requests.recallAll(p)
}

// forgetFeeds makes those beside the upstream peers like others.
func (pl *plan) forgetFeeds() {
	f := &pl.feed
	if f.extra == nil && f.look == 0 {
		return
	}
	f.extra, f.tried, f.look = nil, 0, 0
	for _, p := range f.spare.list {
		p.probed = 0
	}
}

// timeLeft is how long what is missing takes at the rate of late.
func (pl *plan) timeLeft() time.Duration {
	return timeFor(float64(int64(pl.s.missing)*pl.s.partSize), max(pl.feed.meter.last, 1))
}

// nextFeeds is when tendFeeds has something to do.
func (pl *plan) nextFeeds() time.Duration {
	f := &pl.feed
	if pl.chain.up == nil || !pl.chained() {
		return never
	}
	tried := func(p *peer) bool { return p.probed > 0 || pl.mayProbe(p) }
	if len(f.extra) > 0 || slices.ContainsFunc(f.spare.list, tried) {
		return max(f.look, pl.s.now+1)
	}
	return never
}

// meter tells how fast something moves, a span at a time.
type meter struct {
	since time.Duration
	bytes int64
	last  float64 // bytes a second, in the last span
}

const meterSpan = 400 * time.Millisecond

func (m *meter) add(now time.Duration, n int64) {
	if span := now - m.since; span >= meterSpan {
		m.last = float64(m.bytes) / span.Seconds()
		m.since, m.bytes = now, 0
	}
	m.bytes += n
}

// spares notes that a peer could send more, or no longer.
func (pl *plan) spares(ev Spare) {
	if p := pl.s.links.peer(ev.Peer); p != nil {
		p.spare, p.courted = ev.On, p.courted && ev.On
		pl.feed.spare.of(p)
	}
}
