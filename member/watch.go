package member

import (
	"context"
	"errors"
	"sync"
	"time"

	"orchestra/member/store"
)

// How often the content on disk is looked at, and at how many of its files at most (see
// [store.Store.Look]). What is asked for is seen sooner, since who sends it looks too.
const (
	watchEvery = time.Second
	watchMost  = 4000
)

// How long parts that cannot be read wait until they are tried again.
const (
	unreadFirst = 15 * time.Second
	unreadMost  = 10 * time.Minute
)

// How long content that could not be given its name waits until that is tried again.
const (
	nameFirst = time.Second
	nameMost  = time.Minute
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
// that this may concern, and gives the content its name when it is complete and nothing waits. One
// goroutine at a time works for it, and none while there is nothing to do: when it is time to look,
// the host says so.
type watcher struct {
	*Member
	ctx context.Context

	mu      sync.Mutex // guards what it is told, and work
	told    told
	running bool // a goroutine works
	ended   bool // none is begun any more
	work    sync.WaitGroup

	// What follows is the working goroutine's.
	checked   bool            // the check of what was there has ended
	queue     []uint32        // parts to be rechecked
	queued    map[uint32]bool // these
	unread    map[uint32]bool // that could not be read, and are tried again
	unreadAt  time.Time
	wait      time.Duration
	changed   map[string]restless // files that changed lately
	resting   bool                // nothing can be finished until the next look
	finishing bool                // all is stored and is to get its name
	nameAt    time.Time           // when that is tried again, if it failed
	nameWait  time.Duration
	hitch     string // what the disk did not do last when it was looked at; empty: it did
	nameHitch string // why the content could not be given its name last
	looks     int    // so far

	proofs // of what is believed
}

// told is what a watcher was told and did not take in yet.
type told struct {
	look    int      // at so many files; 0: not to look
	checked bool     // the check has ended
	unread  []uint32 // by then: parts that could not be read and are left as they are
	doubts  []uint32 // parts that could not be read since, at most doubtMost
	finish  bool     // all is stored
	asked   []uint32 // parts that are shared and were not read yet
	prove   bool     // it may read some of these now
}

// doubtMost is how many doubts wait. What is lost beyond that is asked for again.
const doubtMost = 256

// restless is when a file changed last, and how often in a row.
type restless struct {
	at    time.Time
	times int
}

func newWatcher(m *Member) *watcher {
	return &watcher{
		Member: m, queued: map[uint32]bool{}, unread: map[uint32]bool{}, wait: unreadFirst,
		changed: map[string]restless{},
	}
}

// begin lets the watcher work until ctx ends.
func (w *watcher) begin(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ctx = ctx
}

// end waits until the watcher works no more.
func (w *watcher) end() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.work.Wait()
}

// tellIt tells the watcher something, and has it work.
func (w *watcher) tellIt(tell func(*told)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tell(&w.told)
	if !w.running && !w.ended && w.ctx != nil {
		w.running = true
		w.work.Go(w.run)
	}
}

// due has it look at the next files.
func (w *watcher) due(files int) { w.tellIt(func(t *told) { t.look = files }) }

// checkEnded tells that the check of the content has ended, and what could not be read.
func (w *watcher) checkEnded(unread []uint32) {
	w.tellIt(func(t *told) { t.checked, t.unread = true, unread })
}

// finish has the content get its name.
func (w *watcher) finish() { w.tellIt(func(t *told) { t.finish = true }) }

// files is how many files it looks at.
func (w *watcher) files() int { return w.store.Files() }

// run works until there is nothing to do.
func (w *watcher) run() {
	for {
		now := w.hear()
		ready := w.checked && w.ctx.Err() == nil
		switch {
		case now.look > 0 && w.ctx.Err() == nil:
			w.resting = false
			w.again(time.Now())
			w.look(w.ctx, now.look)
			if w.looks++; w.looks%restAfter == 0 {
				w.store.Rest()
			}
		case ready && len(w.queue) > 0:
			w.recheck(w.ctx, w.takeQueued, recheckFor)
		case ready && w.finishing && !w.resting && !time.Now().Before(w.nameAt):
			w.giveName(w.ctx)
		case w.may && w.ctx.Err() == nil:
			w.prove(w.ctx)
		default:
			if w.rests() {
				return
			}
		}
	}
}

// restAfter is after how many looks files are closed that nobody used since as many before.
const restAfter = 10

// hear takes in what the watcher was told.
func (w *watcher) hear() told {
	w.mu.Lock()
	now := w.told
	w.told = told{}
	w.mu.Unlock()
	if now.checked {
		w.checked = true
		for _, part := range now.unread {
			w.missed(part)
		}
	}
	for _, part := range now.doubts {
		w.add(part)
	}
	w.finishing = w.finishing || now.finish
	if len(now.asked) > 0 {
		w.first = append(w.first, now.asked...)
		w.waiting.Store(proveAsked)
	}
	w.may = w.may || now.prove
	return now
}

// rests ends the work of a goroutine, unless the watcher was told something meanwhile.
func (w *watcher) rests() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &w.told
	if w.ctx.Err() == nil &&
		(t.look > 0 || t.checked || len(t.doubts) > 0 || t.finish || t.prove || len(t.asked) > 0) {
		return false
	}
	w.running = false
	return true
}

// doubt has a part rechecked that could not be read. It never waits: what is lost by that is asked
// for again.
func (m *Member) doubt(part uint32) {
	if m.watcher == nil {
		return
	}
	m.watcher.tellIt(func(t *told) {
		if len(t.doubts) < doubtMost {
			t.doubts = append(t.doubts, part)
		}
	})
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
	switch {
	case err == nil && w.hitch == "":
	case err == nil:
		if w.hitch = ""; w.nameHitch == "" {
			w.tell(ctx, hindered{})
		}
	case store.IsForGood(err):
		w.tell(ctx, broken{err})
	default:
		w.hinders(ctx, &w.hitch, err)
	}
}

// hinders tells of what the disk does not do now and is tried again, unless it was told last.
func (w *watcher) hinders(ctx context.Context, last *string, err error) {
	if text := err.Error(); text != *last {
		*last = text
		w.tell(ctx, hindered{err})
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

// takeQueued takes the next part that waits to be rechecked.
func (w *watcher) takeQueued() (part uint32, ok bool) {
	if len(w.queue) == 0 {
		return 0, false
	}
	part = w.queue[0]
	w.queue = w.queue[1:]
	delete(w.queued, part)
	return part, true
}

// recheck compares parts with what is on disk for a while, as long as there are some, and reports
// those that were lost, and those that are right.
func (w *watcher) recheck(ctx context.Context, take func() (uint32, bool), most time.Duration) {
	var good, bad []uint32
	var unread lostParts // of the same reason
	for begun := time.Now(); time.Since(begun) < most; {
		part, ok := take()
		if !ok {
			break
		}
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

// giveName gives the content its name, unless somebody changed it since it was verified.
func (w *watcher) giveName(ctx context.Context) {
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
	case err != nil && !store.IsForGood(err):
		w.nameWait = min(max(2*w.nameWait, nameFirst), nameMost)
		w.nameAt = time.Now().Add(w.nameWait)
		w.hinders(ctx, &w.nameHitch, err)
	default:
		w.finishing, w.nameWait, w.nameAt, w.nameHitch = false, 0, time.Time{}, ""
		w.tell(ctx, finished{err})
	}
}
