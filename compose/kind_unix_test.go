//go:build unix

package compose

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"orchestra/orch"
)

func TestOtherKinds(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // the address of a socket is short
	socket, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for path, say := range map[string]string{
		pipe:                          "pipe",
		"socket":                      "socket",
		os.DevNull:                    "device",
		filepath.Join(dir, "nothing"): "no such file",
	} {
		if _, err := Compose(t.Context(), Config{Path: path}); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: Compose = %v, want it to say %q", path, err, say)
		}
	}
}

func TestUnreadable(t *testing.T) {
	path := fileOf(t, random(10))
	unprivileged(t, path, func() {
		if _, err := Compose(t.Context(), Config{Path: path}); err != nil {
			t.Error("before: ", err)
		}
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := Compose(t.Context(), Config{Path: path}); !errors.Is(err, os.ErrPermission) {
			t.Errorf("Compose = %v", err)
		}
	})
}

func TestNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.txt", "é", "-n", "...", strings.Repeat("a", 250)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, random(10), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Compose(t.Context(), Config{Path: path})
		if err != nil || f.Name != name {
			t.Errorf("%q: Compose = %v, %v", name, f, err)
			continue
		}
		if again, err := orch.Parse(strings.NewReader(text(t, f))); err != nil || again.Name != name {
			t.Errorf("%q: read back %v, %v", name, again, err)
		}
	}
	for _, name := range []string{"a\nb", "a\x1b[2J", "a\x7f", `a\b`, "\xff", strings.Repeat("a", 251)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, random(10), 0o600); errors.Is(err, syscall.EILSEQ) {
			continue // this file system takes UTF-8 only
		} else if err != nil {
			t.Fatal(err)
		}
		if f, err := Compose(t.Context(), Config{Path: path}); err == nil || !strings.Contains(err.Error(), "rename") {
			t.Errorf("%q: Compose = %v, %v, want an error that says to rename it", name, f, err)
		}
	}
}

// TestLink holds that a symbolic link is read, under its own name.
func TestLink(t *testing.T) {
	path := fileOf(t, random(10))
	link := path + "-link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	f, err := Compose(t.Context(), Config{Path: link})
	if err != nil || f.Name != "content-link" {
		t.Errorf("Compose = %v, %v", f, err)
	}
}
