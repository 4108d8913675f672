// Package store is the content of a composition on disk: opened or made, checked, read, written
// part by part, and given its name when it is complete. All access stays inside one folder
// (os.Root). It decides nothing about the swarm and knows no peers.
package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

// Suffix is added to the name of content that is not complete.
const Suffix = ".part"

// Config says where the content is and what may be done to content that is there already.
type Config struct {
	File *orch.File
	// ID is the file's, if it is known: of many files it takes a while to compute. Zero: it is not.
	ID  orch.ID
	Dir string // made if missing; "" is the current folder
	// Repair lets bad parts of content that stands under its name be replaced in place.
	Repair bool
	// Replace gets the content although something else stands under its name, which Finish moves
	// aside.
	Replace bool
	// ReadOnly opens a folder only if it stands under its name, and makes nothing.
	ReadOnly bool
	// Select chooses files of a folder; nil: all of them.
	Select *Selection
	// NoTimes leaves files that are written here with the time at which they are.
	NoTimes bool
	// Check believes no record of what was found before.
	Check bool
	// Records are of content that has its name; nil: none are kept.
	Records *Records
	// Disk is where it is; nil: that of this host.
	Disk disk.Disk
}

// Store is the content of one composition in one folder. Its methods may be called from several
// goroutines at a time, Finish and Close apart.
type Store struct {
	comp      *orch.File
	disk      disk.Disk
	root      disk.Root
	dir       string
	layout    layout
	files     files
	folder    *folder // nil: the content is a single file
	selection *Selection
	name      atomic.Pointer[string] // in the folder; ends in Suffix while incomplete
	partial   bool
	fresh     bool
	writes    bool
	repair    bool        // what has its name may be written to
	named     atomic.Bool // Finish gave it its name
	exact     bool        // what a file is like is known after each write, at little cost
	linked    bool        // the single file is reached by a symbolic link: it is read only
	replace   bool        // what stands under the name is moved aside at the end
	aside     string      // where to; empty until then
	zeros     zeros
	times     times

	believed      []byte      // a bit for each part of which a record is believed; nil: none is
	believedCount int         // how many
	exhaustive    bool        // what the record does not name is not there
	looked        atomic.Bool // of every part it is known whether it is there
	journal       *journal    // nil: there is none
	records       *Records    // nil: there are none
	saved         *record     // as it was written last, or read
	read          time.Time   // since when all that is verified is known from the content itself
	id            func() orch.ID

	mu         sync.Mutex
	intakes    sync.Map  // of *intake: parts that were begun and not verified; read without mu
	verified   marks     // parts; read without mu
	unkept     marks     // parts that the disk may not have kept, see kept
	settling   *settling // nil: no file gets its name before Finish
	unreadable []*Error  // of files that the check could not read
	lacks      []string  // see Lacks

	turns    [64]sync.Mutex // held by who writes to a file, see turn
	remaking *remaking      // nil: the single file is not copied
	moving   sync.Mutex     // held while files get their names, or somebody looks at them
	watch    watch
}

// Open opens the content under its name if it is there, its unfinished file otherwise, and makes
// that if there is neither. Errors: *[Error] for the disk, [ErrLocked], *[ContentError].
func Open(cfg Config) (*Store, error) {
	dir := cfg.Dir
	if dir == "" {
		dir = "."
	}
	d := cfg.Disk
	if d == nil {
		d = disk.System()
	}
	if !cfg.ReadOnly {
		if err := d.MkdirAll(dir, 0o777); err != nil {
			return nil, diskError("make folder", dir, err)
		}
	}
	root, err := d.OpenRoot(dir)
	if err != nil {
		return nil, diskError("open folder", dir, err)
	}
	var s *Store
	err = whileMoved(func() error {
		s = newStore(cfg, d, root, dir)
		open := s.open
		if cfg.File.IsFolder() {
			open = s.openFolder
		}
		err := open(cfg)
		if err == nil && !s.partial {
			s.remember(cfg)
		}
		if err == nil {
			err = s.takeZeros()
		}
		if err != nil {
			s.closeFiles()
		}
		return err
	})
	if errors.Is(err, errMoved) {
		err = diskError("open", filepath.Join(dir, cfg.File.Name), err)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	s.looked.Store(!s.Unchecked())
	return s, nil
}

// whileMoved tries to open what has another name by the time that it is open, but not for ever.
func whileMoved(open func() error) (err error) {
	for range openTries {
		if err = open(); !errors.Is(err, errMoved) {
			return err
		}
		time.Sleep(openPause)
	}
	return err
}

func newStore(cfg Config, d disk.Disk, root disk.Root, dir string) *Store {
	s := &Store{
		comp: cfg.File, disk: d, root: root, dir: dir, selection: cfg.Select, repair: cfg.Repair,
		layout:   newLayout(cfg.File),
		verified: newMarks(cfg.File.NumParts()),
		unkept:   newMarks(cfg.File.NumParts()),
		zeros:    findZeros(cfg.File, cfg.Select),
	}
	s.times = newTimes(cfg, len(s.layout.entries))
	s.records, s.read = cfg.Records, time.Now()
	s.id = sync.OnceValue(cfg.File.ID)
	if cfg.ID != (orch.ID{}) {
		s.id = func() orch.ID { return cfg.ID }
	}
	s.exact = tellsAtOnce(root)
	s.watch.begin(len(s.layout.entries))
	s.files.begin(s.openSingle, s.closed)
	return s
}

// errMoved tells that the file has another name, or none, since it was opened: who held its lock
// has completed it, and the next try finds that.
var errMoved = errors.New("it was renamed or removed again and again")

// Path is where the content is now: the unfinished file until Finish.
func (s *Store) Path() string { return s.at(*s.name.Load()) }

func (s *Store) at(name string) string    { return filepath.Join(s.dir, name) }
func (s *Store) setName(name string)      { s.name.Store(&name) }
func (s *Store) offset(part uint32) int64 { return int64(part) * s.comp.PartSize }

// Files is how many files the content has.
func (s *Store) Files() int { return len(s.layout.entries) }

// Rest closes files that nobody used since it was called last. They are opened again when they are
// needed.
func (s *Store) Rest() { s.files.rest() }

// Partial tells whether the content did not stand under its name when it was opened.
func (s *Store) Partial() bool { return s.partial }

// Fresh tells whether Open made the file, so that there is nothing to check.
func (s *Store) Fresh() bool { return s.fresh }

// Unchecked reports whether there is something of which Check has to tell.
func (s *Store) Unchecked() bool { return !s.fresh && s.believedCount < s.comp.NumParts() }

// Read is since when all that was verified is known from the content itself: since Open, or since
// a record was made that is believed.
func (s *Store) Read() time.Time { return s.read }

// Reread notes that all that a record was believed about was read since at.
func (s *Store) Reread(at time.Time) {
	s.moving.Lock()
	defer s.moving.Unlock()
	s.read = at
	s.saveRecord()
}

// Writable tells whether parts may be written. Content under its name is left as it is unless it is
// to be repaired.
func (s *Store) Writable() bool { return s.writes }

// Finish makes content that is complete durable and gives it its name, without replacing anything.
// It may be called again, after parts were lost and came again, or after [ErrChanged].
func (s *Store) Finish() error {
	s.moving.Lock()
	defer s.moving.Unlock()
	if !s.writes {
		s.saveRecord()
		return nil
	}
	if err := s.lookAtUnfinished(); err != nil {
		return err
	}
	if err := s.complete(); err != nil {
		return err
	}
	finish := s.finishFile
	if s.folder != nil {
		finish = s.finishFolder
	}
	if err := finish(); err != nil {
		return err
	}
	s.named.Store(true)
	s.endJournal()
	s.saveRecord()
	return nil
}

// complete sees that all that is to get its name was verified, and that nobody changed it since.
// Called with moving held.
func (s *Store) complete() error {
	g := s.glance()
	defer g.end()
	changed := false
	lacks := -1 // a part that was not verified
	for i, e := range s.layout.entries {
		if !s.selection.Has(i) || s.keeps(i) {
			continue
		}
		changed = g.lookAt(i) || changed
		if e.Size > 0 && lacks < 0 {
			lacks = s.unverified(e.Offset, e.Size)
		}
	}
	switch {
	case changed:
		return ErrChanged
	case lacks >= 0:
		return &UnverifiedError{lacks, s.Path()}
	}
	return nil
}

// unverified is the first part of a stretch of the content that was not verified; -1: all were.
func (s *Store) unverified(off, length int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for part := off / s.comp.PartSize; part <= (off+length-1)/s.comp.PartSize; part++ {
		if !s.verified.has(uint32(part)) {
			return int(part)
		}
	}
	return -1
}

// Aside is where Finish moved what stood under the content's name; empty if nothing did.
func (s *Store) Aside() string { return s.aside }

// moveAside gives what stands under the composition's name the first free name of NAME.old,
// NAME.old2, ...
func (s *Store) moveAside() error {
	for n := 1; ; n++ {
		aside := s.comp.Name + ".old"
		if n > 1 {
			aside += strconv.Itoa(n)
		}
		err := s.root.RenameNew(s.comp.Name, aside)
		switch {
		case err == nil:
			s.aside = s.at(aside)
			return nil
		case errors.Is(err, fs.ErrNotExist): // it went by itself
			return nil
		case !errors.Is(err, fs.ErrExist):
			return diskError("move aside", s.at(s.comp.Name), err)
		}
	}
}

// Close says in the journal, or the record, how the content was left, and gives the lock and the
// files back. An error of the disk is that it did not keep what was written.
func (s *Store) Close() error {
	s.moving.Lock()
	err := s.closeJournal()
	s.saveRecord()
	s.moving.Unlock()
	return errors.Join(err, s.closeFiles(), s.root.Close())
}

func (s *Store) closeFiles() error {
	err := s.files.close()
	if s.folder != nil {
		err = errors.Join(err, s.folder.close())
	}
	return err
}
