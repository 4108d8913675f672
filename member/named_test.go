package member

import (
	"context"
	"errors"
	"net/netip"
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
		n, asked := newNamed("somebody:10001"), 0
		n.lookUp = func(context.Context, string) ([]netip.AddrPort, error) {
			if asked == len(answers) {
				t.Error("asked once too often")
				return nil, errors.New("enough")
			}
			a := answers[asked]
			if asked++; !a.IsValid() {
				return nil, errors.New("no such host")
			}
			return []netip.AddrPort{a}, nil
		}
		m := &Member{inbox: make(chan event, 10)}
		ended := make(chan struct{})
		go func() { defer close(ended); n.keep(ctx, m) }()
		want := func(asks int, addr netip.AddrPort) {
			t.Helper()
			time.Sleep(time.Hour)
			synctest.Wait()
			if asked != asks {
				t.Errorf("asked %d times, want %d", asked, asks)
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
		want(3, old)
		n.unanswered([]netip.AddrPort{moved}) // somebody else
		want(3, netip.AddrPort{})
		n.unanswered([]netip.AddrPort{old})
		want(4, netip.AddrPort{}) // it is there still
		n.unanswered([]netip.AddrPort{old})
		want(5, moved)
		cancel()
		<-ended
	})
}
