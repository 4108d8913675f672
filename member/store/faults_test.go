//go:build linux || darwin

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// faultPart is a part of what is used here: four pages, so that some of one may be lost.
const faultPart = 4 * page

// A life is what happens to content from when it is opened until it has its name.
type life struct {
	name    string
	files   []string // of a folder, as newFolderShelf takes them
	prepare func(*shelf)
	cfg     Config
	only    []string
	wants   []string // files that are to be there in the end; nil: all
}

func lives() []life {
	folder := []string{"20000 a/one", "0 a/empty", "30000 b/c/two", "5000 three"}
	halfFile := func(s *shelf) {
		p := bytes.Clone(s.content)
		clear(p[2*faultPart:])
		s.put("content.part", p)
	}
	badFile := func(s *shelf) {
		p := bytes.Clone(s.content)
		p[faultPart+9]++
		s.put("content", p)
	}
	badFolder := func(s *shelf) {
		s.putFolder("content")
		flip(s, "content/b/c/two", 20000)
		must(s, os.Truncate(filepath.Join(s.dir, "content", "three"), 4000))
		must(s, os.Remove(filepath.Join(s.dir, "content", "a", "empty")))
	}
	other := func(s *shelf) { s.put("content", []byte("something else")) }
	return []life{
		{name: "file"},
		{name: "file that is half there", prepare: halfFile},
		{name: "file, repaired", prepare: badFile, cfg: Config{Repair: true}},
		{name: "file, replacing", prepare: other, cfg: Config{Replace: true}},
		{name: "file, shared", prepare: func(s *shelf) { s.put("content", s.content) }},
		{name: "folder", files: folder},
		{name: "folder, some files", files: folder, only: []string{"a", "three"}, wants: []string{"a/empty", "a/one", "three"}},
		{name: "folder, the rest", files: folder, prepare: func(s *shelf) {
			s.putFolder("content.part")
			must(s, os.Mkdir(filepath.Join(s.dir, "content"), 0o777))
			must(s, os.Rename(filepath.Join(s.dir, "content.part", "three"), filepath.Join(s.dir, "content", "three")))
			flip(s, "content.part/b/c/two", 9)
		}},
		{name: "folder, repaired", files: folder, prepare: badFolder, cfg: Config{Repair: true}},
		{name: "folder, replacing", files: folder, prepare: other, cfg: Config{Replace: true}},
	}
}

func must(s *shelf, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// flip changes a byte of a file.
func flip(s *shelf, name string, at int) {
	s.t.Helper()
	name = filepath.Join(s.dir, filepath.FromSlash(name))
	p, err := os.ReadFile(name)
	must(s, err)
	p[at]++
	must(s, os.WriteFile(name, p, 0o666))
}

// begin puts what is there at first into a folder of its own.
func (l *life) begin(t *testing.T) *shelf {
	t.Helper()
	var s *shelf
	if l.files == nil {
		s = newShelf(t, 4*faultPart+5000)
	} else {
		s = newFolderShelf(t, l.files...)
	}
	lines := s.comp.Lines
	s.comp = inParts(s.content, faultPart)
	s.comp.Lines = lines
	if l.files != nil {
		s.line("exec", "a/one")
		s.line("folder", "b/nothing")
		s.line("link", "b/link // ../a/one")
	}
	if l.prepare != nil {
		l.prepare(s)
	}
	return s
}

// A run is one time that a life is lived.
type run struct {
	*life
	s      *shelf
	disk   *faultyDisk
	chance *rand.Rand
	t      *testing.T
	about  string
}

func (r *run) errorf(format string, args ...any) {
	r.t.Helper()
	text := fmt.Sprintf("%s, %s: "+format, append([]any{r.about, r.disk.faults()}, args...)...)
	r.t.Error(strings.ReplaceAll(text, r.s.dir, "DIR"))
}

// patience is how often something is tried again.
const patience = 3

// lives opens the content, gets what is missing, and gives it its name. What fails is tried again a
// few times, as a member does.
func (r *run) lives() (err error) {
	cfg := r.cfg
	cfg.File, cfg.Dir, cfg.Disk = r.s.comp, r.s.dir, r.disk
	if r.only != nil {
		cfg.Select, err = Select(r.s.comp, r.only, nil)
		must(r.s, err)
	}
	st, err := Open(cfg)
	if err != nil {
		return &openError{err}
	}
	defer func() {
		r.wantVerified(st)
		st.Close()
	}()
	missing, err := r.check(st, cfg.Select)
	if err != nil {
		return err
	}
	r.chance.Shuffle(len(missing), func(i, j int) { missing[i], missing[j] = missing[j], missing[i] })
	settles := func() error { return st.settle(func(error) {}) }
	for range patience {
		var left []uint32
		for _, part := range missing {
			if gotErr := r.get(st, part); gotErr != nil {
				left, err = append(left, part), gotErr
			}
			if st.settling != nil {
				if settleErr := settles(); settleErr != nil {
					err = settleErr
				}
			}
		}
		if missing = left; len(left) == 0 {
			break
		}
	}
	if len(missing) > 0 {
		return err
	}
	for range 2 * patience {
		if err = st.Finish(); err == nil {
			return nil
		}
		if again := r.again(st, cfg.Select); again != nil {
			err = again
		}
	}
	return err
}

// check returns the parts that are to come.
func (r *run) check(st *Store, chosen *Selection) (missing []uint32, err error) {
	skip, _, _ := chosen.Skip(r.s.comp)
	var mu sync.Mutex
	report := func(part uint32, good bool) {
		mu.Lock()
		defer mu.Unlock()
		if !good && !st.Keeps(part) && (skip == nil || skip[part>>3]&(0x80>>(part&7)) == 0) {
			missing = append(missing, part)
		}
	}
	if st.Fresh() {
		for part := range uint32(r.s.comp.NumParts()) {
			report(part, st.Verified(part))
		}
		return missing, nil
	}
	err = st.Check(context.Background(), report)
	return missing, err
}

// get writes a part in two halves and verifies it.
func (r *run) get(st *Store, part uint32) error {
	p := r.s.content[int64(part)*faultPart:]
	p = p[:r.s.comp.PartLen(int(part))]
	half := int64(len(p) / 2)
	if err := st.Write(part, 0, p[:half]); err != nil {
		return err
	}
	if err := st.Write(part, half, p[half:]); err != nil {
		return err
	}
	good, err := st.Verify(part)
	if err == nil && !good {
		return fmt.Errorf("%w: part %d came right and does not verify", errSilent, part)
	}
	return err
}

// errSilent is a fault that nobody is told of.
var errSilent = errors.New("silent")

// again rechecks what is in doubt, and gets what is bad.
func (r *run) again(st *Store, chosen *Selection) error {
	changes, err := st.Look(st.Files())
	if err != nil {
		return err
	}
	for _, c := range changes {
		for _, part := range c.Parts {
			if good, _ := st.Recheck(part); !good && !st.Keeps(part) {
				if err := r.get(st, part); err != nil {
					return err
				}
			}
		}
	}
	for part := range uint32(r.s.comp.NumParts()) {
		if st.Verified(part) {
			continue
		}
		if good, _ := st.Recheck(part); good || st.Keeps(part) {
			continue
		}
		if skip, _, _ := chosen.Skip(r.s.comp); skip != nil && skip[part>>3]&(0x80>>(part&7)) != 0 {
			continue
		}
		if err := r.get(st, part); err != nil {
			return err
		}
	}
	return nil
}

// wantVerified checks that each part that is offered is right on disk.
func (r *run) wantVerified(st *Store) {
	r.t.Helper()
	for part := range uint32(r.s.comp.NumParts()) {
		if !st.Verified(part) {
			continue
		}
		st.layout.each(st.offset(part), st.comp.PartLen(int(part)), func(file int, at, n int64) bool {
			e := st.layout.entries[file]
			p, err := os.ReadFile(st.pathOf(file))
			if err != nil || int64(len(p)) < at+n || !bytes.Equal(p[at:at+n], r.s.content[e.Offset+at:e.Offset+at+n]) {
				r.errorf("part %d is offered and is not right in %s (%v)", part, st.pathOf(file), err)
			}
			return true
		})
	}
}

// wantNamed checks that nothing under the final name is wrong, and, if all of it is to be there,
// that it is.
func (r *run) wantNamed(all bool) {
	r.t.Helper()
	if r.files == nil {
		p, err := os.ReadFile(filepath.Join(r.s.dir, "content"))
		right := bytes.Equal(p, r.s.content)
		if !right && (all || err == nil && !r.before("content", p)) {
			r.errorf("the file is not right (%v)", err)
		}
		return
	}
	for _, e := range r.s.comp.Entries() {
		if r.wants != nil && !slices.Contains(r.wants, e.Path) {
			continue
		}
		name := "content/" + e.Path
		p, err := os.ReadFile(filepath.Join(r.s.dir, filepath.FromSlash(name)))
		right := err == nil && bytes.Equal(p, r.s.content[e.Offset:e.Offset+e.Size])
		if !right && (all || err == nil && r.cfg == (Config{})) {
			r.errorf("%s is not right (%v)", name, err)
		}
	}
}

// before reports whether something stands under a name that was there before, and may stay until
// all is complete.
func (r *run) before(name string, p []byte) bool {
	if r.prepare == nil {
		return false
	}
	if r.cfg.Repair { // it is written in place
		return len(p) <= len(r.s.content)
	}
	return r.cfg.Replace && string(p) == "something else"
}

// wantClear checks that an error says what is wrong, where, and with what of the system.
func (r *run) wantClear(err error) {
	r.t.Helper()
	var de *Error
	switch {
	case errors.Is(err, errSilent):
		r.errorf("%v", err)
	case !errors.As(err, &de):
		r.errorf("not an error of the disk: %v", err)
	case !strings.Contains(de.Error(), r.s.dir):
		r.errorf("it does not say where: %v", err)
	case r.disk.err != errDown && !errors.Is(err, r.disk.err):
		r.errorf("it does not say why (%v): %v", r.disk.err, err)
	case (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) && !strings.Contains(err.Error(), "free some"):
		r.errorf("it does not say what to do: %v", err)
	}
}

// once lives a life on a disk with a fault, and then once more on one that has none: what came of
// it is right, and nobody was told otherwise.
func (l *life) once(t *testing.T, f fault, seed uint64) (operations int) {
	t.Helper()
	s := l.begin(t)
	r := &run{
		life: l, s: s, disk: newFaultyDisk(f), t: t, chance: rand.New(rand.NewPCG(seed, 1)),
		about: fmt.Sprintf("operation %d, %v, seed %d", f.at, f.err, seed),
	}
	err := r.lives()
	operations = r.disk.operations()
	if f.power {
		if lost := r.disk.loses(r.chance); lost != nil {
			r.errorf("the test failed to lose something: %v", lost)
		}
	}
	r.disk.close()
	switch {
	case err == nil:
		r.wantNamed(true)
	case f.at == 0:
		t.Fatalf("without a fault: %v", err)
	default:
		r.wantClear(err)
		r.wantNamed(false)
		if !f.lasting && f.err != errDown && !opensOnce(err) {
			r.errorf("what failed once does not go on: %v", err)
		}
	}
	if t.Failed() {
		return operations
	}
	// All is well again.
	second := &run{life: l, s: s, disk: newFaultyDisk(fault{}), t: t, chance: r.chance, about: r.about + ", mended"}
	second.disk.failed = r.disk.failed
	if err := second.lives(); err != nil {
		second.errorf("it does not go on: %v", err)
		return operations
	}
	second.disk.close()
	second.wantNamed(true)
	return operations
}

// opensOnce reports whether content could not be opened, which a member is not patient with.
func opensOnce(err error) bool {
	var opening *openError
	return errors.As(err, &opening)
}

// openError is an error of Open.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }

// TestEveryOperationFails has every single operation of every life fail, in every way.
func TestEveryOperationFails(t *testing.T) {
	for _, l := range lives() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			all := l.once(t, fault{}, 0)
			for at := 1; at <= all && !t.Failed(); at++ {
				for i, f := range faultsAt(at) {
					if thorough() || i == at%12 || f.lasting && i/3 == at%4 {
						l.once(t, f, uint64(at))
					}
				}
				for seed := range uint64(crashes()) {
					l.once(t, fault{at: at, err: errDown, lasting: true, power: true}, uint64(at)+seed)
				}
			}
			t.Logf("%d operations", all)
		})
	}
}

// faultsAt are the ways in which an operation fails.
func faultsAt(at int) (list []fault) {
	for _, err := range []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EACCES} {
		list = append(list,
			fault{at: at, err: err, lasting: true},
			fault{at: at, err: err, short: true},
			fault{at: at, err: err, power: true})
	}
	return list
}

// thorough reports whether all is tried that can be, which takes minutes.
func thorough() bool { return os.Getenv("ORCHESTRA_TEST_LARGE") != "" }

func crashes() int {
	if thorough() {
		return 50
	}
	return 1
}
