package member_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"orchestra/member"
)

func TestGet(t *testing.T) {
	s := newScore(t, 3<<20, 64<<10)
	first := s.join(member.Config{Dir: s.dir})
	told := ""
	dir := t.TempDir()
	path, err := member.Get(t.Context(), member.Config{
		File: s.file, Dir: dir, Listen: "127.0.0.1:0", Conductors: []string{}, Peers: []string{first.Addr().String()},
		OnComplete: func(p string) { told = p },
	})
	if err != nil || path != told || filepath.Dir(path) != dir {
		t.Fatalf("%q, told %q: %v", path, told, err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, s.content) {
		t.Errorf("it got something else: %v", err)
	}
	if err := first.end(); err != nil {
		t.Error(err)
	}
}

// A Get that ends early says why, and one that cannot begin what is wrong.
func TestGetInVain(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	why := errors.New("enough waited")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
	defer cancel()
	cfg := member.Config{File: s.file, Dir: t.TempDir(), Listen: "127.0.0.1:0", Conductors: []string{}}
	if path, err := member.Get(ctx, cfg); path != "" || !errors.Is(err, why) {
		t.Errorf("%q, %v", path, err)
	}
	cfg.Listen = "192.0.2.1:1"
	var listen *member.ListenError
	if _, err := member.Get(t.Context(), cfg); !errors.As(err, &listen) {
		t.Errorf("it says %v", err)
	}
}

func TestEvents(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	var first *player
	second := s.join(member.Config{Dir: t.TempDir()})
	events := second.Events(t.Context())
	seen := map[member.EventKind]int{}
	for e := range events {
		seen[e.Kind]++
		if e.Kind == member.Progressed && first == nil { // how far it was before
			first = s.join(member.Config{Dir: s.dir, Peers: []string{second.Addr().String()}})
		}
		if e.Kind == member.Completed {
			if !e.Progress.Complete {
				t.Errorf("complete, and %+v", e.Progress)
			}
			go second.end()
		}
		if seen[member.Ended] > 0 && e.Kind != member.Ended {
			t.Errorf("%v after the end", e.Kind)
		}
	}
	if seen[member.Progressed] == 0 || seen[member.Completed] != 1 || seen[member.Ended] != 1 {
		t.Errorf("it told %v", seen)
	}
	// Of one that has ended, the end is told at once; nobody is waited for who does not listen.
	for e := range second.Events(t.Context()) {
		seen[e.Kind]++
	}
	if seen[member.Ended] != 2 {
		t.Errorf("it told %v", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ignored := first.Events(ctx)
	cancel()
	for range ignored {
	}
	if err := first.end(); err != nil {
		t.Error(err)
	}
}

// Reads anywhere wait for what they read, and are right.
func TestContentIsReadAnywhere(t *testing.T) {
	s := newScore(t, 5<<20+7, 64<<10)
	second := s.join(member.Config{Dir: t.TempDir(), Sequential: true})
	r := second.Content(t.Context())
	if r.Size() != int64(len(s.content)) {
		t.Fatalf("%d bytes", r.Size())
	}
	var reads sync.WaitGroup
	for _, at := range []int64{r.Size() - 5, 0, 64<<10 - 3, 3 << 20} {
		reads.Go(func() {
			p := make([]byte, 200_000)
			n, err := r.ReadAt(p, at)
			want := s.content[at:min(at+int64(len(p)), r.Size())]
			if !bytes.Equal(p[:n], want) || (err != nil) != (n < len(p)) || err != nil && err != io.EOF {
				t.Errorf("at %d: %d bytes, %v", at, n, err)
			}
		})
	}
	first := s.join(member.Config{Dir: s.dir, Peers: []string{second.Addr().String()}})
	reads.Wait()
	all, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil || !bytes.Equal(all, s.content) {
		t.Errorf("%d bytes, %v", len(all), err)
	}
	for at, want := range map[int64]error{r.Size(): io.EOF, r.Size() + 1: io.EOF} {
		if n, err := r.ReadAt(make([]byte, 1), at); n != 0 || err != want {
			t.Errorf("at %d: %d, %v", at, n, err)
		}
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("there is something before the beginning")
	}
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.ReadAt(make([]byte, 1), 0); !errors.Is(err, member.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}
