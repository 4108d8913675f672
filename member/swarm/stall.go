package swarm

import (
	"slices"
	"time"
)

// What was asked for is looked after run by run. A peer may say much and send nothing of it, or
// a few bytes now and then; it may not answer a recall, or reject all that it is asked for. None
// of that is an offence, but nobody waits for it: the run is asked of somebody else, and the
// peer of nothing for a while, longer each time.
const (
	// stalled is how long a run that has begun may get no further.
	stalled = 3 * time.Second
	// silent is how long until its link ends.
	silent = 60 * time.Second
	// lookEvery is how often runs that have begun are looked at.
	lookEvery = 250 * time.Millisecond
	// soonest is how long a run may take before it is asked whether somebody else would end it
	// sooner: that is so when it will take soonest longer even if the other one is half as fast
	// as it seems.
	soonest = time.Second

	// A peer that is there answers a recall at once. One that never sent anything is not waited
	// for long; before the answer of one that did stands what it sends, which is as much as it
	// was asked for at most. Nobody is waited for longer than answersMost.
	answersStranger = 300 * time.Millisecond
	answersKnown    = time.Second
	answersMost     = 3 * time.Second

	refusedFirst = 100 * time.Millisecond
	refusedMost  = 30 * time.Second
	// soundAfter is how long a peer that never sent anything may not begin with what it is asked
	// for until it is asked whether it is there: with a recall of one run, which it answers at
	// once however busy it is. Each time that it does, it is believed for twice as long, up to
	// soundTimes times.
	soundAfter = time.Second
	soundTimes = 4

	withheldFirst = time.Second
	withheldMost  = time.Minute
)

// answers is how long a peer may take to answer a recall.
func (rq *requests) answers(p *peer) time.Duration {
	wait := max(answersStranger, rq.answering)
	switch {
	case p.sent:
		wait = max(answersKnown, wait) + rq.before(p)
	case p.begun > 0 || p.isFar() && len(p.grants) > 0: // the recall is behind what goes there
		wait = max(answersKnown, wait)
	}
	return min(wait+4*p.roundTrip, answersMost)
}

// before is how long what a peer is asked for takes to come, if it comes as fast as of late.
func (rq *requests) before(p *peer) time.Duration {
	bytes := rq.ahead(p, len(p.fetches))
	rate := p.down.bytesPerSecond(rq.s.now)
	if rate*answersMost.Seconds() <= bytes {
		return answersMost
	}
	return timeFor(bytes, rate)
}

// sends gives a peer that sends content more time for its answers, which stand behind that.
func (rq *requests) sends(p *peer) {
	if p.recalled > 0 {
		p.due = max(p.due, rq.s.now+rq.answers(p))
	}
}

// answered takes in that a peer answered a recall, or began to send what was recalled: in view of
// that others are waited for.
func (rq *requests) answered(f *fetch) {
	if took := rq.s.now - f.recalledAt; took > rq.answering {
		rq.answering = took
	} else {
		rq.answering -= (rq.answering - took) / 8
	}
}

// recalledSince is when the first of the recalls was made that a peer did not answer.
func (rq *requests) recalledSince(p *peer) time.Duration {
	since := rq.s.now
	for _, f := range p.fetches {
		if f.recalled {
			since = min(since, f.recalledAt)
		}
	}
	return since
}

// belated takes in that a peer sends a run that was taken back from it, because it did not answer:
// it does not withhold, it takes so long.
func (rq *requests) belated(ev Belated) {
	p := rq.s.links.peer(ev.Peer)
	if p == nil || p.askedAt == 0 {
		return
	}
	rq.answering = max(rq.answering, min(rq.s.now-p.askedAt, answersMost))
	p.askedAt = 0
	p.sends.until = min(p.sends.until, rq.s.now)
}

// moves notes how far a run has come.
func (rq *requests) moves(p *peer, ev Progress) {
	i := p.find(ev.Run)
	if i < 0 || (ev.Got == 0 && !ev.Limited) {
		return
	}
	f := p.fetches[i]
	if f.got = ev.Got; f.got < f.movedGot+movedLeast && f.got < ev.Run.Length && !ev.Limited {
		return
	}
	f.moved, f.movedGot = rq.s.now, f.got
	p.used(rq.s.now)
	rq.limps(p, false)
	if p.off && p.sends.until > rq.s.now && !f.declined {
		p.sends.until = rq.s.now // it sends after all
	}
}

// keepsPace notes how fast a run came that is here now.
func (rq *requests) keepsPace(p *peer, f *fetch) {
	p.used(rq.s.now)
	p.sent = true
	if took := rq.s.now - f.started; f.started != 0 && took > 0 {
		p.pace = float64(rq.s.runOf(f.work, f.n).Length) / took.Seconds()
	}
	if p.sends.onTrial() {
		p.sends.fails, p.sends.until = 0, min(p.sends.until, rq.s.now)
		rq.s.links.remembered.note(rq.s.now, p)
	}
}

// limps notes whether a peer that is in the middle of a run does not go on: it is no flow then.
func (rq *requests) limps(p *peer, on bool) {
	switch {
	case p.lame == on:
		return
	case on:
		rq.s.lines.flowsMore(-1)
	default:
		rq.s.lines.flowsMore(1)
	}
	p.lame = on
}

// sooner reports whether a peer would end a run sooner than the one that has begun it.
func (rq *requests) sooner(p *peer, f *fetch) bool {
	took := rq.s.now - f.started
	switch {
	case f.declined || rq.s.now >= f.moved+stalled:
		return true
	case p.pace == 0 || took < soonest:
		return false
	}
	length := rq.s.runOf(f.work, f.n).Length
	rest := never
	if f.got > 0 {
		rest = time.Duration(float64(length-f.got) / float64(f.got) * float64(took))
	}
	return rest > soonest+2*(min(p.roundTrip, soonest)+timeFor(float64(length), p.pace))
}

// putOff asks a peer for nothing more for a while.
func (rq *requests) putOff(p *peer, first, most time.Duration) {
	p.sends.fail(rq.s.now, first, most)
	p.off = true
	rq.care.of(p)
	rq.s.links.remembered.note(rq.s.now, p)
}

// withholds takes all back that a peer has not begun to send.
func (rq *requests) withholds(p *peer) {
	rq.putOff(p, withheldFirst, withheldMost)
	for i := len(p.fetches) - 1; i >= 0; i-- {
		f := p.fetches[i]
		if f.started != 0 {
			continue
		}
		rq.s.emit(Cancel{p.index, rq.s.runOf(f.work, f.n)})
		if rq.mayHave(f.taker, f) {
			rq.handOver(p, i)
		} else {
			rq.unask(p, i)
		}
	}
	rq.fillOthers(p)
}

// fillIdle fills the peers that are asked for nothing, but one.
func (rq *requests) fillIdle(not *peer) {
	for _, p := range rq.s.links.list {
		if p != not && len(p.fetches) == 0 {
			rq.fill(p)
		}
	}
}

// watchRuns looks after what was asked for and does not come.
func (rq *requests) watchRuns() {
	rq.care.only(func(p *peer) bool {
		return p.off || p.recalled > 0 || p.begun > 0 || rq.untried(p)
	})
	for i := 0; i < len(rq.care.list); i++ { // it may grow meanwhile
		p := rq.care.list[i]
		if p.off && p.sends.over(rq.s.now) {
			rq.resume(p)
		}
		if p.recalled > 0 && rq.s.now >= p.due && planted != bugRecall {
			p.askedAt = rq.recalledSince(p)
			rq.withholds(p)
		}
		if p.begun > 0 && rq.s.now >= p.look {
			rq.watchBegun(p)
		}
		if rq.untried(p) && rq.s.now >= p.soundAt {
			rq.sound(p)
		}
		if rq.untried(p) && p.foreign() && rq.s.now >= p.waits+stalled && rq.othersSend(p) {
			rq.withholds(p) // it says nothing if it is asked whether it is there
			p.waited = 0
		}
	}
}

// untried reports whether a peer is asked for something and has not begun, and never sent anything,
// which in a chain is so of all but one, or is on trial.
func (rq *requests) untried(p *peer) bool {
	return p.begun == 0 && len(p.fetches) > 0 &&
		(p.sends.onTrial() || !p.sent && !rq.s.plan.chained())
}

// doubtful reports whether a peer was asked for something for a while, one or the other time, and
// sent nothing, while others have sent.
func (rq *requests) doubtful(p *peer) bool {
	return !p.sent && p.begun == 0 && !rq.s.plan.chained() &&
		(p.waited >= soundAfter || p.sends.onTrial()) && rq.othersSend(p)
}

// sound asks a peer whether it is there.
func (rq *requests) sound(p *peer) {
	if !rq.othersSend(p) { // nobody would send sooner
		p.soundAt = rq.s.now + lookEvery
		return
	}
	p.sounds = min(p.sounds+1, soundTimes)
	p.soundAt = rq.s.now + soundAfter<<p.sounds
	if p.recalled > 0 || p.foreign() {
		return
	}
	if f := p.fetches[len(p.fetches)-1]; !f.recalled {
		rq.recallRun(p, f)
	}
}

// othersSend reports whether others than a peer have sent something.
func (rq *requests) othersSend(not *peer) bool {
	return slices.ContainsFunc(rq.s.links.list, func(p *peer) bool {
		return p != not && !p.leaving && !p.lame && (p.begun > 0 || p.sent)
	})
}

// resume asks a peer again that was put off.
func (rq *requests) resume(p *peer) {
	p.off = false
	if p.foreign() {
		for _, f := range p.fetches {
			f.declined = false
		}
		rq.s.emit(Resume{p.index})
	}
	rq.fill(p)
}

// watchBegun looks after the runs that a peer has begun.
func (rq *requests) watchBegun(p *peer) {
	last := time.Duration(0)
	for _, f := range p.fetches {
		if f.started != 0 {
			last = max(last, f.moved)
		}
	}
	p.look = rq.s.now + lookEvery
	for _, at := range []time.Duration{last + stalled, last + silent} {
		if at > rq.s.now {
			p.look = min(p.look, at)
		}
	}
	switch {
	case rq.s.now >= last+silent:
		rq.s.links.drop(p, "sent nothing for a minute")
		p.look = rq.s.now + silent
	case rq.s.now >= last+stalled && !p.lame:
		rq.limps(p, true)
		rq.withholds(p)
	default:
		rq.fillIdle(p)
	}
}

// nextRuns is when watchRuns has something to do.
func (rq *requests) nextRuns() time.Duration {
	at := never
	for _, p := range rq.care.list {
		if p.off {
			at = min(at, p.sends.until)
		}
		if p.recalled > 0 && planted != bugRecall {
			at = min(at, p.due)
		}
		if p.begun > 0 {
			at = min(at, p.look)
		}
		if rq.untried(p) {
			at = min(at, p.soundAt)
			if t := p.waits + stalled; p.foreign() && t > rq.s.now {
				at = min(at, t)
			}
		}
	}
	return at
}
