package link

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

func sociable(closed bool) *Link {
	terms := NewTerms(true)
	terms.Take(proto.ExtHandshake{Messages: map[string]int{proto.ExtPeers: 9}}, 1<<20)
	return New(Config{Peer: 3, Size: 1 << 20, PartSize: 1 << 20, Closed: closed, Terms: terms})
}

func neighbours(addrs ...string) (list []Neighbour) {
	for _, a := range addrs {
		list = append(list, Neighbour{Addr: netip.MustParseAddrPort(a)})
	}
	return list
}

// introduces gives what the peer, at 198.51.100.1:6881, is told.
func (l *Link) introduces(t *testing.T, now time.Duration, all []Neighbour) (added, dropped []string) {
	t.Helper()
	l.Introduce(now, netip.MustParseAddrPort("198.51.100.1:6881"), all)
	for _, msg := range l.says(t) {
		p, err := proto.ParsePeerExchange(msg.(proto.Extended).Payload)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range p.Added {
			added = append(added, a.String())
		}
		for _, a := range p.Dropped {
			dropped = append(dropped, a.String())
		}
	}
	return added, dropped
}

// A peer is told what changed, once a minute at most.
func TestIntroduce(t *testing.T) {
	l := sociable(false)
	for _, step := range []struct {
		at             time.Duration
		all            []Neighbour
		added, dropped []string
	}{
		{0, nil, nil, nil},
		{
			time.Second, neighbours("192.0.2.1:1000", "[2001:db8::1]:2000", "198.51.100.1:6881"),
			[]string{"192.0.2.1:1000", "[2001:db8::1]:2000"},
			nil,
		},
		{time.Minute, neighbours("192.0.2.2:1000"), nil, nil}, // too soon
		{
			61 * time.Second, neighbours("192.0.2.1:1000", "192.0.2.2:1000"),
			[]string{"192.0.2.2:1000"},
			[]string{"[2001:db8::1]:2000"},
		},
		{3 * time.Minute, neighbours("192.0.2.1:1000", "192.0.2.2:1000"), nil, nil},
		// Those of this machine and of a private network mean nothing there.
		{
			4 * time.Minute, neighbours("127.0.0.1:1000", "10.0.0.1:1000", "[fe80::1]:1000"),
			nil,
			[]string{"192.0.2.1:1000", "192.0.2.2:1000"},
		},
	} {
		added, dropped := l.introduces(t, step.at, step.all)
		if diff := cmp.Diff([][]string{step.added, step.dropped}, [][]string{added, dropped}); diff != "" {
			t.Errorf("at %v (-want +got): %s", step.at, diff)
		}
	}
}

// What is told of others is what is known of them, and what is heard of them counts for whether
// they have everything.
func TestIntroducedFlags(t *testing.T) {
	all := neighbours("192.0.2.1:1000", "192.0.2.2:1000", "[2001:db8::1]:1000", "192.0.2.3:1000")
	all[1].Dialled, all[1].Seed = true, true
	all[2].Encrypts = true
	all[3].Seed, all[3].Encrypts = true, true
	l := sociable(false)
	l.Introduce(0, netip.MustParseAddrPort("198.51.100.1:6881"), all)
	payload := l.says(t)[0].(proto.Extended).Payload
	p, err := proto.ParsePeerExchange(payload)
	if diff := cmp.Diff([]byte{0, 0x12, 0x03, 0x01}, p.Flags); diff != "" || err != nil {
		t.Errorf("flags of %v (-want +got): %s, %v", p.Added, diff, err)
	}
	events, err := sociable(false).Hear(0, proto.Extended{ID: peersID, Payload: payload})
	want := []Event{swarm.Hinted{Peer: 3, Addrs: p.Added, Seeds: []bool{false, true, true, false}}}
	if fmt.Sprint(events) != fmt.Sprint(want) || err != nil {
		t.Errorf("%v is heard (%v), want %v", events, err, want)
	}
}

func TestIntroduceIsBounded(t *testing.T) {
	l := sociable(false)
	var all []Neighbour
	for i := range 2 * mostTold {
		all = append(all, neighbours(fmt.Sprintf("192.0.%d.%d:1000", i/256, i%256))...)
	}
	for now := time.Duration(0); now < time.Hour; now += ExchangeEvery {
		if added, _ := l.introduces(t, now, all); len(added) > proto.MaxExchanged {
			t.Fatalf("%d are told of together", len(added))
		}
	}
	if len(l.introduced) != mostTold {
		t.Errorf("%d are told of, want %d", len(l.introduced), mostTold)
	}
}

// Where trackers alone may tell of others, nobody else is told, or believed.
func TestClosedLinkTellsOfNobody(t *testing.T) {
	l := sociable(true)
	if added, _ := l.introduces(t, 0, neighbours("192.0.2.1:1000")); len(added) > 0 || l.Introduces() {
		t.Errorf("it tells of %v", added)
	}
	payload := proto.PeerExchange{Added: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:1000")}}
	msg := proto.Extended{ID: peersID, Payload: payload.Append(nil)}
	if events, err := l.Hear(0, msg); len(events) > 0 || err != nil {
		t.Errorf("it believes %v, %v", events, err)
	}
	events, err := sociable(false).Hear(0, msg)
	want := []Event{swarm.Hinted{Peer: 3, Addrs: payload.Added, Seeds: []bool{false}}}
	if err != nil || len(events) != 1 || fmt.Sprint(events) != fmt.Sprint(want) {
		t.Errorf("an open one hears %v, %v", events, err)
	}
}
