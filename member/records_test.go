package member_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/member"
	"orchestra/member/store"
)

// A join that was ended goes on with what it had, and reads nothing again.
func TestGoesOnWithoutACheck(t *testing.T) {
	const partSize = 64 << 10
	s := newScore(t, 32*partSize, partSize)
	dir := t.TempDir()
	sharer := s.join(member.Config{Dir: s.spoilt(partSize, 3, 17)})
	p := s.join(member.Config{Dir: dir, Peers: []string{sharer.Addr().String()}})
	s.wait(func() bool { return p.Progress().PartsDone == 30 })
	for _, p := range []*player{p, sharer} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	first := s.join(member.Config{Dir: s.dir})
	s.wantComplete(first)
	p = s.join(member.Config{Dir: dir, Peers: []string{first.Addr().String()}})
	if n := p.Progress().Resumed; n != 30 {
		t.Errorf("%d parts are resumed, want 30", n)
	}
	s.wantComplete(p)
	if n := p.Progress().Downloaded; n != 2*partSize {
		t.Errorf("downloaded %d bytes for two parts of %d", n, partSize)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v %v", entries, err)
	}
	for _, p := range []*player{p, first} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

// flipQuietly changes a byte of the content and leaves its time, as a disk does that goes bad.
func (s *score) flipQuietly(at int64) {
	s.t.Helper()
	path := filepath.Join(s.dir, s.file.Name)
	info, err := os.Stat(path)
	if err != nil {
		s.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{s.content[at] + 1}, at); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		s.t.Fatal(err)
	}
}

// remembered are records by which the content was read in full so long ago.
func (s *score) remembered(ago time.Duration) *store.Records {
	s.t.Helper()
	read := time.Now().Add(-ago)
	at := read.Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(s.dir, s.file.Name), at, at); err != nil {
		s.t.Fatal(err)
	}
	records := store.OpenRecords(s.t.TempDir())
	records.Remember(s.file, s.file.ID(), s.dir, read)
	return records
}

// What was checked before is shared at once, and is complete without being read.
func TestSharesWhatWasCheckedBefore(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	records := s.remembered(time.Hour)
	for range 2 {
		first := s.join(member.Config{Dir: s.dir, Records: records})
		if p := first.Progress(); p.Resumed != 64 || p.Checking {
			t.Errorf("at the start: %+v", p)
		}
		s.wantComplete(first)
		p := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}})
		s.wantComplete(p)
		for _, p := range []*player{p, first} {
			if err := p.end(); err != nil {
				t.Error(err)
			}
		}
	}
	checks := s.join(member.Config{Dir: s.dir, Records: records, Check: true})
	if n := checks.Progress().Resumed; n != 0 {
		t.Errorf("with a check %d parts are known", n)
	}
	s.wantComplete(checks)
	if err := checks.end(); err != nil {
		t.Error(err)
	}
}

// A part that went bad since is found when it is asked for, and costs nobody else anything.
func TestRecordThatIsWrong(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	records := s.remembered(time.Hour)
	good := s.t.TempDir()
	if err := os.WriteFile(filepath.Join(good, s.file.Name), s.content, 0o666); err != nil {
		t.Fatal(err)
	}
	s.flipQuietly(17*64<<10 + 5)
	first := s.join(member.Config{Dir: s.dir, Records: records})
	p := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}})
	s.wait(func() bool { return len(first.Progress().BadParts) > 0 && p.Progress().PartsDone == 63 })
	if diff := cmp.Diff([]int{17}, first.Progress().BadParts); diff != "" {
		t.Error(diff)
	}
	other := s.join(member.Config{Dir: good, Peers: []string{p.Addr().String()}})
	s.wantComplete(p)
	for _, p := range []*player{p, other, first} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	again := s.join(member.Config{Dir: s.dir, Records: records})
	s.wait(func() bool { p := again.Progress(); return !p.Checking && len(p.BadParts) > 0 })
	if p := again.Progress(); p.Resumed != 63 || p.PartsDone != 63 {
		t.Errorf("the next time: %+v", p)
	}
	if err := again.end(); err != nil {
		t.Error(err)
	}
}

// What was read long ago is read again in the background, though nobody asks for it.
func TestOldRecordIsLookedInto(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	records := s.remembered(8 * 24 * time.Hour)
	s.flipQuietly(17*64<<10 + 5)
	p := s.join(member.Config{Dir: s.dir, Records: records})
	if n := p.Progress().Resumed; n != 64 {
		t.Errorf("%d parts are known", n)
	}
	s.wait(func() bool { return len(p.Progress().BadParts) > 0 })
	if diff := cmp.Diff([]int{17}, p.Progress().BadParts); diff != "" {
		t.Error(diff)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}
