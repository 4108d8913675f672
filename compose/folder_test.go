package compose

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"orchestra/orch"
	"orchestra/proto/bencode"
)

// folderOf makes a folder of files; a path that ends in "/" is a folder.
func folderOf(t testing.TB, files map[string]int) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "folder")
	for path, size := range files {
		at := filepath.Join(root, filepath.FromSlash(path))
		if strings.HasSuffix(path, "/") {
			if err := os.MkdirAll(at, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, random(size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var several = map[string]int{
	"a/b": 100_000, "a.txt": 1, "a/c/d": 0, "B": 40_000, "a-": 600_000, "é/ü": 5, "none/": 0, "x/y/": 0,
}

func TestFolder(t *testing.T) {
	root := folderOf(t, several)
	if runtime.GOOS != "windows" {
		if err := os.Chmod(filepath.Join(root, "a.txt"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	order := []string{"B", "a-", "a.txt", "a/b", "a/c/d", "é/ü"}
	var whole []byte
	for _, path := range order {
		whole = append(whole, random(several[path])...)
	}
	for _, partSize := range []int64{1000, 32 << 10, 300_000, 1 << 20} {
		f, err := Compose(t.Context(), Config{Path: root, PartSize: partSize})
		if err != nil {
			t.Fatal(err)
		}
		check(t, f, whole, partSize, orch.SHA1)
		var paths []string
		for _, e := range f.Entries() {
			paths = append(paths, e.Path)
			if want := e.Path == "a.txt" && runtime.GOOS != "windows"; e.Exec != want {
				t.Errorf("%s: executable is %v", e.Path, e.Exec)
			}
		}
		if !slices.Equal(paths, order) || !slices.Equal(f.Folders(), []string{"none", "x/y"}) || f.Name != "folder" {
			t.Errorf("%s holds %q and the empty %q", f.Name, paths, f.Folders())
		}
		if partSize == 32<<10 && f.ID().String() != "1b06a9de3a73e4f2d95f9e0faaf4b6b7ea0e4ae7" {
			t.Errorf("the ID is %v", f.ID())
		}
	}
}

// TestFolderIsThatOfMktorrent compares the info-hash, order of files included.
func TestFolderIsThatOfMktorrent(t *testing.T) {
	program, err := exec.LookPath("mktorrent")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("mktorrent is not installed; install the package mktorrent")
	} else if err != nil {
		t.Skip("mktorrent is not installed, so there is no torrent to compare with")
	}
	for _, files := range []map[string]int{several, {"done": 0, "more/done": 0}} {
		root := folderOf(t, files)
		out := root + ".torrent"
		if text, err := exec.Command(program, "-l", "15", "-a", "http://localhost/announce", "-o", out, root).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		torrent, err := bencode.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		info, err := bencode.Encode(torrent.(map[string]any)["info"])
		if err != nil {
			t.Fatal(err)
		}
		f, err := Compose(t.Context(), Config{Path: root, PartSize: 1 << 15})
		if err != nil {
			t.Fatal(err)
		}
		if want := orch.ID(sha1.Sum(info)); f.ID() != want {
			t.Errorf("%d files: ID %v, mktorrent's %v of %q", len(files), f.ID(), want, bytes.ToValidUTF8(info, nil))
		}
	}
}

func TestFolderChanged(t *testing.T) {
	for name, change := range map[string]func(root string) error{
		"grown":   func(root string) error { return os.Truncate(filepath.Join(root, "a", "b"), 100_001) },
		"cut":     func(root string) error { return os.Truncate(filepath.Join(root, "a", "b"), 99_999) },
		"removed": func(root string) error { return os.Remove(filepath.Join(root, "a", "b")) },
		"added":   func(root string) error { return os.WriteFile(filepath.Join(root, "a", "b0"), nil, 0o600) },
	} {
		root := folderOf(t, several)
		_, err := Compose(t.Context(), Config{Path: root, Progress: func(done, _ int64) {
			if done == 0 {
				if err := change(root); err != nil {
					t.Fatal(err)
				}
			}
		}})
		if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "a/b") {
			t.Errorf("%s: Compose = %v, want ErrChanged of a/b", name, err)
		}
	}
}

func TestFolderWarnings(t *testing.T) {
	root := folderOf(t, map[string]int{"a": 1, "d/e\u0301": 1, "d/\u00c9": 1})
	if err := os.Symlink("/etc", filepath.Join(root, "link")); err != nil {
		t.Skip("symbolic links cannot be made here:", err)
	}
	var got []string
	f, err := Compose(t.Context(), Config{Path: root, Warn: func(text string) { got = append(got, text) }})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"link is left out: it is a symbolic link (see --links)"}
	if len(f.Entries()) == 3 { // else this file system took them for one
		want = append(want, fmt.Sprintf("d/%s and d/%s have the same name on some systems, which cannot have both", "e\u0301", "\u00c9"))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

// TestFolderLinkPlanted puts a link where a file was found: it is not followed
// out of the folder, nor taken for the file within.
func TestFolderLinkPlanted(t *testing.T) {
	outside := fileOf(t, random(100_000))
	for _, target := range []string{outside, "copy"} {
		root := folderOf(t, map[string]int{"a": 100_000, "copy": 100_000})
		_, err := Compose(t.Context(), Config{Path: root, Progress: func(done, _ int64) {
			if done > 0 {
				return
			}
			if err := errors.Join(os.Remove(filepath.Join(root, "a")), os.Symlink(target, filepath.Join(root, "a"))); err != nil {
				t.Skip("symbolic links cannot be made here:", err)
			}
		}})
		if err == nil || !strings.Contains(err.Error(), "a: ") {
			t.Errorf("a link to %s: Compose = %v", target, err)
		}
	}
}

func TestFolderCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Compose(ctx, Config{Path: folderOf(t, several)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Compose = %v", err)
	}
}

func TestFolderWithNothing(t *testing.T) {
	if _, err := Compose(t.Context(), Config{Path: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "nothing to share") {
		t.Errorf("Compose = %v", err)
	}
	f, err := Compose(t.Context(), Config{Path: folderOf(t, map[string]int{"a/": 0})})
	if err != nil || !f.IsFolder() || f.Size != 0 {
		t.Errorf("Compose = %v, %v", f, err)
	}
}
