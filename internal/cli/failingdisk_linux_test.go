//go:build amd64 || arm64

package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// A failingDisk is a file system that answers as it is told.
type failingDisk struct {
	mu     sync.Mutex
	full   bool
	broken string // the files that cannot be written to, by the end of their names
}

func (d *failingDisk) set(full bool, broken string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.broken = full, broken
}

// write is what it answers to who writes to a file.
func (d *failingDisk) write(name string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.full:
		return syscall.ENOSPC
	case d.broken != "" && strings.HasSuffix(name, d.broken):
		return syscall.EIO
	}
	return fs.OK
}

// failingDisk gives the member called name such a file system.
func (s *scene) failingDisk(name string) *failingDisk {
	s.t.Helper()
	lacks := s.t.Skip
	if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
		lacks = s.t.Fatal
	}
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		lacks("mounting such a file system takes FUSE:", err)
	} else {
		f.Close()
	}
	dir := filepath.Join(s.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	d := &failingDisk{}
	root := &fs.LoopbackRoot{Path: s.t.TempDir()}
	top := &failingNode{fs.LoopbackNode{RootData: root}, d}
	root.RootNode = top
	server, err := fs.Mount(dir, top, &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true}})
	if err != nil {
		lacks("cannot mount a file system that fails (Debian: fuse3):", err)
	}
	s.t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			_ = syscall.Unmount(dir, syscall.MNT_DETACH)
			s.t.Error(err)
		}
	})
	return d
}

// failingNode is a file or a folder of it.
type failingNode struct {
	fs.LoopbackNode
	d *failingDisk
}

// WrapChild makes what is in a folder of it one of it.
func (n *failingNode) WrapChild(context.Context, fs.InodeEmbedder) fs.InodeEmbedder {
	return &failingNode{fs.LoopbackNode{RootData: n.RootData}, n.d}
}

func (n *failingNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	f, out, errno := n.LoopbackNode.Open(ctx, flags)
	if errno != fs.OK {
		return nil, 0, errno
	}
	return &failingFile{f.(*fs.LoopbackFile), n}, out, fs.OK
}

func (n *failingNode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	inode, f, fuseFlags, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	if errno != fs.OK {
		return nil, nil, 0, errno
	}
	return inode, &failingFile{f.(*fs.LoopbackFile), inode.Operations().(*failingNode)}, fuseFlags, fs.OK
}

func (n *failingNode) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	errno := n.LoopbackNode.Statfs(ctx, out)
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if n.d.full {
		out.Bfree, out.Bavail = 0, 0
	}
	return errno
}

// failingFile is an open file of it.
type failingFile struct {
	*fs.LoopbackFile
	node *failingNode
}

// PassthroughFd lets the kernel do nothing by itself.
func (f *failingFile) PassthroughFd() (int, bool) { return 0, false }

func (f *failingFile) Write(ctx context.Context, p []byte, off int64) (uint32, syscall.Errno) {
	if errno := f.node.d.write(f.node.Path(nil)); errno != fs.OK {
		return 0, errno
	}
	return f.LoopbackFile.Write(ctx, p, off)
}

// A file system that says it is full is waited for.
func TestFileSystemThatIsFullForAWhile(t *testing.T) {
	t.Parallel()
	s := newScene(t, 4<<20, "64K")
	d := s.failingDisk("member")
	s.join("original").untilComplete()
	member := s.join("member", "--download-limit", "256K")
	member.untilParts(10)
	d.set(true, "")
	if e := member.until("that it pauses", is("paused", "")); !strings.Contains(e.Error, "the disk is full: ") {
		t.Errorf("it says %q", e.Error)
	}
	d.set(false, "")
	member.until("that it goes on", is("resumed", ""))
	member.untilComplete()
	s.wantCopy("member")
	member.stop(syscall.SIGTERM)
}

// A file that cannot be written to costs itself only: all others come, what is wrong is said, and
// it comes when it can be written to again.
func TestFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	d := s.failingDisk("member")
	d.set(false, "n/big.bin")
	s.join("original").untilComplete()
	member := s.join("member")
	member.until("all else, and why the rest does not come", func(e sceneEvent) bool {
		return e.PartsDone >= e.Parts-130 && e.PartsDone > 0 && strings.Contains(e.Waiting, "this disk did not take ") && strings.Contains(e.Waiting, "input/output error")
	})
	member.untilSays("cannot write " + s.path("member") + ".part/n/big.bin: input/output error")
	d.set(false, "")
	member.untilComplete()
	s.wantFolder("member", "")
	s.wantNoUnfinished("member")
	member.stop(syscall.SIGTERM)
}
