package store

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// linkedFolder has links to a file, to a folder and to nothing, one of them alone in its folder.
func linkedFolder(t *testing.T) *shelf {
	probe := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("target", probe); err != nil {
		t.Skip("symbolic links cannot be made here:", err)
	}
	s := newFolderShelf(t, "900 v1/file", "1100 v2/file")
	s.line("folder", "only")
	for _, link := range []string{"latest // v2", "only/link // ../v1/file", "v1/gone // nothing"} {
		s.line("link", link)
	}
	return s
}

// linksIn returns the links in a folder with their targets.
func (s *shelf) linksIn(name string) map[string]string {
	s.t.Helper()
	links := map[string]string{}
	root := filepath.Join(s.dir, name)
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type()&os.ModeSymlink != 0 {
			rel, _ := filepath.Rel(root, p)
			target, _ := os.Readlink(p)
			links[filepath.ToSlash(rel)] = filepath.ToSlash(target)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return links
}

func TestLinksAreMade(t *testing.T) {
	s := linkedFolder(t)
	want := map[string]string{"latest": "v2", "only/link": "../v1/file", "v1/gone": "nothing"}
	st := s.mustOpen()
	s.fetch(st, 0, 1)
	if diff := cmp.Diff(want, s.linksIn("content")); diff != "" {
		t.Error("links (-want +got):", diff)
	}
	if lacks := st.Lacks(); lacks != nil {
		t.Errorf("it lacks %q", lacks)
	}
	st.Close()

	// They are no strangers when the folder is there, and are made again by a repair alone.
	st = s.mustOpen()
	if len(st.Extra())+len(st.Flaws())+len(st.BadLinks()) > 0 {
		t.Errorf("extra %q, flaws %q, bad links %q", st.Extra(), st.Flaws(), st.BadLinks())
	}
	st.Close()
	for _, change := range []error{
		os.Remove(filepath.Join(s.dir, "content", "latest")),
		os.Remove(filepath.Join(s.dir, "content", "v1", "gone")),
		os.Symlink("v2", filepath.Join(s.dir, "content", "v1", "gone")),
		os.RemoveAll(filepath.Join(s.dir, "content", "only")),
	} {
		if change != nil {
			t.Fatal(change)
		}
	}
	st = s.mustOpen()
	checked(t, st)
	s.fetch(st)
	if diff := cmp.Diff([]string{"latest", "only/link", "v1/gone"}, st.BadLinks()); diff != "" {
		t.Error("bad links (-want +got):", diff)
	}
	st.Close()
	st, err := s.open(true)
	if err != nil {
		t.Fatal(err)
	}
	checked(t, st)
	s.fetch(st)
	want["v1/gone"] = "v2" // which is somebody's own
	if diff := cmp.Diff(want, s.linksIn("content")); diff != "" {
		t.Error("links after a repair (-want +got):", diff)
	}
	if lacks := st.Lacks(); len(lacks) != 1 || !strings.Contains(lacks[0], `it leads to "v2" and not to "nothing"`) {
		t.Errorf("it lacks %q", lacks)
	}
}

// TestLinksAreChosen holds that patterns choose links as they choose files.
func TestLinksAreChosen(t *testing.T) {
	for _, c := range []struct {
		only  string
		parts []uint32
		want  map[string]string
	}{
		{"v1", []uint32{0}, map[string]string{"v1/gone": "nothing"}},
		{"v2", []uint32{0, 1}, map[string]string{}},
		{"latest", nil, map[string]string{"latest": "v2"}},
	} {
		s := linkedFolder(t)
		chosen, err := Select(s.comp, []string{c.only}, nil)
		if err != nil {
			t.Fatal(err)
		}
		st, err := Open(Config{File: s.comp, Dir: s.dir, Select: chosen})
		if err != nil {
			t.Fatal(err)
		}
		s.fetch(st, c.parts...)
		if diff := cmp.Diff(c.want, s.linksIn("content")); diff != "" {
			t.Errorf("--only %s: links (-want +got): %s", c.only, diff)
		}
		st.Close()
	}
}

// TestWhatStandsInPlaceOfALink stays, and nothing is written through a link in NAME.part.
func TestWhatStandsInPlaceOfALink(t *testing.T) {
	s := linkedFolder(t)
	st := s.mustOpen()
	part := filepath.Join(s.dir, "content"+Suffix)
	if err := os.WriteFile(filepath.Join(part, "latest"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(part, "only")); err != nil {
		t.Fatal(err)
	}
	for n := range uint32(2) {
		if err := st.Write(n, 0, s.part(int(n))); err != nil {
			t.Fatal(err)
		}
		if good, err := st.Verify(n); err != nil || !good {
			t.Fatal(good, err)
		}
	}
	err := st.Finish()
	if err == nil {
		t.Error("an empty folder was made where a link leads out")
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("something was made outside: %v", entries)
	}
	if err := os.Remove(filepath.Join(part, "only")); err != nil {
		t.Fatal(err)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(s.dir, "content", "latest")); err != nil || string(got) != "mine" {
		t.Errorf("%q, %v", got, err)
	}
	said := strings.Join(st.Lacks(), "\n")
	if !strings.Contains(said, "latest cannot be made: something else stands there") {
		t.Errorf("it lacks %s", said)
	}
	if links := s.linksIn("content"); len(links) != 2 || slices.Contains([]string{links["only/link"], links["v1/gone"]}, "") {
		t.Errorf("links %v", links)
	}
}
