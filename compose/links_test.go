package compose

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"orchestra/orch"
)

// linkIn makes symbolic links in a folder: path and target by turns.
func linkIn(t *testing.T, root string, links ...string) {
	t.Helper()
	for pair := range slices.Chunk(links, 2) {
		at := filepath.Join(root, filepath.FromSlash(pair[0]))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.FromSlash(pair[1]), at); err != nil {
			t.Skip("symbolic links cannot be made here:", err)
		}
	}
}

// composed composes a folder and returns its files by path, and the warnings.
func composed(t *testing.T, root string, links Links) (f *orch.File, files map[string]int64, warnings []string) {
	t.Helper()
	f, err := Compose(t.Context(), Config{
		Path: root, Links: links, NoTimes: true,
		Warn: func(text string) { warnings = append(warnings, text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]int64{}
	for _, e := range f.Entries() {
		files[e.Path] = e.Size
	}
	return f, files, warnings
}

// TestLinksKept holds which links are carried, in which spelling, and that
// those that are not are named.
func TestLinksKept(t *testing.T) {
	root := folderOf(t, map[string]int{"v1/weights": 5, "v2/weights": 7, "bin/run": 3, "Read": 1})
	outside := folderOf(t, map[string]int{"x": 1})
	linkIn(t, root,
		"latest", "v2",
		"v1/next", "../v2/weights",
		"v1/top", "..",
		"here", ".",
		"only/links", "../bin/run",
		"dot", "./v2//weights",
		"back", "v1/../v2",
		"behind", "latest/../v1/weights", // the same with and without the link
		"dangling", "v3",
		"itself", "itself",
		"READ", "v1",
		"out", "../else",
		"v1/out", "../../else",
		"through", "latest/../../else",
		"absolute", outside,
	)
	f, files, warnings := composed(t, root, KeepLinks)
	if want := map[string]int64{"v1/weights": 5, "v2/weights": 7, "bin/run": 3, "Read": 1}; !reflect.DeepEqual(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	want := []orch.Link{
		{Path: "back", Target: "v2"},
		{Path: "behind", Target: "v1/weights"},
		{Path: "dangling", Target: "v3"},
		{Path: "dot", Target: "v2/weights"},
		{Path: "here", Target: "."},
		{Path: "itself", Target: "itself"},
		{Path: "latest", Target: "v2"},
		{Path: "only/links", Target: "../bin/run"},
		{Path: "v1/next", Target: "../v2/weights"},
		{Path: "v1/top", Target: ".."},
	}
	if got := f.Links(); !reflect.DeepEqual(got, want) {
		t.Errorf("links %q, want %q", got, want)
	}
	if !slices.Equal(f.Folders(), []string{"only"}) {
		t.Errorf("folders %q", f.Folders())
	}
	said := "\n" + strings.Join(warnings, "\n")
	for _, say := range []string{
		"READ is left out: it is a symbolic link that has the name of Read on some systems",
		`absolute is left out: it is a symbolic link to "` + outside + `", which is not relative`,
		`dangling is a symbolic link to "v3", where nothing can be reached; it is kept`,
		`itself is a symbolic link to "itself", where nothing can be reached; it is kept`,
		"out is left out: it is a symbolic link that cannot be carried: the target",
		"through is left out: it is a symbolic link that cannot be carried: the target",
		"v1/out is left out: it is a symbolic link that cannot be carried: the target",
	} {
		if strings.Count(said, "\n"+say) != 1 {
			t.Errorf("it is not said once that %s", say)
		}
	}
	if len(warnings) != 7 {
		t.Errorf("%d warnings, want 7:\n%s", len(warnings), said)
	}
	plain, _, _ := composed(t, root, SkipLinks)
	if plain.ID() != f.ID() || len(plain.Links()) != 0 {
		t.Error("the ID of the composition depends on links that are kept")
	}
	if !slices.Equal(plain.Folders(), f.Folders()) {
		t.Errorf("empty folders are %q without links", plain.Folders())
	}
}

// TestLinksBehindLinks holds that ".." behind a link is not taken for the
// folder that the link lies in.
func TestLinksBehindLinks(t *testing.T) {
	root := folderOf(t, map[string]int{"a/b/deep/x": 1, "a/y": 2, "y": 3})
	linkIn(t, root, "a/l", "b/deep", "a/up", "l/../y")
	f, _, warnings := composed(t, root, KeepLinks)
	if want := []orch.Link{{Path: "a/l", Target: "b/deep"}}; !reflect.DeepEqual(f.Links(), want) {
		t.Errorf("links %q, want %q", f.Links(), want)
	}
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "a/up is left out") {
		t.Errorf("warnings %q", warnings)
	}
}

// TestLinksFollowed reads through links, as in a folder that a model hub keeps
// beside its blobs.
func TestLinksFollowed(t *testing.T) {
	blobs := folderOf(t, map[string]int{"aa": 100_000, "bb": 10, "sub/cc": 7})
	root := folderOf(t, map[string]int{"own": 5})
	linkIn(t, root,
		"weights", filepath.Join(blobs, "aa"),
		"deep/config", filepath.Join(blobs, "bb"),
		"folder", filepath.Join(blobs, "sub"),
		"again", "weights",
		"gone", filepath.Join(blobs, "gone"),
		"itself", "itself",
		"deep/up", "..",
		"deep/whole", root,
	)
	linkIn(t, blobs, "sub/loop", ".")
	if runtime.GOOS != "windows" {
		linkIn(t, root, "null", os.DevNull)
	}
	f, files, warnings := composed(t, root, FollowLinks)
	if want := map[string]int64{
		"own": 5, "weights": 100_000, "again": 100_000, "deep/config": 10, "folder/cc": 7,
	}; !reflect.DeepEqual(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	if len(f.Links()) != 0 || len(f.Folders()) != 0 {
		t.Errorf("links %q, folders %q", f.Links(), f.Folders())
	}
	want := []string{
		"deep/up is left out: it leads to a folder that it lies in",
		"deep/whole is left out: it leads to a folder that it lies in",
		"folder/loop is left out: it leads to a folder that it lies in",
		`gone is left out: it is a symbolic link to "` + filepath.Join(blobs, "gone") + `", where nothing is`,
		"itself is left out: it is a symbolic link that leads to itself",
	}
	if runtime.GOOS != "windows" {
		want = append(want,
			"again and weights are one file on this disk, and its content is carried twice",
			"null is left out: it is a symbolic link to a device")
	}
	slices.Sort(want)
	slices.Sort(warnings)
	if !slices.Equal(warnings, want) {
		t.Errorf("warnings\n%s\nwant\n%s", strings.Join(warnings, "\n"), strings.Join(want, "\n"))
	}
	whole := slices.Concat(random(100_000), random(10), random(7), random(5), random(100_000))
	check(t, f, whole, f.PartSize, orch.SHA1)
}

// TestLinkFollowedElsewhere changes where a link leads while it is read.
func TestLinkFollowedElsewhere(t *testing.T) {
	blobs := folderOf(t, map[string]int{"aa": 100_000, "bb": 100_000})
	root := folderOf(t, map[string]int{"own": 5})
	linkIn(t, root, "weights", filepath.Join(blobs, "aa"))
	_, err := Compose(t.Context(), Config{Path: root, Links: FollowLinks, Progress: func(done, _ int64) {
		if done == 0 {
			_ = os.Remove(filepath.Join(root, "weights"))
			linkIn(t, root, "weights", filepath.Join(blobs, "bb"))
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "weights: "+ErrChanged.Error()) {
		t.Errorf("Compose = %v", err)
	}
}

func TestOnlyLinks(t *testing.T) {
	root := folderOf(t, map[string]int{"a/": 0})
	if err := os.Remove(filepath.Join(root, "a")); err != nil {
		t.Fatal(err)
	}
	linkIn(t, root, "a", "b", "b", "a")
	for links, say := range map[Links]string{
		SkipLinks: "nothing to share", KeepLinks: "only symbolic links", FollowLinks: "nothing to share",
	} {
		if _, err := Compose(t.Context(), Config{Path: root, Links: links}); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("links %d: Compose = %v, want it to say %q", links, err, say)
		}
	}
}

func TestHardLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the system does not tell")
	}
	root := folderOf(t, map[string]int{"a": 10, "c": 10, "empty": 0, "other": 10})
	for _, pair := range [][2]string{{"a", "b"}, {"c", "d"}, {"c", "e"}, {"c", "f"}, {"empty", "empty2"}} {
		if err := os.Link(filepath.Join(root, pair[0]), filepath.Join(root, pair[1])); err != nil {
			t.Skip("hard links cannot be made here:", err)
		}
	}
	_, _, warnings := composed(t, root, SkipLinks)
	if want := []string{
		"a and b are one file on this disk, and its content is carried twice",
		"c, d and 2 more are one file on this disk, and its content is carried 4 times",
	}; !slices.Equal(warnings, want) {
		t.Errorf("warnings %q, want %q", warnings, want)
	}
}

// TestTimes holds that times are there unless they are not wanted, and that the
// ID does not depend on them.
func TestTimes(t *testing.T) {
	root := folderOf(t, map[string]int{"a": 10, "b/c": 0, "old": 1})
	at := time.Date(2025, 12, 1, 10, 20, 30, 0, time.UTC)
	before := time.Date(1969, 12, 1, 0, 0, 0, 0, time.UTC)
	set := func(name string, to time.Time) {
		if err := os.Chtimes(filepath.Join(root, filepath.FromSlash(name)), to, to); err != nil {
			t.Fatal(err)
		}
	}
	set("a", at)
	set("b/c", at.Add(time.Hour))
	set("old", before)
	for _, h := range []orch.Hash{orch.SHA1, orch.SHA256} {
		f, err := Compose(t.Context(), Config{Path: root, Hash: h})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]time.Time{}
		for _, e := range f.Entries() {
			got[e.Path] = e.ModTime
		}
		want := map[string]time.Time{"a": at, "b/c": at.Add(time.Hour), "old": {}}
		if info, err := os.Stat(filepath.Join(root, "old")); err == nil && !info.ModTime().Equal(before) {
			delete(got, "old") // this file system has no such times
			delete(want, "old")
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("times %v, want %v", got, want)
		}
		set("a", at.Add(time.Minute))
		again, err := Compose(t.Context(), Config{Path: root, Hash: h})
		if err != nil || again.ID() != f.ID() || reflect.DeepEqual(again.Lines, f.Lines) {
			t.Errorf("with another time: ID %v, was %v; lines %q; %v", again.ID(), f.ID(), again.Lines, err)
		}
		set("a", at)
		single, err := Compose(t.Context(), Config{Path: filepath.Join(root, "a"), Hash: h})
		if err != nil || !single.ModTime().Equal(at) {
			t.Errorf("a single file: %v, %v", single.ModTime(), err)
		}
		none, err := Compose(t.Context(), Config{Path: filepath.Join(root, "a"), Hash: h, NoTimes: true})
		if err != nil || !none.ModTime().IsZero() || none.ID() != single.ID() {
			t.Errorf("without times: %v, ID %v, want %v; %v", none.ModTime(), none.ID(), single.ID(), err)
		}
	}
}
