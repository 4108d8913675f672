package swarm

import (
	"testing"

	"orchestra/proto"
)

// sends brings a peer that sent something before.
func (d *desk) sends(i int) {
	d.tell(Joined{Peer: i, ID: proto.PeerID{99, byte(i)}, Addr: addr(100 + i), MaxRun: RunSize})
	d.links.peers[i].sent = true
}

// A peer that does not begin is asked whether it is there. Who is, and is busy, is left alone; who
// does not answer is asked for nothing for a while, and then for one run.
func TestWhoDoesNotBeginIsSounded(t *testing.T) {
	for name, answers := range map[string]bool{"it is busy": true, "it is mute": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 20, 2<<20)
			d.sends(9)
			d.tell(Joined{Peer: 0, ID: proto.PeerID{1}, Addr: addr(0), MaxRun: RunSize},
				Has{Peer: 0, All: true}, Choked{Peer: 0})
			asked := len(d.menu(0))
			if asked < 2 {
				t.Fatalf("it is asked for %d runs", asked)
			}
			of[Recall](d)
			d.at += soundAfter
			d.tell(Tick{})
			recalls := of[Recall](d)
			if len(recalls) != 1 {
				t.Fatalf("%d runs are recalled, want one", len(recalls))
			}
			if answers {
				d.tell(Rejected{0, recalls[0].Run})
				d.at += answersMost
				d.tell(Tick{})
				if n := len(d.menu(0)); n != asked {
					t.Errorf("who answers is asked for %d runs, want %d", n, asked)
				}
				return
			}
			d.at += answersMost
			d.tell(Tick{})
			if n := len(d.menu(0)); n != 0 {
				t.Errorf("who does not answer is asked for %d runs", n)
			}
			d.at += withheldFirst
			d.tell(Tick{})
			if n := len(d.menu(0)); n != 1 {
				t.Errorf("after a while it is asked for %d runs, want one", n)
			}
		})
	}
}

// Links to those that withhold what they are asked for do not count, and where all places are
// taken they make room at once: for who comes, and for who may be dialled.
func TestVainLinksMakeRoom(t *testing.T) {
	d := newDesk(t, 20, 2<<20)
	d.cfg.MaxPeers = 5
	d.sends(9)
	for i := range 4 {
		d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), MaxRun: RunSize},
			Has{Peer: i, All: true}, Choked{Peer: i})
	}
	d.tell(Joined{Peer: 4, ID: proto.PeerID{9}, Addr: addr(9), MaxRun: RunSize})
	if drops := of[Drop](d); len(drops) != 1 || drops[0].Peer != 4 {
		t.Fatalf("dropped %v, want who came", drops)
	}
	d.tell(Left{4})
	d.at += soundAfter
	d.tell(Tick{})
	d.at += answersMost
	d.tell(Tick{})
	of[Drop](d)
	d.tell(Joined{Peer: 4, ID: proto.PeerID{9}, Addr: addr(9), MaxRun: RunSize})
	if drops := of[Drop](d); len(drops) != 1 || drops[0].Peer == 4 {
		t.Fatalf("dropped %v, want one that withholds", drops)
	}
	d.tell(Found{ID: proto.PeerID{50}, Addrs: addrs(50)})
	dials, drops := 0, 0
	for _, e := range d.got {
		switch e.(type) {
		case Dial:
			dials++
		case Drop:
			drops++
		}
	}
	if dials != 1 || drops != 1 {
		t.Errorf("%d dials and %d drops for who is found, want one each", dials, drops)
	}
}
