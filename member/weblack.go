package member

import (
	"context"
	"fmt"
	"slices"
	"time"

	"orchestra/member/origin"
	"orchestra/member/swarm"
)

// What an origin lacks of a folder: a file that it does not give costs that file alone.

const (
	// webLacksMost is how many files in a row an origin may refuse until it is left alone itself.
	webLacksMost = 3
	// webLacksTold is how many files the user is told of by name.
	webLacksTold = 5
	// webLackParts is how many parts a file may be in to be left out part by part.
	webLackParts = 4096
)

// webLack is a file that an origin refused.
type webLack struct {
	first, end int64 // parts that something of it is in
	times      int   // in a row
	now        error // why it is not asked for now; nil: it may be
	until      time.Time
}

// has reports whether something of a part is in the file.
func (l *webLack) has(part uint32) bool { return l.first <= int64(part) && int64(part) < l.end }

// lack leaves a file out that the origin does not give, for a while, and reports whether that is to
// be done rather than to leave the origin alone.
func (w *webSource) lack(ctx context.Context, e *origin.FileError) bool {
	w.mu.Lock()
	l := w.lacks[e.Start]
	switch {
	case l == nil:
		size := w.m.comp.PartSize
		l = &webLack{first: e.Start / size, end: (e.End + size - 1) / size}
		w.lacks[e.Start] = l
	case l.now != nil: // the other worker met it too
		w.mu.Unlock()
		return true
	}
	w.state.lacked++
	if w.state.lacked >= webLacksMost || l.end-l.first > webLackParts || w.ended != nil {
		w.mu.Unlock()
		return false
	}
	wait := min(webRefused<<min(l.times, 10), webRefusedMost)
	l.times++
	l.now, l.until = e, time.Now().Add(wait)
	told := webLacksTold + 1 // it was told before, or enough were
	if l.times == 1 {
		told = w.state.lacksTold
		w.state.lacksTold++
	}
	// The core takes back what it asked of it when it hears of that.
	w.queue = slices.DeleteFunc(w.queue, func(r *webRun) bool { return l.has(r.Part) })
	w.mu.Unlock()
	switch {
	case told < webLacksTold:
		w.m.cfg.Log.Warn().
			Msgf("%s %v; it is asked for that again in %v", w.name(), e, wait)
	case told == webLacksTold:
		w.m.cfg.Log.Warn().Msgf("%s lacks more files, which are not named here", w.name())
	}
	w.work.Go(func() { w.withdraw(ctx, l, wait) })
	return true
}

// withdraw tells the core that the parts of a file are not there, and after a while that they may
// be.
func (w *webSource) withdraw(ctx context.Context, l *webLack, wait time.Duration) {
	for part := l.first; part < l.end; part++ {
		w.m.tell(ctx, swarm.Withdrawn{Peer: w.peer, Part: uint32(part)})
	}
	if sleep(ctx, wait) != nil {
		return
	}
	w.mu.Lock()
	l.now = nil
	var parts []uint32
	for part := uint32(l.first); int64(part) < l.end; part++ {
		if !w.lacking(part) { // something of it may be in the next file
			parts = append(parts, part)
		}
	}
	w.mu.Unlock()
	w.m.tell(ctx, swarm.Has{Peer: w.peer, Parts: parts})
}

// lacking reports whether something of a part is in a file that is not asked for now. Called with
// mu held.
func (w *webSource) lacking(part uint32) bool {
	for _, l := range w.lacks {
		if l.now != nil && l.has(part) {
			return true
		}
	}
	return false
}

// lackTrouble says what the origin does not give now, and when the first of it is asked for again;
// empty if there is nothing. Called with mu held.
func (w *webSource) lackTrouble() (text string, again time.Time) {
	var one *webLack
	n := 0
	for _, l := range w.lacks {
		if l.now == nil {
			continue
		}
		if n++; one == nil || l.until.Before(one.until) {
			one = l
		}
	}
	switch n {
	case 0:
		return "", time.Time{}
	case 1:
		return one.now.Error(), one.until
	}
	return fmt.Sprintf("%v, and %d more like this", one.now, n-1), one.until
}
