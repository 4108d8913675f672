package orch

import (
	"crypto/sha1"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto/bencode"
)

func TestTorrent(t *testing.T) {
	content := []byte("0123456789")
	f := &File{
		Conductor: "10.0.0.1", Name: "ten", Size: 10, PartSize: 6, Checksum: SHA1.Sum(content),
		PartSums: append(SHA1.Sum(content[:6]), SHA1.Sum(content[6:])...),
		Lines:    []Line{{"conductor", "[fe80::1]:77"}, {"comment", "digits"}},
	}
	b, err := f.Torrent()
	if err != nil {
		t.Fatal(err)
	}
	got, err := bencode.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	info := map[string]any{"length": int64(10), "name": "ten", "piece length": int64(6), "pieces": string(f.PartSums)}
	want := map[string]any{
		"announce":      "http://10.0.0.1:9999/announce",
		"announce-list": []any{[]any{"http://10.0.0.1:9999/announce"}, []any{"http://[fe80::1]:77/announce"}},
		"comment":       "digits", "created by": "Orchestra", "info": info,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("torrent (-want +got):", diff)
	}
	raw, err := bencode.Encode(info)
	if err != nil {
		t.Fatal(err)
	}
	if sha1.Sum(raw) != [20]byte(f.ID()) {
		t.Error("the info-hash is not the ID")
	}
	f.Checksum, f.PartSums = SHA256.Sum(content), append(SHA256.Sum(content[:6]), SHA256.Sum(content[6:])...)
	if _, err := f.Torrent(); err == nil {
		t.Error("a torrent with SHA-256 checksums")
	}
}

// The info dictionary is the one that mktorrent makes, and so is its hash.
func TestTorrentIsThatOfMktorrent(t *testing.T) {
	for _, size := range []int{1, 32 << 10, 100_000} {
		b := content(size)
		path := filepath.Join(t.TempDir(), "file é.bin")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		info := mktorrent(t, path, 15, "-p", "-s", "source & key")
		f := compose("file é.bin", b, 32<<10, SHA1)
		f.Lines = []Line{infoLine(t, info)}
		out := path + ".torrent"
		if err := WriteTorrent(out, f); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bencode.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(info, got.(map[string]any)["info"]); diff != "" {
			t.Errorf("%d bytes: info (-mktorrent +ours): %s", size, diff)
		}
		if want := infoHash(t, info); f.ID() != want {
			t.Errorf("%d bytes: ID %v, mktorrent's %v", size, f.ID(), want)
		}
	}
}
