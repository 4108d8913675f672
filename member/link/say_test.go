package link

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// A peer that does not read is left when too much waits for it. Which parts there are, which it is
// told first, does not count, however many they are.
func TestUnsaid(t *testing.T) {
	for name, test := range map[string]struct {
		bits  int // bytes of the first bitfield
		haves int // parts announced behind it
		ended bool
	}{
		"no more than may wait":          {100, mostUnsaid/9 - 20, false},
		"too much":                       {100, mostUnsaid/9 + 20, true},
		"a bitfield of many parts":       {2 * mostUnsaid, 0, false},
		"too much after such a bitfield": {2 * mostUnsaid, mostUnsaid/9 + 20, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(Config{Size: 1, PartSize: 1})
			l.offer(swarm.Offer{Bits: make([]byte, test.bits)})
			for range test.haves {
				l.Say(proto.Have{})
			}
			if (l.Err() != nil) != test.ended {
				t.Errorf("ended: %v, want %v", l.Err(), test.ended)
			}
		})
	}
}

// What may wait is announced when it is due, for all links together, or with something else.
func TestAnnounce(t *testing.T) {
	const delay = 200 * time.Millisecond
	room := Room{}
	has := func(parts ...uint32) (list []proto.Message) {
		for _, part := range parts {
			list = append(list, proto.Have{Part: part})
		}
		return list
	}
	for _, test := range []struct {
		name string
		let  func(l *Link)
		at   time.Duration
		want []proto.Message
	}{
		{"before it is due", func(l *Link) {}, 400*time.Millisecond - 1, nil},
		{"when it is", func(l *Link) {}, 400 * time.Millisecond, has(1, 2)},
		{
			"with one that may not wait", func(l *Link) { l.announce(0, 3, 0) },
			310 * time.Millisecond, has(1, 2, 3),
		},
		{
			"with something else", func(l *Link) { l.setInterest(true) }, 310 * time.Millisecond,
			append([]proto.Message{proto.Interested{}}, has(1, 2)...),
		},
		{"one is gone", func(l *Link) { l.cfg.DontHave = 0; l.withdraw(1) }, time.Second, has(2)},
		{
			"all are", func(l *Link) { l.cfg.DontHave = 0; l.withdraw(1); l.withdraw(2) }, time.Second,
			nil,
		},
	} {
		l := member(8 << 20)
		l.announce(250*time.Millisecond, 1, delay)
		l.announce(310*time.Millisecond, 2, 5*delay)
		if at, ok := l.Due(); !ok || at != 400*time.Millisecond {
			t.Fatalf("due at %v, %v", at, ok)
		}
		test.let(l)
		l.say = l.Next(test.at, room, nil).Text()
		if diff := cmp.Diff(test.want, l.says(t)); diff != "" {
			t.Errorf("%s (-want +got): %s", test.name, diff)
		}
		if at, ok := l.Due(); ok != (test.at < 400*time.Millisecond && test.want == nil) {
			t.Errorf("%s: still due at %v", test.name, at)
		}
	}
}

// A part that is gone is said to be before what was asked of it is rejected, all of it.
func TestWithdraw(t *testing.T) {
	l := member(8 << 20)
	l.setChoke(false)
	l.order(proto.Request{Part: 1, Length: 100})
	l.grant([]uint32{1}, func(uint32) bool { return true })
	l.order(proto.Request{Part: 1, Begin: 100, Length: 100})
	l.says(t)
	l.withdraw(1)
	want := []proto.Message{
		proto.Extended{ID: dontHaveID, Payload: proto.AppendPart(nil, 1)},
		proto.Reject{Part: 1, Begin: 100, Length: 100},
		proto.Reject{Part: 1, Length: 100},
	}
	if diff := cmp.Diff(want, l.says(t)); diff != "" || l.count != 0 {
		t.Errorf("%d requests wait; says (-want +got): %s", l.count, diff)
	}
}

// The first thing said is what this member has, in words that the peer knows.
func TestOffer(t *testing.T) {
	for _, test := range []struct {
		name  string
		fast  bool
		offer swarm.Offer
		want  []proto.Message
	}{
		{"all", true, swarm.Offer{All: true}, []proto.Message{proto.HaveAll{}}},
		{"nothing", true, swarm.Offer{}, []proto.Message{proto.HaveNone{}}},
		{
			"some", true,
			swarm.Offer{Bits: []byte{0xa0}},
			[]proto.Message{proto.Bitfield{Bits: []byte{0xa0}}},
		},
		{
			"all, without BEP 6", false,
			swarm.Offer{All: true},
			[]proto.Message{proto.Bitfield{Bits: []byte{0xe0}}},
		},
		{"nothing, without it", false, swarm.Offer{}, nil},
	} {
		l := New(Config{Size: 3, PartSize: 1, Terms: NewTerms(test.fast)})
		l.offer(test.offer)
		if diff := cmp.Diff(test.want, l.says(t)); diff != "" {
			t.Errorf("%s (-want +got): %s", test.name, diff)
		}
	}
}
