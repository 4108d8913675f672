package store

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
)

// openMost is how many files of a folder are kept open when nobody uses them.
const openMost = 64

// files are the content's open files: that of a single file as long as the store is open, those of a folder as they are needed.
type files struct {
	single *os.File
	open   func(file int, write bool) (*os.File, error)

	mu   sync.Mutex
	idle sync.Cond // signalled when a file of a folder is given back
	kept map[int]*kept
	turn int64
}

// kept is an open file of a folder.
type kept struct {
	file   *os.File
	users  int
	used   int64 // the turn of its last use
	forget bool  // closed by its last user
}

func (f *files) begin() {
	f.idle.L = &f.mu
	f.kept = map[int]*kept{}
}

// get opens a file, or takes one that is open; write makes one that is not there. It is given back with put.
func (f *files) get(file int, write bool) (*os.File, *kept, error) {
	if f.single != nil {
		return f.single, nil, nil
	}
	f.mu.Lock()
	k := f.take(file)
	f.mu.Unlock()
	if k != nil {
		return k.file, k, nil
	}
	opened, err := f.open(file, write)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.take(file); k != nil { // another one was faster
		opened.Close()
		return k.file, k, nil
	}
	f.kept[file] = &kept{file: opened}
	k = f.take(file)
	f.evict()
	return opened, k, nil
}

// take uses a file that is open. Called with mu held.
func (f *files) take(file int) *kept {
	k := f.kept[file]
	if k != nil {
		f.turn++
		k.used = f.turn
		k.users++
	}
	return k
}

// evict closes the files used least recently that nobody uses. Called with mu held.
func (f *files) evict() {
	for len(f.kept) > openMost {
		oldest := -1
		for file, k := range f.kept {
			if k.users == 0 && (oldest < 0 || k.used < f.kept[oldest].used) {
				oldest = file
			}
		}
		if oldest < 0 {
			return
		}
		f.kept[oldest].file.Close()
		delete(f.kept, oldest)
	}
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
			k.file.Close()
		}
		f.evict()
		f.idle.Broadcast()
	}
}

// while runs something during which none of these files may be in the cache, nil for all: they are forgotten before. Windows renames no file that
// is open and no folder in which one is, so there it waits until nobody uses them.
func (f *files) while(concerned []int, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if concerned == nil {
		concerned = slices.Collect(maps.Keys(f.kept))
	}
	for _, file := range concerned {
		k := f.kept[file]
		if k == nil {
			continue
		}
		for runtime.GOOS == "windows" && k.users > 0 {
			f.idle.Wait()
		}
		if k.users == 0 {
			k.file.Close()
		} else {
			k.forget = true
		}
		delete(f.kept, file)
	}
	return do()
}

func (f *files) close() error {
	if f.single != nil {
		return f.single.Close()
	}
	return f.while(nil, func() error { return nil })
}
