package member

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"orchestra/member/store"
	"orchestra/member/swarm"
)

// What the disk does not do is tried again, with ever longer pauses, and costs what it concerns:
// the core asks for other parts meanwhile, and for none while the disk is full. What is here is
// shared all the time. Only what waiting does not mend ends the member ([store.IsForGood]).

type (
	// unwritten tells of a run that the disk did not take.
	unwritten struct {
		peer int
		run  swarm.Run
		err  error
		free free // if the disk is full
	}
	// free is how many bytes may be written.
	free struct {
		bytes int64
		known bool // the system tells
	}
	// setback tells of a part that could not be written or read back.
	setback struct {
		part uint32
		err  error
	}
	// hindered tells of something else that the disk does not do now and that is tried again; no
	// error: it does.
	hindered struct{ err error }
)

// How long a full disk is left alone until it is tried again whether there is room, and how much of
// it there has to be, if the system tells. What it tells costs little, so it is looked at often.
const (
	roomFirst = time.Second
	roomMost  = time.Minute
	roomEvery = time.Second
	roomLeast = 8 << 20
)

// room is whether there is room on the disk. The loop owns it.
type room struct {
	since  time.Time // when it was full; zero: there is room
	at     time.Time // when it is looked at next; zero: not to be looked at
	tryAt  time.Time // no trial before
	wait   time.Duration
	trying bool // parts are asked for to see whether there is room
}

func (d *director) unwritten(ev unwritten) {
	if store.IsFull(ev.err) {
		d.fills(ev.err, ev.free)
	} else {
		d.setback(setback{ev.run.Part, ev.err})
	}
	d.step(swarm.Unwritten{Peer: ev.peer, Run: ev.run})
}

// setback has a part tried again later, and tells the user why.
func (d *director) setback(ev setback) {
	first, last := d.store.Beside(ev.part, ev.err)
	d.step(swarm.Setback{Part: ev.part, First: first, Last: last})
	d.hitch = fact(ev.err)
	d.notices.add(time.Now(), "setback: "+d.hitch, ev.part, func(parts []int) {
		d.cfg.Log.Warn().Msgf("%s; %s %s, and the others go on", fact(ev.err), these(parts),
			one(parts, "is tried again later", "are tried again later"))
	})
}

// hindered tells the user what the disk does not do.
func (d *director) hindered(ev hindered) {
	if ev.err == nil {
		d.hitch = ""
		return
	}
	d.hitch = fact(ev.err)
	d.cfg.Log.Warn().Msgf("%s; it is tried again", d.hitch)
}

// fills pauses what comes, since there is no room for it.
func (d *director) fills(err error, left free) {
	r, now := &d.room, time.Now()
	if !r.since.IsZero() && !r.trying { // what was on its way
		return
	}
	if r.since.IsZero() {
		r.since, r.wait = now, roomFirst
		text := d.fullText(err, left)
		d.cfg.Log.Warn().Msg(text)
		d.update(func(p *Progress) { p.Paused, p.Waiting = text, text })
	} else {
		r.wait = min(2*r.wait, roomMost)
	}
	r.trying = false
	r.at, r.tryAt = now.Add(min(r.wait, roomEvery)), now.Add(r.wait)
	d.step(swarm.Full{On: true})
}

// fullText says that the disk is full, in one line.
func (d *director) fullText(err error, left free) string {
	more := fact(err)
	if need := d.needs() - left.bytes; left.known && need > 0 {
		more = humanize.IBytes(uint64(need)) + " more needed in " + d.store.Dir()
	}
	return fmt.Sprintf("the disk is full: %s; sharing goes on, the download continues when there is room", more)
}

// needs is how many bytes of what is wanted are not here.
func (d *director) needs() int64 { return d.bytes - d.core.Stats().BytesGot }

// free looks how much room there is. It waits for the disk.
func (m *Member) free() free {
	bytes, known := m.store.Free()
	return free{bytes, known}
}

// lookForRoom looks whether there is room again when it is time to, on a goroutine of its own.
func (d *director) lookForRoom(now time.Time) {
	if r := &d.room; !r.at.IsZero() && !now.Before(r.at) {
		r.at = time.Time{}
		d.work.Go(func() { d.tell(d.ctx, d.free()) })
	}
}

// seesRoom tries to go on if there seems to be room again.
func (d *director) seesRoom(left free) {
	r, now := &d.room, time.Now()
	least := min(d.needs(), max(roomLeast, 2*d.comp.PartSize))
	if now.Before(r.tryAt) || left.known && left.bytes < least {
		r.at = now.Add(roomEvery)
		return
	}
	r.trying = true
	d.step(swarm.Full{On: false})
}

// roomy takes in that a part was stored: there is room.
func (d *director) roomy() {
	r := &d.room
	if !r.trying {
		return
	}
	*r = room{}
	d.update(func(p *Progress) { p.Paused, p.Waiting = "", "" })
	d.cfg.Log.Info().Msg("there is room on the disk again; the download goes on")
}

// fact is an error of the disk without what to do about it: this member does it.
func fact(err error) string {
	var disk *store.Error
	if errors.As(err, &disk) {
		return strings.Replace(err.Error(), disk.Error(), disk.Fact(), 1)
	}
	return err.Error()
}
