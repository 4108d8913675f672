package link

import (
	"testing"

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
