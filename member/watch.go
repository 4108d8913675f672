package member

import (
	"context"
	"errors"
	"time"

	"orchestra/member/store"
)

// How often the content on disk is looked at, and at how many of its files. What is asked for is
// seen sooner, since who sends it looks too.
const (
	watchEvery = time.Second
	watchMost  = 4000
)

// How long parts that cannot be read wait until they are tried again.
const (
	unreadFirst = 15 * time.Second
	unreadMost  = 10 * time.Minute
)

// A file that changes more often within a while is one that somebody is writing to: it is not read,
// and the user not told, each time.
const (
	restlessWithin = 10 * time.Second
	restlessTimes  = 3
)

// recheckFor is how long parts are rechecked before anything else is looked at.
const recheckFor = 50 * time.Millisecond

// watcher looks after the content on disk: it finds what others did to it, has the parts rechecked
// that this may concern, and gives the content its name when it is complete and nothing waits.
type watcher struct {
	*Member
	checked   bool            // the check of what was there has ended
	queue     []uint32        // parts to be rechecked
	queued    map[uint32]bool // these
	unread    map[uint32]bool // that could not be read, and are tried again
	unreadAt  time.Time
	wait      time.Duration
	changed   map[string]restless // files that changed lately
	resting   bool                // nothing can be finished until the next look
	finishing bool                // all is stored and is to get its name
}

// restless is when a file changed last, and how often in a row.
type restless struct {
	at    time.Time
	times int
}

// watch is the goroutine of a watcher.
func (m *Member) watch(ctx context.Context) {
	w := &watcher{
		Member: m, queued: map[uint32]bool{}, unread: map[uint32]bool{}, wait: unreadFirst,
		changed: map[string]restless{},
	}
	look := time.NewTicker(watchEvery)
	defer look.Stop()
	checked := m.checked
	now := make(chan struct{})
	close(now)
	for {
		var work chan struct{}
		if w.checked && (len(w.queue) > 0 || w.finishing && !w.resting) {
			work = now
		}
		select {
		case at := <-look.C:
			w.resting = false
			w.again(at)
			w.look(ctx, watchMost)
		case <-checked:
			w.checked, checked = true, nil
			for _, part := range m.unread {
				w.missed(part)
			}
		case part := <-m.doubts:
			w.add(part)
		case <-m.finish:
			w.finishing = true
		case <-work:
			if len(w.queue) > 0 {
				w.recheck(ctx)
			} else {
				w.end(ctx)
			}
		case <-ctx.Done():
			return
		}
	}
}

// doubt has a part rechecked that could not be read. It never waits: what is lost by that is asked
// for again.
func (m *Member) doubt(part uint32) {
	select {
	case m.doubts <- part:
	default:
	}
}

func (w *watcher) add(part uint32) {
	if !w.queued[part] {
		w.queued[part] = true
		w.queue = append(w.queue, part)
	}
}

// missed notes a part that could not be read, to be tried again.
func (w *watcher) missed(part uint32) {
	if len(w.unread) == 0 {
		w.unreadAt = time.Now().Add(w.wait)
	}
	w.unread[part] = true
	w.resting = true
}

// again tries what could not be read, less often each time.
func (w *watcher) again(now time.Time) {
	if len(w.unread) == 0 || now.Before(w.unreadAt) {
		return
	}
	for part := range w.unread {
		w.add(part)
	}
	clear(w.unread)
	w.wait = min(2*w.wait, unreadMost)
}

// look takes in what others did to the content.
func (w *watcher) look(ctx context.Context, most int) {
	changes, err := w.store.Look(most)
	w.tellChanges(w.takeChanges(time.Now(), changes))
	if err != nil {
		w.tell(ctx, broken{err})
	}
}

// takeChanges has the parts rechecked of files that changed, later if they do so all the time, and
// returns the changes that are to be told.
func (w *watcher) takeChanges(now time.Time, changes []store.Change) (news []store.Change) {
	for path, r := range w.changed {
		if now.Sub(r.at) >= restlessWithin {
			delete(w.changed, path)
		}
	}
	for _, c := range changes {
		r := w.changed[c.Path]
		recheck := w.missed
		if r.times < restlessTimes {
			recheck = w.add
			news = append(news, c)
		}
		for _, part := range c.Parts {
			recheck(part)
		}
		if len(c.Parts) > 0 {
			w.changed[c.Path] = restless{now, r.times + 1}
		}
	}
	return news
}

// tellChanges tells the user in one line what others did. What follows from it is told when it is
// known.
func (w *watcher) tellChanges(changes []store.Change) {
	switch c := changes; len(c) {
	case 0:
	case 1:
		w.cfg.Log.Warn().Msgf("%s %s", c[0].Path, c[0].What)
	default:
		w.cfg.Log.Warn().Msgf("%d files of the content are not as they were; the first one, %s, %s",
			len(c), c[0].Path, c[0].What)
	}
}

// recheck compares parts with what is on disk for a while, and reports those that were lost, and
// those that are right.
func (w *watcher) recheck(ctx context.Context) {
	var good, bad []uint32
	var unread lostParts // of the same reason
	for begun := time.Now(); len(w.queue) > 0 && time.Since(begun) < recheckFor; {
		part := w.queue[0]
		w.queue = w.queue[1:]
		delete(w.queued, part)
		right, err := w.store.Recheck(part)
		switch {
		case right:
			good = append(good, part)
			continue
		case store.IsTooManyOpen(err):
			w.missed(part)
			continue
		case err == nil:
			bad = append(bad, part)
		default:
			if unread.err != nil && unread.err.Error() != err.Error() {
				w.tell(ctx, unread)
				unread.parts = nil
			}
			unread.parts, unread.err = append(unread.parts, part), err
			if w.store.Keeps(part) && !store.IsMissing(err) {
				w.missed(part)
			}
		}
		if w.wants(part) {
			w.finishing = false // until it comes again
		}
	}
	if len(unread.parts) > 0 {
		w.tell(ctx, unread)
	}
	if len(bad) > 0 {
		w.tell(ctx, lostParts{parts: bad})
	}
	if len(good) > 0 {
		w.wait = unreadFirst
		w.tell(ctx, regainedParts{good})
	}
}

// end gives the content its name, unless somebody changed it since it was verified.
func (w *watcher) end(ctx context.Context) {
	err := w.store.Finish()
	var unverified *store.UnverifiedError
	switch {
	case errors.Is(err, store.ErrChanged):
		w.look(ctx, 0)
		w.resting = len(w.queue) == 0
	case store.IsTooManyOpen(err):
		w.resting = true
	case errors.As(err, &unverified):
		w.add(uint32(unverified.Part))
	default:
		w.finishing = false
		w.tell(ctx, finished{err})
	}
}
