package store

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"orchestra/member/store/disk"
)

// openMost is how many files of a folder are kept open when nobody uses them.
const openMost = 64

// files are the content's open files: that of a single file as long as it has one that is to stay
// open, all others as they are needed.
type files struct {
	open   func(file int, write bool) (disk.File, error)
	closed func(file int, err error) // told what came of a close

	mu   sync.Mutex
	idle sync.Cond // signalled when a file is given back
	kept map[int]*kept
	turn int64
}

// kept is an open file.
type kept struct {
	file   disk.File
	number int
	users  int
	used   int64 // the turn of its last use
	held   bool  // it stays open although nobody uses it
	forget bool  // closed by its last user
	rested bool  // nobody used it since the last rest
}

func (f *files) begin(open func(file int, write bool) (disk.File, error), closed func(int, error)) {
	f.open, f.closed = open, closed
	f.idle.L = &f.mu
	f.kept = map[int]*kept{}
}

// inUse are the files that are open.
func (f *files) inUse() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.kept))
}

// hold keeps the single file open, with its lock, in place of the one that was held before.
func (f *files) hold(file disk.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(0)
	f.kept[0] = &kept{file: file, held: true}
}

// single is the file that is held; nil if none is.
func (f *files) single() disk.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.kept[0]; k != nil && k.held {
		return k.file
	}
	return nil
}

// get opens a file, or takes one that is open; write makes one that is not there. It is given back
// with put.
func (f *files) get(file int, write bool) (disk.File, *kept, error) {
	f.mu.Lock()
	k := f.take(file)
	f.mu.Unlock()
	if k != nil {
		return k.file, k, nil
	}
	opened, err := f.openPatiently(file, write)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.take(file); k != nil { // another one was faster
		opened.Close()
		return k.file, k, nil
	}
	f.kept[file] = &kept{file: opened, number: file}
	k = f.take(file)
	f.evict(openMost)
	return opened, k, nil
}

// How often and after which pause a file is opened again when this process, or the system, has as
// many open as it may: others are closed meanwhile, here or elsewhere.
const (
	openTries = 50
	openPause = 20 * time.Millisecond
)

// openPatiently opens a file. When too many are open, it closes some that nobody uses.
func (f *files) openPatiently(file int, write bool) (disk.File, error) {
	for try := 1; ; try++ {
		opened, err := f.open(file, write)
		if err == nil || !disk.IsTooManyOpen(err) || try == openTries {
			return opened, err
		}
		if !f.closeIdle() {
			time.Sleep(openPause)
		}
	}
}

// closeIdle closes half of the files that nobody uses, and reports whether there was any.
func (f *files) closeIdle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	idle := 0
	for _, k := range f.kept {
		if k.users == 0 && !k.held {
			idle++
		}
	}
	f.evict(len(f.kept) - (idle+1)/2)
	return idle > 0
}

// rest closes the files that nobody used since it was called last.
func (f *files) rest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for file, k := range f.kept {
		switch {
		case k.users > 0 || k.held:
		case k.rested:
			f.drop(file)
		default:
			k.rested = true
		}
	}
}

// take uses a file that is open. Called with mu held.
func (f *files) take(file int) *kept {
	k := f.kept[file]
	if k != nil {
		f.turn++
		k.used, k.rested = f.turn, false
		k.users++
	}
	return k
}

// evict closes the files used least recently that nobody uses, down to so many. Called with mu
// held.
func (f *files) evict(most int) {
	for len(f.kept) > most {
		oldest := -1
		for file, k := range f.kept {
			if k.users == 0 && !k.held && (oldest < 0 || k.used < f.kept[oldest].used) {
				oldest = file
			}
		}
		if oldest < 0 {
			return
		}
		f.drop(oldest)
	}
}

// drop takes a file out; it is closed when nobody uses it any more. Called with mu held.
func (f *files) drop(file int) {
	k := f.kept[file]
	switch {
	case k == nil:
		return
	case k.users == 0:
		f.closed(file, k.file.Close())
	default:
		k.forget = true
	}
	delete(f.kept, file)
}

// forget has a file opened anew by who needs it next.
func (f *files) forget(file int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(file)
}

// put gives a file back.
func (f *files) put(k *kept) {
	if k == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if k.users--; k.users == 0 {
		if k.forget {
			f.closed(k.number, k.file.Close())
		}
		f.evict(openMost)
		f.idle.Broadcast()
	}
}

// while runs something during which none of these files may be open here, nil for all: they are
// forgotten before. Windows renames no file that is open and no folder in which one is, so there it
// waits until nobody uses them.
func (f *files) while(concerned []int, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if concerned == nil {
		concerned = slices.Collect(maps.Keys(f.kept))
	}
	for _, file := range concerned {
		for runtime.GOOS == "windows" && f.kept[file] != nil && f.kept[file].users > 0 {
			f.idle.Wait()
		}
		f.drop(file)
	}
	return do()
}

func (f *files) close() error {
	return f.while(nil, func() error { return nil })
}
