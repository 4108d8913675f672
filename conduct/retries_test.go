package conduct

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"orchestra/proto"
)

// passes lets time pass until the registry has something to do, and has it do that.
func (s *script) passes() []effect {
	s.t.Helper()
	at := s.reg.next()
	if at.Before(s.now) {
		s.t.Fatalf("it had something to do at %v, before %v", at, s.now)
	}
	s.now = at
	out := s.did(s.reg.expire(s.now, nil))
	s.check()
	return out
}

func dialsIn(out []effect) (dials []dialBack) {
	for _, eff := range out {
		if d, ok := eff.(dialBack); ok {
			dials = append(dials, d)
		}
	}
	return dials
}

// A guest that was not reached is dialled again without announcing itself, ever less often, and
// members hear of it when it answers.
func TestGuestIsDialledAgain(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.reg.lim.silence = 24 * time.Hour // of members
	began := s.now
	_, out := s.visits(testID, 7, farAddr(7), 0)
	s.answer(out, false)
	_, e := s.reg.find(testID, s.reg.guests.list[0].peer)
	m, _ := s.join(peerN(1), farSeat(1), plain(1))
	if len(s.known[m]) != 0 {
		t.Fatalf("a member is told of %v, who was not reached", s.known[m])
	}
	var at []time.Duration
	for range 5 {
		e.deadline = s.now.Add(24 * time.Hour) // it announces itself seldom
		out := s.passes()
		if n := len(dialsIn(out)); n != 1 {
			t.Fatalf("%d dial backs after %v", n, s.now.Sub(began))
		}
		at = append(at, s.now.Sub(began))
		s.answer(out, len(at) == 5)
	}
	var want []time.Duration
	for n := range 5 {
		want = append(want, firstRecheck*(1<<(n+1)-1))
	}
	if !slices.Equal(at, want) {
		t.Errorf("it was dialled again after %v, want %v", at, want)
	}
	if len(s.known[m]) != 1 {
		t.Errorf("when it answers, the member knows %v", s.known[m])
	}
	if next := s.reg.nextRetry(); !next.IsZero() {
		t.Errorf("it was reached, and is to be dialled again at %v", next)
	}
	s.check()
}

// Guests that were dialled in vain make nobody wait who was not dialled yet.
func TestNewGuestsAreDialledFirst(t *testing.T) {
	lim := testLimits
	lim.dials = 2 // one of guests
	s := newScript(t, lim, 1)
	_, out := s.visits(idN(1), 1, farAddr(1), 0)
	s.answer(out, false)
	_, running := s.visits(idN(2), 2, farAddr(2), 0)
	s.visits(idN(3), 3, farAddr(3), 0)
	s.now = s.now.Add(firstRecheck)
	if out := s.did(s.reg.expire(s.now, nil)); len(dialsIn(out)) != 0 {
		t.Fatal("more guests are dialled at a time than there is room for")
	}
	if next := s.reg.next(); next.Equal(s.reg.retries[0].retryAt) {
		t.Error("the clock is asked for while there is no room")
	}
	for _, n := range []int{3, 1} {
		d := dialsIn(running)
		if len(d) != 1 {
			t.Fatalf("%d dial backs run", len(d))
		}
		running = s.did(s.reg.checked(s.now, d[0].ticket, addrAt(d[0].host), foundMember, nil))
		if next := dialsIn(running); len(next) != 1 || next[0].id != idN(n) {
			t.Errorf("%v is dialled next, not guest %d", next, n)
		}
		s.check()
	}
}

// Whoever lists guests where nobody is has that place dialled no more often for it.
func TestUnreachedGuestsAreBounded(t *testing.T) {
	const guests = 600
	for _, c := range []struct {
		name string
		port func(n int) uint16
		most int // in ten minutes, of one address
	}{
		{"one port", func(int) uint16 { return 6881 }, missesBurst + 10*60/15 + 1},
		{"many ports", func(n int) uint16 { return uint16(1000 + n) }, 256 + 10*60*4 + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, testLimits, 1)
			dials := 0
			var follow func(out []effect)
			follow = func(out []effect) {
				for _, d := range dialsIn(out) {
					dials++
					at := addrAt(d.host)
					follow(s.did(s.reg.checked(s.now, d.ticket, at, foundNobody, nil)))
				}
			}
			for second := range 10 * 60 {
				s.now = s.now.Add(time.Second)
				if second%60 == 0 {
					for n := range guests {
						v := webGuest{arrival: arrival{
							id: idN(n), peer: proto.PeerID{'-', 'X', 'X'}, seat: farSeat(1), ann: plain(n),
						}}
						v.ann.Port = c.port(n)
						_, out := s.reg.receive(s.now, v, nil, nil)
						follow(s.did(out))
					}
				}
				follow(s.did(s.reg.expire(s.now, nil)))
			}
			s.check()
			if len(s.reg.guests.list) != guests || dials == 0 || dials > c.most {
				t.Errorf("%d dial backs for %d guests in ten minutes, %d are in order",
					dials, len(s.reg.guests.list), c.most)
			}
		})
	}
}

// A guest that announces itself more seldom than it is asked to is listed as long as it answers,
// and another chance is given to who does not.
func TestSilentGuestIsLookedFor(t *testing.T) {
	for name, answers := range map[string][]bool{
		"it is there":               {true, true, true, false, false},
		"it is missed once":         {false, true, false, false},
		"it is gone":                {false, false},
		"nothing becomes of a dial": nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, testLimits, 1)
			s.reg.lim.silence = 24 * time.Hour // of members
			m, _ := s.join(peerN(1), farSeat(1), plain(1))
			began := s.now
			_, out := s.visits(testID, 7, farAddr(7), 0)
			s.answer(out, true)
			left := visitSilence
			for i, ok := range answers {
				out := s.passes()
				if n := len(dialsIn(out)); n != 1 || len(s.known[m]) != 1 {
					t.Fatalf("after %v, it is dialled %d times, and a member knows %v",
						s.now.Sub(began), n, s.known[m])
				}
				s.answer(out, ok)
				if ok {
					left = s.now.Sub(began) + visitSilence
				} else if i == 0 || answers[i-1] {
					left = s.now.Sub(began) + lookedForIn
				}
			}
			if answers == nil {
				s.passes()
				left += lookedForIn
			}
			s.passes()
			if len(s.known[m]) != 0 || len(s.reg.guests.list) != 0 || s.now.Sub(began) != left {
				t.Errorf("after %v, a member knows %v and %d guests are listed; want none after %v",
					s.now.Sub(began), s.known[m], len(s.reg.guests.list), left)
			}
		})
	}
}

// The same in a conductor that runs: its clock goes off without anybody saying anything.
func TestConductorDialsGuestsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		connect := pipedTo(t, Config{}, func(ctx context.Context, _, _ string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				return nil, errors.New("its SYN is lost")
			}
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				hello, err := proto.ReadHandshake(there, proto.BitTorrent)
				if err != nil {
					return
				}
				hello.PeerID = proto.PeerID{'-', 'X', 'X'}
				_, _ = there.Write(hello.Append(nil))
			}()
			return here, nil
		})
		nc := connect(2)
		query := url.Values{
			"info_hash": {string(testID[:])}, "peer_id": {"-XX" + strings.Repeat("0", 17)}, "port": {"6881"},
		}
		go fmt.Fprintf(nc, "GET /announce?%s HTTP/1.1\r\nHost: x\r\n\r\n", query.Encode())
		answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("the guest is answered %+v, %v", answer, err)
		}
		nc.Close()
		synctest.Wait()
		m := call(t, connect(1), 1)
		m.nc.SetReadDeadline(time.Time{})
		m.send(proto.Announce{Want: 50})
		next[proto.Welcome](m)
		began := time.Now()
		if got := next[proto.Joined](m).Members; len(got) != 1 || got[0].PeerID[1] != 'X' {
			t.Errorf("the member is told of %v", got)
		}
		if took := time.Since(began); took != firstRecheck || dials.Load() != 2 {
			t.Errorf("after %v and %d dials, want %v", took, dials.Load(), firstRecheck)
		}
	})
}
