package orch

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"orchestra/proto/bencode"
)

// deep is a text with so many files, each so deep that its path has so many
// components. Its lines are made as they are read.
func deep(t *testing.T, files int, path func(i int) string, more ...string) io.Reader {
	t.Helper()
	head := compose("folder", nil, 1, SHA1)
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, text(t, head))
		for i := range files {
			if _, err := fmt.Fprintf(w, "file: 0 %s\n", path(i)); err != nil {
				return // it was refused
			}
		}
		for _, line := range more {
			_, _ = fmt.Fprintln(w, line)
		}
		w.Close()
	}()
	t.Cleanup(func() { r.Close() })
	return r
}

func below(first, name string, levels int) string {
	return first + "/" + strings.Repeat(name+"/", levels-2) + "f"
}

// TestDeepPaths holds what paths may cost whose folders are far more text than
// they are themselves: little time and memory, or a refusal that names the line.
func TestDeepPaths(t *testing.T) {
	const spared = sparedFolders / (maxLevels - foldersPerLine - 1)
	for _, c := range []struct {
		name  string
		files int
		path  func(i int) string
		more  []string
		want  string
	}{
		{"1,990 levels of one another", 50_000, func(i int) string { return below("a", "a", 1989) + fmt.Sprint("/", i) }, nil, "line 7: the path"},
		{"1,990 levels each", 50_000, func(i int) string { return below(fmt.Sprint(i), "a", 1990) }, nil, "has 1990 components; 255 are the most"},
		{"one level too many", 1, func(int) string { return below("a", "a", maxLevels+1) }, nil, "has 256 components"},
		{"as deep as can be", 20_000, func(i int) string { return below(fmt.Sprint(i), "a", maxLevels) }, nil, "the paths up to"},
		{"as many as are spared", spared, func(i int) string { return below(fmt.Sprint(i), "a", maxLevels) }, nil, ""},
		{"a link among capitals", spared, func(i int) string { return below(fmt.Sprint(i), "A", maxLevels) }, []string{"link: l // 0"}, ""},
		{"a link among accents", spared, func(i int) string { return below(fmt.Sprint(i), "é", maxLevels) }, []string{"link: l // 0"}, ""},
		{
			"a link in the depth", spared - 1, func(i int) string { return below(fmt.Sprint(i), "é", maxLevels) },
			[]string{"link: " + below("0", "É", maxLevels) + "2 // f"},
			"",
		},
		{
			"a link with a file's name", spared - 1, func(i int) string { return below(fmt.Sprint(i), "é", maxLevels) },
			[]string{"link: " + below("0", "É", maxLevels) + " // g"},
			"has the name of",
		},
		{"many in one depth", 10_000, func(i int) string { return strings.Repeat("a/", maxLevels-1) + fmt.Sprint(i) }, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			debug.FreeOSMemory()
			in, start := deep(t, c.files, c.path, c.more...), time.Now()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := Parse(in)
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) || c.want == "" && err != nil {
				t.Fatalf("the error is %v, want %q", err, c.want)
			}
			if err == nil {
				f.ID()
				if err := f.CheckLines(); err != nil {
					t.Error(err)
				}
			}
			runtime.ReadMemStats(&after)
			read := uint64(0)
			if f != nil {
				for _, l := range f.Lines {
					read += uint64(len(l.Value))
				}
			}
			live := after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc)
			if live > 64<<20+4*read {
				t.Errorf("%d MiB are taken for %d MiB of text", live>>20, read>>20)
			}
			t.Logf("%d MiB of text, %d MiB taken, %v", read>>20, live>>20, time.Since(start))
		})
	}
}

// TestInfoInPieces holds the info dictionary that is hashed piece by piece to the
// one of the torrent.
func TestInfoInPieces(t *testing.T) {
	f := compose("folder", nil, 1, SHA1)
	for i := range 5000 { // more than is gathered
		f.Lines = append(f.Lines, Line{keyFile, fmt.Sprintf("0 %d/some/folder/file", i)})
	}
	torrent, err := f.Torrent()
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := bencode.Decode(torrent)
	if err != nil {
		t.Fatal(err)
	}
	info := decoded.(map[string]any)["info"].(map[string]any)
	if got, want := f.ID(), infoHash(t, info); got != want {
		t.Errorf("the ID is %v, the torrent's %v", got, want)
	}
}
