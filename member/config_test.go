package member_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/orch"
)

// What a program may get wrong in a Config is an error, and leaves nothing behind.
func TestNewRefuses(t *testing.T) {
	s := newScore(t, 1, 16<<10)
	for name, cfg := range map[string]member.Config{
		"no file":        {},
		"an empty file":  {File: &orch.File{}},
		"no conductor":   {File: s.file, Conductors: []string{""}},
		"no port at all": {File: s.file, Conductors: []string{"host:port:port:"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Dir, cfg.Listen = t.TempDir(), "127.0.0.1:0"
			if m, err := member.New(cfg); err == nil {
				t.Errorf("a member at %v", m.Addr())
			}
			if there, err := os.ReadDir(cfg.Dir); err != nil || len(there) > 0 {
				t.Errorf("in the folder: %v, %v", there, err)
			}
		})
	}
	_, err := member.New(member.Config{File: &orch.File{}})
	if _, ok := errors.AsType[*orch.ParseError](err); !ok {
		t.Errorf("an empty file: %T %v", err, err)
	}
}

// A member that is not to run is closed by a Run whose context has ended: its port and its folder
// are free again.
func TestNotToRun(t *testing.T) {
	s := newScore(t, 1, 16<<10)
	ended, end := context.WithCancel(t.Context())
	end()
	cfg := member.Config{File: s.file, Dir: t.TempDir(), Listen: "127.0.0.1:0"}
	for range 2 {
		m, err := member.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		waits, err := net.Dial("tcp", m.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer waits.Close()
		if err := m.Run(ended); err != nil {
			t.Error(err)
		}
		// Nobody has taken this connection, so it ends with the listener and not before.
		waits.SetReadDeadline(time.Now().Add(patience))
		if _, err := waits.Read(make([]byte, 1)); err == nil ||
			errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the port is still listened on: %v", err)
		}
	}
}

// The limits of a Config mean none where they are not positive, and a conductor's port may be left
// out.
func TestConfigDefaults(t *testing.T) {
	s := newScore(t, 100_000, 16<<10)
	first := s.join(member.Config{Dir: s.dir, UploadLimit: -1, DownloadLimit: -1, MaxPeers: -1, Conductors: []string{"127.0.0.1"}})
	s.wantComplete(first)
	second := s.join(member.Config{Dir: t.TempDir(), DownloadLimit: -1, MaxPeers: -1, Peers: []string{first.Addr().String()}})
	s.wantComplete(second)
	if words := first.Progress().Conductor; strings.Contains(words, "missing port") {
		t.Errorf("the conductor without a port: %s", words)
	}
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
