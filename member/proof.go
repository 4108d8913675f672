package member

import (
	"context"
	"sync/atomic"
	"time"
)

// Parts of content that has its name may be shared because a record says that they were right when
// they were read before. They are read again meanwhile, so that one that went bad is known before
// many have it: first those that somebody asks for. All others only if the last time is long ago.
// It takes a tenth of one core, for all members of a host together.
const (
	proveEvery = time.Second
	proveFor   = proveEvery / proveShare
	proveShare = 10
	proveWait  = 10 * time.Second   // for a member to say that it has
	proveAgain = 7 * 24 * time.Hour // after which all is read again
)

// proofs are the parts that a record is believed about and that were not read yet. The watcher's
// goroutine owns what is not atomic.
type proofs struct {
	unproven []byte // a bit each; nil: there are none
	first    []uint32
	next     int  // the part from which on all others are read
	all      bool // they are
	begun    time.Time
	may      bool         // some may be read now
	waiting  atomic.Int32 // what there is to do, as below
}

const (
	proveNothing = iota
	proveRest
	proveAsked
)

// distrust takes in what is believed, before the watcher works. It returns a bitfield of it for the
// loop.
func (w *watcher) distrust() []byte {
	known := w.store.Known()
	if w.store.Fresh() || w.store.Partial() || known == nil {
		return nil
	}
	w.unproven = append([]byte(nil), known...)
	w.begun = time.Now()
	if w.all = time.Since(w.store.Read()) > proveAgain; w.all {
		w.waiting.Store(proveRest)
	}
	return append([]byte(nil), known...)
}

// asked has parts read soon that go out although they were not.
func (d *director) asked(parts []uint32) {
	if d.unasked == nil {
		return
	}
	var ask []uint32
	for _, part := range parts {
		if bit := byte(0x80) >> (part & 7); d.unasked[part>>3]&bit != 0 {
			d.unasked[part>>3] &^= bit
			ask = append(ask, part)
		}
	}
	if len(ask) > 0 {
		d.watcher.tellIt(func(t *told) { t.asked = append(t.asked, ask...) })
	}
}

// mayProve has the watcher read some of them.
func (w *watcher) mayProve() { w.tellIt(func(t *told) { t.prove = true }) }

// takeUnproven takes the next part that is to be read.
func (w *watcher) takeUnproven() (uint32, bool) {
	take := func(part uint32) bool {
		bit := byte(0x80) >> (part & 7)
		is := w.unproven[part>>3]&bit != 0
		w.unproven[part>>3] &^= bit
		return is
	}
	for len(w.first) > 0 {
		part := w.first[0]
		w.first = w.first[1:]
		if take(part) {
			return part, true
		}
	}
	for w.all && w.next < 8*len(w.unproven) {
		part := uint32(w.next)
		w.next++
		if take(part) {
			return part, true
		}
	}
	return 0, false
}

// prove reads some of them.
func (w *watcher) prove(ctx context.Context) {
	begun := time.Now()
	w.may = false
	w.recheck(ctx, w.takeUnproven, proveFor)
	switch {
	case len(w.first) > 0:
		w.waiting.Store(proveAsked)
	case w.all && w.next < 8*len(w.unproven):
		w.waiting.Store(proveRest)
	default:
		w.waiting.Store(proveNothing)
		if w.all {
			w.all = false
			w.store.Reread(w.begun)
		}
	}
	w.host.proved(time.Since(begun))
}

// proving is what a host knows of whose parts are read.
type proving struct {
	turn int       // who is next
	rest time.Time // until then nobody is
}

// prove has the next member read some parts, if any has to: one for which somebody waits, if there
// is one.
func (h *Host) prove(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.proving.rest) {
		return
	}
	for _, what := range []int32{proveAsked, proveRest} {
		for i := range h.watched {
			at := (h.proving.turn + i) % len(h.watched)
			if w := h.watched[at]; w.waiting.Load() == what {
				h.proving = proving{at + 1, now.Add(proveWait)}
				w.mayProve()
				return
			}
		}
	}
}

// proved takes in how long that took.
func (h *Host) proved(took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.proving.rest = time.Now().Add((proveShare-1)*took - proveEvery/2) // looks are a second apart
}
