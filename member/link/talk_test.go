package link

import (
	"errors"
	"testing"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// A peer may say much, for long, in proportion to the content that goes over the link; what is more
// ends it.
func TestTalkIsBounded(t *testing.T) {
	request := proto.Request{Part: 1, Length: 1}
	taken := []proto.Message{request, proto.Cancel(request)}
	interest := []proto.Message{proto.Interested{}, proto.NotInterested{}}
	serves := []proto.Message{proto.Choke{}, proto.Unchoke{}}
	handshake := []proto.Message{proto.Extended{Payload: []byte("d1:pi1ee")}}
	bitfield := []proto.Message{proto.Bitfield{Bits: []byte{1}}}
	others := []proto.Message{proto.Extended{ID: peersID, Payload: []byte("de")}}
	spare := []proto.Message{proto.Extended{ID: spareID, Payload: []byte{1}}}
	long := proto.Extended{ID: 99, Payload: make([]byte, 64<<10)}
	for name, test := range map[string]struct {
		says []proto.Message
		loud bool
		most int // messages
	}{
		"keep-alives":            {[]proto.Message{proto.KeepAlive{}}, false, talkBurst + 8*talkParts},
		"the same again":         {[]proto.Message{proto.KeepAlive{}}, true, talkLoud + 8*talkPartsLoud},
		"parts":                  {[]proto.Message{proto.Have{Part: 1}}, false, 8 + againBurst},
		"interest":               {interest, false, againBurst},
		"serves, or not":         {serves, false, againBurst},
		"the same to a loud one": {interest, true, againBurst},
		"who has nothing to do":  {spare, false, againBurst},
		"bitfields":              {bitfield, false, againBurst/againLong + 1},
		"handshakes":             {handshake, false, againBurst / againLong},
		"others":                 {others, false, againBurst / againLong},
		"requests taken back":    {taken, false, talkBurst + 8*talkParts},
		"long nothing":           {[]proto.Message{long}, false, 17},
		"messages of the future": {[]proto.Message{proto.Unknown{ID: 99}}, false, 300},
	} {
		t.Run(name, func(t *testing.T) {
			terms := NewTerms(true)
			terms.Take(Offered(), 1<<20)
			l := New(Config{Size: 8 << 20, PartSize: 1 << 20, Loud: test.loud, Terms: terms})
			l.choking = false
			hears := func(now time.Duration) (err error) {
				for _, msg := range test.says {
					if _, wrong := l.Hear(now, msg); wrong != nil {
						err = wrong
					}
				}
				l.says(t)
				return err
			}
			n := 0
			for hears(time.Hour) == nil {
				if n += len(test.says); n > test.most {
					t.Fatalf("%d messages are heard, want %d at most", n, test.most)
				}
			}
			if n < test.most/2 {
				t.Errorf("%d messages are heard, want about %d", n, test.most)
			}
			if flood := (*FloodError)(nil); !errors.As(hears(time.Hour), &flood) {
				t.Error("it ends otherwise")
			}
			if hears(2*time.Hour) != nil {
				t.Error("it is not heard an hour later")
			}
		})
	}
}

// Who says a thousand things a second, or a few for each block that goes, is never too loud.
func TestHonestTalkIsHeard(t *testing.T) {
	for _, loud := range []bool{false, true} {
		l := member(8 << 20)
		l.talk = newTalk(l.parts, loud)
		for at := time.Hour; at < time.Hour+time.Minute; at += time.Second / talkSecond {
			if _, err := l.Hear(at, proto.KeepAlive{}); err != nil {
				t.Fatal(err)
			}
		}
		l.setChoke(false)
		for range 10 * talkBurst {
			r := proto.Request{Part: 1, Length: proto.Block}
			for _, msg := range []proto.Message{
				proto.Have{Part: 1}, proto.KeepAlive{}, r, proto.Cancel(r), r, proto.Interested{},
			} {
				if _, err := l.Hear(2*time.Hour, msg); err != nil {
					t.Fatal(err)
				}
			}
			l.grant([]uint32{1}, func(uint32) bool { return true })
			for len(l.ready) > 0 || len(l.say) > 0 {
				l.next()
			}
		}
	}
}

// What is said again is heard a few times a second, for ever; and each part once, and once more for
// each time that it was withdrawn.
func TestRepeatsAreHeardNowAndThen(t *testing.T) {
	l := member(1 << 30)
	says := func(at time.Duration, msg proto.Message) {
		t.Helper()
		if _, err := l.Hear(at, msg); err != nil {
			t.Fatal(err)
		}
	}
	for part := range l.parts {
		says(time.Hour, proto.Have{Part: part})
	}
	for range 3 {
		for part := range l.parts {
			says(time.Hour, proto.Extended{ID: dontHaveID, Payload: proto.AppendPart(nil, part)})
			says(time.Hour, proto.Have{Part: part})
		}
	}
	for at := time.Hour; at < 2*time.Hour; at += time.Second {
		says(at, proto.Extended{Payload: []byte("d1:pi1ee")})
	}
	for at := 2 * time.Hour; at < 3*time.Hour; at += time.Second {
		for range againSecond / 4 {
			for _, msg := range []proto.Message{
				proto.Interested{}, proto.NotInterested{}, proto.Choke{}, proto.Have{Part: 1},
			} {
				says(at, msg)
			}
		}
	}
}

// Shreds of content earn nothing: who asks for a byte at a time is as loud as who asks for nothing.
func TestShredsEarnNothing(t *testing.T) {
	l := member(8 << 20)
	l.setChoke(false)
	for n := 0; ; n++ {
		if _, err := l.Hear(0, proto.Request{Part: 1, Begin: uint32(n), Length: 1}); err != nil {
			return
		}
		if n > l.all.most {
			t.Fatalf("%d requests of a byte are heard", n)
		}
		l.grant([]uint32{1}, func(uint32) bool { return true })
		for len(l.ready) > 0 || len(l.say) > 0 {
			l.next()
		}
	}
}

// Content that nobody asked for is thrown away up to a bound; what was asked for and taken back is
// not held against the peer.
func TestUnaskedContentIsBounded(t *testing.T) {
	l := member(64 << 20)
	piece := proto.Piece{Part: 1, Length: proto.MaxPiece}
	for n := proto.MaxPiece; n <= unaskedMost; n += proto.MaxPiece {
		if _, err := l.Hear(0, piece); err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	for part := range uint32(32) {
		run := swarm.Run{Part: part, Length: 1 << 20}
		l.fetch(run)
		l.cancel(run)
		for begin := uint32(0); begin < run.Length; begin += proto.MaxPiece {
			p := proto.Piece{Part: part, Begin: begin, Length: proto.MaxPiece}
			if _, err := l.Hear(0, p); err != nil {
				t.Fatalf("part %d that was taken back: %v", part, err)
			}
		}
	}
	if _, err := l.Hear(0, piece); !errors.Is(err, errUnasked) {
		t.Errorf("then %v, want %v", err, errUnasked)
	}
}
