package swarm

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"orchestra/proto"
)

// TestWhateverHappens tells a core random things, well formed but in any order, and holds what must
// be true of it between any two of them. In the end a peer that has everything comes and serves:
// then the core must get everything.
func TestWhateverHappens(t *testing.T) {
	var reached struct{ chains, relays, revoked, putOff int }
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.OneOf(rapid.IntRange(1, 12), rapid.IntRange(chainParts, chainParts+8)).Draw(t, "parts")
		partSize := rapid.SampledFrom([]int64{64 << 10, 3 * RunSize / 2}).Draw(t, "part size")
		s := New(Config{Size: int64(parts)*partSize - 5, PartSize: partSize, ID: proto.PeerID{100}, Seed: 1})
		w := &whim{t: t, s: s, contract: NewContract(s), kept: map[uint32]bool{}}
		if parts >= chainParts && rapid.Bool().Draw(t, "in a chain") {
			w.passesOn()
		}
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			w.now += time.Duration(rapid.SampledFrom([]int{0, 1, 300, 4000}).Draw(t, "wait")) * time.Millisecond
			w.something()
			w.holds()
			if s.plan.chain.up != nil {
				reached.chains++
			}
			for _, p := range s.links.peers {
				if p == nil {
					continue
				}
				if len(p.relayed) > 0 {
					reached.relays++
				}
				if p.off {
					reached.putOff++
				}
			}
		}
		reached.revoked += w.revoked
		w.end()
	})
	if !t.Failed() && !testing.Short() && (reached.chains == 0 || reached.relays == 0 || reached.revoked == 0 || reached.putOff == 0) {
		t.Errorf("this tests too little: %+v", reached)
	}
}

// passesOn begins in the middle of a chain: one peer sends, another gets from this member what
// comes.
func (w *whim) passesOn() {
	up, down := w.join(), w.join()
	w.tell(Has{Peer: up, All: true}, Choked{Peer: up}, Interest{down, true})
	first := w.contract.Asked(up)[0]
	w.tell(Started{up, first}, Progress{Peer: up, Down: 1, Run: first, Got: 1}, Wanted{down, []uint32{first.Part}})
	w.holds()
}

// whim makes events up. It knows what the core asked for, as the links would.
type whim struct {
	t        *rapid.T
	s        *Swarm
	now      time.Duration
	contract *Contract
	ids      byte
	written  []Event         // reports that workers still owe
	kept     map[uint32]bool // parts that were lost and are left as they are
	dropped  []int           // links that the core wants to end
	revoked  int             // grants that were taken back
}

func (w *whim) linked(peer int) bool { return w.contract.peers[peer] != nil }

func (w *whim) tell(evs ...Event) {
	for _, ev := range evs {
		w.contract.Tell(ev)
		for _, e := range w.s.Step(w.now, ev, nil) {
			w.perform(e)
		}
	}
	for len(w.dropped) > 0 {
		i := w.dropped[0]
		w.dropped = w.dropped[1:]
		if w.linked(i) {
			w.tell(Left{i})
		}
	}
}

func (w *whim) perform(e Effect) {
	if err := w.contract.Asks(e); err != nil {
		w.t.Fatal(err)
	}
	switch e := e.(type) {
	case Revoke:
		w.revoked++
	case Drop:
		w.dropped = append(w.dropped, e.Peer)
	case Verify:
		w.verified(e.Part)
	case Compare:
		w.written = append(w.written, Compared{e.Part, w.sums(e.Part)})
	}
}

// sums makes checksums of the runs of a part up.
func (w *whim) sums(part uint32) (sums []uint64) {
	for range (w.s.partLen(part) + RunSize - 1) / RunSize {
		sums = append(sums, uint64(rapid.IntRange(0, 1).Draw(w.t, "sum")))
	}
	return sums
}

func (w *whim) verified(part uint32) {
	if rapid.IntRange(0, 3).Draw(w.t, "good") == 0 {
		w.written = append(w.written, Failed{Part: part, Sums: w.sums(part)})
	} else {
		w.written = append(w.written, Stored{part})
	}
}

// setback is one of a part that may be of a file of several.
func (w *whim) setback(part uint32) Setback {
	const most = 3
	return Setback{part, max(part, most) - most, min(part+most, uint32(w.s.parts)-1)}
}

func (w *whim) peer() int {
	var up []int
	for i := range 5 {
		if w.linked(i) {
			up = append(up, i)
		}
	}
	if len(up) == 0 {
		return w.join()
	}
	return rapid.SampledFrom(up).Draw(w.t, "peer")
}

func (w *whim) join() int {
	for i := range 5 {
		if !w.linked(i) {
			w.ids++
			w.tell(Joined{Peer: i, ID: proto.PeerID{w.ids, 1}, Addr: addr(int(w.ids)), MaxRun: RunSize, MaxQueue: 100, Hears: w.ids%2 == 0})
			return i
		}
	}
	return 0
}

func (w *whim) run(peer int) (Run, bool) {
	runs := w.contract.Asked(peer)
	if len(runs) == 0 {
		return Run{}, false
	}
	return rapid.SampledFrom(runs).Draw(w.t, "run"), true
}

func (w *whim) something() {
	i := w.peer()
	part := uint32(rapid.IntRange(0, w.s.parts-1).Draw(w.t, "part"))
	on := rapid.Bool().Draw(w.t, "on")
	r, asked := w.run(i)
	switch what := rapid.IntRange(0, 24).Draw(w.t, "what"); {
	case what == 0:
		w.join()
	case what == 1:
		w.tell(Left{i})
	case what == 2:
		w.tell(Has{Peer: i, All: true})
	case what == 3:
		w.tell(Has{Peer: i, Parts: []uint32{part}})
	case what == 4:
		w.tell(Choked{i, on}, Allowed{i, part})
	case what == 5:
		w.tell(Interest{i, on})
	case what == 6 || what == 16:
		// what is coming is asked for more often than chance would have it
		for _, q := range w.s.links.peers {
			if q != nil && q.index != i && len(q.fetches) > 0 && on {
				part = q.fetches[0].work.part
			}
		}
		w.tell(Interest{i, true}, Wanted{i, []uint32{part}})
	case what == 7:
		w.tell(Served{Peer: i})
	case (what == 8 || what == 17) && asked:
		got := rapid.Uint32Range(0, r.Length).Draw(w.t, "got")
		w.tell(Started{i, r}, Progress{Peer: i, Down: 100, Run: r, Got: got, Limited: on})
	case what == 18:
		w.tell(Sent{i, rapid.Int64Range(0, 2*movedLeast).Draw(w.t, "sent")})
	case what == 19 && asked:
		w.tell(Declined{i, r})
	case what == 20:
		w.tell(Dismissed{i}, Regroup{i, proto.Regrouping(part % 3)})
	case what == 21:
		w.tell(Has{Peer: i, Parts: []uint32{part, (part + 1) % uint32(w.s.parts)}}, Choked{Peer: i})
	case what == 9 && asked:
		w.tell(Rejected{i, r})
	case what == 10 && asked:
		w.tell(Received{i, r})
		if int64(r.Length) == w.s.partLen(r.Part) {
			w.verified(r.Part)
		} else {
			w.written = append(w.written, Written{i, r})
		}
	case what == 22:
		w.tell(Full{on})
	case what == 23:
		w.tell(w.setback(part))
	case what == 24 && asked: // whether all of it came by then or not
		if on {
			w.tell(Received{i, r})
		}
		w.tell(w.setback(r.Part), Unwritten{i, r})
	case what == 11:
		w.tell(Suggested{i, []uint32{part}})
	case what == 12:
		w.tell(Withdrawn{i, part})
	case what == 13 && w.s.Has(part):
		w.kept[part] = on
		w.tell(Lost{Part: part, Keep: on})
	case what == 13 && w.kept[part]:
		delete(w.kept, part)
		w.tell(Regained{part})
	case len(w.written) > 0:
		ev := w.written[0]
		w.written = w.written[1:]
		w.tell(ev)
	default:
		w.tell(Tick{})
	}
}

// holds checks what must be true at any time.
func (w *whim) holds() {
	if err := w.s.Holds(func(part uint32) bool { return w.kept[part] }); err != nil {
		w.t.Fatal(err)
	}
}

// end lets the workers finish, the disk have room and a good peer come.
func (w *whim) end() {
	w.tell(Full{})
	for part := range uint32(w.s.parts) {
		if w.kept[part] {
			delete(w.kept, part)
			w.tell(Regained{part})
		}
	}
	for i := range 5 {
		if w.linked(i) {
			w.tell(Left{i})
		}
	}
	for n := 0; !w.s.finished; n++ {
		for len(w.written) > 0 {
			ev := w.written[0]
			w.written = w.written[1:]
			w.tell(ev)
		}
		// the first, or the last one was blamed for a part that came out bad
		if len(w.contract.peers) == 0 {
			i := w.join()
			w.tell(Has{Peer: i, All: true}, Choked{Peer: i})
		}
		if w.linked(0) && len(w.contract.Asked(0)) > 0 {
			r := w.contract.Asked(0)[0]
			w.tell(Started{0, r}, Received{0, r})
			if int64(r.Length) == w.s.partLen(r.Part) {
				w.written = append(w.written, Stored{r.Part})
			} else {
				w.written = append(w.written, Written{0, r})
			}
		} else if at, ok := w.s.Next(); ok && len(w.written) == 0 {
			// it was blamed for a part that came out bad, and is asked again later
			w.now = max(w.now, at)
			w.tell(Tick{})
		}
		w.holds()
		if n > 10_000 {
			w.t.Fatalf("has %d of %d parts, %d on their way, and asks for nothing", w.s.haveN, w.s.parts, len(w.s.requests.works))
		}
	}
}
