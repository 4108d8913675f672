package member_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orchestra/member"
	"orchestra/member/store"
)

// spoilt is a folder that holds the content under its name with some parts bad.
func (s *score) spoilt(partSize int, parts ...int) string {
	s.t.Helper()
	dir := s.t.TempDir()
	content := bytes.Clone(s.content)
	for _, n := range parts {
		content[n*partSize]++
	}
	if err := os.WriteFile(filepath.Join(dir, s.file.Name), content, 0o666); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// With --repair the bad parts are got anew, in place, and no others.
func TestRepair(t *testing.T) {
	const partSize = 64 << 10
	s := newScore(t, 32*partSize, partSize)
	for _, check := range []bool{false, true} {
		dir := s.spoilt(partSize, 3, 17)
		first := s.join(member.Config{Dir: s.dir})
		p := s.join(member.Config{Dir: dir, Repair: true, Check: check, Peers: []string{first.Addr().String()}})
		s.wantComplete(p)
		s.wait(func() bool { return p.Progress().Downloaded >= 2*partSize })
		if got := p.Progress().Downloaded; got != 2*partSize {
			t.Errorf("downloaded %d bytes for two parts of %d", got, partSize)
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
}

// With --replace the content comes although something else stands under its name, which is moved
// aside when it is complete; where to is logged.
func TestReplace(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	dir := t.TempDir()
	path := filepath.Join(dir, s.file.Name)
	if err := os.WriteFile(path, []byte("a letter"), 0o666); err != nil {
		t.Fatal(err)
	}
	var content *store.ContentError
	if _, err := member.New(member.Config{File: s.file, Dir: dir, Listen: "127.0.0.1:0"}); !errors.As(err, &content) {
		t.Fatalf("without --replace: got %v", err)
	}
	first := s.join(member.Config{Dir: s.dir})
	logged := &bytes.Buffer{}
	s.log = logged
	p := s.join(member.Config{Dir: dir, Replace: true, Peers: []string{first.Addr().String()}})
	s.wantComplete(p)
	if got, err := os.ReadFile(path + ".old"); err != nil || string(got) != "a letter" {
		t.Errorf("aside: %q %v", got, err)
	}
	for _, p := range []*player{p, first} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(logged.String(), path+".old") {
		t.Errorf("logged %q", logged)
	}
}

// With --check nobody is connected to before everything is verified.
func TestCheckComesFirst(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	first := s.join(member.Config{Dir: s.dir})
	p := s.join(member.Config{Dir: s.spoilt(64<<10, 5), Check: true, Peers: []string{first.Addr().String()}})
	s.wait(func() bool {
		now := p.Progress()
		if now.Checking && now.Known > 0 {
			t.Fatalf("members are known during the check: %+v", now)
		}
		return !now.Checking && len(now.BadParts) == 1 && now.Members == 1
	})
	if p.Progress().Downloaded != 0 {
		t.Error("the content was changed without --repair")
	}
	for _, p := range []*player{p, first} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

// Content that is something else ends the member, with --check or without.
func TestContentThatIsSomethingElse(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	for _, check := range []bool{false, true} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, s.file.Name), make([]byte, 1<<20), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := member.New(member.Config{File: s.file, Dir: dir, Listen: "127.0.0.1:0", Conductors: []string{}, Check: check})
		if err != nil {
			t.Fatal(err)
		}
		var content *store.ContentError
		if err := m.Run(t.Context()); !errors.As(err, &content) {
			t.Errorf("check %v: got %v", check, err)
		}
	}
}
