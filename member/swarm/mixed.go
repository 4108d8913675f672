package swarm

import "slices"

// Two peers may be asked for one run, since the first one does not get on with it. What is on disk
// then may be of both, and if it is bad nobody knows whose fault that is. So the part comes from
// one of them alone the next time, and from the other one if that does not send it, or sends it
// bad, for which it is answerable. Whoever sends it right is out of it, and the others have had a
// hand in something bad. That is no proof, so nobody is told and nobody is cut off for it: it is
// debt, as in probation.go. Who is honest makes up for it, and is with another one each time; a
// liar is with itself each time.

// takesTurns has a part that came bad of several come from one of them alone that has not had its
// turn, the one of whom most came that was good. The others are not asked for it for a while.
func (t *trust) takesTurns(w *work) {
	var mixers []*peer
	for _, p := range t.s.links.list {
		mixed := func(r run) bool { return slices.ContainsFunc(r.mixers, p.sender().same) }
		if !p.leaving && !p.choked && p.hasPart(w.part) && slices.ContainsFunc(w.runs, mixed) {
			mixers = append(mixers, p)
		}
	}
	if len(mixers) < 2 || t.turns[w.part] == nil && len(t.turns) >= suspectsMost {
		return
	}
	next := t.turn(mixers, w.part)
	if next == nil { // all had theirs
		delete(t.turns, w.part)
		if next = t.turn(mixers, w.part); next == nil {
			return
		}
	}
	t.turns[w.part] = append(t.turns[w.part], next.sender())
	for _, p := range mixers {
		if p != next {
			t.hold(p, w.part, probeFor)
		}
	}
}

// turn returns who of some peers is asked for a part alone next; nil: all who may be asked were.
func (t *trust) turn(peers []*peer, part uint32) (next *peer) {
	for _, p := range peers {
		had := slices.ContainsFunc(t.turns[part], p.sender().same)
		if !had && t.s.plan.mayAsk(p) && (next == nil || p.good > next.good) {
			next = p
		}
	}
	return next
}

// implicate holds a run that several sent, and that was bad, against all of these but who has sent
// it right since.
func (t *trust) implicate(r suspect, part uint32, n int) {
	bytes := min(RunSize, t.s.partLen(part)-int64(n)*RunSize)
	t.badAt = max(t.s.now, 1)
	for _, from := range r.mixers {
		if r.hearsay || from.same(r.right) {
			continue
		}
		for _, c := range []culprit{from.culprit(), from.culprit().whole()} {
			record := t.record(t.s.now, c)
			record.heard, record.vain = t.s.now, record.vain+bytes
			t.charge(c)
		}
	}
	t.restrain()
}
