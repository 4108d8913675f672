package member

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orchestra/member/swarm"
)

// A name that is not known at first is looked up until it is, and again when nobody answers there.
func TestNamesAreLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		old, moved := netip.MustParseAddrPort("10.0.0.1:10001"), netip.MustParseAddrPort("10.0.0.2:10001")
		answers := []netip.AddrPort{{}, {}, old, old, moved} // not valid: the name is not known
		n := newNamed("somebody:10001")
		var asked atomic.Int32
		n.lookUp = func(context.Context, string) ([]netip.AddrPort, error) {
			i := int(asked.Add(1)) - 1
			if i >= len(answers) {
				t.Error("asked once too often")
				return nil, errors.New("enough")
			}
			a := answers[i]
			if !a.IsValid() {
				return nil, errors.New("no such host")
			}
			return []netip.AddrPort{a}, nil
		}
		m := &Member{inbox: make(chan event, 10)}
		ended := make(chan struct{})
		go func() { defer close(ended); n.keep(ctx, m) }()
		want := func(asks int32, addr netip.AddrPort) {
			t.Helper()
			synctest.Wait()
			if got := asked.Load(); got != asks {
				t.Errorf("asked %d times, want %d", got, asks)
			}
			var got, told []netip.AddrPort
			if addr.IsValid() {
				told = append(told, addr)
			}
			select {
			case ev := <-m.inbox:
				found := ev.(swarm.Found)
				if got = found.Addrs; found.Name != n.name {
					t.Errorf("found %q", found.Name)
				}
			default:
			}
			if diff := cmp.Diff(told, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Error("found (-want +got):", diff)
			}
		}
		time.Sleep(time.Hour)
		want(3, old)
		n.unanswered([]netip.AddrPort{moved}) // somebody else
		want(3, netip.AddrPort{})
		n.unanswered([]netip.AddrPort{old})
		want(4, netip.AddrPort{}) // it is there still
		n.unanswered([]netip.AddrPort{old})
		want(4, netip.AddrPort{}) // it was looked up a moment ago
		time.Sleep(retryMost * 3 / 2)
		want(5, moved)
		cancel()
		<-ended
	})
}
