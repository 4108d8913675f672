package conduct

import (
	"fmt"
	"testing"
	"time"

	"orchestra/proto"
)

// parted is a member with so many of ten parts, and a name.
func (s *script) parted(n int, have uint32) link {
	s.t.Helper()
	ann := plain(n)
	ann.Parts, ann.Have = 10, have
	return s.named(n, ann, proto.Named{Place: [8]byte{1, byte(n)}, Label: fmt.Sprint("lab-", n)})
}

func (s *script) named(n int, ann proto.Announce, name proto.Named) link {
	s.t.Helper()
	s.last++
	s.did(s.reg.arrive(s.now, arrival{s.last, testID, peerN(n), farSeat(n), ann, name, ""}, nil))
	s.check()
	return s.last
}

func (s *script) has(l link, have uint32) []effect {
	s.t.Helper()
	return s.did(s.reg.progress(s.now, l, proto.Progress{Have: have}, nil))
}

// wantCounts asks, a moment later so that nothing old is answered.
func (s *script) wantCounts(complete, known, pending int) survey {
	s.t.Helper()
	s.now = s.now.Add(surveyEvery)
	all := s.reg.survey(s.now, testID)
	if len(all) != 1 {
		s.t.Fatalf("%d answers", len(all))
	}
	got := [3]uint32{all[0].Complete, all[0].Known, all[0].Pending}
	if want := [3]uint32{uint32(complete), uint32(known), uint32(pending)}; got != want || all[0].ID != testID {
		s.t.Errorf("complete, known, pending: %d, want %d", got, want)
	}
	return all[0]
}

func copiesTold(out []effect, to link) (told []uint32) {
	for _, eff := range out {
		if e, ok := eff.(tell); ok && e.to == to {
			if m, ok := e.msg.(proto.Copies); ok {
				told = append(told, m.Complete)
			}
		}
	}
	return told
}

// Who was complete and left counts on; who left before that does not; who comes back counts once.
func TestCopiesAreCounted(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.wantCounts(0, 0, 0)
	first := s.parted(1, 10)
	a, b := s.parted(2, 0), s.parted(3, 4)
	s.wantCounts(1, 3, 2)
	s.has(a, 10)
	s.has(a, 10)
	s.wantCounts(2, 3, 1)
	s.leave(a)
	s.wantCounts(2, 3, 1)
	s.leave(b)
	s.wantCounts(2, 2, 0)

	// Started again, it has another peer id and checks what it has.
	ann := plain(9)
	ann.Parts = 10
	again := s.named(9, ann, proto.Named{Place: [8]byte{1, 2}})
	s.wantCounts(2, 2, 1)
	s.has(again, 10)
	s.wantCounts(2, 2, 0)
	s.leave(again)
	s.leave(first)
	s.wantCounts(2, 2, 0)
	if all := s.reg.survey(s.now, [20]byte{}); len(all) != 1 || all[0].Complete != 2 {
		t.Errorf("all that is known: %+v", all)
	}

	// It is remembered for a while, also by the next member.
	s.now = s.now.Add(pastFor / 2)
	next := s.parted(4, 0)
	s.wantCounts(2, 3, 1)
	s.leave(next)
	s.now = s.now.Add(pastFor + testLimits.silence)
	s.wantCounts(0, 0, 0)
	if s.reg.copies != 0 || len(s.reg.past) != 0 {
		t.Errorf("%d copies of %d compositions are remembered", s.reg.copies, len(s.reg.past))
	}
}

// Without a place the peer id tells copies apart. A guest is no copy, whatever
// it says, but is counted beside.
func TestCopiesWithoutPlace(t *testing.T) {
	s := newScript(t, testLimits, 1)
	old := plain(1)
	old.Parts, old.Have = 3, 3
	s.named(1, old, proto.Named{})
	s.named(2, old, proto.Named{})
	s.wantCounts(2, 2, 0)
	for n := 3; n <= 4; n++ {
		guestAt(s, n, farSeat(n), func(v *webGuest) { v.ann.Parts = 1 })
		if got := s.wantCounts(2, 2, 0).about; got.Clients != uint32(n-2) ||
			got.Complete != uint32(n-3) {
			t.Errorf("%d of %d clients are complete", got.Complete, got.Clients)
		}
		guestAt(s, n, farSeat(n), func(v *webGuest) { v.ann.Parts, v.ann.Have = 1, 1 })
		got := s.wantCounts(2, 2, 0)
		if got.about.Clients != uint32(n-2) || got.about.Complete != uint32(n-2) ||
			len(got.rows) != n {
			t.Errorf(
				"%d of %d clients are complete, %d rows",
				got.about.Complete, got.about.Clients, len(got.rows),
			)
		}
		if got.rows[0].Parts != 3 || got.rows[n-1].Parts != 1 {
			t.Errorf("the clients are not the last: %+v", got.rows)
		}
	}
	guestAt(s, 3, farSeat(3), func(v *webGuest) { v.ann.Parts, v.ann.Have, v.event = 1, 1, visitStopped })
	if got := s.wantCounts(2, 2, 0).about; got.Clients != 1 || got.Complete != 1 {
		t.Errorf("after one stopped, %d of %d clients are complete", got.Complete, got.Clients)
	}
}

func TestAwaitIsToldOnce(t *testing.T) {
	s := newScript(t, testLimits, 1)
	first, a, b := s.parted(1, 10), s.parted(2, 0), s.parted(3, 0)
	if got := copiesTold(s.reg.await(s.now, first, 1, nil), first); len(got) != 1 || got[0] != 1 {
		t.Errorf("what is so already is told as %v", got)
	}
	for _, l := range []link{first, a, b} {
		if out := s.reg.await(s.now, l, 3, nil); len(out) != 0 {
			t.Errorf("told early: %v", out)
		}
	}
	s.reg.await(s.now, a, 2, nil) // instead of 3
	out := s.has(a, 10)
	if got := copiesTold(out, a); len(got) != 1 || got[0] != 2 {
		t.Errorf("who waits for 2 is told %v", got)
	}
	if got := copiesTold(out, first); got != nil {
		t.Errorf("who waits for 3 is told %v", got)
	}
	s.leave(first)
	out = s.has(b, 10)
	if got := copiesTold(out, b); len(got) != 1 || got[0] != 3 {
		t.Errorf("who waits for 3 is told %v", got)
	}
	if copiesTold(out, a) != nil || copiesTold(out, first) != nil {
		t.Error("somebody is told twice, or after it left")
	}
	if n := len(s.reg.comps[testID].awaiting); n != 0 {
		t.Errorf("%d are still waited for", n)
	}
}

// What is remembered is bounded: the oldest compositions are forgotten first, then nothing more is
// counted.
func TestCopiesAreBounded(t *testing.T) {
	lim := testLimits
	lim.members = 2 // 8 copies
	s := newScript(t, lim, 1)
	comp := func(i int) (id [20]byte) { id[0], id[1] = 1, byte(i); return id }
	come := func(id [20]byte, n int) link {
		s.last++
		place := proto.Named{Place: [8]byte{2, byte(n)}}
		s.arrives(arrival{
			link: s.last, id: id, peer: peerN(n), seat: farSeat(n), ann: plain(n), name: place,
		})
		return s.last
	}
	for i := range 20 {
		s.leave(come(comp(i), i))
	}
	if s.reg.copies > lim.maxCopies() || len(s.reg.past) > lim.maxCopies() {
		t.Errorf("%d copies of %d compositions", s.reg.copies, len(s.reg.past))
	}
	if s.reg.survey(s.now, comp(19))[0].Complete != 1 || s.reg.survey(s.now, comp(0))[0].Complete != 0 {
		t.Error("not the oldest was forgotten")
	}
	for n := range 20 {
		l := come(comp(50), n)
		if n < 19 {
			defer s.leave(l)
			s.leave(l)
		}
	}
	if s.reg.copies > lim.maxCopies() {
		t.Errorf("%d copies", s.reg.copies)
	}
}

// The slowest come first, and the time left is that of the one that takes longest, unless it is not
// known.
func TestSurveyListsTheSlowest(t *testing.T) {
	s := newScript(t, testLimits, 1)
	for n, have := range map[int]uint32{1: 10, 2: 5, 3: 0, 4: 9} {
		s.parted(n, have)
	}
	links := map[int]link{}
	for l, e := range s.reg.links {
		links[int(e.peer[19])] = l
	}
	got := s.wantCounts(1, 4, 3)
	if got.Left != proto.LeftUnknown {
		t.Errorf("%d s left, nothing is known of it", got.Left)
	}
	for i, want := range []string{"lab-3", "lab-2", "lab-4", "lab-1"} {
		if got.rows[i].Label != want {
			t.Errorf("row %d is %+v, want %s", i, got.rows[i], want)
		}
	}
	s.now = s.now.Add(4 * time.Second)
	s.has(links[3], 2) // 8 parts left, at 2 in 4.5 s
	s.has(links[2], 8)
	s.has(links[4], 10)
	if got := s.wantCounts(2, 4, 2); got.Left != 18 || got.rows[0].Left != 18 || got.rows[1].Left != 3 {
		t.Errorf("%d s left, want 18: %+v", got.Left, got.rows)
	}
	if cached := s.reg.survey(s.now.Add(surveyEvery-1), testID)[0]; cached.at != s.now {
		t.Error("it went over the members again at once")
	}
	s.now = s.now.Add(paceStale + time.Second)
	if got := s.wantCounts(2, 4, 2); got.Left != proto.LeftUnknown {
		t.Errorf("%d s left although nothing moves", got.Left)
	}
}

// The pace is that of the time between two parts, however often a member reports.
func TestPaceOfLargeParts(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := &entry{parts: 10}
	for i := range 200 { // a part each 50 s
		e.have = uint32(i / 10)
		e.pace.saw(now, e.have)
		if i == 25 {
			break
		}
		now = now.Add(5 * time.Second)
	}
	if left := e.left(now); left != 8*50-25 {
		t.Errorf("%d s left, want %d", left, 8*50-25)
	}
}

func TestSurveyIsBounded(t *testing.T) {
	s := newScript(t, testLimits, 1)
	for n := range proto.MaxRows + 300 {
		have := uint32(10)
		if n%200 == 7 {
			have = 1
		}
		ann := plain(n)
		ann.Parts, ann.Have, ann.Port = 10, have, 0
		s.last++
		s.reg.arrive(
			s.now, arrival{s.last, testID, peerN(n), farSeat(n), ann, proto.Named{}, ""}, nil,
		)
	}
	got := s.wantCounts(proto.MaxRows+300-7, proto.MaxRows+300, 7)
	if len(got.rows) != proto.MaxRows || got.rows[6].Have != 1 || got.rows[7].Have != 10 {
		t.Errorf("%d rows, want %d with 7 that are incomplete first", len(got.rows), proto.MaxRows)
	}
}
