package orch

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto/bencode"
)

func sampleTorrent(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "torrents", name+".torrent"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The info-hashes are those that libtorrent 2.0.8, which made the files, gives of them.
func TestTorrentsOfLibtorrent(t *testing.T) {
	for name, want := range map[string]string{
		"file-v1":       "d5a7f533bcde2ef466338b7d17a82fd4ce590023",
		"file-hybrid":   "210d0153bda3ff59a56ecf77ccaa065537611104",
		"folder-v1":     "53059146c76379f2df9d28722908455f19120d5f",
		"folder-padded": "09c5b46eba7abee7f4bb53ac4495ab83b7f08453",
		"folder-hybrid": "f7b4069c8ad08defbddb4cc3dcfdffa52fb8f5cf",
	} {
		f, err := ParseTorrent(bytes.NewReader(sampleTorrent(t, name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again := mustParse(t, text(t, f))
		if f.ID().String() != want || again.ID() != f.ID() {
			t.Errorf("%s: ID %v, as an .orch file %v, want %s", name, f.ID(), again.ID(), want)
		}
		if diff := cmp.Diff(f, again); diff != "" {
			t.Errorf("%s: written and read again (-before +after): %s", name, diff)
		}
		info, err := f.Info()
		if err != nil || !bytes.Contains(sampleTorrent(t, name), info) {
			t.Errorf("%s: the info dictionary is not the torrent's (%v)", name, err)
		}
		made, err := f.Torrent()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseTorrent(bytes.NewReader(made))
		if diff := cmp.Diff(f, back); err != nil || diff != "" {
			t.Errorf("%s: exported and imported (-before +after): %v %s", name, err, diff)
		}
	}
}

func TestTorrentWithPads(t *testing.T) {
	f, err := ParseTorrent(bytes.NewReader(sampleTorrent(t, "folder-hybrid")))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Path: "a.bin", Size: 40000},
		{Path: "c", Size: 70000, Offset: 65536, Exec: true},
		{Path: "empty", Offset: 163840},
		{Path: "sub/b", Size: 1, Offset: 163840},
	}
	if diff := cmp.Diff(want, f.Entries()); diff != "" {
		t.Error("files (-want +got):", diff)
	}
	if diff := cmp.Diff([]Link{{"link", "sub/b"}}, f.Links()); diff != "" {
		t.Error("links (-want +got):", diff)
	}
	paths := []string{"a.bin", "", "c", "", "empty", "", "sub/b", ""}
	if diff := cmp.Diff(paths, f.Paths()); diff != "" {
		t.Error("paths (-want +got):", diff)
	}
	conductors, err := f.Conductors()
	if err != nil || len(conductors) != 1 || conductors[0] != "tracker.example.org:6969" {
		t.Errorf("conductors %v, %v", conductors, err)
	}
	tiers := [][]string{{"udp://tracker.example.org:6969/announce", "https://t.example.org/KEY/announce"}}
	if diff := cmp.Diff(tiers, f.Trackers()); diff != "" {
		t.Error("trackers (-want +got):", diff)
	}
	if diff := cmp.Diff([]string{"http://seed.example.org/files/"}, f.Webseeds()); diff != "" {
		t.Error("web seeds (-want +got):", diff)
	}
	if f.Checksum != nil || f.TrackersOnly() {
		t.Errorf("checksum %x, trackers only %v", f.Checksum, f.TrackersOnly())
	}
	if padded, err := ParseTorrent(bytes.NewReader(sampleTorrent(t, "folder-padded"))); err != nil || !padded.TrackersOnly() {
		t.Errorf("a private torrent is read as %+v, %v", padded, err)
	}
}

func TestTorrentOfV2Alone(t *testing.T) {
	for _, name := range []string{"file-v2", "folder-v2"} {
		if _, err := ParseTorrent(bytes.NewReader(sampleTorrent(t, name))); !errors.Is(err, ErrV2Only) {
			t.Errorf("%s: error %v, want one that names the version", name, err)
		}
	}
}

// Who knows the parts of something small knows the whole.
func TestChecksumOfATorrentOfOnePart(t *testing.T) {
	for size, want := range map[int]bool{0: true, 7: true, 32 << 10: true, 32<<10 + 1: false} {
		b := content(size)
		f := compose("x", b, 32<<10, SHA1)
		raw, err := f.Torrent()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseTorrent(bytes.NewReader(raw))
		if err != nil || want != bytes.Equal(got.Checksum, f.Checksum) || got.ID() != f.ID() {
			t.Errorf("%d bytes: checksum %x, %v", size, got.Checksum, err)
		}
	}
}

func TestParseTorrentRefuses(t *testing.T) {
	info := func(change func(info map[string]any)) []byte {
		dict := map[string]any{"name": "x", "length": 3, "piece length": 4, "pieces": strings.Repeat("p", 20)}
		change(dict)
		b, err := bencode.Encode(map[string]any{"info": dict})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	files := func(list ...any) func(map[string]any) {
		return func(info map[string]any) {
			delete(info, "length")
			info["files"] = list
		}
	}
	one := func(length any, path ...any) map[string]any { return map[string]any{"length": length, "path": path} }
	for name, c := range map[string]struct {
		torrent []byte
		want    string
	}{
		"an .orch file":      {[]byte(sample), "no torrent"},
		"nothing":            {nil, "no torrent"},
		"no info":            {[]byte("d1:ai1ee"), "no info"},
		"left-over bytes":    {append(info(func(map[string]any) {}), 'x'), "left over"},
		"unsorted info":      {[]byte("d4:infod4:name1:x6:lengthi3eee"), "sorted"},
		"a path as name":     {info(func(i map[string]any) { i["name"] = "../x" }), "separator"},
		"name of dots":       {info(func(i map[string]any) { i["name"] = ".." }), "stands for a folder"},
		"number as name":     {info(func(i map[string]any) { i["name"] = 7 }), `"name"`},
		"no pieces":          {info(func(i map[string]any) { delete(i, "pieces") }), `"pieces"`},
		"too few pieces":     {info(func(i map[string]any) { i["length"] = 5 }), "pieces"},
		"negative length":    {info(func(i map[string]any) { i["length"] = -1 }), "negative"},
		"piece length of 0":  {info(func(i map[string]any) { i["piece length"] = 0 }), "part size"},
		"huge claims":        {info(func(i map[string]any) { i["length"], i["piece length"] = int64(1)<<62, 1 }), "too many"},
		"files that are one": {info(files(one(1, "a"), one(2, "a"))), "twice"},
		"path that leads up": {info(files(one(3, "a", "..", "b"))), "stands for a folder"},
		"path of separators": {info(files(one(3, "a/b"))), "no name"},
		"path of control":    {info(files(one(3, "a\nb"))), "control"},
		"path of nothing":    {info(files(one(3))), "empty"},
		"path of numbers":    {info(files(one(3, 7))), "no name"},
		"no path":            {info(files(map[string]any{"length": 3})), `"path"`},
		"negative file":      {info(files(one(4, "a"), one(-1, "b"))), "negative"},
		"sum over 64 bits":   {info(files(one(int64(1)<<62, "a"), one(int64(1)<<62, "b"))), "64 bits"},
		"pads alone":         {info(files(map[string]any{"length": 3, "path": []any{"p"}, "attr": "p"})), "without a file"},
		"no file":            {info(files()), "without a file"},
	} {
		_, err := ParseTorrent(bytes.NewReader(c.torrent))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func FuzzParseTorrent(f *testing.F) {
	for _, name := range []string{"file-v1", "file-hybrid", "folder-v1", "folder-padded", "folder-hybrid", "folder-v2"} {
		f.Add(sampleTorrent(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseTorrent(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := got.WriteTo(&out); err != nil {
			t.Fatal("it was read and cannot be written:", err)
		}
		again, err := Parse(&out)
		if err != nil || again.ID() != got.ID() {
			t.Fatalf("as an .orch file it is refused, or another: %v", err)
		}
		info, err := got.Info()
		if err != nil || !bytes.Contains(b, info) {
			t.Fatalf("the info dictionary is not the torrent's: %v", err)
		}
	})
}
