package swarm

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// sendsOne has a peer send the first part on its menu, good or bad, and returns it.
func (d *desk) sendsOne(peer int, good bool) uint32 {
	d.t.Helper()
	menu := d.menu(peer)
	if len(menu) == 0 {
		d.t.Fatalf("peer %d is asked for nothing", peer)
	}
	run := menu[0]
	var out Event = Stored{run.Part}
	if !good {
		out = Failed{Part: run.Part}
	}
	d.tell(Started{peer, run}, Received{peer, run}, out)
	return run.Part
}

func (d *desk) asks(peer int, part uint32) bool {
	for _, run := range d.menu(peer) {
		if run.Part == part {
			return true
		}
	}
	return false
}

// member brings a link to a peer that has everything and serves, with an id and an address.
func (d *desk) member(i, id, host int) {
	d.tell(Joined{Peer: i, ID: proto.PeerID{byte(id), byte(id >> 8)}, Addr: addr(host), MaxRun: RunSize, MaxQueue: 100}, Has{Peer: i, All: true}, Choked{Peer: i})
}

func TestBadPartCostsThatPart(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	d.seed(0)
	bad := d.sendsOne(0, false)
	if got := of[Complain](d); !slices.Equal(got, []Complain{{0, proto.PeerID{1}, addr(0), bad}}) {
		t.Errorf("complaints %v", got)
	}
	if len(of[Drop](d)) != 0 || len(d.menu(0)) != 3 || d.asks(0, bad) || d.Has(bad) {
		t.Errorf("after the bad part: drops %v, menu %v", of[Drop](d), d.menu(0))
	}
	if st := d.Stats(); st.Bad != 1 || st.BadFrom != addr(0) || st.Missing != 4 {
		t.Errorf("%+v", st)
	}
	d.seed(1)
	if !d.asks(1, bad) {
		t.Errorf("the part is not asked for elsewhere: %v", d.menu(1))
	}
	for _, r := range of[Recall](d) { // for the peer that leaves
		d.tell(Rejected(r))
	}
	d.tell(Left{1})
	d.at = againFirst
	d.tell(Tick{})
	if !d.asks(0, bad) {
		t.Error("the part is not asked for again after a while")
	}
	d.sendsOne(0, true)
	d.sendsOne(0, true)
	d.sendsOne(0, true)
	d.sendsOne(0, true)
	if st := d.Stats(); st.Bad != 0 || st.BadFrom.IsValid() || st.Missing != 0 {
		t.Errorf("%+v", st)
	}
}

func TestBadPartIsAskedForAgain(t *testing.T) {
	for _, test := range []struct {
		name string
		evs  []Event
		want bool
	}{
		{"it is said to be gone", []Event{Withdrawn{0, 0}}, false},
		{"it is there anew", []Event{Withdrawn{0, 0}, Has{Peer: 0, Parts: []uint32{0}}}, true},
		{"the link is new", []Event{
			Left{0}, Joined{Peer: 0, ID: proto.PeerID{1}, Addr: addr(0), MaxRun: RunSize, MaxQueue: 100}, Has{Peer: 0, All: true}, Choked{Peer: 0},
		}, true},
	} {
		d := newDesk(t, 1, 256<<10)
		d.seed(0)
		d.sendsOne(0, false)
		d.tell(test.evs...)
		if got := d.asks(0, 0); got != test.want {
			t.Errorf("when %s it is asked for: %v", test.name, got)
		}
		d.at = 2 * againFirst
		d.tell(Tick{})
		if got := d.asks(0, 0); got != test.want {
			t.Errorf("when %s it is asked for later on: %v", test.name, got)
		}
	}
}

// The user reads where a member is found that opened the link itself.
func TestBlameNamesWhereAMemberListens(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.tell(Joined{Peer: 0, ID: proto.PeerID{1}, Addr: addr(0), MaxRun: RunSize, MaxQueue: 100, Port: 10001}, Has{Peer: 0, All: true}, Choked{Peer: 0})
	d.sendsOne(0, false)
	if got := of[Complain](d); len(got) != 1 || got[0].Addr != netip.AddrPortFrom(addr(0).Addr(), 10001) {
		t.Errorf("complaints %v", got)
	}
}

// A source with one bad sector sends the same bad part whenever it is asked for it: less and less
// often, and it is never cut off.
func TestOneBadSectorIsNeverCutOff(t *testing.T) {
	d := newDesk(t, 1, 64<<20) // more than a liar may send
	d.seed(0)
	last, asked := time.Duration(0), 0
	for d.at < 24*time.Hour {
		if len(d.menu(0)) == 0 {
			at, ok := d.Next()
			if !ok {
				t.Fatal("the part is never asked for again")
			}
			d.at = at
			d.tell(Tick{})
			continue
		}
		if asked++; asked > 1 && d.at-last < againFirst {
			t.Fatalf("asked again after %v", d.at-last)
		}
		last = d.at
		for len(d.menu(0)) > 0 {
			run := d.menu(0)[0]
			d.tell(Started{0, run}, Received{0, run}, Written{0, run})
		}
		d.tell(Failed{Part: 0})
		if len(of[Drop](d)) > 0 || len(of[CutOff](d)) > 0 {
			t.Fatalf("after %v: %v", d.at, d.got)
		}
	}
	if asked < 10 || asked > 300 {
		t.Errorf("asked %d times in a day", asked)
	}
}

// lies has a peer send nothing but bad parts until it is cut off, and returns that.
func (d *desk) lies(peer int) (cut CutOff, bytes int64) {
	d.t.Helper()
	for range d.Swarm.parts {
		part := d.sendsOne(peer, false)
		bytes += d.partLen(part)
		if cuts := of[CutOff](d); len(cuts) > 0 {
			return cuts[0], bytes
		}
	}
	d.t.Fatalf("peer %d sent %d bad bytes and was not cut off", peer, bytes)
	return cut, bytes
}

func TestLiarIsCutOffForAWhile(t *testing.T) {
	d := newDesk(t, 1000, 256<<10)
	d.tell(Found{ID: proto.PeerID{1}, Addrs: addrs(0)})
	d.seed(0)
	cut, bytes := d.lies(0)
	if most := int64(d.cfg.Size/badShare + 256<<10); cut.Addr != addr(0) || cut.Host || bytes > most {
		t.Errorf("%+v after %d bytes, want at most %d", cut, bytes, most)
	}
	if drops := of[Drop](d); len(drops) != 1 || drops[0].Peer != 0 || len(d.menu(0)) != 0 {
		t.Errorf("drops %v, asked for %v", drops, d.menu(0))
	}
	d.tell(Left{0})
	d.member(0, 1, 0)
	if len(of[Drop](d)) != 1 {
		t.Error("a liar is let in again at once")
	}
	d.tell(Left{0})
	for len(of[Dial](d)) == 0 {
		at, ok := d.Next()
		if !ok {
			t.Fatal("a liar is never dialled again")
		}
		d.at = at
		d.tell(Tick{})
	}
	if d.at < cut.For {
		t.Errorf("dialled again after %v, want %v", d.at, cut.For)
	}
	d.seed(0)
	if len(of[Drop](d)) != 0 || len(d.menu(0)) == 0 {
		t.Error("what was held against it does not fade")
	}
	if again, _ := d.lies(0); again.For != 2*cut.For {
		t.Errorf("cut off for %v the second time, want twice %v", again.For, cut.For)
	}
}

// Of the members behind one address the liar is cut off, and not those that send what is right.
func TestLiarBehindACommonAddress(t *testing.T) {
	d := newDesk(t, 1000, 256<<10)
	d.plan.chain.broken = true // or only one of them would be asked
	d.member(0, 1, 0)
	d.member(1, 2, 0)
	if cut, _ := d.lies(0); cut.Host {
		t.Error("all behind the address are cut off")
	}
	if drops := of[Drop](d); len(drops) != 1 || drops[0].Peer != 0 {
		t.Errorf("drops %v, want the liar", drops)
	}
	d.tell(Left{0})
	for range 200 {
		d.sendsOne(1, true)
	}
	for id := 10; id < 20; id++ { // it comes again under other ids
		d.member(0, id, 0)
		for range 10 {
			d.sendsOne(0, false)
			if len(of[CutOff](d)) > 0 {
				t.Fatal("an honest member is cut off for its neighbour")
			}
		}
		d.tell(Left{0})
	}
}

// A liar that takes another id for each link is known by its address.
func TestLiarWithManyIDs(t *testing.T) {
	d := newDesk(t, 2000, 256<<10)
	bytes := int64(0)
	for id := 1000; ; id++ {
		d.member(0, id, 0)
		if len(of[Drop](d)) > 0 {
			t.Fatal("not let in before it was cut off")
		}
		d.sendsOne(0, false)
		bytes += 256 << 10
		if cuts := of[CutOff](d); len(cuts) > 0 {
			if !cuts[0].Host {
				t.Errorf("%+v", cuts[0])
			}
			break
		}
		if bytes > 2*suspectHosts*badMost {
			t.Fatalf("not cut off after %d bytes", bytes)
		}
		d.tell(Left{0})
	}
	d.tell(Left{0})
	d.member(0, 2000, 0)
	if len(of[Drop](d)) != 1 {
		t.Error("let in under another id")
	}
	d.member(1, 2001, 1)
	if len(of[Drop](d)) != 0 {
		t.Error("somebody elsewhere is not let in")
	}
}

// Who withdraws what was bad may have a good deal of it: it is asked for the rest.
func TestWhoOwnsUpIsNotCutOff(t *testing.T) {
	d := newDesk(t, 1000, 256<<10)
	d.seed(0)
	for range 500 {
		part := d.sendsOne(0, false)
		if len(of[CutOff](d)) > 0 {
			t.Fatal("cut off although it withdraws what is bad")
		}
		d.tell(Withdrawn{0, part})
	}
	if st := d.Stats(); st.Bad != 500 {
		t.Errorf("%+v", st)
	}
}

// Who says again and again that it has a bad part anew is asked for it less and less often,
// whatever it calls itself.
func TestBadPartAnewAndAnew(t *testing.T) {
	for _, test := range []struct {
		name string
		evs  func(n int) []Event
	}{
		{"withdrawn and announced", func(int) []Event { return []Event{Withdrawn{0, 0}, Has{Peer: 0, Parts: []uint32{0}}} }},
		{"on new links", func(n int) []Event {
			return []Event{Left{0}, Joined{Peer: 0, ID: proto.PeerID{1, byte(n)}, Addr: addr(0), MaxRun: RunSize}, Has{Peer: 0, All: true}, Choked{Peer: 0}}
		}},
	} {
		d := newDesk(t, 1, 256<<10)
		d.seed(0)
		asked := 0
		for n := range 200 {
			if d.asks(0, 0) {
				asked++
				d.sendsOne(0, false)
			}
			d.at += time.Second
			d.tell(test.evs(n)...)
		}
		if asked < believed || asked > 8 {
			t.Errorf("%s: asked %d times in 200 s", test.name, asked)
		}
	}
}

// mixture has two peers send a part of two runs, which comes bad; then the second one sends all of
// it.
func mixture(t *testing.T) *desk {
	d := newDesk(t, 1, 2*RunSize)
	d.seed(0)
	d.tell(Choked{Peer: 0, On: true})
	d.tell(Choked{Peer: 0})
	first, second := d.menu(0)[0], d.menu(0)[1]
	d.tell(Received{0, first}, Rejected{0, second})
	d.seed(1) // is asked for the second half
	d.tell(Received{1, second}, Written{0, first}, Written{1, second})
	if len(of[Verify](d)) != 1 {
		t.Fatalf("not verified: %v", d.got)
	}
	d.tell(Failed{Part: 0, Sums: []uint64{7, 8}})
	if len(of[Drop](d)) != 0 || len(of[Complain](d)) != 0 {
		t.Errorf("somebody was blamed for what two peers sent: %v", d.got)
	}
	if n0, n1 := len(d.menu(0)), len(d.menu(1)); n0+n1 != 2 || n0*n1 != 0 {
		t.Errorf("the part is asked of both: %d and %d runs", n0, n1)
	}
	return d
}

func TestBadRunIsFoundByComparing(t *testing.T) {
	for _, test := range []struct {
		name string
		sums []uint64
		want []uint32
	}{
		{"the first run was bad", []uint64{1, 8}, []uint32{0}},
		{"the second run was bad", []uint64{7, 1}, []uint32{1}},
		{"both were", []uint64{1, 2}, []uint32{0, 1}},
		{"it was bad on disk alone", []uint64{7, 8}, nil},
		{"it cannot be compared", nil, nil},
	} {
		d := mixture(t)
		from := 0
		if len(d.menu(1)) > 0 {
			from = 1
		}
		for _, run := range d.menu(from) {
			d.tell(Received{from, run}, Written{from, run})
		}
		d.tell(Stored{0})
		if diff := cmp.Diff([]Compare{{0}}, of[Compare](d)); diff != "" {
			t.Fatal("to be compared (-want +got):", diff)
		}
		d.tell(Compared{0, test.sums})
		var got []uint32
		for _, c := range of[Complain](d) {
			got = append(got, uint32(c.ID[0]-1))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: blamed (-want +got): %s", test.name, diff)
		}
		if d.tell(Compared{0, test.sums}); len(of[Complain](d)) > 0 {
			t.Errorf("%s: blamed again", test.name)
		}
	}
}

// A part that is to come from one peer does not wait for it for ever.
func TestPartComesAloneForAWhile(t *testing.T) {
	d := mixture(t)
	slow := 0
	if len(d.menu(1)) > 0 {
		slow = 1
	}
	d.tell(Started{slow, d.menu(slow)[0]})
	d.at = aloneFor
	d.tell(Tick{})
	if len(d.menu(1-slow)) == 0 {
		t.Error("the other peer is asked for nothing of it")
	}
}

// A part that is to come from one peer is taken from it when it lets it lie.
func TestPartAloneIsTakenFromWhoLetsItLie(t *testing.T) {
	for _, begun := range []bool{false, true} {
		d := mixture(t)
		mute := 0
		if len(d.menu(1)) > 0 {
			mute = 1
		}
		runs := d.menu(mute)
		if begun {
			d.tell(Started{mute, runs[0]})
		}
		d.wait(stalled - 1)
		if len(d.menu(1-mute)) > 0 || len(of[Recall](d)) > 0 {
			t.Errorf("begun %v: does not come from one peer", begun)
		}
		for d.at < stalled+answersMost && len(d.menu(1-mute)) == 0 {
			d.wait(d.at + lookEvery)
		}
		if got := d.menu(1 - mute); len(got) == 0 {
			t.Errorf("begun %v: the other peer is asked for nothing", begun)
		}
	}
}

// A run that two peers were asked for may come from both. It is on disk once.
func TestRunWrittenTwiceCountsOnce(t *testing.T) {
	d := newDesk(t, 1, 2*RunSize)
	d.seed(0)
	runs := d.menu(0)
	d.tell(Started{0, runs[0]})
	d.at = stalled
	d.seed(1)
	for _, run := range runs {
		d.tell(Received{1, run}, Received{0, run})
	}
	d.tell(Written{1, runs[0]}, Written{0, runs[0]}, Written{1, runs[0]})
	if n := len(of[Verify](d)); n != 0 {
		t.Fatal("verified before the second run is on disk")
	}
	if d.tell(Written{1, runs[1]}, Written{0, runs[1]}); len(of[Verify](d)) != 1 {
		t.Errorf("not verified when it is: %v", d.got)
	}
}

// Nobody is blamed for a run for which another one was asked too: that one may have written over it
// before it was told to stop, which shows late or never.
func TestNobodyIsBlamedForARunOfTwo(t *testing.T) {
	for _, test := range []struct {
		name string
		evs  func(run Run) []Event
	}{
		{"the second one begins first", func(run Run) []Event {
			return []Event{Started{1, run}, Received{0, run}}
		}},
		{"it is known to begin when the first one is done", func(run Run) []Event {
			return []Event{Received{0, run}, Started{1, run}}
		}},
		{"it is never known to begin", func(run Run) []Event {
			return []Event{Received{0, run}}
		}},
		{"the first one begins, falls silent, and goes on at last", func(run Run) []Event {
			return []Event{Started{1, run}, Received{1, run}}
		}},
	} {
		d := newDesk(t, 1, RunSize)
		d.seed(0)
		run := d.menu(0)[0]
		d.tell(Started{0, run})
		d.at = stalled
		d.seed(1)
		if !d.asks(1, 0) {
			t.Fatal("nobody else is asked")
		}
		d.tell(test.evs(run)...)
		d.tell(Failed{Part: 0, Sums: []uint64{1}})
		if got := of[Complain](d); len(got) > 0 {
			t.Errorf("%s: blamed %v", test.name, got)
		}
		if d.asks(0, 0) && d.asks(1, 0) || !d.asks(0, 0) && !d.asks(1, 0) {
			t.Errorf("%s: not asked of one peer: %v, %v", test.name, d.menu(0), d.menu(1))
		}
		for n := range 2 { // whoever has it alone is answerable
			if d.asks(n, 0) {
				d.tell(Started{n, run}, Received{n, run}, Failed{Part: 0, Sums: []uint64{1}})
				if got := of[Complain](d); len(got) != 1 || got[0].Peer != n {
					t.Errorf("%s: alone, blamed %v, want peer %d", test.name, got, n)
				}
				break
			}
		}
	}
}

// What a peer passed on in good faith is forgiven after a while.
func TestHearsayFades(t *testing.T) {
	d := newDesk(t, 200, 256<<10)
	d.tell(Joined{Peer: 0, ID: proto.PeerID{1}, Addr: addr(0), Dialled: true, MaxRun: RunSize, MaxQueue: 100}, Choked{Peer: 0})
	part := uint32(0)
	pass := func(bad bool) (asked bool) {
		part++
		d.tell(Suggested{0, []uint32{part}})
		if !d.asks(0, part) {
			return false
		}
		run := Run{part, 0, 256 << 10}
		if d.tell(Started{0, run}, Received{0, run}); bad {
			d.tell(Failed{Part: part})
		} else {
			d.tell(Stored{part})
		}
		if len(of[Complain](d)) > 0 || len(of[Drop](d)) > 0 {
			t.Fatalf("blamed for hearsay: %v", d.got)
		}
		return true
	}
	for round := range 3 {
		for n := range hearsayFailures {
			if !pass(true) {
				t.Fatalf("round %d: not asked after %d bad parts", round, n)
			}
		}
		if pass(true) {
			t.Fatalf("round %d: asked after %d bad parts", round, hearsayFailures)
		}
		d.at += hearsayFor + 1
	}
	if !pass(false) {
		t.Error("not asked when it has faded")
	}
}

// What this member's own disk does not give back is held against nobody, and asked for again.
func TestDiskIsNobodysFault(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	d.seed(0)
	run := d.menu(0)[0]
	d.tell(Started{0, run}, Received{0, run}, Failed{Part: run.Part, Disk: true})
	if got := of[Complain](d); len(got) > 0 || d.Stats().Bad > 0 {
		t.Errorf("complaints %v, %+v", got, d.Stats())
	}
	if !d.asks(0, run.Part) || d.Has(run.Part) {
		t.Errorf("the part is not asked for again: %v", d.menu(0))
	}
}
