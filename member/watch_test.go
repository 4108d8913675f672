package member_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/member/store"
)

// lines is a log that tests read.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) have(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.buf.String(), text)
}

// What others do to the content of a sharer costs the parts that it concerns, and they are shared
// again when it is as it was.
func TestContentThatChangesWhileShared(t *testing.T) {
	for _, test := range []struct {
		name   string
		harm   func(path string) error
		says   string
		shared int // parts of four
	}{
		{"cut short", func(path string) error { return os.Truncate(path, 2<<20+1) }, "was cut short", 2},
		{"removed", os.Remove, "is gone (no such file)", 0},
		{"in place", func(path string) error { return overwrite(path, 1<<20, make([]byte, 10)) }, "was changed", 3},
		{"replaced", func(path string) error {
			if err := os.WriteFile(path+".new", make([]byte, 4<<20), 0o666); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, "was replaced", 0},
		{"a folder", func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o777)) }, "is gone (it is not a regular file)", 0},
	} {
		for _, partSize := range []int64{1 << 20, 16 << 10} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel() // what takes time is to wait for a look
				s := newScore(t, 4<<20, partSize)
				log := &lines{}
				s.log = log
				first := s.join(member.Config{Dir: s.dir})
				s.wantComplete(first)
				path := first.Progress().Path
				if err := test.harm(path); err != nil {
					t.Skip("cannot be done here:", err)
				}
				s.wait(func() bool { return !first.Progress().Complete && log.have(test.says) })
				second := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}})
				least := test.shared * int(1<<20/partSize)
				s.wait(func() bool { return second.Progress().PartsDone >= least })
				os.Remove(path)
				if err := os.WriteFile(path, s.content, 0o666); err != nil {
					t.Fatal(err)
				}
				s.wantComplete(second)
				s.wait(func() bool { return first.Progress().Complete })
				for _, p := range []*player{first, second} {
					if err := p.end(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

func overwrite(path string, at int64, with []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(with, at)
	return errors.Join(err, f.Close())
}

// Content that is removed, moved or cut short while it comes is got nevertheless.
func TestUnfinishedContentIsMended(t *testing.T) {
	for _, test := range []struct {
		name, says string
		harm       func(path string) error
	}{
		{"removed", "was removed; what came before was kept", os.Remove},
		{"moved", "has this name again", func(path string) error { return os.Rename(path, path+".moved") }},
		{"cut short", "was ", func(path string) error { return os.Truncate(path, 100000) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScore(t, 4<<20, 64<<10)
			log := &lines{}
			s.log = log
			// The first lacks a part, so that the second is unfinished for as long as it takes.
			first := s.join(member.Config{Dir: s.spoilt(64<<10, 50)})
			second := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}})
			s.wait(func() bool { return second.Progress().PartsDone == 63 })
			if err := test.harm(second.Progress().Path); err != nil {
				t.Skip("cannot be done here:", err)
			}
			s.wait(func() bool { return log.have(test.says) })
			third := s.join(member.Config{Dir: s.dir, Peers: []string{second.Addr().String()}})
			s.wantComplete(second)
			for _, p := range []*player{first, second, third} {
				if err := p.end(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Another file in place of the one that comes is not given the content's name, and is seen at once.
func TestUnfinishedContentThatIsSwapped(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	first := s.join(member.Config{Dir: s.dir, UploadLimit: 400 << 10})
	s.wantComplete(first)
	second := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}})
	s.wait(func() bool { return second.Progress().PartsDone > 2 })
	path := second.Progress().Path
	other := filepath.Join(filepath.Dir(path), "other")
	if err := os.WriteFile(other, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Skip("cannot be done here:", err)
	}
	select {
	case err := <-second.ended:
		var disk *store.Error
		if !errors.As(err, &disk) || disk.Path != path {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Error("it goes on")
		second.end()
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "mine" {
		t.Errorf("what is another's was changed: %q %v", got, err)
	}
	if err := first.end(); err != nil {
		t.Error(err)
	}
}

// Who misses a part hears where it went.
func TestWithdrawnPartsAreNamed(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	log := &lines{}
	s.log = log
	first := s.join(member.Config{Dir: s.dir, UploadLimit: 500 << 10})
	s.wantComplete(first)
	second := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}})
	s.wait(func() bool { return second.Progress().PartsDone > 0 })
	if err := os.Truncate(first.Progress().Path, 0); err != nil {
		t.Fatal(err)
	}
	s.wait(func() bool { return log.have("missing here, are gone at " + first.Addr().String()) })
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
