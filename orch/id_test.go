package orch

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"orchestra/proto/bencode"
)

// content makes n bytes that differ from part to part.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i>>7 ^ i)
	}
	return b
}

// mktorrent describes path in pieces of 2^exponent bytes and returns the info
// dictionary of its torrent.
func mktorrent(t *testing.T, path string, exponent int, flags ...string) map[string]any {
	t.Helper()
	program, err := exec.LookPath("mktorrent")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("mktorrent is not installed; install the package mktorrent")
	} else if err != nil {
		t.Skip("mktorrent is not installed, so there is no torrent to compare with")
	}
	out := filepath.Join(t.TempDir(), "x.torrent")
	args := append([]string{"-l", fmt.Sprint(exponent), "-a", "http://localhost/announce", "-o", out}, flags...)
	if text, err := exec.Command(program, append(args, path)...).CombinedOutput(); err != nil {
		t.Fatalf("mktorrent: %v\n%s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	v, err := bencode.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	info, ok := v.(map[string]any)["info"].(map[string]any)
	if !ok {
		t.Fatalf("the torrent has no info dictionary: %v", v)
	}
	return info
}

// infoHash is the SHA-1 of the encoded dictionary (BEP 3).
func infoHash(t *testing.T, info map[string]any) ID {
	t.Helper()
	b, err := bencode.Encode(info)
	if err != nil {
		t.Fatal(err)
	}
	return ID(sha1.Sum(b))
}

func TestIDIsThatOfMktorrent(t *testing.T) {
	const part = 32 << 10
	for _, size := range []int{1, part - 1, part, part + 1, 3*part - 1, 3 * part, 3*part + 1} {
		b := content(size)
		path := filepath.Join(t.TempDir(), "file é.bin")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		want := infoHash(t, mktorrent(t, path, 15))
		if got := compose("file é.bin", b, part, SHA1).ID(); got != want {
			t.Errorf("%d bytes: ID is %v, mktorrent's %v", size, got, want)
		}
	}
}

func TestIDWithInfoKeysIsThatOfMktorrent(t *testing.T) {
	b := content(100_000)
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	info := mktorrent(t, path, 16, "-p", "-s", "source & key")
	f := compose("x", b, 1<<16, SHA1)
	if f.ID() == infoHash(t, info) {
		t.Fatal("the torrent has no further info keys; this test compares nothing")
	}
	f.Lines = []Line{infoLine(t, info)}
	if got, want := mustParse(t, text(t, f)).ID(), infoHash(t, info); got != want {
		t.Errorf("ID is %v, mktorrent's %v", got, want)
	}
}

// infoLine is the line for the keys of info that the other lines do not give.
func infoLine(t *testing.T, info map[string]any) Line {
	t.Helper()
	more := map[string]any{}
	for k, v := range info {
		if !strings.Contains("|files|length|name|piece length|pieces|", "|"+k+"|") {
			more[k] = v
		}
	}
	b, err := bencode.Encode(more)
	if err != nil {
		t.Fatal(err)
	}
	return Line{"info", base64.StdEncoding.EncodeToString(b)}
}

func TestFolderIDIsThatOfMktorrent(t *testing.T) {
	const part = 32 << 10
	dir := filepath.Join(t.TempDir(), "folder")
	for path, size := range map[string]int{"a": part + 1, "b/c/d": part - 1, "b/e e": 5, "empty": 0} {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content(size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	info := mktorrent(t, dir, 15)
	var whole []byte
	var lines []Line
	for _, file := range info["files"].([]any) { // its order is mktorrent's to choose
		var components []string
		for _, c := range file.(map[string]any)["path"].([]any) {
			components = append(components, c.(string))
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.Join(components...)))
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, b...)
		lines = append(lines, Line{"file", fmt.Sprintf("%d %s", len(b), strings.Join(components, "/"))})
	}
	f := compose("folder", whole, part, SHA1)
	f.Lines = lines
	if got, want := mustParse(t, text(t, f)).ID(), infoHash(t, info); got != want {
		t.Errorf("ID is %v, mktorrent's %v", got, want)
	}
}

// TestIDOfAnyPartSize builds the dictionary by hand, byte for byte: mktorrent
// makes pieces of powers of two only, and none for an empty file.
func TestIDOfAnyPartSize(t *testing.T) {
	for _, c := range []struct{ size, part int }{
		{0, 16384}, {1, 1}, {10, 3}, {9, 3}, {8, 3}, {1000, 999}, {1000, 1000}, {1000, 1001}, {100_000, 30_000},
	} {
		b := content(c.size)
		var pieces []byte
		for at := 0; at < len(b); at += c.part {
			sum := sha1.Sum(b[at:min(at+c.part, len(b))])
			pieces = append(pieces, sum[:]...)
		}
		var info bytes.Buffer
		fmt.Fprintf(&info, "d6:lengthi%de4:name1:n12:piece lengthi%de6:pieces%d:", c.size, c.part, len(pieces))
		info.Write(pieces)
		info.WriteString("e")
		if got, want := compose("n", b, int64(c.part), SHA1).ID(), ID(sha1.Sum(info.Bytes())); got != want {
			t.Errorf("%d bytes in parts of %d: ID is %v, want %v", c.size, c.part, got, want)
		}
	}
}

func TestSHA256ID(t *testing.T) {
	f := compose("n", []byte("0123456789"), 6, SHA256)
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) + "\n" }
	canonical := "n\n" + sum("0123456789") + "10\n6\n2\n" + sum("012345") + sum("6789")
	want := sha256.Sum256([]byte(canonical))
	if got := f.ID(); !bytes.Equal(got[:], want[:20]) {
		t.Errorf("ID is %v, want %x", got, want[:20])
	}
	f.Lines = []Line{{"comment", "not counted"}, {"file", "4 a"}, {"x", ""}, {"file", "6 b/c"}}
	want = sha256.Sum256([]byte(canonical + "file: 4 a\nfile: 6 b/c\n"))
	if got := f.ID(); !bytes.Equal(got[:], want[:20]) {
		t.Errorf("with files: ID is %v, want %x", got, want[:20])
	}
}

// TestWhatIDCounts holds that addresses and comments may be edited, and
// nothing else.
func TestWhatIDCounts(t *testing.T) {
	id := mustParse(t, sample).ID()
	for name, in := range map[string]string{
		"conductor":       change(1, "elsewhere:1"),
		"optional lines":  sample + "comment: c\nconductor: d\nx: y\n",
		"line ends":       strings.ReplaceAll(sample, "\n", "\r\n"),
		"path":            change(2, "typed/maxresdefault.jpg"),
		"upper case":      change(7, strings.ToUpper(strings.Split(sample, "\n")[6])),
		"no last newline": strings.TrimSuffix(sample, "\n"),
	} {
		if got := mustParse(t, in).ID(); got != id {
			t.Errorf("%s: the ID changed from %v to %v", name, id, got)
		}
	}
	for name, in := range map[string]string{
		"name":      change(2, "n"),
		"size":      change(4, "142043"),
		"part size": change(5, "16385"),
		"part":      change(15, strings.Repeat("0", 40)),
		"folder":    sample + "file: 142044 a\n",
	} {
		if got := mustParse(t, in).ID(); got == id {
			t.Errorf("%s: the ID is still %v", name, got)
		}
	}
}

func TestParseID(t *testing.T) {
	id := mustParse(t, sample).ID()
	for _, s := range []string{id.String(), strings.ToUpper(id.String())} {
		if got, err := ParseID(s); err != nil || got != id {
			t.Errorf("ParseID(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", id.String()[1:], id.String() + "00", "x" + id.String()[1:]} {
		if got, err := ParseID(s); err == nil {
			t.Errorf("ParseID(%q) = %v, want an error", s, got)
		}
	}
}
