package member

import (
	"net/netip"
	"testing"
	"time"
)

func TestLoud(t *testing.T) {
	var l loud
	now := time.Now()
	at := func(n int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 1)
	}
	if l.is(at(1), now) {
		t.Error("a host is loud of which nothing is known")
	}
	if !l.note(at(1), now) || l.note(at(1), now.Add(time.Minute)) {
		t.Error("a host that is loud is told of other than once")
	}
	if !l.is(netip.AddrPortFrom(at(1).Addr(), 9), now) || l.is(at(2), now) {
		t.Error("loud is other than the host")
	}
	if l.is(at(1), now.Add(time.Minute+loudFor)) {
		t.Error("a host is loud for ever")
	}
	for n := range 2 * loudMost {
		l.note(at(n), now)
	}
	if len(l.until) != loudMost || !l.is(at(2*loudMost-1), now) {
		t.Errorf("%d hosts are remembered, want %d, the last one among them", len(l.until), loudMost)
	}
}
