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
func (s *Swarm) feeds(p *peer) bool {
	return s.chain.up == p || slices.Contains(s.feed.extra, p)
}

// feedSends makes a peer that began to send, and was asked to see whether it does, one more feed.
func (s *Swarm) feedSends(p *peer) {
	f := &s.feed
	if p.probed == 0 || p.begun == 0 || f.tried > 0 || s.chain.up == nil || s.chain.up == p || !s.chained() {
		return
	}
	p.probed = 0
	f.extra = append(f.extra, p)
	f.tried, f.came, f.before = max(s.now, 1), 0, f.meter.last-p.meter.last
	f.look = s.now + trialTime + ramp(p)
	s.showInterest(p)
	s.fill(p)
}

// onTrialFeed reports whether it is not known yet whether a peer is of use as a feed.
func (s *Swarm) onTrialFeed(p *peer) bool {
	n := len(s.feed.extra)
	return p.probed > 0 || (s.feed.tried > 0 && n > 0 && s.feed.extra[n-1] == p)
}

// tendFeeds lets go of feeds that are of no use, and tries others.
func (s *Swarm) tendFeeds() {
	f := &s.feed
	switch {
	case s.chain.up == nil || s.missing == 0 || !s.chained():
		s.forgetFeeds()
		return
	case s.now < f.look:
		return
	}
	f.look = s.now + feedLook
	f.extra = slices.DeleteFunc(f.extra, func(p *peer) bool {
		there := s.peer(p.index) == p
		idle := p.choked || p.lame
		if there && idle {
			s.leaveFeed(p)
		}
		return !there || idle || p == s.chain.up
	})
	s.judgeFeed()
	for _, p := range s.peers {
		if p != nil && p.probed > 0 && (len(p.fetches) == 0 || s.now >= p.probed+probePatience+ramp(p)) {
			s.leaveFeed(p)
		}
	}
	if f.trials.over(s.now) && s.now >= s.chain.from+feedSettle+ramp(s.chain.up) && len(f.extra) < feedMost {
		s.probe()
	}
}

// judgeFeed ends the trial of the last feed when it is known what it brings.
func (s *Swarm) judgeFeed() {
	f := &s.feed
	n := len(f.extra)
	switch {
	case f.tried == 0:
		return
	case n == 0:
		f.tried = 0
		return
	case s.now < f.tried+trialTime+ramp(f.extra[n-1]):
		return
	}
	rate := float64(f.came) / (s.now - f.tried).Seconds()
	f.tried = 0
	if rate >= feedGrowth*f.before {
		f.trials = backoff{}
		s.fill(f.extra[n-1])
		for _, q := range append(f.extra[:n-1:n-1], s.chain.up) {
			if s.slowFeed(q) && len(q.fetches) > s.depth(q) {
				s.recallAll(q)
			}
		}
		return
	}
	p := f.extra[n-1]
	f.extra = f.extra[:n-1]
	f.trials.fail(s.now, trialFirst, trialMost)
	s.leaveFeed(p)
}

// slowFeed reports whether one of several feeds is much slower than another.
func (s *Swarm) slowFeed(p *peer) bool {
	faster := func(q *peer) bool { return q.pace > 2*p.pace }
	return p.pace > 0 && s.chain.up != nil && len(s.feed.extra) > 0 &&
		(faster(s.chain.up) || slices.ContainsFunc(s.feed.extra, faster))
}

// probe asks those that could send more for a run each. Only the end of a chain does: a trial takes
// some of the line from the upstream for a while, and all behind this member would be later for it.
func (s *Swarm) probe() {
	left := s.timeLeft()
	if left < trialWorth || s.chain.down != nil {
		return
	}
	for _, p := range s.peers {
		if !s.mayProbe(p) || left < 2*ramp(p) {
			continue
		}
		p.probed = max(s.now, 1)
		if s.fill(p); len(p.fetches) == 0 {
			p.probed = 0
		}
	}
}

// mayProbe reports whether a peer that is no feed could be one.
func (s *Swarm) mayProbe(p *peer) bool {
	return p != nil && p.spare && p.useful > 0 && p.probed == 0 && s.now >= p.probeAfter &&
		!p.choked && len(p.fetches) == 0 && !s.feeds(p)
}

// leaveFeed asks a peer for nothing more for a while.
func (s *Swarm) leaveFeed(p *peer) {
	p.probed, p.probeAfter = 0, s.now+probeAgain
	s.showInterest(p)
	s.recallAll(p)
}

// forgetFeeds makes those beside the upstream peers like others.
func (s *Swarm) forgetFeeds() {
	f := &s.feed
	if f.extra == nil && f.look == 0 {
		return
	}
	f.extra, f.tried, f.look = nil, 0, 0
	for _, p := range s.peers {
		if p != nil {
			p.probed = 0
		}
	}
}

// timeLeft is how long what is missing takes at the rate of late.
func (s *Swarm) timeLeft() time.Duration {
	bytes := float64(int64(s.missing) * s.cfg.PartSize)
	return time.Duration(bytes / max(s.feed.meter.last, 1) * float64(time.Second))
}

// nextFeeds is when tendFeeds has something to do.
func (s *Swarm) nextFeeds() time.Duration {
	f := &s.feed
	if s.chain.up == nil || !s.chained() {
		return never
	}
	if len(f.extra) > 0 || slices.ContainsFunc(s.peers, func(p *peer) bool {
		return p != nil && (p.probed > 0 || s.mayProbe(p))
	}) {
		return max(f.look, s.now+1)
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
