package link

import (
	"slices"
	"testing"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// FuzzLink lets a stranger say whatever can be said, and the core ask for what it may ask for, in
// any order, and holds between any two of them what must be true of a link. The input is the terms
// of the link, then what happens, a few bytes each.
func FuzzLink(f *testing.F) {
	for _, program := range [][]byte{
		{
			1, askFor, 0, hearPiece, 0, 9, 2, goOn, 3, 0, hearMost, 6, 0, askFor, 1, hearPiece, 1, 9,
			0,
		},
		{
			1, askFor, 0, askFor, 1, hearReject, 0, 9, takeBack, 1, hearReject, 1, 4, askFor, 1,
			recall, 1, hearMost, 5,
		},
		{
			4, askFor, 0, hearPiece, 0, 0, 2, hearReject, 0, 16, takeBack, 0, goOn, 3, 0, askFor, 3,
			hearPiece, 3, 0, 1,
		},
		{
			1, unchoke, hearRequest, 0, 9, grant, 0, hearCancel, 0, 9, hearRequest, 0, 9, hearCancel,
			0, 9, goOn, 0, 0,
		},
		{
			1, unchoke, hearRequest, 0, 9, hearRequest, 0, 32, grant, 0, goOn, 0, 0, goOn, 9, 0,
			revoke, hearCancel, 0, 32, grant, 0, goOn, 99, 0,
		},
		{
			5, unchoke, hearRequest, 3, 9, hearRequest, 3, 0, grant, 3, goOn, 0, 0, refuse, 3, goOn, 9,
			0, unreadable, 0, withdraw, 1, choke,
		},
		{
			3, unchoke, hearRequest, 0, 2, hearRequest, 0, 153, grant, 0, goOn, 0, 0, goOn, 255, 255,
			unreadable, 0, unreadable, 1, unreadable, 0,
		},
		{
			3, unchoke, hearRequest, 1, 2, hearRequest, 1, 153, hearRequest, 1, 9, grant, 1, goOn, 0,
			0, unreadable, 0, goOn, 0, 1, hearCancel, 1, 9, hearCancel, 1, 4,
		},
		{
			3, announce, 0, announce, 2, goOn, 1, 0, window, 3, resume, suggest, 2, 3, sayAll, 0,
			hearExtended, 1, 4, 0, 0, 0, 1, hearPart, 1, 0,
		},
		{
			5, hearMost, 1, goOn, 0, 0, hearRequest, 1, 9, grant, 1, goOn, 0, 0, hearRequest, 1, 9,
			hearRequest, 1, 9, hearRequest, 0, 9, hearCancel, 0, 9, hearRequest, 2, 9, goOn, 0, 0,
		},
		slices.Concat(
			[]byte{1, hearExtended, metadataID, 25}, []byte("d8:msg_typei0e5:piecei1ee"),
			[]byte{hearExtended, metadataID, 25}, []byte("d8:msg_typei0e5:piecei2ee"),
			[]byte{goOn, 0, 0, hearExtended, peersID, 17}, []byte("d5:added6:abcdefe"), []byte{goOn, 0, 0},
		),
	} {
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		v := newVisit(t, &tape{program})
		for len(v.tape.left) > 0 && v.err == nil {
			v.something()
			v.holds()
		}
		v.ends()
	})
}

// What may happen, in a byte of the input.
const (
	// A message of those that have no content and no range, or one that is anywhere.
	hearMost     = iota
	hearRequest  // of a range
	hearCancel   // of a range
	hearReject   // of a range
	hearPiece    // of a range
	hearPart     // a message that names a part
	hearExtended // an extended message
	goOn         // the next errand is done
	unreadable   // the same, and what it sends cannot be read
	askFor       // the core fetches a run
	takeBack     // it cancels one
	recall
	grant
	revoke
	refuse
	choke
	unchoke
	announce
	withdraw
	window
	resume
	suggest
	sayAll // it says what it can be made to say
	happenings
)

// tape gives numbers out of the input, and zeros after its end.
type tape struct{ left []byte }

func (p *tape) next() int {
	if len(p.left) == 0 {
		return 0
	}
	n := p.left[0]
	p.left = p.left[1:]
	return int(n)
}

// something is the next thing that happens.
func (v *visit) something() {
	if what := v.tape.next() % happenings; what < askFor {
		v.speaks(what)
	} else {
		v.command(what)
	}
}

// speaks is what the stranger does, or the writer.
func (v *visit) speaks(what int) {
	switch what {
	case hearMost:
		v.hearMost()
	case hearRequest:
		part, begin, length := v.stretch()
		v.hear(proto.Request{Part: part, Begin: begin, Length: length})
	case hearCancel:
		part, begin, length := v.stretch()
		v.hear(proto.Cancel{Part: part, Begin: begin, Length: length})
	case hearReject:
		part, begin, length := v.stretch()
		v.hear(proto.Reject{Part: part, Begin: begin, Length: length})
	case hearPiece:
		part, begin, length := v.stretch()
		v.hearPiece(proto.Piece{Part: part, Begin: begin, Length: int(min(length, proto.MaxPiece))})
	case hearPart:
		part := uint32(v.tape.next()) % (v.l.parts + 1)
		v.hear([]proto.Message{
			proto.Have{Part: part},
			proto.Suggest{Part: part},
			proto.AllowedFast{Part: part},
		}[v.tape.next()%3])
	case hearExtended:
		id, n := v.tape.next()%8, v.tape.next()%64
		payload := v.tape.left[:min(n, len(v.tape.left))]
		v.tape.left = v.tape.left[len(payload):]
		v.hear(proto.Extended{ID: byte(id), Payload: payload})
	case goOn:
		v.upto = min(v.upto+int64(v.tape.next())<<10, v.l.cfg.PartSize)
		v.writes(false)
	case unreadable:
		v.writes(true)
	}
}

func (v *visit) hearMost() {
	switch n := v.tape.next(); n % 10 {
	case 0:
		v.hear(proto.HaveAll{})
	case 1:
		v.hear(proto.HaveNone{})
	case 2:
		v.hear(proto.Interested{})
	case 3:
		v.hear(proto.NotInterested{})
	case 4:
		v.hear(proto.Unchoke{})
	case 5:
		v.hear(proto.Choke{})
	case 6:
		v.hear(proto.Bitfield{Bits: []byte{byte(v.tape.next())}})
	case 7:
		v.told(v.l.Flush())
	case 8:
		v.hear(proto.KeepAlive{})
	default:
		v.now += time.Duration(n) * time.Millisecond
	}
}

// command is what the core asks for. It keeps to what it may.
func (v *visit) command(what int) {
	switch what {
	case askFor:
		if run := v.run(); !slices.Contains(v.menu, run) {
			v.menu = append(v.menu, run)
			v.do(swarm.Fetch{Run: run})
		}
	case takeBack:
		if run := v.run(); v.asksNoMore(run) {
			v.do(swarm.Cancel{Run: run})
		}
	case recall:
		if run := v.run(); v.l.cfg.MaxRun > 0 && slices.Contains(v.menu, run) {
			v.do(swarm.Recall{Run: run})
		}
	case grant:
		part := v.part()
		v.grants++
		delete(v.wanted, part)
		v.do(swarm.Grant{Parts: []uint32{part}})
	case revoke:
		v.grants = 0
		v.do(swarm.Revoke{})
		for part := range v.l.waiting {
			v.wanted[part] = true
		}
	case refuse:
		part := v.part()
		delete(v.wanted, part)
		v.do(swarm.Refuse{Parts: []uint32{part}})
	case choke:
		clear(v.wanted)
		v.do(swarm.SetChoke{On: true})
	case unchoke:
		v.do(swarm.SetChoke{})
	case announce:
		if part := v.part(); !v.announced[part] {
			v.announced[part] = true
			v.do(swarm.Announce{Part: part})
		}
	case withdraw:
		if part := v.part(); v.announced[part] {
			delete(v.announced, part)
			delete(v.wanted, part)
			v.do(swarm.Withdraw{Part: part})
		}
	case window:
		blocks := v.tape.next() % 64
		v.window = max(v.window, blocks)
		v.do(swarm.Window{Blocks: blocks})
	case resume:
		v.do(swarm.Resume{})
	case suggest:
		v.do(swarm.Suggest{Parts: []uint32{v.part(), v.part()}})
	case sayAll:
		for _, e := range []swarm.Effect{
			swarm.SetInterest{On: true},
			swarm.SetSpare{On: true},
			swarm.SetRegroup{What: proto.RegroupNow},
			swarm.Dismiss{},
			swarm.Complain{Part: v.part()},
		} {
			v.do(e)
		}
	}
}

// part is one that there is.
func (v *visit) part() uint32 { return uint32(v.tape.next()) % v.l.parts }

// run is one that may be fetched.
func (v *visit) run() swarm.Run {
	n := uint32(v.tape.next())
	r := swarm.Run{Part: n % v.l.parts, Begin: n / v.l.parts % 2 * swarm.RunSize}
	if int64(r.Begin) >= v.l.partLen(r.Part) {
		r.Begin = 0
	}
	r.Length = uint32(min(swarm.RunSize, v.l.partLen(r.Part)-int64(r.Begin)))
	return r
}

// stretch is a range, mostly one that there is: whole runs, blocks, and others.
func (v *visit) stretch() (part, begin, length uint32) {
	run, size := v.run(), v.tape.next()
	skip := min(uint32(size/16)*proto.Block, run.Length)
	begin = run.Begin + skip
	switch size % 16 {
	case 0:
		length = proto.Block
	case 1:
		length = uint32(size)
	case 2:
		length = proto.MaxBlock + proto.Block
	case 3:
		begin, length = ^begin, uint32(size)
	case 4: // all but the first byte
		begin, length = run.Begin+1, run.Length-1
	default:
		length = run.Length - skip
	}
	return run.Part, begin, length
}
