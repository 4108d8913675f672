//go:build linux || darwin

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"sync"
	"syscall"
	"time"

	"orchestra/member/store/disk"
)

// A faultyDisk is the system's disk, of which one operation fails, or all from one on, or which
// stops as in a power cut: then some of what was not synced is undone.
//
// Data that was written reaches the medium when its file is synced, a name when its folder is;
// names do so in the order in which they were given, as in the journal of a file system.
type faultyDisk struct {
	disk.Disk
	fault

	mu     sync.Mutex
	n      int      // operations so far
	failed []string // operations that did
	down   bool     // the power is off
	data   map[uint64]*unsynced
	names  []nameChange
	roots  []disk.Root // to undo names in
}

// A fault is what goes wrong and when. The zero value: nothing does.
type fault struct {
	at      int   // the operation that fails, counted from 1; 0: none
	err     error // errDown: the power goes
	lasting bool  // all that come after it fail too
	short   bool  // a write puts half of what it was given
	power   bool  // the power may go: what is not synced is remembered
	only    func(op, name string) bool
}

// unsynced is what was written to a file since it was synced last.
type unsynced struct {
	file *os.File // to put back what was there
	was  []was
	gone []was // of those, what the system does not try to write again
}

type was struct {
	at  int64
	old []byte // as far as the file went
	n   int    // bytes written
}

// nameChange is a change of names that may be lost.
type nameChange struct {
	in   []uint64 // the folders that have it
	undo func() error
}

var errDown = errors.New("the power is off")

func newFaultyDisk(f fault) *faultyDisk {
	return &faultyDisk{Disk: disk.System(), fault: f, data: map[uint64]*unsynced{}}
}

// fails counts an operation and returns its fault.
func (d *faultyDisk) fails(op, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.only != nil && !d.only(op, name) {
		return nil
	}
	d.n++
	switch {
	case d.down:
		return errDown
	case d.at == 0 || d.n < d.at || d.n > d.at && !d.lasting:
		return nil
	}
	if d.failed = append(d.failed, op+" "+name); d.err == errDown {
		d.down = true
		return errDown
	}
	return &fs.PathError{Op: op, Path: name, Err: d.err}
}

// operations is how many there were.
func (d *faultyDisk) operations() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

// faults is what failed, in words.
func (d *faultyDisk) faults() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	const most = 5
	return fmt.Sprintf("%q", d.failed[:min(len(d.failed), most)])
}

// loses undoes some of what was not synced, by chance, as a power cut does.
func (d *faultyDisk) loses(chance *rand.Rand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var failed error
	for _, u := range d.data {
		failed = errors.Join(failed, u.lose(chance))
	}
	kept := chance.IntN(len(d.names) + 1)
	for i := len(d.names) - 1; i >= kept; i-- {
		if err := d.names[i].undo(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("undo %d of %d: %w", i, len(d.names), err))
		}
	}
	return failed
}

// page is how much of a file is on the medium as a whole or is not.
const page = 4 << 10

// lose puts back what was there before, for some pages.
func (u *unsynced) lose(chance *rand.Rand) error {
	if err := u.putBack(u.was, chance, chance.IntN(4)); err != nil {
		return err
	}
	return u.putBack(u.gone, chance, 1)
}

// putBack does so for none of what was written (0), for all of it (1), or for some.
func (u *unsynced) putBack(list []was, chance *rand.Rand, whole int) error {
	lost := map[int64]bool{} // pages
	for i := len(list) - 1; whole > 0 && i >= 0; i-- {
		w := list[i]
		old := make([]byte, w.n)
		copy(old, w.old)
		for at := w.at; at < w.at+int64(w.n); {
			end := min(at/page*page+page, w.at+int64(w.n))
			if _, ok := lost[at/page]; !ok {
				lost[at/page] = whole == 1 || chance.IntN(2) == 0
			}
			if lost[at/page] {
				if _, err := u.file.WriteAt(old[at-w.at:end-w.at], at); err != nil {
					return err
				}
			}
			at = end
		}
	}
	return nil
}

// close gives back what was held open to undo things.
func (d *faultyDisk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, u := range d.data {
		u.file.Close()
	}
	for _, r := range d.roots {
		r.Close()
	}
}

func (d *faultyDisk) MkdirAll(path string, perm fs.FileMode) error {
	if err := d.fails("mkdir", path); err != nil {
		return err
	}
	return d.Disk.MkdirAll(path, perm)
}

func (d *faultyDisk) Stat(path string) (fs.FileInfo, error) {
	if err := d.fails("stat", path); err != nil {
		return nil, err
	}
	return d.Disk.Stat(path)
}

func (d *faultyDisk) Open(path string) (disk.File, error) {
	if err := d.fails("open", path); err != nil {
		return nil, err
	}
	return d.file(d.Disk.Open(path))
}

func (d *faultyDisk) OpenRoot(path string) (disk.Root, error) {
	if err := d.fails("open", path); err != nil {
		return nil, err
	}
	return d.root(nil, ".")(d.Disk.OpenRoot(path))
}

// root is a folder that was opened below another one.
func (d *faultyDisk) root(above *faultyRoot, name string) func(disk.Root, error) (disk.Root, error) {
	return func(r disk.Root, err error) (disk.Root, error) { return d.openedRoot(above, name, r, err) }
}

func (d *faultyDisk) openedRoot(above *faultyRoot, name string, r disk.Root, err error) (disk.Root, error) {
	if err != nil {
		return nil, err
	}
	real, err := r.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.roots = append(d.roots, real)
	opened := &faultyRoot{r, d, real, real, "."}
	if above != nil {
		opened.top, opened.path = above.top, path.Join(above.path, name)
	}
	return opened, nil
}

func (d *faultyDisk) file(f disk.File, err error) (disk.File, error) {
	if err != nil {
		return nil, err
	}
	return &faultyFile{f, d, f.System().Name()}, nil
}

// faultyRoot is a folder of such a disk.
type faultyRoot struct {
	disk.Root
	d    *faultyDisk
	real disk.Root
	top  disk.Root // the uppermost one, in which this one is at path
	path string
}

func (r *faultyRoot) Open(name string) (disk.File, error) {
	if err := r.d.fails("open", name); err != nil {
		return nil, err
	}
	return r.d.file(r.Root.Open(name))
}

func (r *faultyRoot) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if err := r.d.fails("open", name); err != nil {
		return nil, err
	}
	f, err := r.d.file(r.Root.OpenFile(name, flag, perm))
	if err == nil && flag&os.O_EXCL != 0 {
		r.named(func() error { return r.real.Remove(name) }, name)
	}
	return f, err
}

func (r *faultyRoot) OpenRoot(name string) (disk.Root, error) {
	if err := r.d.fails("open", name); err != nil {
		return nil, err
	}
	return r.d.root(r, name)(r.Root.OpenRoot(name))
}

func (r *faultyRoot) OpenLock(name string) (disk.File, error) {
	if err := r.d.fails("lock", name); err != nil {
		return nil, err
	}
	return r.d.file(r.Root.OpenLock(name))
}

func (r *faultyRoot) Stat(name string) (fs.FileInfo, error) {
	if err := r.d.fails("stat", name); err != nil {
		return nil, err
	}
	return r.Root.Stat(name)
}

func (r *faultyRoot) Lstat(name string) (fs.FileInfo, error) {
	if err := r.d.fails("lstat", name); err != nil {
		return nil, err
	}
	return r.Root.Lstat(name)
}

func (r *faultyRoot) Readlink(name string) (string, error) {
	if err := r.d.fails("readlink", name); err != nil {
		return "", err
	}
	return r.Root.Readlink(name)
}

func (r *faultyRoot) Mkdir(name string, perm fs.FileMode) error {
	if err := r.d.fails("mkdir", name); err != nil {
		return err
	}
	err := r.Root.Mkdir(name, perm)
	if err == nil {
		r.named(func() error { return r.real.Remove(name) }, name)
	}
	return err
}

func (r *faultyRoot) MkdirAll(name string, perm fs.FileMode) error {
	if err := r.d.fails("mkdir", name); err != nil {
		return err
	}
	var missing []string
	for p := name; p != "."; p = path.Dir(p) {
		if _, err := r.real.Lstat(p); err != nil {
			missing = append(missing, p)
		}
	}
	slices.Reverse(missing)
	err := r.Root.MkdirAll(name, perm)
	for _, p := range missing {
		if err == nil {
			r.named(func() error { return r.real.Remove(p) }, p)
		}
	}
	return err
}

func (r *faultyRoot) Symlink(target, name string) error {
	if err := r.d.fails("symlink", name); err != nil {
		return err
	}
	err := r.Root.Symlink(target, name)
	if err == nil {
		r.named(func() error { return r.real.Remove(name) }, name)
	}
	return err
}

func (r *faultyRoot) Remove(name string) error {
	if err := r.d.fails("remove", name); err != nil {
		return err
	}
	info, err := r.real.Lstat(name)
	isFolder := err == nil && info.IsDir()
	if err = r.Root.Remove(name); err == nil && isFolder {
		r.named(func() error { return r.top.Mkdir(path.Join(r.path, name), 0o777) }, name)
	}
	return err
}

func (r *faultyRoot) Chmod(name string, mode fs.FileMode) error {
	if err := r.d.fails("chmod", name); err != nil {
		return err
	}
	return r.Root.Chmod(name, mode)
}

func (r *faultyRoot) Chtimes(name string, read, modified time.Time) error {
	if err := r.d.fails("chtimes", name); err != nil {
		return err
	}
	return r.Root.Chtimes(name, read, modified)
}

func (r *faultyRoot) Rename(from, to string) error {
	if err := r.d.fails("rename", from); err != nil {
		return err
	}
	return r.renamed(from, to, r.Root.Rename(from, to))
}

func (r *faultyRoot) RenameNew(from, to string) error {
	if err := r.d.fails("rename", from); err != nil {
		return err
	}
	return r.renamed(from, to, r.Root.RenameNew(from, to))
}

func (r *faultyRoot) renamed(from, to string, err error) error {
	if err == nil {
		r.named(func() error { return r.real.Rename(to, from) }, from, to)
	}
	return err
}

// named notes that names were changed in this folder, or below it.
func (r *faultyRoot) named(undo func() error, names ...string) {
	c := nameChange{undo: undo}
	for _, name := range names {
		if info, err := r.real.Stat(path.Dir(name)); err == nil {
			c.in = append(c.in, disk.ID(info))
		}
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	r.d.names = append(r.d.names, c)
}

// faultyFile is a file of such a disk.
type faultyFile struct {
	disk.File
	d    *faultyDisk
	name string
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.d.fails("read", f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.d.fails("write", f.name)
	switch {
	case err == nil:
	case f.d.short && !errors.Is(err, errDown):
		n, _ := f.write(p[:len(p)/2], off)
		return n, err
	default:
		return 0, err
	}
	return f.write(p, off)
}

// write notes what was there before.
func (f *faultyFile) write(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.power {
		old := make([]byte, len(p))
		n, _ := f.File.ReadAt(old, off)
		u, err := f.d.unsynced(f.File)
		if err != nil {
			return 0, err
		}
		w := was{off, old[:n], len(p)}
		u.was = append(u.was, w)
		u.gone = slices.DeleteFunc(u.gone, func(g was) bool {
			return g.at >= w.at && g.at+int64(g.n) <= w.at+int64(w.n)
		})
	}
	return f.File.WriteAt(p, off)
}

// unsynced is what was not synced of a file. Called with mu held.
func (d *faultyDisk) unsynced(f disk.File) (*unsynced, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	u := d.data[disk.ID(info)]
	if u == nil {
		fd, err := syscall.Dup(int(f.System().Fd()))
		if err != nil {
			return nil, err
		}
		u = &unsynced{file: os.NewFile(uintptr(fd), f.System().Name())}
		d.data[disk.ID(info)] = u
	}
	return u, nil
}

func (f *faultyFile) Stat() (fs.FileInfo, error) {
	if err := f.d.fails("fstat", f.name); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *faultyFile) ReadDir(n int) ([]fs.DirEntry, error) {
	if err := f.d.fails("readdir", f.name); err != nil {
		return nil, err
	}
	return f.File.ReadDir(n)
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.d.fails("truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync syncs nothing: there is no power cut but those of the tests. When it fails, what was not
// synced is never told of again, as it is with Linux.
func (f *faultyFile) Sync() error {
	err := f.d.fails("sync", f.name)
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if info, gone := f.File.Stat(); gone == nil && f.d.data[disk.ID(info)] != nil {
		f.d.data[disk.ID(info)].synced(err)
	}
	return err
}

// synced takes in what came of a sync.
func (u *unsynced) synced(err error) {
	if err != nil {
		u.gone = append(u.gone, u.was...)
	}
	u.was = nil
}

func (f *faultyFile) SyncNames() error {
	if err := f.d.fails("sync", f.name); err != nil {
		return err
	}
	info, err := f.File.Stat()
	if err != nil {
		return err
	}
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	last := -1
	for i, c := range f.d.names {
		for _, in := range c.in {
			if in == disk.ID(info) {
				last = i
			}
		}
	}
	f.d.names = f.d.names[last+1:]
	return nil
}

func (f *faultyFile) SyncAll() error {
	err := f.d.fails("sync", f.name)
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	for _, u := range f.d.data {
		u.synced(err)
	}
	if err == nil {
		f.d.names = nil
	}
	return err
}

func (f *faultyFile) Lock() error {
	if err := f.d.fails("lock", f.name); err != nil {
		return err
	}
	return f.File.Lock()
}

func (f *faultyFile) Hole(off, length int64) bool {
	return f.d.fails("seek", f.name) == nil && f.File.Hole(off, length)
}

func (f *faultyFile) Punch(off, length int64) error {
	if err := f.d.fails("fallocate", f.name); err != nil {
		return err
	}
	return f.File.Punch(off, length)
}

func (f *faultyFile) Free() (int64, bool) {
	if f.d.fails("statfs", f.name) != nil {
		return 0, false
	}
	return f.File.Free()
}

func (f *faultyFile) Close() error {
	err := f.d.fails("close", f.name)
	return errors.Join(err, f.File.Close()) // it is closed whatever it says
}
