package member

import (
	"slices"
	"time"
)

// What others say of a part is looked into, and costs little even if it is never true: one part at
// a time, a tenth of the time at most, and each part less and less often.
const (
	recheckShare = 10
	recheckFirst = 10 * time.Second
	recheckMost  = time.Hour
	recheckQueue = 256
	recheckSeen  = 1024 // parts of which it is remembered that they were right
)

type (
	// accused tells that somebody says that a part of this member is bad.
	accused struct{ part uint32 }
	// rechecked tells what the disk has of it.
	rechecked struct {
		part uint32
		good bool
		err  error
		took time.Duration
	}
)

// rechecks are the parts that others say are bad. The loop owns them.
type rechecks struct {
	queue   []uint32
	running bool
	rest    time.Time // until then nothing is checked
	seen    map[uint32]seen
}

// seen is a part that was accused and was right.
type seen struct {
	at    time.Time
	times int
}

// add takes a part in that is to be checked, unless it was right lately.
func (r *rechecks) add(now time.Time, part uint32) {
	s, ok := r.seen[part]
	if ok && now.Sub(s.at) < min(recheckFirst<<min(s.times-1, 20), recheckMost) {
		return
	}
	if len(r.queue) < recheckQueue && !slices.Contains(r.queue, part) {
		r.queue = append(r.queue, part)
	}
}

// next is when the next part may be checked; the zero time if there is none.
func (r *rechecks) next() time.Time {
	if r.running || len(r.queue) == 0 {
		return time.Time{}
	}
	return r.rest
}

// take gives the part that is to be checked now, if there is one.
func (r *rechecks) take(now time.Time) (uint32, bool) {
	if r.running || len(r.queue) == 0 || now.Before(r.rest) {
		return 0, false
	}
	part := r.queue[0]
	r.queue = r.queue[1:]
	r.running = true
	return part, true
}

// done ends a check.
func (r *rechecks) done(now time.Time, part uint32, good bool, took time.Duration) {
	r.running = false
	r.rest = now.Add(took * (recheckShare - 1))
	if !good {
		delete(r.seen, part)
		return
	}
	if r.seen == nil {
		r.seen = map[uint32]seen{}
	}
	if _, ok := r.seen[part]; !ok && len(r.seen) >= recheckSeen {
		oldest, at := part, now
		for other, s := range r.seen {
			if s.at.Before(at) {
				oldest, at = other, s.at
			}
		}
		delete(r.seen, oldest)
	}
	r.seen[part] = seen{now, r.seen[part].times + 1}
}

// accused looks into what somebody says of a part that this member offers.
func (d *director) accused(ev accused) {
	if d.core.Has(ev.part) {
		d.rechecks.add(time.Now(), ev.part)
		d.recheck(time.Now())
	}
}

// recheck has the next part checked, on a goroutine of its own.
func (d *director) recheck(now time.Time) {
	part, ok := d.rechecks.take(now)
	if !ok {
		return
	}
	d.work.Go(func() {
		begun := time.Now()
		good, err := d.store.Recheck(part)
		d.tell(d.ctx, rechecked{part, good, err, time.Since(begun)})
	})
}

// rechecked withdraws a part that is bad indeed.
func (d *director) rechecked(ev rechecked) {
	now := time.Now()
	d.rechecks.done(now, ev.part, ev.good, ev.took)
	if ev.good {
		d.cfg.Log.Debug().Uint32("part", ev.part).
			Msg("somebody was sent this part bad; here it is right")
	} else {
		d.lost(lostParts{parts: []uint32{ev.part}, err: ev.err})
		for _, beside := range []uint32{ev.part + 1, ev.part - 1} { // what is bad is seldom alone
			if d.core.Has(beside) {
				d.rechecks.add(now, beside)
			}
		}
	}
	d.recheck(now)
}
