package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

// TestLargeContentGoesOn holds how soon a join of 100 GB goes on after a stop, and after a kill in
// which nothing was lost: within a second. What it had is known from the journal; something is in
// each part of a file, so that no hole tells.
func TestLargeContentGoesOn(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_LARGE") == "" {
		t.Skip("ORCHESTRA_TEST_LARGE is not set")
	}
	const had = 5000 // parts
	for _, test := range []struct {
		name  string
		comp  *orch.File
		begun func(t *testing.T, st *Store, parts uint32)
	}{
		{"one file", largeComposition(), writeFew},
		{"100,000 files", largeFolder(), makeFiles},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := test.comp
			dir := t.TempDir()
			open := func() *Store {
				st, err := Open(Config{File: f, Dir: dir, Disk: roomy{disk.System()}})
				if err != nil {
					t.Fatal(err)
				}
				return st
			}
			st := open()
			test.begun(t, st, had)
			st.mu.Lock()
			for part := range uint32(had) {
				st.verify(part)
			}
			st.mu.Unlock()
			for _, how := range []string{"stop", "kill"} {
				begun := time.Now()
				end := st.Close
				if how == "kill" {
					end = func() error { return errors.Join(st.closeFiles(), st.root.Close()) }
				}
				if err := end(); err != nil {
					t.Fatal(err)
				}
				closed := time.Since(begun)
				begun = time.Now()
				st = open()
				opened := time.Since(begun)
				var bad atomic.Int64
				err := st.Check(context.Background(), func(_ uint32, good bool) {
					if !good {
						bad.Add(1)
					}
				})
				took := time.Since(begun)
				t.Logf("%s took %v: opened after %v, checked after %v", how, closed, opened, took)
				if err != nil || st.believedCount != had || bad.Load() != int64(f.NumParts()-had) {
					t.Errorf("after a %s: %d parts are known, %d are missing: %v",
						how, st.believedCount, bad.Load(), err)
				}
				if took > time.Second {
					t.Errorf("after a %s it goes on after %v", how, took)
				}
			}
			st.Close()
			info, err := os.Stat(filepath.Join(dir, journalFile))
			most := 4<<10 + 2*recordStamp*int64(st.Files())
			if err != nil || info.Size() > most {
				t.Errorf("the journal: %v %v", info.Size(), err)
			}
		})
	}
}

// largeComposition is one of a file of 100 GB.
func largeComposition() *orch.File {
	f := &orch.File{
		Conductor: "localhost:9999", Name: "content", Size: 100e9, PartSize: 16 << 20,
		Checksum: make([]byte, 20),
	}
	f.PartSums = make([]byte, 20*f.NumParts())
	rand.NewChaCha8([32]byte{}).Read(f.PartSums)
	return f
}

// largeFolder is one of as much in 100,000 files, in folders of 100, two levels down.
func largeFolder() *orch.File {
	const files, size = 100_000, 1_000_000
	f := largeComposition()
	for n := range files {
		path := fmt.Sprintf("%d folder%d/folder%d/file%d", size, n/10_000, n/100, n)
		f.Lines = append(f.Lines, orch.Line{Key: "file", Value: path})
	}
	return f
}

// writeFew writes something to each of so many parts.
func writeFew(t *testing.T, st *Store, parts uint32) {
	t.Helper()
	for part := range parts {
		if err := st.writeTo(0, []byte("something"), st.offset(part)); err != nil {
			t.Fatal(err)
		}
	}
}

// makeFiles makes the files that have something of so many parts.
func makeFiles(t *testing.T, st *Store, parts uint32) {
	t.Helper()
	for i, e := range st.layout.entries {
		if e.Offset >= st.offset(parts) {
			return
		}
		f, k, err := st.files.get(i, true)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Truncate(e.Size)
		st.files.put(k)
		if err != nil {
			t.Fatal(err)
		}
		st.restamp(i)
	}
}

// A roomy disk has room for everything.
type roomy struct{ disk.Disk }

func (d roomy) OpenRoot(path string) (disk.Root, error) {
	r, err := d.Disk.OpenRoot(path)
	return roomyRoot{r}, err
}

type roomyRoot struct{ disk.Root }

func (r roomyRoot) OpenRoot(name string) (disk.Root, error) {
	opened, err := r.Root.OpenRoot(name)
	return roomyRoot{opened}, err
}

func (r roomyRoot) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := r.Root.OpenFile(name, flag, perm)
	return roomyFile{f}, err
}

func (r roomyRoot) Open(name string) (disk.File, error) {
	f, err := r.Root.Open(name)
	return roomyFile{f}, err
}

type roomyFile struct{ disk.File }

func (roomyFile) Free() (int64, bool) { return 0, false }
