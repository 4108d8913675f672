//go:build unix

package compose

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFolderNames holds that a name which not every system can store ends
// composing with its place.
func TestFolderNames(t *testing.T) {
	for _, name := range []string{"a\nb", "a\x1b[2J", `a\b`, "\xff", "C:", "d:x"} {
		root := folderOf(t, map[string]int{"ok": 1})
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); errors.Is(err, syscall.EILSEQ) {
			continue // this file system takes UTF-8 only
		} else if err != nil {
			t.Fatal(err)
		}
		if _, err := Compose(t.Context(), Config{Path: root}); err == nil || !strings.Contains(err.Error(), "rename it") {
			t.Errorf("%q: Compose = %v", name, err)
		}
	}
}

func TestFolderUnreadable(t *testing.T) {
	for _, path := range []string{"a/b", "a"} {
		root := folderOf(t, map[string]int{"a/b": 10})
		at := filepath.Join(root, path)
		unprivileged(t, root, func() {
			if _, err := Compose(t.Context(), Config{Path: root}); err != nil {
				t.Error("before: ", err)
			}
			if err := os.Chmod(at, 0); err != nil {
				t.Fatal(err)
			}
			_, err := Compose(t.Context(), Config{Path: root})
			_ = os.Chmod(at, 0o700)
			if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: Compose = %v", path, err)
			}
		})
	}
}

// unprivileged does something with a path in a temporary folder as somebody who may not read
// everything: root becomes nobody for as long, in the whole process, and nobody owns what is there.
func unprivileged(t *testing.T, path string, do func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		const nobody = 65534
		if err := filepath.WalkDir(path, func(at string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(at, nobody, -1))
		}); err != nil {
			t.Fatal(err)
		}
		for dir := filepath.Dir(path); strings.HasPrefix(dir, filepath.Clean(os.TempDir())+"/"); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Seteuid(nobody); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Seteuid(0); err != nil {
				panic(err) // nothing after this would test what it says
			}
		}()
	}
	do()
}
