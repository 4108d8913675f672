package link

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// What a peer says becomes events: what comes in crowds together, in the order of the others.
func TestHear(t *testing.T) {
	l := member(8 << 20)
	l.choking = false
	var got []Event
	for _, msg := range []proto.Message{
		proto.KeepAlive{},
		proto.Bitfield{Bits: []byte{1}},
		proto.Have{Part: 1},
		proto.Have{Part: 2},
		proto.Request{Part: 1, Length: 100},
		proto.Request{Part: 1, Begin: 100, Length: 100},
		proto.Suggest{Part: 3},
		proto.KeepAlive{},
		proto.Interested{},
		proto.Interested{},
		proto.Cancel{Part: 1, Length: 100},
		proto.Cancel{Part: 1, Begin: 100, Length: 100},
		proto.Unchoke{},
		proto.Extended{ID: dontHaveID, Payload: proto.AppendPart(nil, 2)},
		proto.Extended{ID: badID, Payload: proto.AppendPart(nil, 7)},
		proto.Extended{ID: spareID, Payload: proto.AppendSpare(nil, true)},
		proto.Extended{ID: regroupID, Payload: proto.AppendRegroup(nil, proto.RegroupNow)},
		proto.Extended{ID: dismissID},
		proto.Extended{ID: 99},
		proto.AllowedFast{Part: 4},
		proto.NotInterested{},
		proto.Have{Part: 3},
	} {
		events, err := l.Hear(0, msg)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, events...)
	}
	got = append(got, l.Flush()...)
	want := []Event{
		swarm.Has{Bits: []byte{1}},
		swarm.Has{Parts: []uint32{1, 2}},
		swarm.Wanted{Parts: []uint32{1}},
		swarm.Suggested{Parts: []uint32{3}},
		swarm.Interest{On: true},
		swarm.Unwanted{Part: 1},
		swarm.Choked{},
		swarm.Withdrawn{Part: 2},
		Accused{7},
		swarm.Spare{On: true},
		swarm.Regroup{What: proto.RegroupNow},
		swarm.Dismissed{},
		swarm.Allowed{Part: 4},
		swarm.Interest{},
		swarm.Has{Parts: []uint32{3}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("events (-want +got):", diff)
	}
}

// What a peer may not say ends the link, and the core hears nothing of it.
func TestWhatAPeerMayNotSay(t *testing.T) {
	const size = 2<<20 + 7 // the last part has 7 bytes
	for name, msg := range map[string]proto.Message{
		"a part that there is not":           proto.Have{Part: 3},
		"a bitfield of another size":         proto.Bitfield{Bits: []byte{0, 0}},
		"a bitfield with spare bits":         proto.Bitfield{Bits: []byte{1}},
		"suggests a part that there is not":  proto.Suggest{Part: 3},
		"allows a part that there is not":    proto.AllowedFast{Part: 1 << 31},
		"a request of such a part":           proto.Request{Part: 3, Length: 1},
		"a request of nothing":               proto.Request{},
		"a request beyond the end of a part": proto.Request{Part: 2, Begin: 6, Length: 2},
		"a request whose end overflows":      proto.Request{Begin: 1<<32 - 1, Length: 1<<32 - 1},
		"a request of too much":              proto.Request{Length: mostRequest + 1},
		"a piece of nothing":                 proto.Piece{},
		"a piece of such a part":             proto.Piece{Part: 3, Length: 1},
		"a piece beyond the end of a part":   proto.Piece{Part: 2, Begin: 1, Length: 7},
		"more than it was asked for":         proto.Piece{Part: 1, Begin: 99, Length: 2},
		"withdraws a part that there is not": proto.Extended{
			ID:      dontHaveID,
			Payload: proto.AppendPart(nil, 3),
		},
		"complains of such a part": proto.Extended{
			ID:      badID,
			Payload: proto.AppendPart(nil, 3),
		},
		"withdraws half a part": proto.Extended{
			ID:      dontHaveID,
			Payload: []byte{0, 0},
		},
		"neither has something to send nor no": proto.Extended{ID: spareID, Payload: []byte{2}},
		"says of a chain what is unknown":      proto.Extended{ID: regroupID, Payload: []byte{3}},
		"a handshake that is none":             proto.Extended{Payload: []byte("x")},
	} {
		for _, foreign := range []bool{false, true} {
			l := member(size)
			if foreign {
				l = New(Config{Size: size, PartSize: 1 << 20, Terms: NewTerms(false)})
			}
			l.choking = false
			l.fetch(swarm.Run{Part: 1, Length: 100})
			if events, err := l.Hear(0, msg); err == nil || len(events) > 0 || len(l.Flush()) > 0 {
				t.Errorf("%s, foreign %v: %v, %v", name, foreign, events, err)
			}
		}
	}
}

// Requests beyond those that may wait are rejected, and so are all of a peer that is choked.
func TestRequestsThatMayNotWait(t *testing.T) {
	l := member(1 << 20)
	if _, err := l.Hear(0, proto.Request{Length: 1}); err != nil || len(l.Flush()) > 0 {
		t.Error("a choked peer is heard", err)
	}
	l.setChoke(false)
	l.says(t)
	for i := range uint32(Reqq) {
		l.Hear(0, proto.Request{Begin: i, Length: 1})
	}
	if said := l.says(t); len(said) > 0 {
		t.Errorf("%v is rejected", said[0])
	}
	l.Hear(0, proto.Request{Begin: Reqq, Length: 1})
	if diff := cmp.Diff([]proto.Message{proto.Reject{Begin: Reqq, Length: 1}},
		l.says(t)); diff != "" {
		t.Error("says (-want +got):", diff)
	}
	if diff := cmp.Diff([]Event{swarm.Wanted{Parts: []uint32{0}}}, l.Flush()); diff != "" {
		t.Error("the core hears (-want +got):", diff)
	}
}

// How many requests may wait at the peer is what it says last; the rest is agreed on before.
func TestTerms(t *testing.T) {
	for _, test := range []struct {
		name     string
		ext      proto.ExtHandshake
		partSize int64
		want     Terms
	}{
		{"says nothing", proto.ExtHandshake{}, 1 << 20, Terms{Reqq: 250}},
		{
			"a member", Offered(), 16 << 20,
			Terms{
				Reqq: Reqq, MaxRun: swarm.RunSize, DontHave: dontHaveID, Bad: badID,
				Dismiss: dismissID, Spare: spareID, Regroup: regroupID,
			},
		},
		{
			"takes requests of small parts",
			proto.ExtHandshake{MaxRequest: 64 << 10},
			64 << 10,
			Terms{Reqq: 250, MaxRun: 64 << 10},
		},
		{"not of these", proto.ExtHandshake{MaxRequest: 64 << 10}, 64<<10 + 1, Terms{Reqq: 250}},
		{
			"more than runs",
			proto.ExtHandshake{MaxRequest: 16 << 20},
			16 << 20,
			Terms{Reqq: 250, MaxRun: swarm.RunSize},
		},
	} {
		got := NewTerms(false)
		got.Take(test.ext, test.partSize)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got): %s", test.name, diff)
		}
	}
	l := member(1)
	want := l.cfg.Terms
	want.Reqq = 3
	if _, err := l.Hear(0, proto.Extended{Payload: proto.ExtHandshake{
		Reqq:       3,
		MaxRequest: 1 << 20,
	}.Append(nil)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, l.cfg.Terms); diff != "" {
		t.Error("what is said later (-want +got):", diff)
	}
}
