package conduct

import (
	"time"

	"orchestra/proto"
)

// What the page tells of a member beside what the registry decides by. It is hearsay, and nothing
// depends on it.
type account struct {
	serial uint64    // stands for the member on the page
	since  time.Time // when it came
	heard  time.Time // when something came from it
	origin bool      // it had everything from the start
	whole  bool      // it was complete once
	errors int       // complaints about it

	sent, received         uint64    // bytes
	saidSent, saidReceived uint64    // what it said last on this connection
	saidAt                 time.Time // when
	gained                 time.Time // when it last had more
	up, down               flowRate

	report
}

// maxSpeed is the most that a member may say it moved, in bytes a second: 200 Gbit/s.
const maxSpeed = 25e9

// rateStale is how long a rate is good for, without a report, while nobody looks.
const rateStale = 12 * time.Second

// stale is how long a rate of a member's is good for: some of its reports.
func (e *entry) stale() time.Duration {
	if every := e.comp.scene.every; every > 0 {
		return min(rateStale, 2*time.Duration(every)*time.Second+time.Second)
	}
	return rateStale
}

// stallAfter is how long a member may get nothing until it counts as stalled.
const stallAfter = 15 * time.Second

// A flowRate is bytes a second, from reports.
type flowRate struct {
	value float64
	at    time.Time
}

// saw takes in that so many bytes moved since an earlier report. The latest counts half.
func (r *flowRate) saw(now, before time.Time, bytes uint64) {
	span := max(now.Sub(before), time.Second/4).Seconds()
	value := float64(bytes) / span
	if r.value > 0 && value > 0 {
		value = (value + r.value) / 2
	}
	*r = flowRate{value, now}
}

// now is the rate, if it was told no longer than so ago.
func (r *flowRate) now(now time.Time, stale time.Duration) float64 {
	if now.Sub(r.at) > stale {
		return 0
	}
	return r.value
}

// begin opens the account of a member that is listed, or continues it on another connection.
func (r *registry) begin(now time.Time, e *entry) {
	a := &e.account
	if a.serial == 0 {
		r.serial++
		a.serial, a.since, a.gained = r.serial, now, now
		if !e.guest {
			r.totals.joined++
		}
		e.comp.scene.tell(now, "joined", e, "")
	}
	a.heard, a.saidAt, a.saidSent, a.saidReceived = now, now, 0, 0
}

// book takes in what a member says it moved.
func (r *registry) book(now time.Time, e *entry, p proto.Progress) {
	a, s := &e.account, e.comp.scene
	most := uint64((now.Sub(a.saidAt) + 5*time.Second).Seconds() * maxSpeed)
	sent, received := moved(a.saidSent, p.Uploaded, most), moved(a.saidReceived, p.Downloaded, most)
	a.up.saw(now, a.saidAt, sent)
	a.down.saw(now, a.saidAt, received)
	a.sent += sent
	a.received += received
	if received > 0 {
		a.gained = now
	}
	s.sent += sent
	s.received += received
	r.totals.sent += sent
	r.totals.received += received
	var origin uint64
	if a.origin {
		origin = sent
		s.origin += sent
		r.totals.sentByOrigin += sent
	}
	if r.keepsHistory(s) {
		s.history.Add(a.saidAt, now, int64(received), int64(origin))
	}
	a.saidAt, a.saidSent, a.saidReceived = now, p.Uploaded, p.Downloaded
}

// moved is how much more there is than before, as far as it can be believed.
func moved(before, after, most uint64) uint64 {
	if after < before {
		return 0
	}
	return min(after-before, most)
}

// regard takes in how many parts a member has now.
func (r *registry) regard(now time.Time, e *entry, before uint32) {
	a := &e.account
	if e.have > before {
		a.gained = now
	}
	if !e.complete() || a.whole || e.guest {
		return
	}
	r.forgetBits(e) // it has all
	a.whole, a.why = true, ""
	if a.origin = a.received == 0; a.origin {
		e.comp.scene.origin += a.sent
		r.totals.sentByOrigin += a.sent
	}
	if !a.origin {
		e.comp.scene.tell(now, "complete", e, "")
	}
}

// close ends the account of a member that is listed no more.
func (r *registry) close(now time.Time, e *entry, why string) {
	r.forgetBits(e)
	e.comp.scene.left(now, e, why)
}
