package swarm

import (
	"maps"
	"slices"
	"time"
)

// What this member's own disk does not do now is tried again later, and costs what it concerns.
//
// A part that was not written, or could not be read back, is asked for again after a while, longer
// each time. Where several parts of a stretch fail, a file it will be, none of it is asked for but
// one part now and then; when one is stored, all are. While the disk is full nothing is asked for
// at all: what is on its way is taken back, so that it does not hold the slots of those who send,
// and they hear that nothing of theirs is wanted.
const (
	setbackFirst = time.Second
	setbackMost  = time.Minute
	// setbackParts is how many parts of a stretch fail, with none stored between, until the
	// stretch is held.
	setbackParts = 3
)

// setbacks is what is not asked for now because of the disk.
type setbacks struct {
	s         *Swarm
	full      bool
	parts     map[uint32]*setback
	stretches []*stretch
	aside     map[uint32]bool // parts that would be free to be asked for
	at        time.Duration   // when something of these ends; never: nothing does
}

// setback is a part that the disk did not take.
type setback struct {
	times int           // in a row
	until time.Duration // that it is not asked for
}

// stretch is several parts, some of which the disk did not take.
type stretch struct {
	first, last uint32
	failed      int           // parts, since one was stored
	times       int           // it was held, in a row
	until       time.Duration // that none of it is asked for; never: trial is
	trial       uint32        // the part that is asked for meanwhile
}

func newSetbacks(s *Swarm) setbacks {
	return setbacks{s: s, parts: map[uint32]*setback{}, aside: map[uint32]bool{}, at: never}
}

func (st *stretch) held() bool             { return st.times > 0 }
func (st *stretch) has(part uint32) bool   { return st.first <= part && part <= st.last }
func (st *stretch) tries(part uint32) bool { return st.until == never && st.trial == part }

// setbackWait is how long something waits that failed so often in a row.
func setbackWait(times int) time.Duration {
	return min(setbackFirst<<min(times-1, 10), setbackMost)
}

// fails takes in that the disk failed with a part, and perhaps with a stretch around it.
func (sb *setbacks) fails(ev Setback) {
	if int64(ev.Part) >= int64(sb.s.parts) || int64(ev.Last) >= int64(sb.s.parts) {
		return
	}
	p := sb.parts[ev.Part]
	if p == nil {
		p = &setback{}
		sb.parts[ev.Part] = p
	}
	p.times++
	p.until = sb.s.now + setbackWait(p.times)
	sb.at = min(sb.at, p.until)
	sb.hold(ev.Part)
	if ev.First >= ev.Last {
		return
	}
	st := sb.stretch(ev.First, ev.Last)
	if st.failed++; !st.held() && st.failed < setbackParts || st.held() && !st.tries(ev.Part) {
		return
	}
	st.times++
	st.until = sb.s.now + setbackWait(st.times)
	sb.at = min(sb.at, st.until)
	for part := st.first; part <= st.last; part++ {
		if sb.bars(part) {
			sb.hold(part)
		}
	}
}

// stretch is what is known of these parts together.
func (sb *setbacks) stretch(first, last uint32) *stretch {
	for _, st := range sb.stretches {
		if st.first == first && st.last == last {
			return st
		}
	}
	st := &stretch{first: first, last: last, trial: first}
	sb.stretches = append(sb.stretches, st)
	return st
}

// bars reports whether a part is not to be asked for now. One that a stretch tries may be in
// another one.
func (sb *setbacks) bars(part uint32) bool {
	if p := sb.parts[part]; p != nil && sb.s.now < p.until {
		return true
	}
	held := false
	for _, st := range sb.stretches {
		if st.held() && st.tries(part) {
			return false
		}
		held = held || st.held() && st.has(part)
	}
	return held
}

// hold keeps a part from being asked for, if it is not here and nobody is asked for it by now.
func (sb *setbacks) hold(part uint32) {
	if w := sb.s.requests.works[part]; w != nil {
		w.held = true
	}
	if sb.s.rare.isFree(part) {
		sb.s.rare.remove(part)
		sb.aside[part] = true
	}
}

// free makes a part one that is to be asked for, at once or when it may be.
func (sb *setbacks) free(part uint32) {
	if len(sb.parts)+len(sb.stretches) > 0 && sb.bars(part) {
		sb.aside[part] = true
		return
	}
	sb.s.rare.add(part)
}

// release lets a part be asked for that was held, unless something else holds it.
func (sb *setbacks) release(part uint32) {
	if sb.bars(part) {
		return
	}
	if w := sb.s.requests.works[part]; w != nil {
		w.held = false
	}
	if sb.aside[part] {
		delete(sb.aside, part)
		sb.s.rare.add(part)
	}
}

// stored ends what a part that is here was held for, and all of the stretches that it is of.
func (sb *setbacks) stored(part uint32) {
	if len(sb.parts)+len(sb.stretches)+len(sb.aside) == 0 {
		return
	}
	delete(sb.aside, part)
	delete(sb.parts, part)
	var over []*stretch
	sb.stretches = slices.DeleteFunc(sb.stretches, func(st *stretch) bool {
		if st.has(part) {
			over = append(over, st)
		}
		return st.has(part)
	})
	for _, st := range over {
		for part := st.first; st.held() && part <= st.last; part++ {
			sb.release(part)
		}
	}
	if len(over) > 0 {
		sb.s.requests.fillOthers(nil)
	}
}

// tend asks for what waited long enough.
func (sb *setbacks) tend() {
	if sb.s.now < sb.at {
		return
	}
	sb.at = never
	var due []uint32
	for part, p := range sb.parts {
		if sb.s.now >= p.until {
			due = append(due, part)
		} else {
			sb.at = min(sb.at, p.until)
		}
	}
	slices.Sort(due)
	for _, part := range due {
		sb.release(part)
	}
	for _, st := range sb.stretches {
		switch {
		case !st.held() || st.until == never:
		case sb.s.now < st.until:
			sb.at = min(sb.at, st.until)
		default:
			sb.try(st)
		}
	}
	sb.s.requests.fillOthers(nil)
}

// try lets one part of a stretch be asked for, the next one after the last that was.
func (sb *setbacks) try(st *stretch) {
	n := st.last - st.first + 1
	for i := uint32(1); i <= n; i++ {
		part := st.first + (st.trial+i-st.first)%n
		w := sb.s.requests.works[part]
		if !sb.aside[part] && (w == nil || !w.held) {
			continue
		}
		st.until, st.trial = never, part
		if sb.release(part); !sb.bars(part) {
			return
		}
	}
	st.until = sb.s.now + setbackFirst // those that are left wait for something else
	sb.at = min(sb.at, st.until)
}

// due is when tend has something to do.
func (sb *setbacks) due() time.Duration { return sb.at }

// filled takes in that the disk is full, or no longer.
func (sb *setbacks) filled(on bool) {
	if sb.full == on {
		return
	}
	sb.full = on
	if on {
		sb.s.requests.cancelAll()
	}
	sb.s.links.showInterests()
	sb.s.requests.fillOthers(nil)
}

// cancelAll takes all back that anybody is asked for.
func (rq *requests) cancelAll() {
	for _, part := range slices.Sorted(maps.Keys(rq.works)) {
		if rq.works[part].left > 0 {
			rq.s.grants.breakOff(part)
		}
	}
	for _, p := range rq.s.links.list {
		for len(p.fetches) > 0 {
			f := p.fetches[len(p.fetches)-1]
			rq.s.emit(Cancel{p.index, rq.s.runOf(f.work, f.n)})
			rq.unask(p, len(p.fetches)-1)
		}
	}
}

// unwritten takes in that a run which came is not on disk: it is to come again.
func (rq *requests) unwritten(ev Unwritten) {
	w := rq.works[ev.Run.Part]
	if w == nil {
		return
	}
	n := int(ev.Run.Begin / RunSize)
	if n >= len(w.runs) {
		return
	}
	if p := rq.s.links.peer(ev.Peer); p != nil {
		if i := p.find(ev.Run); i >= 0 { // some of it is still to come
			rq.s.emit(Cancel{p.index, ev.Run})
			rq.unask(p, i)
			rq.fill(p)
		}
	}
	r := &w.runs[n]
	if !r.here || r.written || r.by != ev.Peer {
		return
	}
	rq.s.stats.Failed += int64(ev.Run.Length)
	r.here = false
	w.left++
	if r.asked == 0 {
		w.idle++
	}
	rq.abandon(w)
	rq.fillOthers(nil)
}

// waits tells why the disk does not take what is missing.
func (sb *setbacks) waits(w *Waiting) {
	w.Full = sb.full
	for part := range sb.aside {
		if sb.s.lacks(part) {
			w.Held++
		}
	}
	for part, work := range sb.s.requests.works {
		if work.held && !sb.aside[part] {
			w.Held++
		}
	}
}
