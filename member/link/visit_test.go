package link

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// visit is a link to a stranger, and what an onlooker knows of it.
type visit struct {
	t    *testing.T
	tape *tape
	l    *Link
	core *swarm.Swarm
	now  time.Duration
	err  error

	menu      []swarm.Run     // what the core fetches
	coming    swarm.Run       // that a piece is of; zero: of none
	announced map[uint32]bool // parts that this member has
	wanted    map[uint32]bool // parts that the core heard are wanted, and did not grant
	grants    int             // that are out
	upto      int64           // bytes of each part that are here
	window    int             // blocks outstanding at most, ever

	heard    []proto.Request // all requests
	asked    int64           // bytes of them
	sent     int64           // bytes of content
	rejected int64

	came     int64 // bytes of content that came
	received int64 // in whole runs
	wasted   int64
}

func newVisit(t *testing.T, p *tape) *visit {
	flags := p.next()
	partSize := int64(3*proto.Block + 100)
	if flags&2 > 0 {
		partSize = swarm.RunSize + 3*proto.Block + 5 // two runs
	}
	size := 4*partSize - 2*proto.Block
	terms := NewTerms(flags&1 > 0)
	if flags&4 == 0 {
		ext := Offered()
		OfferMetadata(&ext, proto.MetadataPiece+5)
		OfferPeers(&ext)
		terms.Take(ext, partSize)
	}
	v := &visit{
		t: t, tape: p, l: New(Config{
			Peer: 7, Size: size, PartSize: partSize, Terms: terms, InfoSize: proto.MetadataPiece + 5,
			Info:    func() []byte { return make([]byte, proto.MetadataPiece+5) },
			Favours: []uint32{0, 1},
		}),
		// Part 1.
		core:      swarm.New(swarm.Config{Size: size, PartSize: partSize, Have: []byte{0x40}}),
		announced: map[uint32]bool{}, wanted: map[uint32]bool{}, window: swarm.WindowFirst,
	}
	v.do(swarm.Offer{Bits: []byte{0x40}})
	v.announced[1] = true
	return v
}

func (v *visit) do(e swarm.Effect) { v.l.Do(v.now, e, v.core) }

func (v *visit) asksNoMore(run swarm.Run) bool {
	i := slices.Index(v.menu, run)
	if i >= 0 {
		v.menu = slices.Delete(v.menu, i, i+1)
	}
	return i >= 0
}

// hear lets the stranger say something.
func (v *visit) hear(msg proto.Message) {
	r, isRequest := msg.(proto.Request)
	if isRequest { // before the events, of which one may be for it
		v.heard = append(v.heard, r)
	}
	events, err := v.l.Hear(0, msg)
	v.told(events)
	if isRequest && err == nil {
		v.asked += int64(r.Length)
	}
	v.err = err
}

// hearPiece lets it send a piece, during which the core may take the run back.
func (v *visit) hearPiece(p proto.Piece) {
	v.hear(p)
	if v.err != nil {
		return
	}
	v.came += int64(p.Length)
	a, at := v.l.Coming()
	if a == nil {
		return
	}
	if at < 0 || at+int64(p.Length) > int64(a.Run.Length) || a.Run.Part != p.Part {
		v.t.Fatalf("%+v goes to %d of %+v", p, at, a.Run)
	}
	v.coming = a.Run
	some := p.Length / 3
	v.told(v.l.Took(v.now, some))
	how := v.tape.next()
	if how%4 == 0 && v.asksNoMore(a.Run) {
		v.do(swarm.Cancel{Run: a.Run})
	}
	if how%8 == 1 { // the link ends
		v.came -= int64(p.Length - some)
		v.err = io.EOF
		return
	}
	v.told(v.l.InLimited(v.now))
	v.told(v.l.Took(v.now, p.Length-some))
	fate, events := v.l.Arrived(v.now)
	v.told(events)
	v.coming = swarm.Run{}
	if gone := !slices.ContainsFunc(v.l.asked,
		func(b *Asked) bool { return a == b }); gone != (fate != More) {
		v.t.Fatalf("the fate of a piece is %d, its run is gone: %v", fate, gone)
	}
}

// told takes in what the link tells.
func (v *visit) told(events []Event) {
	for _, ev := range events {
		switch ev := ev.(type) {
		case Accused:
			v.inRange(ev.Part)
		case swarm.Has:
			v.inRange(ev.Parts...)
		case swarm.Suggested:
			v.inRange(ev.Parts...)
		case swarm.Withdrawn:
			v.inRange(ev.Part)
		case swarm.Allowed:
			v.inRange(ev.Part)
		case swarm.Unwanted:
			v.inRange(ev.Part)
			delete(v.wanted, ev.Part)
		case swarm.Wanted:
			v.inRange(ev.Parts...)
			for _, part := range ev.Parts {
				v.wanted[part] = true
			}
		case swarm.Choked:
			if ev.On {
				v.menu = nil
			}
		case swarm.Started:
			v.fetched(ev.Run)
		case swarm.Declined:
			v.fetched(ev.Run)
		case swarm.Progress:
			if ev.Run != v.coming {
				v.fetched(ev.Run)
			}
			if ev.Down < 0 || ev.Got > ev.Run.Length {
				v.t.Fatalf("%+v", ev)
			}
		case swarm.Received:
			v.fetched(ev.Run)
			v.asksNoMore(ev.Run)
			v.received += int64(ev.Run.Length)
		case swarm.Rejected:
			v.fetched(ev.Run)
			v.asksNoMore(ev.Run)
		case swarm.Belated:
			v.inRange(ev.Run.Part)
		case swarm.Hinted:
			if len(ev.Addrs) == 0 || len(ev.Addrs) > proto.MaxExchanged {
				v.t.Fatalf("%d addresses are told of", len(ev.Addrs))
			}
		case swarm.Interest, swarm.Spare, swarm.Regroup, swarm.Dismissed:
		default:
			v.t.Fatalf("%T is told", ev)
		}
	}
}

func (v *visit) inRange(parts ...uint32) {
	for _, part := range parts {
		if part >= v.l.parts {
			v.t.Fatalf("the core hears of part %d of %d", part, v.l.parts)
		}
	}
}

func (v *visit) fetched(run swarm.Run) {
	if !slices.Contains(v.menu, run) {
		v.t.Fatalf("the core hears of %+v, which it does not fetch", run)
	}
}

// writes does the next errand, and tells whether there was one.
func (v *visit) writes(broken bool) bool {
	n := v.tape.next()
	room := Room{Most: proto.MaxPiece - 1000*n, Alone: n%2 == 0, Upto: func(part uint32) int64 {
		return min(v.upto, v.l.partLen(part))
	}}
	e := v.l.Next(v.now, room, nil)
	v.says(e.Text())
	for _, p := range e.Pieces {
		if p.Length <= 0 || p.Length > max(proto.MaxPiece, mostRequest) ||
			p.End() > v.l.partLen(p.Part) {
			v.t.Fatalf("sends %+v", p)
		}
		if !v.core.Has(p.Part) && p.End() > v.upto {
			v.t.Fatalf("sends %+v, of which %d bytes are here", p, v.upto)
		}
		v.wasAsked(p.Part, int64(p.Begin), p.End())
		if broken && v.l.Unsendable(p) {
			continue
		}
		v.sent += int64(p.Length)
		v.l.Fit(time.Duration(n) * time.Millisecond)
		v.l.Went(v.now, p.Length)
	}
	if e.Told != nil {
		v.grants--
	}
	return len(e.Text()) > 0 || len(e.Pieces) > 0 || e.Told != nil
}

// says reads what is said.
func (v *visit) says(text []byte) {
	in := proto.NewReader(bytes.NewReader(text), proto.MaxFrame(int(v.l.parts)), 0)
	for {
		msg, err := in.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			v.t.Fatalf("says % x: %v", text, err)
		}
		switch msg := msg.(type) {
		case proto.Reject:
			v.rejected += int64(msg.Length)
			v.wasAsked(msg.Part, int64(msg.Begin), msg.End())
		case proto.Have:
			if !v.announced[msg.Part] {
				v.t.Fatalf("says that it has part %d, which it has not", msg.Part)
			}
		case proto.Request:
			if msg.Part >= v.l.parts || msg.End() > v.l.partLen(msg.Part) || v.l.cfg.MaxRun == 0 &&
				msg.Length > proto.Block {
				v.t.Fatalf("asks for %+v", msg)
			}
		}
	}
}

// wasAsked holds that a range is of one request.
func (v *visit) wasAsked(part uint32, from, to int64) {
	if !slices.ContainsFunc(v.heard, func(r proto.Request) bool {
		return r.Part == part && from >= int64(r.Begin) && to <= r.End()
	}) {
		v.t.Fatalf("%d to %d of part %d is of no request", from, to, part)
	}
}

// holds holds what is true of a link at any time.
func (v *visit) holds() {
	l := v.l
	v.wasted += l.Wasted()
	l.Dropped()
	orders, waits := 0, int64(0)
	for part, list := range l.waiting {
		if len(list) == 0 || !v.wanted[part] && !slices.Contains(l.wanted, part) {
			v.t.Fatalf("%d requests of part %d wait, of which the core does not know", len(list),
				part)
		}
		for _, o := range list {
			orders++
			waits += int64(o.length)
		}
	}
	ends := 0
	for _, o := range l.ready {
		if o.isEnd() {
			ends++
			continue
		}
		orders++
		waits += int64(o.length)
	}
	if l.count != orders || orders > Reqq {
		v.t.Fatalf("%d requests are counted, there are %d", l.count, orders)
	}
	if v.grants != ends {
		v.t.Fatalf("%d grants are out, %d ends of some wait", v.grants, ends)
	}
	if total := v.sent + v.rejected + waits + unsaid(l); l.cfg.Fast && l.err == nil &&
		total != v.asked {
		v.t.Fatalf("of %d bytes that were asked for %d were sent, %d rejected, and %d wait",
			v.asked, v.sent, v.rejected, waits)
	}
	v.holdsMenu()
	if n := len(l.say) - l.offered; n > mostUnsaid && l.err == nil || n > mostUnsaid+1000 {
		v.t.Fatalf("%d bytes wait to be said", n)
	}
	if len(l.haves) > int(l.parts) || len(l.haves) == 0 && (l.soon || l.due != never) {
		v.t.Fatalf("%d parts are to be announced, soon: %v, at %v", len(l.haves), l.soon, l.due)
	}
	v.err = cmpErr(v.err, l.err)
}

// unsaid is how many bytes are rejected by what waits to be said.
func unsaid(l *Link) (n int64) {
	in := proto.NewReader(bytes.NewReader(l.say), proto.MaxFrame(int(l.parts)), 0)
	for msg, err := in.Next(); err == nil; msg, err = in.Next() {
		if r, ok := msg.(proto.Reject); ok {
			n += int64(r.Length)
		}
	}
	return n
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// holdsMenu holds what is true of what is asked for.
func (v *visit) holdsMenu() {
	l := v.l
	out, here := 0, int64(l.piece.took)
	if len(l.asked) != len(v.menu) {
		v.t.Fatalf("%d runs are asked for, %d are on the menu", len(l.asked), len(v.menu))
	}
	for i, a := range l.asked {
		if a.Run != v.menu[i] || a.got >= a.Run.Length || a.taking != (l.piece.of == a) {
			v.t.Fatalf("%+v is asked for, want %+v", a, v.menu[i])
		}
		here += int64(a.got)
		if l.cfg.MaxRun == 0 {
			out += a.outstanding()
		}
	}
	if l.out != out || out > v.window || l.denied < 0 || len(l.ghosts) > mostGhosts {
		v.t.Fatalf("%d blocks are counted as outstanding, %d are, %d may be; %d were cancelled",
			l.out, out, v.window, len(l.ghosts))
	}
	if total := v.received + v.wasted + here; total != v.came {
		v.t.Fatalf("of %d bytes that came %d are of whole runs, %d wasted, %d here", v.came,
			v.received, v.wasted, here)
	}
}

// ends lets all that waits be said and sent, and ends the link: nothing is left.
func (v *visit) ends() {
	if v.err == nil {
		v.told(v.l.Flush())
		v.upto = v.l.cfg.PartSize
		for v.writes(false) {
		}
		v.holds()
		if v.grants != 0 || len(v.l.ready) > 0 {
			v.t.Fatalf("%d grants did not end", v.grants)
		}
	}
	v.l.End()
	v.menu = nil
	if v.wasted += v.l.Wasted(); v.received+v.wasted != v.came {
		v.t.Fatalf("of %d bytes that came %d are of whole runs and %d wasted", v.came, v.received,
			v.wasted)
	}
}
