package member

import (
	"net/netip"
	"testing"

	"orchestra/member/swarm"
)

func TestWhyNothingComes(t *testing.T) {
	here := netip.MustParseAddrPort("10.0.0.1:10001")
	host := netip.MustParseAddrPort("10.0.0.1:0")
	type facts = swarm.Waiting
	for _, test := range []struct {
		facts waiting
		want  string
	}{
		{waiting{}, ""},
		{waiting{Waiting: facts{Links: 3}}, ""},

		// Connected to nobody.
		{waiting{Waiting: facts{Missing: 1}}, "connected to nobody: no other member is known; --peer names one"},
		{waiting{Waiting: facts{Missing: 1}, conductors: 1}, "connected to nobody: no other member is known yet"},
		{
			waiting{Waiting: facts{Missing: 1}, conductors: 1, conductor: "conductor 10.9.9.9:9999 does not answer yet"},
			"connected to nobody: no other member is known, and conductor 10.9.9.9:9999 does not answer yet",
		},
		{waiting{Waiting: facts{Missing: 1}, conductors: 1, up: true}, "connected to nobody: the conductor knows nobody else who has it now"},
		{waiting{Waiting: facts{Missing: 1, Known: 1, Untried: 1}}, "connected to nobody: 1 other member is known, not reached yet"},
		{waiting{Waiting: facts{Missing: 1, Known: 2, Untried: 2}}, "connected to nobody: 2 other members are known, not reached yet"},
		{
			waiting{Waiting: facts{Missing: 1, Known: 2, Untried: 1, Silent: 1, Fault: swarm.NoAnswer, Where: here}},
			"connected to nobody: 10.0.0.1:10001 does not answer",
		},
		{
			waiting{Waiting: facts{Missing: 1, Known: 4, Silent: 4, Fault: swarm.NobodyListens, Where: here}},
			"connected to nobody: none of 4 other members can be reached; nothing listens at 10.0.0.1:10001",
		},
		{
			waiting{Waiting: facts{Missing: 1, Known: 1, Silent: 1, Fault: swarm.HangsUp, Where: here}},
			"connected to nobody: 10.0.0.1:10001 ends the connection at once: it shares something else, or turns this member away",
		},
		{
			waiting{Waiting: facts{Missing: 1, Known: 1, Silent: 1, Fault: swarm.Encrypted, Where: here}},
			"connected to nobody: 10.0.0.1:10001 wants encryption of a kind that Orchestra does not speak",
		},
		{
			waiting{Waiting: facts{Missing: 1, Known: 1, Silent: 1, Fault: swarm.Tracker, Where: here}},
			"connected to nobody: 10.0.0.1:10001 answers like a BitTorrent tracker, not like a member",
		},
		{
			waiting{Waiting: facts{Missing: 1, Known: 1, Silent: 1, Fault: swarm.Web, Where: here}},
			"connected to nobody: 10.0.0.1:10001 answers like a web server, not like a member",
		},
		{
			waiting{Waiting: facts{Missing: 1, Known: 1, Silent: 1, Fault: swarm.NoWay, Where: here}},
			"connected to nobody: the network has no way to 10.0.0.1:10001",
		},

		// Nobody connected has it.
		{waiting{Waiting: facts{Missing: 1, Nowhere: 1, Links: 2}}, "nobody connected has the part that is missing"},
		{waiting{Waiting: facts{Missing: 12, Nowhere: 12, Links: 1}}, "nobody connected has any of the 12 parts that are missing"},
		{
			waiting{Waiting: facts{Missing: 12, Nowhere: 1, Links: 2, Had: 1, HadBy: here}},
			"nobody connected has 1 of the 12 parts that are missing; 10.0.0.1:10001 had it and left",
		},
		{
			waiting{Waiting: facts{Missing: 12, Nowhere: 5, Links: 2, Had: 5, HadBy: host}},
			"nobody connected has 5 of the 12 parts that are missing; 10.0.0.1 had them and left",
		},
		{
			waiting{Waiting: facts{Missing: 12, Nowhere: 12, Links: 2, Had: 5, HadBy: here, Silent: 1, Fault: swarm.NobodyListens, Where: here}},
			"nobody connected has any of the 12 parts that are missing; 10.0.0.1:10001 had 5 of them and left; nothing listens at 10.0.0.1:10001",
		},

		// Who has it does not send.
		{waiting{Waiting: facts{Missing: 9, Links: 1, Holders: 1, Choking: 1}}, "the one member that has missing parts lets nobody in now"},
		{waiting{Waiting: facts{Missing: 9, Links: 5, Holders: 3, Busy: 3}}, "all 3 members that have missing parts are busy with others"},
		{
			waiting{Waiting: facts{Missing: 9, Links: 5, Holders: 4, Choking: 1, Busy: 2, Mute: 1}},
			"of 4 members that have missing parts 1 lets nobody in now, 2 are busy with others, 1 stopped in the middle of a part",
		},
		{
			waiting{Waiting: facts{Missing: 9, Nowhere: 2, Links: 5, Holders: 1, Mute: 1}},
			"nobody connected has 2 of the 9 parts that are missing; the one member that has missing parts stopped in the middle of a part",
		},

		{waiting{Waiting: facts{Missing: 9, Links: 1, Holders: 1, Deaf: 1}}, "the one member that has missing parts does not answer any more"},

		// It came and was bad.
		{
			waiting{Waiting: facts{Missing: 1, Nowhere: 1, Links: 1, Bad: 1, BadFrom: here}},
			"nobody connected has the part that is missing; 1 part came last bad from 10.0.0.1:10001",
		},
		{
			waiting{Waiting: facts{Missing: 3, Nowhere: 3, Links: 1, Bad: 2, BadFrom: here}},
			"nobody connected has any of the 3 parts that are missing; 2 parts came last bad from 10.0.0.1:10001",
		},
	} {
		if got := test.facts.text(); got != test.want {
			t.Errorf("%+v:\ngot  %q\nwant %q", test.facts, got, test.want)
		}
	}
}
