package swarm

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"orchestra/proto"
)

// shelf puts a book before a test that reads like a script.
type shelf struct {
	book
	t   *testing.T
	now time.Duration
}

func newShelf(t *testing.T) *shelf {
	return &shelf{t: t, book: newBook(id(0), rand.New(rand.NewPCG(1, 1)))}
}

func id(n int) proto.PeerID { return proto.PeerID{byte(n >> 8), byte(n), 1} }

func host(n int) []netip.AddrPort {
	return []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 1000)}
}

func (s *shelf) lists(conductor, n int) {
	s.found(s.now, Found{ID: id(n), Addrs: host(n), Conductor: conductor}, false)
}

func (s *shelf) names(name string, n int) {
	s.found(s.now, Found{Addrs: host(n), Name: name}, false)
}

// fails dials whoever may be dialled, for so long, and nobody answers.
func (s *shelf) fails(span time.Duration) (dials int) {
	for end := s.now + span; ; {
		s.expire(s.now)
		for m := s.next(s.now); m != nil; m = s.next(s.now) {
			dials++
			s.pend(m, true)
			s.unreached(s.now, DialFailed{Dial: Dial{ID: m.id, Addrs: m.addrs}, Fault: NoAnswer})
		}
		at := s.nextDial(s.now, s.now)
		if at > end {
			s.now = end
			s.expire(s.now)
			return dials
		}
		if at <= s.now {
			s.t.Fatalf("at %v it is to be looked at at %v", s.now, at)
		}
		s.now = at
	}
}

func (s *shelf) want(known, others int) {
	s.t.Helper()
	if len(s.known) != known || s.others() != others {
		s.t.Errorf("at %v %d are known and %d count, want %d and %d", s.now, len(s.known), s.others(), known, others)
	}
}

func TestWhoIsGoneIsForgotten(t *testing.T) {
	for name, script := range map[string]func(s *shelf){
		"it is no longer listed": func(s *shelf) {
			s.lists(0, 1)
			s.gone(Gone{ID: id(1)})
			s.want(0, 0)
		},
		"another conductor lists it": func(s *shelf) {
			s.lists(0, 1)
			s.lists(1, 1)
			s.gone(Gone{ID: id(1)})
			s.want(1, 1)
			s.gone(Gone{ID: id(1), Conductor: 1})
			s.want(0, 0)
		},
		"while it is dialled": func(s *shelf) {
			s.lists(0, 1)
			m := s.next(s.now)
			s.pend(m, true)
			s.gone(Gone{ID: id(1)})
			s.want(1, 1)
			s.unreached(s.now, DialFailed{Dial: Dial{ID: id(1), Addrs: host(1)}})
			s.want(0, 0)
		},
		"while it is linked": func(s *shelf) {
			s.lists(0, 1)
			m := s.linked(s.now, id(1), host(1)[0], true)
			s.gone(Gone{ID: id(1)})
			s.want(1, 1)
			s.unlinked(s.now, m, parting{all: false, whole: false, used: true})
			s.want(0, 0)
		},
		"it left and came back while it was linked": func(s *shelf) {
			s.lists(0, 1)
			m := s.linked(s.now, id(1), host(1)[0], true)
			s.gone(Gone{ID: id(1)})
			s.lists(0, 1)
			s.unlinked(s.now, m, parting{all: false, whole: false, used: true})
			s.want(1, 1)
		},
		"a conductor comes back and does not list it": func(s *shelf) {
			s.lists(0, 1)
			s.lists(0, 2)
			s.lists(1, 3)
			m := s.linked(s.now, id(2), host(2)[0], true)
			s.linked(s.now, id(1), host(1)[0], true)
			s.unlinked(s.now, s.of(id(1), nil), parting{all: true, whole: true, used: true})
			s.conducted(s.now, Conducted{})
			s.now += time.Minute
			s.conducted(s.now, Conducted{On: true})
			s.want(3, 3)
			s.now += listAgain
			s.expire(s.now)
			s.want(2, 2) // the one that is linked, and who another conductor lists
			s.unlinked(s.now, m, parting{all: false, whole: false, used: true})
			s.want(1, 1)
		},
		"a conductor comes back and lists it": func(s *shelf) {
			s.lists(0, 1)
			s.conducted(s.now, Conducted{})
			s.conducted(s.now, Conducted{On: true})
			s.lists(0, 1)
			s.now += 2 * listAgain
			s.expire(s.now)
			s.want(1, 1)
		},
		"nobody lists it, and it never answers": func(s *shelf) {
			s.lists(0, 1)
			s.conducted(s.now, Conducted{})
			s.fails(time.Minute)
			s.want(1, 0)
			s.fails(lostAfter + redialMost)
			s.want(0, 0)
		},
		"it is listed and never answers": func(s *shelf) {
			s.lists(0, 1)
			s.fails(time.Hour)
			s.want(1, 0)
			if n := s.fails(24 * time.Hour); n < 24 || n > 24*10 {
				s.t.Errorf("it is dialled %d times a day", n)
			}
			s.linked(s.now, id(1), host(1)[0], false)
			s.want(1, 1)
		},
		"the user named it, and it never answers": func(s *shelf) {
			s.names("somebody:1", 1)
			s.fails(24 * time.Hour)
			s.want(1, 0)
			s.names("somebody:1", 2) // it has another address now
			s.want(1, 1)
			if m := s.next(s.now); m == nil || m.addrs[0] != host(2)[0] {
				s.t.Error("it is not dialled at its new address")
			}
		},
		"a conductor lists whom the user named": func(s *shelf) {
			s.names("somebody:1", 1)
			s.lists(0, 1)
			s.want(1, 1)
			s.gone(Gone{ID: id(1)})
			s.want(1, 1)
		},
		"whom the user named turns out to be known": func(s *shelf) {
			s.lists(0, 1)
			s.names("somebody:1", 2)
			s.want(2, 2)
			s.linked(s.now, id(1), host(2)[0], true)
			s.want(1, 1)
		},
		"no descriptor is left": func(s *shelf) {
			s.lists(0, 1)
			s.conducted(s.now, Conducted{})
			for range 100 {
				s.unreached(s.now, DialFailed{Dial: Dial{ID: id(1)}, Fault: OwnLimits})
				s.now += time.Minute
			}
			s.want(1, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			s.t = t
			script(s)
		})
	}
}

// A flood of members that do not exist does not keep those out that do.
func TestBookIsFull(t *testing.T) {
	s := newShelf(t)
	for n := range knownMost {
		s.lists(0, n)
	}
	s.want(knownMost, knownMost)
	s.lists(0, knownMost) // nobody is worse than it yet
	if s.of(id(knownMost), nil) != nil {
		t.Error("a full book learns somebody although all may be there")
	}
	m := s.next(s.now)
	s.unreached(s.now, DialFailed{Dial: Dial{ID: m.id, Addrs: m.addrs}})
	s.lists(0, knownMost)
	if s.of(id(knownMost), nil) == nil || s.of(m.id, nil) != nil {
		t.Error("who does not answer keeps its place")
	}
	s.want(knownMost, knownMost)
}

// Who has another address is dialled there at once, however often the old one failed.
func TestNewAddressIsDialledAtOnce(t *testing.T) {
	s := newShelf(t)
	s.lists(0, 1)
	s.fails(time.Hour)
	if s.next(s.now) != nil {
		t.Fatal("it is dialled at once again")
	}
	s.found(s.now, Found{ID: id(1), Addrs: host(2)}, false)
	if m := s.next(s.now); m == nil || m.addrs[0] != host(2)[0] {
		t.Error("it is not dialled at the new address")
	}
	s.fails(time.Hour)
	s.moved(s.now)
	if s.next(s.now) == nil {
		t.Error("it is not dialled when this machine has another address")
	}
}

// Whatever happens to the members, the timetable and the count of dials are as if made anew.
func TestTimetable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := newBook(id(0), rand.New(rand.NewPCG(1, 1))), time.Duration(0)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now += time.Duration(rapid.SampledFrom([]int{0, 1, 5, 200}).Draw(t, "wait")) * time.Second
			n := rapid.IntRange(1, 4).Draw(t, "member")
			m := b.of(id(n), nil)
			switch what := rapid.IntRange(0, 10).Draw(t, "what"); {
			case what == 0:
				at := rapid.IntRange(1, 4).Draw(t, "host")
				b.found(now, Found{ID: id(n), Addrs: host(at)}, false)
			case what == 1:
				b.gone(Gone{ID: id(n)})
			case what == 2:
				b.conducted(now, Conducted{On: rapid.Bool().Draw(t, "on")})
			case what == 3:
				b.moved(now)
			case what == 4:
				b.needed()
			case what == 5:
				b.cutOff(id(n), host(n)[0].Addr(), now+time.Minute)
			case what == 6:
				b.expire(now)
			case m == nil:
			case what == 7 && m.link:
				b.unlinked(now, m, parting{
					all:   rapid.Bool().Draw(t, "all"),
					whole: rapid.Bool().Draw(t, "whole"),
					used:  rapid.Bool().Draw(t, "used"),
				})
			case what == 8 && m.pending:
				b.unreached(now, DialFailed{Dial: Dial{ID: m.id, Addrs: m.addrs}, Fault: NoAnswer})
			case what == 9:
				b.linked(now, id(n), host(n)[0], m.pending)
			case what == 10:
				if m := b.next(now); m != nil {
					b.dials(now, m)
				}
			}
			pending := 0
			for _, m := range b.known {
				if m.pending {
					pending++
				}
			}
			got := b.schedule(now)
			b.changed()
			if want := b.schedule(now); got != want || b.pending != pending {
				t.Fatalf("timetable %+v, want %+v; %d dials are out, counted %d", got, want, pending,
					b.pending)
			}
		}
	})
}
