//go:build linux || darwin

package store

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A folder stays open while its files are looked at one after the other, and no longer: what stands
// in its place the next time is seen.
func TestGlance(t *testing.T) {
	s := newFolderShelf(t, "10 a/b/1", "10 a/b/2", "10 a/b/3", "10 c", "10 d/1", "10 a/b/4")
	s.putFolder("content")
	var did []string
	d := newFaultyDisk(fault{only: func(op, name string) bool {
		did = append(did, op+" "+name)
		return false
	}})
	defer d.close()
	st, err := Open(Config{File: s.comp, Dir: s.dir, Disk: d})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	did = nil
	before := st.lookAtAll()
	want := []string{
		"lstat a/b/1", "open a/b", "lstat 2", "lstat 3", "lstat c", "lstat d/1", "lstat a/b/4",
	}
	if diff := cmp.Diff(want, did); diff != "" {
		t.Error("a look at all (-want +got):", diff)
	}
	must(s, os.Rename(s.in("content/a/b"), s.in("before")))
	s.putFolder("content")
	for i, now := range st.lookAtAll() {
		if same := now.id == before[i].id; same != (i == 3 || i == 4) {
			t.Errorf("file %d: is the same: %v", i, same)
		}
	}
}
