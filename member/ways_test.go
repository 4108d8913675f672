package member

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"orchestra/proto/mtu"
)

// Packets to a host are made smaller and smaller while they vanish, for a while, and none where the
// host does not answer at all.
func TestWaysAreNarrowForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w ways
		here, there := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")
		want := func(host netip.Addr, bytes int) {
			t.Helper()
			if got := w.most(host); got != bytes {
				t.Errorf("%d bytes to %s, want %d", got, host, bytes)
			}
		}
		want(here, 0)
		for _, bytes := range []int{mtu.Small, mtu.Least, mtu.Least} {
			w.vanish(here)
			want(here, bytes)
			want(there, 0)
		}
		w.vanish(there)
		want(there, mtu.Small)
		w.silent(there)
		want(there, 0)
		w.vanish(there)
		time.Sleep(narrowFor + time.Second)
		want(here, 0)
		w.sweep(time.Now())
		if n := len(w.narrow); n != 0 {
			t.Errorf("%d hosts are kept for good", n)
		}
		w.vanish(netip.MustParseAddr("127.0.0.1"))
		if n := len(w.narrow); n != 0 {
			t.Error("packets vanish on loopback")
		}
		for i := range 2 * narrowMost {
			w.vanish(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}))
		}
		if n := len(w.narrow); n != narrowMost {
			t.Errorf("%d hosts are kept, %d at most", n, narrowMost)
		}
	})
}

// A link that ends for an MTU hole is told from others that end.
func TestNarrowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &connection{heard: time.Now()}
		for _, tt := range []struct {
			after time.Duration
			why   error
			want  bool
		}{
			{0, errDeaf, true},
			{0, syscall.ECONNRESET, false}, // it came and went
			{waitedLong, syscall.ECONNRESET, true},
			{0, errors.New("both have everything"), false},
		} {
			time.Sleep(tt.after)
			if got := c.narrowed(tt.why); got != tt.want {
				t.Errorf("%v after %v: %v", tt.why, tt.after, got)
			}
		}
	})
}
