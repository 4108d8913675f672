package swarm

import (
	"slices"
	"testing"
	"time"
)

// Who says to have parts and does not send them costs the others a few seconds and itself what it
// could have got, whatever it does instead: the content comes from who sends it, and nobody is cut
// off or complained of, since nothing bad came.
func TestLiesAboutPartsCostTheLiar(t *testing.T) {
	const parts = 32
	all := []Event{Has{Peer: 0, All: true}, Choked{Peer: 0}}
	for name, test := range map[string]struct {
		claims []Event
		does   func(run Run) []Event // when it is asked for a run
		most   int                   // runs that it is asked for
	}{
		"it never answers": {all, func(Run) []Event { return nil }, 12},
		"it rejects all":   {all, func(run Run) []Event { return []Event{Rejected{0, run}} }, 12},
		"it withdraws what it is asked for": {all, func(run Run) []Event {
			return []Event{Withdrawn{0, run.Part}, Rejected{0, run}}
		}, parts},
		"it withdraws, and says that it has it anew": {all, func(run Run) []Event {
			return []Event{Withdrawn{0, run.Part}, Has{Peer: 0, Parts: []uint32{run.Part}}}
		}, 100},
		"it begins and stops": {all, func(run Run) []Event { return []Event{Started{0, run}} }, 12},
		"it stops to serve, and serves": {all, func(run Run) []Event {
			return []Event{Choked{Peer: 0, On: true}, Choked{Peer: 0}}
		}, 100},
		"it says so again and again": {
			append([]Event{Has{Peer: 0, All: true}, Has{Peer: 0, Parts: []uint32{1, 1, 1}}}, all...),
			func(Run) []Event { return nil }, 12,
		},
		"it names parts that there are not": {
			[]Event{
				Has{Peer: 0, Parts: []uint32{1, parts, 1 << 31}},
				Choked{Peer: 0},
				Allowed{0, parts},
				Suggested{0, []uint32{parts}},
			},
			func(Run) []Event { return nil }, 2,
		},
		"it lets be asked, and serves nobody": {
			[]Event{Has{Peer: 0, All: true}, Allowed{0, 3}, Allowed{0, 4}},
			func(run Run) []Event { return []Event{Rejected{0, run}} }, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, parts, 256<<10)
			d.tell(Joined{Peer: 0, ID: id(1), Addr: addr(0), MaxRun: RunSize, MaxQueue: 100, Hears: true})
			asked, blamed := 0, 0
			var sends []Run // of the honest one, that it was asked for
			var lies []Event
			take := func() {
				for _, e := range d.got {
					switch e := e.(type) {
					case Fetch:
						if e.Peer == 1 {
							sends = append(sends, e.Run)
						} else {
							asked++
							lies = append(lies, test.does(e.Run)...)
						}
					case Cancel:
						sends = slices.DeleteFunc(sends, func(r Run) bool { return e.Peer == 1 && r == e.Run })
					case Recall: // what waits is given back
						if i := slices.Index(sends, e.Run); e.Peer == 1 && i > 0 {
							sends = slices.Delete(sends, i, i+1)
							lies = append(lies, Rejected{1, e.Run})
						}
					case CutOff, Complain:
						blamed++
					case Drop:
						lies = append(lies, Left{e.Peer})
					}
				}
			}
			tell := func(ev Event) {
				d.tell(ev)
				take()
			}
			for _, ev := range test.claims {
				tell(ev)
			}
			tell(Joined{Peer: 1, ID: id(2), Addr: addr(1), MaxRun: RunSize, MaxQueue: 100, Hears: true})
			tell(Has{Peer: 1, All: true})
			tell(Choked{Peer: 1})
			next := 50 * time.Millisecond
			for d.at < time.Minute && d.missing > 0 {
				if now := lies; len(now) > 0 && d.at < next {
					lies = nil
					for _, ev := range now {
						if l, ok := ev.(Left); ok && d.links.peer(l.Peer) == nil {
							continue
						}
						tell(ev)
					}
					d.at += time.Millisecond
					continue
				}
				if d.at = next; len(sends) > 0 {
					run := sends[0]
					sends = sends[1:]
					tell(Started{1, run})
					tell(Received{1, run})
					tell(Stored{run.Part})
				}
				tell(Tick{})
				next = d.at + 50*time.Millisecond
			}
			t.Logf("complete after %v; it was asked for %d runs", d.at, asked)
			if d.missing > 0 || d.at > 6*time.Second {
				t.Errorf("%d parts are missing after %v", d.missing, d.at)
			}
			if asked > test.most || blamed > 0 {
				t.Errorf("it is asked for %d runs, want %d at most; %d are blamed", asked, test.most, blamed)
			}
			if d.links.peer(1) != nil && d.links.peer(1).leaving && d.missing > 0 {
				t.Error("the honest one is dropped")
			}
		})
	}
}
