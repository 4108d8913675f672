package member

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"orchestra/member/swarm"
)

// A link ends when the machine loses the address that it is from, and not when it loses another, or
// never had that one.
func TestLinksEndWithTheirAddress(t *testing.T) {
	local, other := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.0.0.9")
	set := func(addrs ...netip.Addr) map[netip.Addr]bool {
		m := map[netip.Addr]bool{}
		for _, a := range addrs {
			m[a] = true
		}
		return m
	}
	for name, test := range map[string]struct {
		ev    moved
		ended bool
	}{
		"its own":   {moved{set(local, other), set(other)}, true},
		"another":   {moved{set(local, other), set(local)}, false},
		"one more":  {moved{set(local), set(local, other)}, false},
		"never its": {moved{set(other), set()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := pair(t, make([]byte, 1), Config{})
			d := &director{Member: l.m, links: []partner{nil, l}}
			d.core = swarm.New(swarm.Config{Size: 1, PartSize: 1})
			d.moved(test.ev)
			if (l.ended != nil) != test.ended {
				t.Errorf("ended: %v, want %v", l.ended, test.ended)
			}
		})
	}
}

// Who waits for other addresses is told when they come, and a dial that was begun before ends.
func TestMachineTellsOfOtherAddresses(t *testing.T) {
	m := newMachine()
	addrs, changed := m.now()
	same, cancel := m.whileSame(t.Context())
	defer cancel()
	if m.set(addrs) || m.set(nil) {
		t.Error("the same addresses, or none that the system tells, are a change")
	}
	if !m.set(map[netip.Addr]bool{}) {
		t.Error("other addresses are no change")
	}
	<-changed
	<-same.Done()
	if !errors.Is(same.Err(), context.Canceled) {
		t.Error(same.Err())
	}
}
