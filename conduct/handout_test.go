package conduct

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"orchestra/proto"
)

func isJoined(e tell) bool { _, ok := e.msg.(proto.Joined); return ok }
func isListed(e tell) bool { _, ok := e.msg.(proto.Listed); return ok }

// joins lists so many members more and returns their links.
func (s *script) joins(n int) []link {
	s.t.Helper()
	var links []link
	for range n {
		i := int(s.last) + 1
		l, _ := s.join(peerN(i), farSeat(i), plain(i))
		links = append(links, l)
	}
	return links
}

// wantAcquainted fails if there are two members of which neither knows the other.
func (s *script) wantAcquainted(when string) {
	s.t.Helper()
	all := s.reg.comps[testID].entries
	for i, a := range all {
		for _, b := range all[:i] {
			_, there := s.known[a.link][b.peer]
			_, back := s.known[b.link][a.peer]
			if !there && !back {
				s.t.Fatalf("%s: of %d members %v and %v do not know each other", when, len(all), a.peer, b.peer)
			}
		}
	}
}

// As long as there are at most 101 members, of any two at least one knows the other, also when
// others have come and gone, and when a connection was replaced by a newer one.
func TestFewAreAcquainted(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := newScript(t, testLimits, seed)
			random := rand.New(rand.NewPCG(seed, 3))
			var links []link
			for n := 1; n <= 101; n++ {
				_, out := s.join(peerN(n), farSeat(n), plain(n))
				links = append(links, s.last)
				if pushed, want := count(out, func(e tell) bool { return e.to != s.last && isJoined(e) }), min(n-1, 50); pushed != want {
					t.Fatalf("member %d was told to %d, want %d", n, pushed, want)
				}
				s.wantAcquainted(fmt.Sprint("member ", n, " came"))
			}
			s.check()
			for range 30 {
				i := random.IntN(len(links))
				s.leave(links[i])
				links = slices.Delete(links, i, i+1)
				links = append(links, s.joins(1)...)
				s.wantAcquainted("one went, one came")
			}
			for range 30 {
				i := random.IntN(len(links))
				peer := s.reg.links[links[i]].peer
				n := int(peer[19])
				links[i], _ = s.join(peer, farSeat(n), plain(n))
				s.wantAcquainted("a connection was replaced")
			}
			s.check()
		})
	}
}

// From the 102nd on a newcomer is pushed to ten.
func TestManyArePushedToFew(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.joins(101)
	for n := 102; n <= 400; n++ {
		_, out := s.join(peerN(n), farSeat(n), plain(n))
		if pushed := count(out, func(e tell) bool { return e.to != s.last && isJoined(e) }); pushed != 10 {
			t.Fatalf("member %d was told to %d, want 10", n, pushed)
		}
	}
	s.check()
}

// What is left of a member's pushes is used up by later announcements, and is less once its
// composition is no longer small.
func TestPushesAreUsedUp(t *testing.T) {
	lim := testLimits
	lim.peers = 20 // 41 are few
	s := newScript(t, lim, 1)
	s.joins(15)
	first := s.joins(1)[0]
	e := s.reg.links[first]
	again := func(more, all int) {
		t.Helper()
		s.now = s.now.Add(announceEvery)
		for _, e := range s.reg.expiry {
			s.reg.ping(s.now, e.link, nil)
		}
		out := s.did(s.reg.announce(s.now, first, plain(int(first)), nil))
		if got := count(out, func(e tell) bool { return e.to != first && isJoined(e) }); got != more || e.pushes != all {
			t.Errorf("among %d, pushed to %d more, %d in all; want %d and %d", len(e.comp.entries), got, e.pushes, more, all)
		}
	}
	again(0, 15) // all others know it
	s.joins(25)
	again(5, 20)
	again(0, 20)

	s = newScript(t, lim, 1)
	s.joins(15)
	first = s.joins(1)[0]
	e = s.reg.links[first]
	s.joins(26)
	again(0, 15)
	s.check()
}

// A member is told how many are listed as soon as it is welcome, and again, with what it is told
// anyway, when they are more or fewer by a quarter.
func TestListedIsTold(t *testing.T) {
	s := newScript(t, testLimits, 1)
	first, out := s.join(peerN(1), farSeat(1), plain(1))
	if m, ok := out[1].(tell).msg.(proto.Listed); !ok || m.Members != 1 {
		t.Fatalf("second effect is %#v, want that one is listed", out[1])
	}
	links := s.joins(50) // the first is told of each
	want := []int{1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48}
	if got := s.listed[first]; !slices.Equal(got, want) {
		t.Errorf("told %v as they came, want %v", got, want)
	}
	if got := s.listed[links[49]]; !slices.Equal(got, []int{51}) {
		t.Errorf("the last was told %v", got)
	}
	s.check()
	for _, l := range links {
		s.leave(l)
	}
	want = append(want, 36, 27, 20, 15, 11, 8, 6, 4, 3, 2, 1)
	if got := s.listed[first]; !slices.Equal(got, want) {
		t.Errorf("told %v as they went, want %v", got, want)
	}
	s.check()

	// A newer connection is told anew, and a guest counts.
	again, out := s.join(peerN(1), farSeat(1), plain(1))
	if got := s.listed[again]; !slices.Equal(got, []int{1}) {
		t.Errorf("on a newer connection told %v: %v", got, out)
	}
	guestAt(s, 90, farSeat(90), func(*webGuest) {})
	if got := s.listed[again]; !slices.Equal(got, []int{1, 2}) {
		t.Errorf("after a guest came told %v", got)
	}
	s.check()
}

// The 102nd member is told to everybody as a number, since among 101 they do what is of no use if
// some believe that they are still few.
func TestOutgrownIsToldToAll(t *testing.T) {
	s := newScript(t, testLimits, 4)
	links := s.joins(101)
	_, out := s.join(peerN(102), farSeat(102), plain(102))
	told := map[link]bool{}
	for _, eff := range out {
		if e, ok := eff.(tell); ok && isListed(e) {
			told[e.to] = true
		}
	}
	for _, l := range links {
		if !told[l] {
			t.Errorf("link %d was not told", l)
		}
	}
	s.joins(1)
	s.check()
}

// However many come, a member is told their number a few times.
func TestListedIsNoFlood(t *testing.T) {
	const n = 400
	s := newScript(t, testLimits, 1)
	links := s.joins(n)
	for i, l := range links {
		most := 0
		for k := i + 1; k <= n; k += max(1, (k+3)/4) {
			most++
		}
		if got := s.listed[l]; len(got) > most || got[0] != i+1 {
			t.Errorf("member %d was told %v, want at most %d", i+1, got, most)
		}
	}
	s.check()

	// While as many come as go, nobody but a newcomer is told more than what it is behind.
	told := 0
	random := rand.New(rand.NewPCG(1, 4))
	for range n {
		i := random.IntN(len(links))
		told += count(s.leave(links[i]), isListed)
		n := int(s.last) + 1
		l, out := s.join(peerN(n), farSeat(n), plain(n))
		told += count(out, func(e tell) bool { return e.to != l && isListed(e) })
		links[i] = l
	}
	if told > n {
		t.Errorf("%d were told among %d, want each once at most", told, n)
	}
	for _, l := range links {
		if got := s.listed[l]; int(l) > n && len(got) != 1 {
			t.Errorf("link %d came among %d and was told %v", l, n, got)
		}
	}
	s.check()
}
