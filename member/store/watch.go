package store

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"orchestra/member/store/disk"
)

// What was right on disk once may not be so any more: files are removed, replaced, cut short or
// written to by others, and come back. A look at a file's name costs little and tells most of that.

// A Change is what somebody else did to the content.
type Change struct {
	Path  string   // of the file, where it is or was
	What  string   // happened to it: "was changed"
	Parts []uint32 // that count as verified no more until each is rechecked, if any
}

// watch is what was seen of the files last.
type watch struct {
	mu      sync.Mutex // guards what is not atomic
	stamps  []stamp
	next    int           // the file to be looked at
	found   []Change      // that nobody was told of yet
	touched []atomic.Bool // by file: this Store wrote to it
	harmed  []atomic.Bool // by file: it was not as it was left when this Store wrote to it
	unkept  []atomic.Bool // by file: the disk did not keep what was written
}

func (w *watch) begin(files int) {
	w.touched, w.harmed = make([]atomic.Bool, files), make([]atomic.Bool, files)
	w.unkept = make([]atomic.Bool, files)
	w.stamps = slices.Repeat([]stamp{nothing}, files)
}

func (w *watch) set(file int, m stamp) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stamps[file] = m
}

func (w *watch) get(file int) stamp {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stamps[file]
}

// before notes that this Store is going to write to a file, which is to be as it was left.
func (s *Store) before(file int, f disk.File) {
	s.watch.touched[file].Store(true)
	if !s.exact {
		return
	}
	if info, err := f.Stat(); err == nil && stampOf(info) != s.watch.get(file) {
		s.watch.harmed[file].Store(true)
	}
}

// after notes how this Store left a file.
func (s *Store) after(file int, f disk.File) {
	if !s.exact {
		return
	}
	if info, err := f.Stat(); err == nil {
		s.watch.set(file, stampOf(info))
	}
}

// How long a look at many files takes at most, a hundredth of the time if there is one each second,
// and at how many of those that nobody uses it looks however long that takes.
const (
	lookFor   = 10 * time.Millisecond
	lookLeast = 64
)

// Look looks at files of the content, so many at most, and returns what changed since it looked
// last: at those in use, then at the others in turn, as far as it gets in a little while.
// Unfinished content that was removed is made anew. An error is that it cannot be, or that
// something else stands in its place, so that nothing more can be got.
func (s *Store) Look(most int) ([]Change, error) {
	s.moving.Lock()
	defer s.moving.Unlock()
	err := s.lookAtUnfinished()
	if disk.IsTooManyOpen(err) { // it is looked at the next time
		return s.takeFound(), nil
	}
	if err == nil {
		s.lookAtFiles(most, time.Now().Add(lookFor))
	}
	return s.takeFound(), err
}

// lookAtFiles looks at those that are open, which are those that are read and written here, and at
// the next ones in turn.
func (s *Store) lookAtFiles(most int, until time.Time) {
	g := s.glance()
	defer g.end()
	w, files := &s.watch, len(s.layout.entries)
	most = min(most, files)
	if used := s.files.inUse(); files > lookLeast && len(used) <= most/2 {
		for _, i := range used {
			g.lookAt(i)
		}
		most -= len(used)
	}
	for n := 0; n < most && (n < lookLeast || time.Now().Before(until)); n++ {
		g.lookAt(w.next)
		w.next = (w.next + 1) % files
	}
}

func (s *Store) takeFound() (found []Change) {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	found, s.watch.found = s.watch.found, nil
	return found
}

// lookAtUnfinished sees whether what is being got still is where it was. Called with moving held.
func (s *Store) lookAtUnfinished() error {
	switch {
	case s.folder != nil:
		return s.lookAtFolders()
	case s.partial && !s.named.Load():
		return s.lookAtPart()
	}
	return nil
}

// lookAt looks at one file, and reports whether somebody else changed it, or whether that is not
// known since too many files are open. Called with moving held.
func (g *glance) lookAt(file int) bool {
	s := g.s
	turn := s.turn(file)
	turn.Lock() // nobody writes to it here
	harmed := s.watch.harmed[file].Swap(false)
	unkept := s.watch.unkept[file].Swap(false)
	touched := s.watch.touched[file].Swap(false) && !s.exact
	was := s.watch.get(file)
	now, reason := g.see(file)
	if disk.IsTooManyOpen(reason) && s.files.closeIdle() {
		now, reason = g.see(file)
	}
	blind := disk.IsTooManyOpen(reason)
	if blind { // all is as it was before the look
		s.watch.harmed[file].Store(harmed)
		s.watch.unkept[file].Store(unkept)
		s.watch.touched[file].Store(touched)
		turn.Unlock()
		return true
	}
	s.watch.set(file, now)
	turn.Unlock()
	if !harmed && !unkept && (now == was || touched && now.id == was.id && now.size >= was.size) {
		return false
	}
	c := Change{Path: s.pathOf(file)}
	switch {
	case now.size < 0 && s.movedAway():
		c.What = "was moved or renamed; what is open here is still shared"
		s.report(c)
		return false
	case now.size < 0:
		c.What = "is gone (" + bare(reason).Error() + ")"
	case was.size < 0:
		c.What = "is there again"
	case now.id != was.id:
		c.What = "was replaced"
	case now.size < was.size:
		c.What = "was cut short"
	case unkept:
		c.What = "was not kept by the disk; what can be read back is written again"
	default:
		c.What = "was changed"
	}
	if now.id != was.id {
		s.files.forget(file)
	}
	c.Parts = s.doubt(file)
	s.report(c)
	return true
}

// lookAtAll looks at all files, and returns how each is. Called with moving held.
func (s *Store) lookAtAll() []stamp {
	g := s.glance()
	defer g.end()
	stamps := make([]stamp, len(s.layout.entries))
	for i := range stamps {
		g.lookAt(i)
		stamps[i] = s.watch.get(i)
	}
	return stamps
}

// movedAway reports whether the single file has another name now, wherever. Then it is all there.
func (s *Store) movedAway() bool {
	f := s.files.single()
	return s.folder == nil && f != nil && f.Linked()
}

func (s *Store) report(c Change) {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	s.watch.found = append(s.watch.found, c)
}

// doubt has all parts that have something of a file verified again: those that were, and those that
// are left as they are. Called with moving held.
func (s *Store) doubt(file int) (parts []uint32) {
	s.layout.eachPart(file, s.comp.PartSize, func(part uint32) {
		if s.takeBack(part) || s.Keeps(part) {
			parts = append(parts, part)
		}
	})
	return parts
}

// takeBack forgets what was found of a part, also while it comes in, and reports whether it was
// verified. Called with moving held.
func (s *Store) takeBack(part uint32) bool {
	if in := s.begun(part); in != nil {
		in.mu.Lock() // as who writes or verifies it does
		defer in.mu.Unlock()
		in.torn = in.torn || in.stored.Load() > 0
		in.reset()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unverify(part)
}
