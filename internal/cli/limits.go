package cli

import (
	"errors"
	"fmt"
	"time"

	"orchestra/member"
)

// Limits say when a join ends by itself. The zero value: never.
type limits struct {
	exit     bool          // when complete
	shareFor time.Duration // after it is complete
	ratio    float64       // when complete, and this many times the content was sent
	copies   int           // when complete, and the conductor knows so many complete copies
	others   bool          // when complete, and nobody who is known needs anything
	stall    time.Duration // without a byte that was worth something, while incomplete

	hooked   error     // how the command of --on-complete failed, if it did
	looked   time.Time // the last look
	done     int64     // bytes done then
	came     int64     // the most bytes that ever came and were not wasted
	gained   time.Time // when either last grew
	complete time.Time // since when it is
	linked   time.Time // when somebody was connected last
}

// errEnough ends a join that reached what it was told to.
var errEnough = errors.New("enough was shared")

// pause is a gap between two looks that shows that the program was stopped (Ctrl-Z, a machine
// asleep): such time is nobody's.
const pause = 5 * time.Second

// aloneFor is how long nobody has to be connected until nobody needs anything: who does opens a
// link, and two that have everything end theirs, which may be before each knows that of the other.
const aloneFor = 5 * time.Second

// reached says at now why the join is to end, or nil. Finished tells that the content is complete
// and what was to be done then is done.
func (l *limits) reached(now time.Time, p *member.Progress, finished bool) error {
	if gap := now.Sub(l.looked); l.looked.IsZero() || p.BytesDone > l.done || l.comes(p) || p.Checking {
		l.gained = now
	} else if gap > pause {
		l.gained = l.gained.Add(gap)
	}
	l.looked, l.done = now, p.BytesDone
	if finished && l.complete.IsZero() {
		l.complete, l.linked = now, now
	}
	if p.Members > 0 {
		l.linked = now
	}
	switch {
	case l.exit && !p.Checking && len(p.BadParts) > 0:
		return withCode(exitVerify, errors.New(badPartsText(p.BadParts, p.Path)))
	case !p.Complete && l.stall > 0 && now.Sub(l.gained) >= l.stall:
		err := fmt.Errorf("nothing came for %s%s", timeText(l.stall), because(p.Waiting))
		if p.Paused != "" {
			return withCode(exitDisk, err)
		}
		return withCode(exitStalled, err)
	case !finished:
		return nil
	case l.exit && l.hooked != nil:
		return withCode(exitOther, l.hooked)
	case l.exit,
		l.copies > 0 && p.Copies >= l.copies,
		l.others && (p.KnownComplete >= p.Known || now.Sub(l.linked) >= aloneFor),
		l.shareFor > 0 && now.Sub(l.complete) >= l.shareFor,
		l.ratio > 0 && float64(p.Uploaded) >= l.ratio*float64(p.Bytes):
		return errEnough
	}
	return nil
}

// comes tells whether bytes came since the last look, which may take long to become a part. What
// turns out bad or needless is taken off again, and has to come anew before more counts. More than
// all the content does not count until it verifies: who sends without end what never becomes a part
// brings nothing.
func (l *limits) comes(p *member.Progress) bool {
	came := min(p.Downloaded-p.Wasted, p.Bytes)
	if came <= l.came {
		return false
	}
	l.came = came
	return true
}
