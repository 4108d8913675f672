package lan

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	rescanEvery = 10 * time.Second // for networks that this machine is on now
	answerRate  = 10               // answers a second on a network, and as many at once
	saidAgain   = time.Second      // after the first message that nobody asked for
)

// Announce lets others on private networks find the conductor that listens on an address (an
// unspecified one: on all) until ctx ends. Networks that come and go are followed. Told, if not
// nil, is called with what cannot be done, which is no reason to stop.
func Announce(ctx context.Context, listens netip.AddrPort, told func(error)) error {
	if told == nil {
		told = func(error) {}
	}
	var tag [4]byte
	if _, err := rand.Read(tag[:]); err != nil {
		return err
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "" // then it has none in its name here
	}
	self, err := newIdentity(hostname, hex.EncodeToString(tag[:]), listens.Port())
	if err != nil {
		return err
	}
	a := &announcer{self: self, listens: listens.Addr(), told: told, on: make(map[string]*responder)}
	defer a.end()
	tick := time.NewTicker(rescanEvery)
	defer tick.Stop()
	for {
		a.scan(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// An announcer has a responder for each network and family.
type announcer struct {
	self    identity
	listens netip.Addr
	told    func(error)
	on      map[string]*responder
	failed  string // what was told last
}

// scan begins to answer on networks that are new, and ends on those that are gone.
func (a *announcer) scan(ctx context.Context) {
	all, err := networks()
	if err != nil {
		a.complain(fmt.Errorf("cannot look for networks: %w", err))
		return
	}
	there := make(map[string]bool)
	var failed error
	for i := range all {
		n := &all[i]
		addrs := a.tellable(n)
		if len(addrs) == 0 {
			continue
		}
		for _, group := range groups(n) {
			key := group.Addr().String() + " " + n.key()
			there[key] = true
			if r := a.on[key]; r != nil && r.alive() {
				continue
			}
			s, err := listen(*n, group)
			if err != nil {
				failed = fmt.Errorf("cannot be found on %s: %w", n.ifi.Name, err)
				continue
			}
			if old := a.on[key]; old != nil {
				old.stop()
			}
			a.on[key] = respond(ctx, s, &a.self, addrs)
		}
	}
	for key, r := range a.on {
		if !there[key] {
			r.stop()
			delete(a.on, key)
		}
	}
	if failed != nil {
		a.complain(failed)
	}
}

// complain tells what is wrong, once.
func (a *announcer) complain(err error) {
	if text := err.Error(); text != a.failed {
		a.failed = text
		a.told(err)
	}
}

func (a *announcer) end() {
	for _, r := range a.on {
		r.stop()
	}
}

// Reaches reports whether there is a private network now on which Announce would tell of what
// listens at an address.
func Reaches(listens netip.AddrPort) bool {
	all, err := networks()
	if err != nil {
		return false
	}
	a := announcer{listens: listens.Addr()}
	return slices.ContainsFunc(all, func(n network) bool { return len(a.tellable(&n)) > 0 })
}

// tellable are the addresses under which the conductor is reached on a network, and no others.
func (a *announcer) tellable(n *network) []netip.Addr {
	var out []netip.Addr
	listens := a.listens.Unmap()
	for _, p := range n.addrs {
		addr := p.Addr()
		switch {
		case listens == addr.WithZone(""), listens.IsUnspecified() && (listens.Is6() || addr.Is4()):
			if !slices.Contains(out, addr) {
				out = append(out, addr)
			}
		}
	}
	return out
}

// A responder answers on one socket.
type responder struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func respond(ctx context.Context, s *socket, self *identity, addrs []netip.Addr) *responder {
	ctx, cancel := context.WithCancel(ctx)
	r := &responder{cancel: cancel, done: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		defer cancel() // a socket that reads no more is opened anew
		answerAll(ctx, s, self, addrs)
	})
	all.Go(func() {
		hello := self.unasked(addrs, memoryTTL)
		_ = s.sendAll(hello) // whoever missed it asks
		select {
		case <-ctx.Done():
		case <-time.After(saidAgain):
			_ = s.sendAll(hello)
			<-ctx.Done()
		}
		_ = s.sendAll(self.unasked(addrs, 0))
		s.conn.Close()
	})
	go func() {
		all.Wait()
		close(r.done)
	}()
	return r
}

// answerAll answers until the socket is closed.
func answerAll(ctx context.Context, s *socket, self *identity, addrs []netip.Addr) {
	pace := rate.NewLimiter(answerRate, answerRate)
	buf := make([]byte, mostMessage)
	for ctx.Err() == nil {
		b, from, err := s.receive(buf)
		if err != nil {
			return
		}
		q, ok := readQuery(b)
		if !ok {
			continue
		}
		once := from.Port() != mdnsPort
		text := self.answer(q, addrs, once)
		if text == nil || !pace.Allow() {
			continue
		}
		if once || q.unicast {
			_ = s.send(text, from) // whoever did not get it asks again
		} else {
			_ = s.sendAll(text)
		}
	}
}

func (r *responder) alive() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

func (r *responder) stop() {
	r.cancel()
	<-r.done
}

// ErrNoNetwork tells that this machine is on no private network.
var ErrNoNetwork = errors.New("this machine is on no private network")
