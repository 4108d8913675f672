package swarm

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orchestra/proto"
)

// TestWaiting looks at what a member knows of why nothing comes, in one situation after another.
func TestWaiting(t *testing.T) {
	const parts = 4
	here := addr(0)
	run := Run{0, 0, 256 << 10}
	bits := func(parts ...uint32) []byte {
		b := newBitmap(4)
		for _, part := range parts {
			b.set(part)
		}
		return b
	}
	join := func(i int) Joined {
		return Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), Dialled: true, MaxRun: RunSize}
	}
	found := Found{ID: proto.PeerID{1}, Addrs: addrs(0)}
	dial := Dial{ID: proto.PeerID{1}, Addrs: addrs(0)}
	for name, test := range map[string]struct {
		script func(d *desk)
		want   Waiting
	}{
		"nobody is known": {func(*desk) {}, Waiting{Missing: parts, Nowhere: parts}},
		"nothing is missing": {func(d *desk) {
			for part := range uint32(parts) {
				d.rare.remove(part)
				d.tell(Stored{part})
			}
		}, Waiting{}},
		"somebody is being dialled": {func(d *desk) { d.tell(found) }, Waiting{Missing: parts, Nowhere: parts, Known: 1, Untried: 1}},
		"a dial failed": {func(d *desk) {
			d.tell(found, DialFailed{Dial: dial, Addr: here, Fault: NobodyListens})
		}, Waiting{Missing: parts, Nowhere: parts, Known: 1, Silent: 1, Fault: NobodyListens, Where: here}},
		"the fault that tells most": {func(d *desk) {
			d.tell(Found{ID: proto.PeerID{2}, Addrs: addrs(1)}, found)
			d.tell(DialFailed{Dial: dial, Addr: here, Fault: HangsUp})
			d.tell(DialFailed{Dial: Dial{ID: proto.PeerID{2}, Addrs: addrs(1)}, Addr: addr(1), Fault: NoAnswer})
		}, Waiting{Missing: parts, Nowhere: parts, Known: 2, Silent: 2, Fault: HangsUp, Where: here}},
		"it speaks encrypted when it dials": {func(d *desk) {
			d.tell(found, DialFailed{Dial: dial, Addr: here, Fault: HangsUp})
			d.tell(Stranger{Addr: netip.AddrPortFrom(here.Addr(), 40000), Fault: Encrypted})
		}, Waiting{Missing: parts, Nowhere: parts, Known: 1, Silent: 1, Fault: Encrypted, Where: here}},
		"who is there has nothing": {
			func(d *desk) { d.tell(join(0)) },
			Waiting{Missing: parts, Links: 1, Nowhere: parts},
		},
		"one of two left with some": {func(d *desk) {
			d.tell(join(0), join(1), Has{Peer: 0, Bits: bits(0, 1, 2)}, Has{Peer: 1, Bits: bits(2)}, Choked{Peer: 1}, Left{0})
		}, Waiting{Missing: parts, Links: 1, Holders: 1, Busy: 1, Nowhere: 3, Had: 2, HadBy: here}},
		"who had most of it": {func(d *desk) {
			d.tell(join(0), join(1), Has{Peer: 0, Bits: bits(0, 1, 2)}, Has{Peer: 1, Bits: bits(2)}, Left{0}, Left{1})
		}, Waiting{Missing: parts, Nowhere: parts, Had: 3, HadBy: here}},
		"it chokes": {func(d *desk) {
			d.tell(join(0), Has{Peer: 0, All: true})
		}, Waiting{Missing: parts, Links: 1, Holders: 1, Choking: 1}},
		"it does not begin": {func(d *desk) {
			d.seed(0)
		}, Waiting{Missing: parts, Links: 1, Holders: 1, Busy: 1}},
		"it does not answer any more": {func(d *desk) {
			d.seed(0)
			d.tell(Deaf{Peer: 0, On: true})
		}, Waiting{Missing: parts, Links: 1, Holders: 1, Deaf: 1}},
		"it answers again": {func(d *desk) {
			d.seed(0)
			d.tell(Deaf{Peer: 0, On: true}, Deaf{Peer: 0})
		}, Waiting{Missing: parts, Links: 1, Holders: 1, Busy: 1}},
		"it stopped in the middle": {func(d *desk) {
			d.seed(0)
			d.tell(Started{0, d.menu(0)[0]}, Progress{Peer: 0, Down: 1000})
		}, Waiting{Missing: parts, Links: 1, Holders: 1, Mute: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, parts, int64(run.Length))
			test.script(d)
			if n := d.Waiting(d.at + waitingAfter).Nowhere; len(d.Nowhere(n)) != n || len(d.Nowhere(n-1)) != 0 {
				t.Errorf("%d parts are nowhere: %v", n, d.Nowhere(n))
			}
			if w := d.Waiting(d.at + waitingAfter - 1); w != (Waiting{}) {
				t.Errorf("too early it says %+v", w)
			}
			d.at += waitingAfter
			if diff := cmp.Diff(test.want, d.Waiting(d.at), cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Error("(-want +got):", diff)
			}
		})
	}
}

// Something may be in the way of who is linked to nobody for some time, unless what answers says
// otherwise.
func TestAlone(t *testing.T) {
	found := Found{ID: proto.PeerID{1}, Addrs: addrs(0)}
	fails := func(fault Fault) Event {
		return DialFailed{Dial: Dial{ID: proto.PeerID{1}, Addrs: addrs(0)}, Addr: addr(0), Fault: fault}
	}
	for name, test := range map[string]struct {
		evs  []Event
		want bool
	}{
		"nobody is known":     {nil, false},
		"no dial ends":        {[]Event{found}, true},
		"no answer":           {[]Event{found, fails(NoAnswer)}, true},
		"the host is there":   {[]Event{found, fails(NobodyListens)}, false},
		"a web server":        {[]Event{found, fails(Web)}, false},
		"a link":              {[]Event{found, Joined{ID: proto.PeerID{1}, Addr: addr(0), Dialled: true}}, false},
		"a link that is gone": {[]Event{found, Joined{ID: proto.PeerID{1}, Addr: addr(0), Dialled: true}, Left{0}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 1, 1000)
			d.at = time.Minute
			d.tell(test.evs...)
			if d.Alone(d.at + aloneAfter - 1) {
				t.Error("too early")
			}
			if got := d.Alone(d.at + aloneAfter); got != test.want {
				t.Errorf("alone: %v, want %v", got, test.want)
			}
		})
	}
}

// Members count as complete as they were seen last, whether they are linked to or not.
func TestComplete(t *testing.T) {
	d := newDesk(t, 2, 1000)
	d.tell(Found{ID: proto.PeerID{1}, Addrs: addrs(0)}, Found{ID: proto.PeerID{2}, Addrs: addrs(1)})
	want := func(n int) {
		t.Helper()
		if got := d.Complete(); got != n {
			t.Errorf("%d are complete, want %d", got, n)
		}
	}
	want(0)
	d.seed(0)
	want(1)
	d.tell(Left{0})
	want(1)
	d.seed(0)
	want(1)
	d.tell(Joined{Peer: 1, ID: proto.PeerID{2}, Addr: addr(1)}, Has{Peer: 1, Parts: []uint32{0}})
	want(1)
	d.tell(Has{Peer: 1, Parts: []uint32{1}})
	want(2)
	d.tell(Left{0}, Gone{ID: proto.PeerID{1}})
	want(1)
}
