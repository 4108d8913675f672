package member

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Extended messages become events, or end the link.
func TestExtended(t *testing.T) {
	for _, test := range []struct {
		name    string
		id      uint8
		payload []byte
		want    event
		bad     bool
	}{
		{"spare", spareID, []byte{1}, swarm.Spare{On: true}, false},
		{"dismissed", dismissID, []byte{7}, swarm.Dismissed{}, false},
		{"nothing against a chain", regroupID, []byte{0}, swarm.Regroup{}, false},
		{"against a chain", regroupID, []byte{1}, swarm.Regroup{What: proto.RegroupAgainst}, false},
		{"a call", regroupID, []byte{2}, swarm.Regroup{What: proto.RegroupNow}, false},
		{"nothing that is known", regroupID, []byte{3}, nil, true},
		{"too much", regroupID, []byte{1, 1}, nil, true},
		{"an id that was not given out", 77, []byte{1}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &link{}
			got, err := l.extended(proto.Extended{ID: test.id, Payload: test.payload}, 1)
			switch {
			case (err != nil) != test.bad:
				t.Errorf("error %v, want one: %v", err, test.bad)
			case err == nil && !cmp.Equal(got, test.want):
				t.Errorf("%#v, want %#v", got, test.want)
			}
		})
	}
}
