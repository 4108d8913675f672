package member

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"orchestra/compose"
	"orchestra/member/swarm"
)

// Whoever reads that the check is over, or that all is here, reads the counts that go with it.
func TestCountsGoWithTheOutcome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "music")
	if err := os.WriteFile(path, bytes.Repeat([]byte{1, 2, 3}, 100_000), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := compose.Compose(t.Context(), compose.Config{Path: path, PartSize: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Config{File: file, Dir: filepath.Dir(path), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.store.Close()
	defer m.host.listener.Close()
	if p := m.Progress(); !p.Checking {
		t.Errorf("before it runs, it claims to know what is here: %+v", p)
	}
	d := newDirector(t.Context(), m)
	d.update(func(p *Progress) { p.Checking = true })
	for part := range uint32(m.parts) {
		d.take(swarm.Checked{Part: part, Good: true})
	}
	d.checkDone(nil)
	if p := m.Progress(); p.Checking || p.PartsDone != m.parts || p.BytesDone != file.Size {
		t.Errorf("the check is over, and the counts are not of it: %+v", p)
	}
}
