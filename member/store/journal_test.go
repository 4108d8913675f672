package store

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

const journalFile = "content.part.journal"

// crash ends a Store without a word, as a kill does.
func crash(t *testing.T, st *Store) {
	t.Helper()
	if err := errors.Join(st.closeFiles(), st.root.Close()); err != nil {
		t.Fatal(err)
	}
}

// mustKeep writes the journal.
func mustKeep(t *testing.T, st *Store) {
	t.Helper()
	if err := st.keepJournal(); err != nil {
		t.Fatal(err)
	}
}

// known lists the parts that need not be checked.
func known(st *Store) (parts []uint32) {
	for part := range uint32(st.comp.NumParts()) {
		if st.believes(part) {
			parts = append(parts, part)
		}
	}
	return parts
}

func wantKnown(t *testing.T, st *Store, when string, want ...uint32) {
	t.Helper()
	if diff := cmp.Diff(want, known(st)); diff != "" {
		t.Errorf("%s: known (-want +got):\n%s", when, diff)
	}
}

// TestResumeAfterAStop goes on with what was there, and looks at nothing else.
func TestResumeAfterAStop(t *testing.T) {
	s := newShelf(t, 9500)
	st := s.mustOpen()
	s.get(st, 1, 4, 9)
	if err := st.Write(6, 0, s.part(6)); err != nil { // on its way
		t.Fatal(err)
	}
	st.Close()
	for range 2 { // a start that brings nothing costs nothing
		st = s.mustOpen()
		wantKnown(t, st, "again", 1, 4, 9)
		if st.believedCount != 3 || !st.Unchecked() || !st.absent(6) || st.absent(4) {
			t.Errorf("resumed %d, unchecked %v, absent %v %v", st.believedCount, st.Unchecked(), st.absent(6), st.absent(4))
		}
		if diff := cmp.Diff([]uint32{1, 4, 9}, checked(t, st)); diff != "" {
			t.Error(diff)
		}
		st.Close()
	}
	st = s.mustOpen()
	s.get(st, 0, 2, 3, 5, 6, 7, 8)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("left:", diff)
	}
	st.Close()
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("left in the end:", diff)
	}
}

// TestResumeWithinTheCheck does not take for missing what was not looked at when the join ended.
func TestResumeWithinTheCheck(t *testing.T) {
	s := newShelf(t, 5000)
	s.put("content.part", s.content)
	st := s.mustOpen()
	if ok, err := st.Recheck(2); !ok || err != nil {
		t.Fatal(err)
	}
	st.Close()
	st = s.mustOpen()
	wantKnown(t, st, "after one part was looked at", 2)
	if diff := cmp.Diff([]uint32{0, 1, 2, 3, 4}, checked(t, st)); diff != "" {
		t.Error(diff)
	}
}

// TestJournalThatIsNotBelieved checks everything where the journal cannot be right, and harms
// nothing.
func TestJournalThatIsNotBelieved(t *testing.T) {
	path := func(s *shelf, name string) string { return filepath.Join(s.dir, name) }
	change := func(s *shelf, name string, change func(b []byte) []byte) {
		s.t.Helper()
		b, err := os.ReadFile(path(s, name))
		if err == nil {
			err = os.WriteFile(path(s, name), change(b), 0o666)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	must := func(s *shelf, err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		dirty bool // it is believed after a crash where it is not after a stop
		do    func(s *shelf)
	}{
		{"removed", false, func(s *shelf) { must(s, os.Remove(path(s, journalFile))) }},
		{"empty", false, func(s *shelf) { must(s, os.Truncate(path(s, journalFile), 0)) }},
		{"torn", false, func(s *shelf) {
			change(s, journalFile, func(b []byte) []byte {
				for i := range b {
					if i%100 == 50 {
						b[i]++
					}
				}
				return b
			})
		}},
		{"of other content", false, func(s *shelf) {
			change(s, journalFile, func(b []byte) []byte {
				r := record{files: []stamp{{}}, have: make([]byte, 1), clean: true}
				return r.encode(orch.ID{1}, 5)
			})
		}},
		{"content written to", true, func(s *shelf) {
			f, err := os.OpenFile(path(s, "content.part"), os.O_RDWR, 0)
			must(s, err)
			_, err = f.WriteAt([]byte("x"), 4500)
			must(s, errors.Join(err, f.Close()))
			now := time.Now().Add(time.Second)
			must(s, os.Chtimes(path(s, "content.part"), now, now))
		}},
		{"content older", false, func(s *shelf) {
			old := time.Now().Add(-time.Hour)
			must(s, os.Chtimes(path(s, "content.part"), old, old))
		}},
		{"content shorter", false, func(s *shelf) { must(s, os.Truncate(path(s, "content.part"), 4000)) }},
		{"another file", false, func(s *shelf) {
			b, err := os.ReadFile(path(s, "content.part"))
			must(s, err)
			info, err := os.Stat(path(s, "content.part"))
			must(s, err)
			must(s, os.WriteFile(path(s, "new"), b, 0o666))
			must(s, os.Chtimes(path(s, "new"), info.ModTime(), info.ModTime()))
			must(s, os.Rename(path(s, "new"), path(s, "content.part")))
		}},
		{"a link", false, func(s *shelf) {
			must(s, os.Rename(path(s, journalFile), path(s, "elsewhere")))
			must(s, os.Symlink("elsewhere", path(s, journalFile)))
		}},
		{"somebody's", false, func(s *shelf) { s.put(journalFile, []byte("dear diary")) }},
	}
	for _, test := range tests {
		for _, crashes := range []bool{false, true} {
			s := newShelf(t, 5000)
			st := s.mustOpen()
			s.get(st, 0, 1, 3)
			if crashes {
				mustKeep(t, st)
				crash(t, st)
			} else {
				st.Close()
			}
			test.do(s)
			st = s.mustOpen()
			if crashes && test.dirty {
				wantKnown(t, st, test.name, 0, 1, 3)
			} else {
				wantKnown(t, st, test.name)
			}
			if diff := cmp.Diff([]uint32{0, 1, 3}, checked(t, st)); diff != "" {
				t.Errorf("%s: found %s", test.name, diff)
			}
			s.get(st, 2, 4)
			if err := st.Finish(); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			if got, err := os.ReadFile(path(s, "content")); err != nil || !slices.Equal(got, s.content) {
				t.Errorf("%s: the content is something else: %v", test.name, err)
			}
			st.Close()
			left := slices.DeleteFunc(s.names(), func(name string) bool { return name == "content" })
			if test.name != "a link" && test.name != "somebody's" && len(left) > 0 {
				t.Errorf("%s: left %v", test.name, left)
			}
			if test.name == "somebody's" && !slices.Equal(left, []string{journalFile}) {
				t.Errorf("what is no journal was removed, or something is left: %v", left)
			}
		}
	}
}

// TestCheckBelievesNothing reads all again with Config.Check, and says no more what it did not
// find.
func TestCheckBelievesNothing(t *testing.T) {
	s := newShelf(t, 5000)
	st := s.mustOpen()
	s.get(st, 0, 1, 3)
	st.Close()
	st, err := Open(Config{File: s.comp, Dir: s.dir, Check: true})
	if err != nil {
		t.Fatal(err)
	}
	wantKnown(t, st, "with a check")
	crash(t, st)
	wantKnown(t, s.mustOpen(), "after a crash within it")
}

// TestJournalAfterACrash checks again what came after the journal was written last, and no more.
func TestJournalAfterACrash(t *testing.T) {
	s := newShelf(t, 9500)
	st := s.mustOpen()
	s.get(st, 0, 1, 2)
	mustKeep(t, st)
	s.get(st, 5, 6)
	crash(t, st)
	// What was written after the sync was lost with the power.
	f, err := os.OpenFile(filepath.Join(s.dir, "content.part"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 1000), 6000); err != nil {
		t.Fatal(err)
	}
	f.Close()
	st = s.mustOpen()
	wantKnown(t, st, "after a crash", 0, 1, 2)
	if st.absent(7) {
		t.Error("after a crash nothing is known of what the journal does not name")
	}
	if diff := cmp.Diff([]uint32{0, 1, 2, 5}, checked(t, st)); diff != "" {
		t.Error(diff)
	}
	crash(t, st) // nothing came since: what was believed is believed again
	wantKnown(t, s.mustOpen(), "after another crash", 0, 1, 2)
}

// TestJournalThatSaysTooMuch: the content was put back as it was before.
func TestJournalThatSaysTooMuch(t *testing.T) {
	s := newShelf(t, 5000)
	st := s.mustOpen()
	s.get(st, 0)
	mustKeep(t, st)
	before, err := os.ReadFile(filepath.Join(s.dir, "content.part"))
	if err != nil {
		t.Fatal(err)
	}
	s.get(st, 1, 2)
	mustKeep(t, st)
	crash(t, st)
	at := time.Now().Add(-time.Minute)
	s.put("content.part", before) // in the same file
	if err := os.Chtimes(filepath.Join(s.dir, "content.part"), at, at); err != nil {
		t.Fatal(err)
	}
	st = s.mustOpen()
	wantKnown(t, st, "of an older file")
	if diff := cmp.Diff([]uint32{0}, checked(t, st)); diff != "" {
		t.Error(diff)
	}
}

// TestTornJournal believes the record before where the last one was not written in full.
func TestTornJournal(t *testing.T) {
	s := newShelf(t, 5000)
	st := s.mustOpen()
	s.get(st, 0)
	mustKeep(t, st)
	s.get(st, 1)
	mustKeep(t, st)
	last := st.journal.rec.seq
	crash(t, st)
	path := filepath.Join(s.dir, journalFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := int(recordLen(1, 5))
	clear(b[int(last%2)*n+n/2:][:n/2])
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	st = s.mustOpen()
	wantKnown(t, st, "by the record before", 0)
	if diff := cmp.Diff([]uint32{0, 1}, checked(t, st)); diff != "" {
		t.Error(diff)
	}
}

// TestFreshContentHasNoPast drops the journal of content that was removed: a new file may have the
// number of the old one.
func TestFreshContentHasNoPast(t *testing.T) {
	for _, folder := range []bool{false, true} {
		s := newShelf(t, 5000)
		if folder {
			s = newFolderShelf(t, "2500 a", "2500 b")
		}
		st := s.mustOpen()
		s.get(st, 0, 3)
		mustKeep(t, st)
		crash(t, st)
		if err := os.RemoveAll(filepath.Join(s.dir, "content.part")); err != nil {
			t.Fatal(err)
		}
		st = s.mustOpen()
		crash(t, st)
		if diff := cmp.Diff([]string{"content.part"}, s.names()); diff != "" {
			t.Error(diff)
		}
		wantKnown(t, s.mustOpen(), "of a file that was made anew")
	}
}

// TestLostPartLeavesTheJournal takes a part out of the journal at once that is found bad.
func TestLostPartLeavesTheJournal(t *testing.T) { synctest.Test(t, lostPartLeavesTheJournal) }

func lostPartLeavesTheJournal(t *testing.T) {
	s := newShelf(t, 5000)
	st := s.mustOpen()
	s.get(st, 0, 1, 2)
	ctx, cancel := context.WithCancel(t.Context())
	var kept sync.WaitGroup
	mustKeep(t, st)
	kept.Go(func() { st.KeepJournal(ctx, func(err error) { t.Error(err) }) })
	f, err := os.OpenFile(filepath.Join(s.dir, "content.part"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("bad"), 1100); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if ok, _ := st.Recheck(1); ok {
		t.Fatal("it verifies")
	}
	synctest.Wait() // no time passes
	st.journal.mu.Lock()
	r := st.readJournal()
	st.journal.mu.Unlock()
	if r == nil || r.have[0] != 0b10100000 {
		t.Errorf("it still says %+v", r)
	}
	cancel()
	kept.Wait()
}

// TestJournalIsWrittenInTime is about when it is: some time after something came, and at once when
// much did.
func TestJournalIsWrittenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, 9500)
		st := s.mustOpen()
		ctx, cancel := context.WithCancel(t.Context())
		var kept sync.WaitGroup
		kept.Go(func() { st.KeepJournal(ctx, func(err error) { t.Error(err) }) })
		says := func(when string, want byte) {
			t.Helper()
			synctest.Wait()
			st.journal.mu.Lock()
			defer st.journal.mu.Unlock()
			if r := st.readJournal(); r == nil && want != 0 || r != nil && (r.have[0] != want || r.clean) {
				t.Errorf("%s it says %+v, want %08b", when, r, want)
			}
		}
		time.Sleep(time.Hour)
		says("when nothing came", 0)
		s.get(st, 0)
		time.Sleep(journalEvery - 1)
		says("before its time", 0)
		s.get(st, 1)
		time.Sleep(time.Nanosecond)
		says("after some time", 0b11000000)
		s.get(st, 2)
		st.mu.Lock()
		st.journal.bytes = journalBytes
		st.mu.Unlock()
		s.get(st, 3)
		says("when much came", 0b11110000)
		cancel()
		kept.Wait()
	})
}

// TestJournalOfAFolder goes on file by file: what is not as it was costs its own parts.
func TestJournalOfAFolder(t *testing.T) {
	s := newFolderShelf(t, "1500 a", "1500 b/c", "2000 d", "0 empty")
	st := s.mustOpen()
	s.get(st, 0, 1, 2, 3)
	st.Close()
	if diff := cmp.Diff([]string{"content.part", journalFile}, s.names()); diff != "" {
		t.Error(diff)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "content.part", "a"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("bad"), 100); err != nil {
		t.Fatal(err)
	}
	f.Close()
	at := time.Now().Add(time.Second)
	if err := os.Chtimes(filepath.Join(s.dir, "content.part", "a"), at, at); err != nil {
		t.Fatal(err)
	}
	st = s.mustOpen()
	wantKnown(t, st, "when a file was changed", 2, 3)
	if diff := cmp.Diff([]uint32{1, 2, 3}, checked(t, st)); diff != "" {
		t.Error(diff)
	}
	s.get(st, 0, 4)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a", "b/c", "d", "empty")
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("left:", diff)
	}
}

// TestJournalOfAChoice outlasts the end of what was chosen, as NAME.part does.
func TestJournalOfAChoice(t *testing.T) {
	s := newFolderShelf(t, "1500 a", "1500 b", "2000 c")
	for _, crashes := range []bool{true, false} {
		st := s.openChosen("b")
		s.get(st, 1, 2)
		if crashes {
			mustKeep(t, st)
			s.settleNow(st) // after which it has its name, and maybe another time
			mustKeep(t, st)
			crash(t, st)
			continue
		}
		wantKnown(t, st, "after a crash", 1, 2)
		if err := st.Finish(); err != nil {
			t.Fatal(err)
		}
		crash(t, st)
	}
	st := s.mustOpen()
	wantKnown(t, st, "without a choice", 1, 2)
	s.get(st, 0, 3, 4)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	st.Close()
	s.wantFiles("content", "a", "b", "c")
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("left:", diff)
	}
}

// TestJournalThatCannotBeWritten costs the journal only, and is said.
func TestJournalThatCannotBeWritten(t *testing.T) {
	s := newShelf(t, 5000)
	full := errors.New("no room")
	d := &watched{onWrite: func(name string, _ []byte, _ int64) error {
		if strings.HasSuffix(name, JournalSuffix) {
			return full
		}
		return nil
	}}
	st, err := Open(Config{File: s.comp, Dir: s.dir, Disk: d})
	if err != nil {
		t.Fatal(err)
	}
	s.get(st, 0, 1)
	if err := st.keepJournal(); !errors.Is(err, full) || !strings.Contains(err.Error(), journalFile) {
		t.Errorf("got %v", err)
	}
	s.get(st, 2, 3, 4)
	if err := st.Finish(); err != nil {
		t.Error(err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("left:", diff)
	}
}

// TestStaleJournalIsRemoved: the join was killed after the content got its name.
func TestStaleJournalIsRemoved(t *testing.T) {
	s := newShelf(t, 5000)
	st := s.mustOpen()
	s.get(st, 0, 1, 2, 3, 4)
	mustKeep(t, st)
	crash(t, st)
	if err := os.Rename(filepath.Join(s.dir, "content.part"), filepath.Join(s.dir, "content")); err != nil {
		t.Fatal(err)
	}
	wantKnown(t, s.mustOpen(), "of what has its name")
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("left:", diff)
	}
}

// TestJournalSaysWhatIsDurable lets anything happen, and looks at each record that is written: all
// it names was written and synced before.
func TestJournalSaysWhatIsDurable(t *testing.T) {
	for _, folder := range []bool{false, true} {
		for seed := range uint64(8) {
			testDurable(t, folder, seed)
		}
	}
}

func testDurable(t *testing.T, folder bool, seed uint64) {
	s := newShelf(t, 20000)
	if folder {
		s = newFolderShelf(t, "3500 a", "4500 b", "2000 c", "10000 d")
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	type stretch struct{ at, end int64 }
	unsynced := map[string][]stretch{} // by file
	records := 0
	d := &watched{}
	layout := newLayout(s.comp)
	d.onSync = func(name string) { // what was written before is durable when it ends
		mu.Lock()
		defer mu.Unlock()
		delete(unsynced, name)
	}
	d.onWrite = func(name string, p []byte, at int64) error {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasSuffix(name, JournalSuffix) {
			unsynced[name] = append(unsynced[name], stretch{at, at + int64(len(p))})
			return nil
		}
		records++
		r, err := decodeRecord(p, s.comp.ID(), len(layout.entries), s.comp.NumParts())
		if err != nil {
			t.Errorf("it is written in pieces: %v", err)
			return nil
		}
		for part := range uint32(s.comp.NumParts()) {
			if r.have[part>>3]&(0x80>>(part&7)) == 0 {
				continue
			}
			layout.each(int64(part)*testPart, testPart, func(file int, at, n int64) bool {
				name := layout.entries[file].Path
				if !folder {
					name = "content.part"
				}
				if slices.ContainsFunc(unsynced[name], func(u stretch) bool { return u.at < at+n && at < u.end }) {
					t.Errorf("seed %d: the journal names part %d, and %s is not synced", seed, part, name)
				}
				return true
			})
		}
		return nil
	}
	open := func() *Store {
		st, err := Open(Config{File: s.comp, Dir: s.dir, Disk: d})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	st := open()
	for range 60 {
		switch part := rng.IntN(20); rng.IntN(8) {
		case 0:
			mustKeep(t, st)
		case 1:
			crash(t, st)
			st = open()
		case 2:
			st.Close()
			st = open()
		case 3:
			checked(t, st)
		default:
			s.get(st, part)
			mu.Lock()
			dirty := len(unsynced) > 0
			mu.Unlock()
			if dirty && rng.IntN(3) == 0 {
				continue
			}
			mustKeep(t, st)
		}
	}
	st.Close()
	if records < 20 {
		t.Errorf("seed %d: %d records", seed, records)
	}
}

// watched is a disk that tells what is written and synced.
type watched struct {
	onWrite func(name string, p []byte, at int64) error // before it is
	onSync  func(name string)                           // after it was
}

func (w *watched) MkdirAll(path string, perm fs.FileMode) error {
	return disk.System().MkdirAll(path, perm)
}
func (w *watched) Stat(path string) (fs.FileInfo, error) { return disk.System().Stat(path) }
func (w *watched) Open(path string) (disk.File, error)   { return disk.System().Open(path) }

func (w *watched) OpenRoot(path string) (disk.Root, error) {
	r, err := disk.System().OpenRoot(path)
	return watchedRoot{r, w}, err
}

type watchedRoot struct {
	disk.Root
	w *watched
}

func (r watchedRoot) OpenRoot(name string) (disk.Root, error) {
	opened, err := r.Root.OpenRoot(name)
	return watchedRoot{opened, r.w}, err
}

func (r watchedRoot) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := r.Root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return watchedFile{f, r.w, name}, nil
}

type watchedFile struct {
	disk.File
	w    *watched
	name string
}

func (f watchedFile) SyncsAll() bool      { return false }
func (f watchedFile) Free() (int64, bool) { return 0, false }

func (f watchedFile) WriteAt(p []byte, at int64) (int, error) {
	if f.w.onWrite != nil {
		if err := f.w.onWrite(f.name, p, at); err != nil {
			return 0, err
		}
	}
	return f.File.WriteAt(p, at)
}

func (f watchedFile) Sync() error {
	err := f.File.Sync()
	if err == nil && f.w.onSync != nil {
		f.w.onSync(f.name)
	}
	return err
}

// FuzzJournal puts anything in the place of the journal. The content is not harmed.
func FuzzJournal(f *testing.F) {
	r := record{files: []stamp{{}}, have: []byte{0xff}, clean: true}
	f.Add(r.encode(orch.ID{}, 5))
	f.Add([]byte(recordMagic))
	f.Add(binary.BigEndian.AppendUint64(nil, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newShelf(t, 5000)
		s.put("content.part", slices.Concat(s.content[:3000], make([]byte, 2000)))
		s.put(journalFile, b)
		st := s.mustOpen()
		if diff := cmp.Diff([]uint32{0, 1, 2}, checked(t, st)); diff != "" {
			t.Error(diff)
		}
	})
}
