package member_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"orchestra/compose"
	"orchestra/member"
	"orchestra/member/store"
	"orchestra/orch"
)

// patience is how long a test waits for what has to come. That it ends tells of a hang; how soon
// something comes depends on the machine.
const patience = 2 * time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// score is a composition made for a test, and the content it was made from.
type score struct {
	t       *testing.T
	file    *orch.File
	content []byte
	dir     string    // holds the content under its name
	log     io.Writer // of the members that join; nil: the test's
}

func newScore(t *testing.T, size int, partSize int64) *score {
	t.Helper()
	s := &score{t: t, dir: t.TempDir(), content: make([]byte, size)}
	rand.NewChaCha8([32]byte{1}).Read(s.content)
	path := filepath.Join(s.dir, "content.bin")
	if err := os.WriteFile(path, s.content, 0o666); err != nil {
		t.Fatal(err)
	}
	var err error
	s.file, err = compose.Compose(t.Context(), compose.Config{Path: path, Conductors: []string{"localhost:1"}, PartSize: partSize})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// player is a running member.
type player struct {
	*member.Member
	done  chan string // the path, once complete
	ended chan error  // what Run returned
	end   func() error
}

func (s *score) join(cfg member.Config) *player {
	s.t.Helper()
	p := &player{done: make(chan string, 1), ended: make(chan error, 1)}
	if cfg.File == nil {
		cfg.File = s.file
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Conductors == nil {
		cfg.Conductors = []string{}
	}
	cfg.OnComplete = func(path string) { p.done <- path }
	var log io.Writer = zerolog.NewTestWriter(s.t)
	if s.log != nil {
		log = zerolog.SyncWriter(s.log)
	}
	cfg.Log = zerolog.New(log).Level(zerolog.InfoLevel)
	var err error
	if p.Member, err = member.New(cfg); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	go func() { p.ended <- p.Run(ctx) }()
	p.end = func() error { cancel(); return <-p.ended }
	return p
}

func (s *score) wantComplete(p *player) {
	s.t.Helper()
	select {
	case path := <-p.done:
		got, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		if sha1.Sum(got) != sha1.Sum(s.content) || !bytes.Equal(got, s.content) {
			s.t.Fatalf("%s differs from the content", path)
		}
	case <-time.After(patience):
		s.t.Fatalf("not complete: %+v", p.Progress())
	}
}

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		name     string
		size     int
		partSize int64
	}{
		{"empty", 0, 16 << 10},
		{"one byte", 1, 16 << 10},
		{"parts of one run", 5<<20 + 1, 256 << 10},
		{"small parts", 1<<20 + 1, 16 << 10},
		{"odd parts", 3 << 20, 100_003},
		{"parts of several runs", 21<<20 + 7, 4 << 20},
		{"one part", 3<<20 + 5, 16 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScore(t, test.size, test.partSize)
			first := s.join(member.Config{Dir: s.dir})
			s.wantComplete(first)
			peers := []string{first.Addr().String()}
			var players []*player
			for range 3 {
				p := s.join(member.Config{Dir: t.TempDir(), Peers: peers})
				peers = append(peers, p.Addr().String())
				players = append(players, p)
			}
			for _, p := range players {
				s.wantComplete(p)
			}
			for _, p := range append(players, first) {
				if err := p.end(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestBadPartIsNeverOffered(t *testing.T) {
	s := newScore(t, 2<<20, 64<<10)
	bad := t.TempDir()
	content := bytes.Clone(s.content)
	content[7*64<<10+5]++
	path := filepath.Join(bad, s.file.Name)
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	sharer := s.join(member.Config{Dir: bad})
	getter := s.join(member.Config{Dir: t.TempDir(), Peers: []string{sharer.Addr().String()}})
	s.wait(func() bool { return getter.Progress().PartsDone == 31 })
	s.wait(func() bool { return !sharer.Progress().Checking })
	if diff := cmp.Diff([]int{7}, sharer.Progress().BadParts); diff != "" {
		t.Error("bad parts (-want +got):", diff)
	}
	good := s.join(member.Config{Dir: s.dir, Peers: []string{getter.Addr().String()}})
	s.wantComplete(getter)
	for _, p := range []*player{sharer, getter, good} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Error("the bad content was changed", err)
	}
}

// wait waits until something that was set in motion is so.
func (s *score) wait(so func() bool) {
	s.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatal("waited for ", patience)
		}
	}
}

func TestJoinAgainGoesOn(t *testing.T) {
	s := newScore(t, 8<<20, 64<<10)
	first := s.join(member.Config{Dir: s.dir, UploadLimit: 4 << 20})
	dir := t.TempDir()
	p := s.join(member.Config{Dir: dir, Peers: []string{first.Addr().String()}})
	s.wait(func() bool { return p.Progress().PartsDone > 20 })
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	had := p.Progress().PartsDone
	p = s.join(member.Config{Dir: dir, Peers: []string{first.Addr().String()}})
	s.wantComplete(p)
	if got := p.Progress().Downloaded; got > int64(128-had)*64<<10 {
		t.Errorf("downloaded %d bytes, though %d of 128 parts were there", got, had)
	}
	for _, p := range []*player{p, first} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

func TestSecondJoinIntoTheSameFolderIsRefused(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	dir := t.TempDir()
	p := s.join(member.Config{Dir: dir})
	_, err := member.New(member.Config{File: s.file, Dir: dir, Listen: "127.0.0.1:0"})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte(store.ErrLocked.Error())) {
		t.Errorf("got %v", err)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

// Ending while content is checked is no error, whichever the loop hears of first.
func TestEndWithinTheCheck(t *testing.T) {
	s := newScore(t, 16<<20, 64<<10)
	for range 50 {
		p := s.join(member.Config{Dir: s.dir})
		s.wait(func() bool { return p.Progress().PartsDone > 0 })
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
	}
}
