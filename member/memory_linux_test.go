package member_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dustin/go-humanize"

	"orchestra/compose"
	"orchestra/member"
	"orchestra/orch"
)

// What a process of TestMemory is told through its environment: the composition, the folder, and
// whom to dial.
const (
	memoryFile = "ORCHESTRA_TEST_MEMORY_FILE"
	memoryDir  = "ORCHESTRA_TEST_MEMORY_DIR"
	memoryPeer = "ORCHESTRA_TEST_MEMORY_PEER"
)

// TestMemory holds what docs/architecture.md promises, with real processes: 64 MiB, 48 bytes a
// part, and one bit a part and peer, for a member that checks and shares 5 GiB and for one that
// gets them.
func TestMemory(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_LARGE") == "" {
		t.Skip("moves 5 GiB in a minute: make large runs it (ORCHESTRA_TEST_LARGE=1)")
	}
	const size = 5<<30 + 1
	for _, partSize := range []int64{64 << 10, 16 << 20} {
		t.Run(humanize.IBytes(uint64(partSize)), func(t *testing.T) {
			dir := memoryFolder(t)
			content := filepath.Join(dir, "content.bin")
			if err := writeSparse(content, size, 64<<10); err != nil {
				t.Fatal(err)
			}
			f, err := compose.Compose(t.Context(), compose.Config{Path: content, PartSize: partSize, Conductors: []string{"localhost:1"}})
			if err != nil {
				t.Fatal(err)
			}
			file := content + ".orch"
			if err := orch.WriteFile(file, f); err != nil {
				t.Fatal(err)
			}
			allowed := 64<<20 + 48*int64(f.NumParts()) + 2*int64(f.NumParts())/8
			addr, sharer := startMemory(t, file, dir, "")
			_, getter := startMemory(t, file, filepath.Join(dir, "got"), addr)
			for name, peak := range map[string]func() int64{"sharer": sharer, "getter": getter} {
				got := peak()
				t.Logf("%s: %d parts, peak of the process %s of %s allowed", name, f.NumParts(), humanize.IBytes(uint64(got)), humanize.IBytes(uint64(allowed)))
				if got > allowed {
					t.Errorf("%s: %d bytes, allowed %d", name, got, allowed)
				}
			}
		})
	}
}

// writeSparse makes a file of zeros but for one byte in each stretch, so that it has to be fetched
// and takes little room.
func writeSparse(path string, size, stretch int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for at := int64(0); at < size; at += stretch {
		if _, err := f.WriteAt([]byte{1}, at); err != nil {
			return err
		}
	}
	return f.Truncate(size)
}

// memoryFolder is on the RAM disk if the content fits there twice over.
func memoryFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "orchestra")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startMemory runs a member in a process of its own until it is complete. The answer ends it and is
// the peak of its memory in bytes.
func startMemory(t *testing.T, file, dir, peer string) (addr string, peak func() int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemoryProcess$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), memoryFile+"="+file, memoryDir+"="+dir, memoryPeer+"="+peer)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	line := func() string {
		if !lines.Scan() {
			t.Fatal("the process ended early", lines.Err())
		}
		return lines.Text()
	}
	addr = line()
	if s := line(); s != "complete" {
		t.Fatalf("the process said %q", s)
	}
	return addr, func() int64 {
		defer func() {
			in.Close()
			io.Copy(io.Discard, out)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}()
		return peakMemory(t, cmd.Process.Pid)
	}
}

func peakMemory(t *testing.T, pid int) (peak int64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	if _, err := fmt.Sscanf(string(rest), "%d kB", &peak); err != nil {
		t.Fatal(err)
	}
	return peak << 10
}

// TestMemoryProcess is a process of TestMemory.
func TestMemoryProcess(t *testing.T) {
	if os.Getenv(memoryFile) == "" {
		t.Skip("a part of TestMemory")
	}
	f, err := orch.Open(os.Getenv(memoryFile))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 1)
	m, err := member.New(member.Config{
		File: f, Dir: os.Getenv(memoryDir), Listen: "127.0.0.1:0", Conductors: []string{}, Peers: strings.Fields(os.Getenv(memoryPeer)),
		OnComplete: func(path string) { done <- path },
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(m.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	select {
	case <-done:
	case <-time.After(4 * time.Minute):
		t.Fatalf("not complete: %+v", m.Progress())
	}
	fmt.Println("complete")
	io.Copy(io.Discard, os.Stdin)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
