package link

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// What BEP 3 and BEP 6 forbid ends the link with a reason. What they allow is heard, and what is
// said twice is no news.
func TestRules(t *testing.T) {
	have := func(part uint32) proto.Message { return proto.Have{Part: part} }
	bits := proto.Bitfield{Bits: []byte{0xc0, 0}}
	handshake := proto.Extended{Payload: []byte("de")}
	without := func(what string) string {
		return "it says " + what + ", and did not say that it knows that (BEP 6)"
	}
	const nothing = "it says that it has nothing, after it said other things (BEP 6)"
	for name, test := range map[string]struct {
		slow bool // the peer does not know BEP 6
		says []proto.Message
		want string // why the link ends; empty: it does not
	}{
		"a bitfield, then parts": {says: []proto.Message{bits, have(1), have(2)}},
		"nothing, then parts":    {says: []proto.Message{proto.HaveNone{}, have(1)}},
		"parts alone":            {slow: true, says: []proto.Message{have(1)}},
		"parts after all":        {says: []proto.Message{proto.HaveAll{}, have(1), have(1)}},
		"what may come before": {says: []proto.Message{
			handshake, proto.KeepAlive{}, proto.Port{Port: 1}, proto.Unknown{ID: 99}, bits,
		}},
		"a bitfield twice":     {says: []proto.Message{bits, bits}},
		"all, then a bitfield": {says: []proto.Message{proto.HaveAll{}, bits}},
		"all, then none": {
			says: []proto.Message{proto.HaveAll{}, proto.HaveNone{}}, want: nothing,
		},
		"a bitfield after a part":   {says: []proto.Message{have(1), bits}},
		"a bitfield after interest": {says: []proto.Message{proto.Interested{}, bits}},
		"none after a request": {
			says: []proto.Message{proto.Request{Length: 1}, proto.HaveNone{}}, want: nothing,
		},
		"all after a part": {says: []proto.Message{have(1), proto.HaveAll{}}},
		"a part that there is not": {
			says: []proto.Message{have(9)}, want: "it has part 9 of 9",
		},
		"suggests such a part": {
			says: []proto.Message{proto.Suggest{Part: 9}}, want: "it suggests part 9 of 9",
		},
		"allows such a part": {
			says: []proto.Message{proto.AllowedFast{Part: 9}}, want: "it allows part 9 of 9",
		},
		"all without BEP 6": {
			slow: true, says: []proto.Message{proto.HaveAll{}}, want: without("have all"),
		},
		"none without BEP 6": {
			slow: true, says: []proto.Message{proto.HaveNone{}}, want: without("have none"),
		},
		"suggests without BEP 6": {
			slow: true, says: []proto.Message{proto.Suggest{}}, want: without("suggest"),
		},
		"rejects without BEP 6": {
			slow: true, says: []proto.Message{proto.Reject{Length: 1}}, want: without("reject"),
		},
		"allows without BEP 6": {
			slow: true, says: []proto.Message{proto.AllowedFast{}}, want: without("allowed fast"),
		},
		"rejects what nobody asked for": {says: []proto.Message{proto.Reject{Length: 1}}},
	} {
		l := New(Config{Size: 9 << 20, PartSize: 1 << 20, Terms: NewTerms(!test.slow)})
		got := ""
		for i, msg := range test.says {
			events, err := l.Hear(0, msg)
			if err == nil {
				continue
			}
			if got = err.Error(); len(events)+len(l.Flush()) > 1 || i < len(test.says)-1 {
				t.Errorf("%s: %v is an error, and tells %v", name, msg, events)
			}
		}
		if got != test.want {
			t.Errorf("%s: it ends with %q, want %q", name, got, test.want)
		}
	}
}

// guest is a link to a client that is choked, knows BEP 6, and may ask for the parts 1 and 3 of
// eight.
func guest() *Link {
	return New(Config{
		Peer: 3, Size: 8 << 20, PartSize: 1 << 20, Terms: NewTerms(true), Favours: []uint32{1, 3},
	})
}

// A client that has few parts is told what it may ask for while it is choked; one that has more, is
// served, or knows no BEP 6, is not.
func TestFavours(t *testing.T) {
	want := []proto.Message{proto.AllowedFast{Part: 1}, proto.AllowedFast{Part: 3}}
	for name, test := range map[string]struct {
		says   proto.Message
		served bool
		want   []proto.Message
	}{
		"it has nothing":       {proto.HaveNone{}, false, want},
		"it has one part":      {proto.Bitfield{Bits: []byte{0x80}}, false, want},
		"it has as many":       {proto.Bitfield{Bits: []byte{0x81}}, false, nil},
		"it has everything":    {proto.HaveAll{}, false, nil},
		"it is served already": {proto.HaveNone{}, true, nil},
	} {
		l := guest()
		if test.served {
			l.setChoke(false)
			l.says(t)
		}
		if _, err := l.Hear(0, test.says); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, l.says(t)); diff != "" {
			t.Errorf("%s: (-want +got): %s", name, diff)
		}
	}
}

// While it is choked, it gets each of these parts once, until it has as many; nothing else, and
// nothing twice, however it asks.
func TestFavoursAreBounded(t *testing.T) {
	request := func(part, begin, length uint32) proto.Request {
		return proto.Request{Part: part, Begin: begin, Length: length}
	}
	half := uint32(1 << 19)
	for name, test := range map[string]struct {
		says  []proto.Message
		taken int // of the requests
	}{
		"both parts": {[]proto.Message{
			request(1, 0, half), request(1, half, half), request(3, 0, half),
		}, 3},
		"another part": {[]proto.Message{request(2, 0, half)}, 0},
		"a part twice": {[]proto.Message{
			request(1, 0, half), request(1, 0, half), request(1, 0, half),
		}, 2},
		"more than is left": {[]proto.Message{request(1, 0, half+1), request(1, 0, half)}, 1},
		"asked and taken back": {[]proto.Message{
			request(1, 0, 2*half), proto.Cancel(request(1, 0, 2*half)), request(1, 0, 2*half),
		}, 1},
		"it has enough by now": {[]proto.Message{
			request(1, 0, half), proto.Have{Part: 0}, proto.Have{Part: 1}, request(3, 0, half),
		}, 1},
		"it has nothing any more": {[]proto.Message{
			proto.Have{Part: 0},
			proto.Have{Part: 1},
			proto.Extended{ID: dontHaveID, Payload: proto.AppendPart(nil, 0)},
			request(3, 0, half),
		}, 1},
	} {
		l := guest()
		if _, err := l.Hear(0, proto.HaveNone{}); err != nil {
			t.Fatal(err)
		}
		l.says(t)
		requests, rejected := 0, 0
		for _, msg := range test.says {
			if _, ok := msg.(proto.Request); ok {
				requests++
			}
			if _, err := l.Hear(0, msg); err != nil {
				t.Fatal(name, err)
			}
			for _, said := range l.says(t) {
				if _, ok := said.(proto.Reject); ok {
					rejected++
				}
			}
			if _, ok := msg.(proto.Cancel); ok {
				rejected-- // as it has to be answered
			}
		}
		if got := requests - rejected; got != test.taken {
			t.Errorf("%s: %d of %d requests are taken, want %d", name, got, requests, test.taken)
		}
	}
	l := guest()
	if l.Hear(0, request(1, 0, half)); len(l.says(t)) != 1 {
		t.Error("it asks before it says what it has, and is not rejected")
	}
}

// What others allow is told, as far as it is not absurdly much.
func TestAllowedIsBounded(t *testing.T) {
	l := member(1 << 30)
	n := 0
	for part := range uint32(1000) {
		events, err := l.Hear(0, proto.AllowedFast{Part: part})
		if errors.Is(err, errAgain) {
			break
		}
		for _, ev := range events {
			if _, ok := ev.(swarm.Allowed); ok {
				n++
			}
		}
	}
	if n != mostAllowed {
		t.Errorf("%d are told, want %d", n, mostAllowed)
	}
}
