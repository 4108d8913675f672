package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/orch"
)

// TestLargeContentGoesOn holds how soon a join of 100 GB goes on after a stop, and after a kill in
// which nothing was lost: within a second. What it had is known from the journal; something is in
// each part, so that no hole tells.
func TestLargeContentGoesOn(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_LARGE") == "" {
		t.Skip("ORCHESTRA_TEST_LARGE is not set")
	}
	const size, partSize, had = 100e9, 16 << 20, 5000
	f := &orch.File{Conductor: "localhost:9999", Name: "content", Size: size, PartSize: partSize, Checksum: make([]byte, 20)}
	f.PartSums = make([]byte, 20*f.NumParts())
	rand.NewChaCha8([32]byte{}).Read(f.PartSums)
	dir := t.TempDir() // which need not have so much room
	st, err := Open(Config{File: f, Dir: dir, Disk: &watched{}})
	if err != nil {
		t.Fatal(err)
	}
	for part := range uint32(had) {
		if err := st.writeTo(0, []byte("something"), st.offset(part)); err != nil {
			t.Fatal(err)
		}
		st.mu.Lock()
		st.verify(part)
		st.mu.Unlock()
	}
	for _, how := range []string{"stop", "kill"} {
		if how == "stop" {
			err = st.Close()
		} else {
			err = errors.Join(st.closeFiles(), st.root.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if st, err = Open(Config{File: f, Dir: dir, Disk: &watched{}}); err != nil {
			t.Fatal(err)
		}
		opened := time.Since(begun)
		var bad atomic.Int64
		err := st.Check(context.Background(), func(_ uint32, good bool) {
			if !good {
				bad.Add(1)
			}
		})
		took := time.Since(begun)
		t.Logf("after a %s: opened after %v, checked after %v", how, opened, took)
		if err != nil || st.believedCount != had || bad.Load() != int64(f.NumParts()-had) {
			t.Errorf("after a %s: %d parts are known, %d are missing: %v", how, st.believedCount, bad.Load(), err)
		}
		if took > time.Second {
			t.Errorf("after a %s it goes on after %v", how, took)
		}
	}
	st.Close()
	if info, err := os.Stat(filepath.Join(dir, journalFile)); err != nil || info.Size() > 4<<10 {
		t.Errorf("the journal: %v %v", info.Size(), err)
	}
}
